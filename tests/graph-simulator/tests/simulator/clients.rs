//! Microsoft's own clients do a day's work here, and every body of it has the published shape.

use std::path::PathBuf;

use graph_simulator::clients::{check_shapes, node, python, script, succeed};
use graph_simulator::{Exchange, Options, Simulator};
use serde_json::{Value, json};

use crate::client::ANNA;

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

    fn has_published_shapes(&self) {
        let exchanges = self.simulator.exchanges();
        assert!(exchanges.len() > 40, "{} exchanges", exchanges.len());
        check_shapes(&exchanges).unwrap();
    }
}

#[test]
fn the_python_client_completes_a_day() {
    let day = Day::new();
    succeed(python().unwrap().arg(script("day.py")).args([day.simulator.base_url(), ANNA])).unwrap();
    day.has_published_shapes();
}

#[test]
fn the_javascript_client_completes_a_day_over_tls() {
    let day = Day::new();
    let mut command = node().unwrap();
    command.env("NODE_EXTRA_CA_CERTS", day.certificate()).arg(script("day.js"));
    succeed(command.args([day.simulator.https_url(), ANNA])).unwrap();
    day.has_published_shapes();
}

#[test]
fn azure_identity_logs_in_and_bad_assertions_do_not() {
    let day = Day::new();
    let mut command = python().unwrap();
    succeed(command.arg(script("identity.py")).arg(day.simulator.https_url()).arg(day.certificate()).arg(ANNA))
        .unwrap();
}

#[test]
fn a_wrong_shape_is_found() {
    let exchange = |target: &str, sent: Option<Value>, answered: Value| Exchange {
        target: target.to_owned(),
        sent,
        status: 200,
        answered: Some(answered),
    };
    let event = |answered: Value| exchange("GET /v1.0/users/{user}/events/{event}", None, answered);
    let task = "POST /v1.0/users/{user}/todo/lists/{list}/tasks";
    let links = "POST /v1.0/users/{user}/todo/lists/{list}/tasks/{task}/linkedResources";
    let wrong = [
        (event(json!({"id": "1", "showAs": "asleep"})), "asleep"),
        (event(json!({"id": "1", "colour": "red"})), "colour"),
        (event(json!({"id": "1", "start": "2026-04-15"})), "DateTimeTimeZone"),
        (exchange(task, Some(json!({"sensitivity": "normal"})), json!({})), "sensitivity"),
        (exchange(links, Some(json!({"externalID": "1"})), json!({})), "externalID"),
        (exchange("GET /v1.0/nothing", None, json!({})), "no type is known"),
    ];
    let right = event(json!({"id": "1"}));
    check_shapes(std::slice::from_ref(&right)).unwrap();
    let (exchanges, reasons): (Vec<Exchange>, Vec<&str>) = wrong.into_iter().chain([(right, "")]).unzip();
    let found = check_shapes(&exchanges).unwrap_err().to_string();
    for why in reasons {
        assert!(found.contains(why), "{why}: {found}");
    }
    assert_eq!(found.lines().filter(|line| line.starts_with(['G', 'P'])).count(), 6, "{found}");
}
