//! Microsoft's own clients do a day's work here, and every body of it has the published shape.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use graph_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::client::ANNA;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the clients are, installed when they are not.
fn clients() -> &'static Path {
    static CLIENTS: OnceLock<PathBuf> = OnceLock::new();
    CLIENTS.get_or_init(|| {
        succeeds(Command::new(script("install")).stdin(Stdio::null()));
        root().join("target/clients")
    })
}

fn python() -> Command {
    Command::new(clients().join("python/bin/python"))
}

fn node() -> Command {
    let mut node = Command::new("node");
    node.env("NODE_PATH", clients().join("node_modules"));
    node
}

fn script(name: &str) -> PathBuf {
    root().join("tests/clients").join(name)
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n");
    assert!(output.status.success(), "{command:?}\n{text}");
}

struct Day {
    simulator: Simulator,
    folder: tempfile::TempDir,
}

impl Day {
    fn new() -> Self {
        let simulator = Simulator::start(Options::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("certificate.pem"), simulator.certificate()).unwrap();
        simulator.record();
        Self { simulator, folder }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// Checks what was sent and answered against the published types.
    fn has_published_shapes(&self) {
        let exchanges = self.simulator.exchanges();
        assert!(exchanges.len() > 40, "{} exchanges", exchanges.len());
        let recording = self.folder.path().join("recording.json");
        std::fs::write(&recording, serde_json::to_vec(&exchanges).unwrap()).unwrap();
        succeeds(node().arg(script("shapes.js")).arg(&recording));
    }
}

#[test]
fn the_python_client_completes_a_day() {
    let day = Day::new();
    succeeds(python().arg(script("day.py")).args([day.simulator.base_url(), ANNA]));
    day.has_published_shapes();
}

#[test]
fn the_javascript_client_completes_a_day_over_tls() {
    let day = Day::new();
    let mut command = node();
    command.env("NODE_EXTRA_CA_CERTS", day.certificate()).arg(script("day.js"));
    succeeds(command.args([day.simulator.https_url(), ANNA]));
    day.has_published_shapes();
}

#[test]
fn azure_identity_logs_in_and_bad_assertions_do_not() {
    let day = Day::new();
    succeeds(python().arg(script("identity.py")).arg(day.simulator.https_url()).arg(day.certificate()).arg(ANNA));
}

#[test]
fn a_wrong_shape_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let event = |answered: Value| json!({"target": "GET /v1.0/users/{user}/events/{event}", "sent": null, "status": 200, "answered": answered});
    for (at, (wrong, why)) in [
        (event(json!({"id": "1", "showAs": "asleep"})), "asleep"),
        (event(json!({"id": "1", "colour": "red"})), "colour"),
        (event(json!({"id": "1", "start": "2026-04-15"})), "DateTimeTimeZone"),
        (json!({"target": "GET /v1.0/nothing", "sent": null, "status": 200, "answered": {}}), "no type is known"),
    ]
    .into_iter()
    .enumerate()
    {
        let recording = folder.path().join(format!("{at}.json"));
        std::fs::write(&recording, json!([event(json!({"id": "1"})), wrong]).to_string()).unwrap();
        let output = node().arg(script("shapes.js")).arg(&recording).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(why), "{text}");
    }
}
