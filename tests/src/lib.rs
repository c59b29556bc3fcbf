//! What the end-to-end tests stand on: the binary, a workspace of its own for every test, and a feed to write to.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

pub mod calendar_servers;
pub mod certificates;
pub mod dice;
pub mod radicale;
pub mod server;
pub mod xandikos;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The instant that the tests take as now.
pub const NOW: &str = "2026-11-23T08:00:00Z";

/// The binary under test: it lies beside the test's own folder, as `cargo build` puts it there.
///
/// # Panics
/// It was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("the path of this test");
    let folder = own.ancestors().nth(2).expect("target/<profile>/deps above this test");
    let binary = folder.join(format!("apptsync{}", std::env::consts::EXE_SUFFIX));
    assert!(binary.is_file(), "{} is not there: run `cargo build` first", binary.display());
    binary
}

/// The test guest: one component that can stand in every stage and behaves as its configuration says.
///
/// # Panics
/// It does not build.
pub fn guest() -> &'static Path {
    static GUEST: OnceLock<PathBuf> = OnceLock::new();
    GUEST.get_or_init(|| component("test-guest"))
}

/// Builds a package of the workspace as a component and gives its path.
///
/// # Panics
/// It does not build.
#[must_use]
pub fn component(package: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let own = std::env::current_exe().expect("the path of this test");
    let target = own.ancestors().nth(3).expect("target above this test").join("plugins");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--profile",
            "plugin",
            "--target",
            "wasm32-wasip2",
            "--package",
            package,
        ])
        .arg("--target-dir")
        .arg(&target)
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(root)
        .stdin(Stdio::null())
        .status()
        .expect("cargo runs");
    assert!(status.success(), "{package} does not build");
    target.join("wasm32-wasip2/plugin").join(format!("{}.wasm", package.replace('-', "_")))
}

/// What a run of the binary gave.
#[derive(Debug)]
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Standard output as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Fails unless the exit code is as expected.
    ///
    /// # Panics
    /// It is not.
    #[must_use]
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

/// A workspace that is gone after the test.
pub struct Workspace {
    folder: TempDir,
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Workspace {
    /// An empty workspace made by `init`.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn empty() -> Self {
        let workspace = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        let _ = workspace.run(&["init", "."]).exits(0);
        workspace
    }

    /// The example of the domain: A manages B, C and D; all are users and sales representatives; customers C00001 to C00003
    /// are partners connected with sales channel B2B; the definition is active.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let workspace = Self::empty();
        workspace.load(MASTER_DATA);
        let _ = workspace.run(&["definitions", "activate"]).exits(0);
        workspace
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Loads master data.
    ///
    /// # Panics
    /// `load` refuses it.
    pub fn load(&self, toml: &str) {
        let file = self.path("load.toml");
        fs::write(&file, toml).expect("written");
        let _ = self.run(&["load", file.to_str().expect("UTF-8")]).exits(0);
    }

    /// A command of the binary in this workspace, with the tests' instant as now and one compile cache for all tests.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .args(arguments)
            .current_dir(self.folder())
            .env("APPTSYNC_CACHE", binary().with_file_name("test-compile-cache"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        if !arguments.contains(&"--as-of") {
            command.args(["--as-of", NOW]);
        }
        command
    }

    /// Runs the binary.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().expect("the binary starts");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the binary with `--output json` and gives what it prints.
    ///
    /// # Panics
    /// It prints no JSON.
    #[must_use]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        self.run(&all).json()
    }

    /// Imports activities as user A and gives the report.
    #[must_use]
    pub fn import(&self) -> Value {
        self.import_at(NOW)
    }

    /// Imports activities as user A at an instant and gives the report.
    #[must_use]
    pub fn import_at(&self, now: &str) -> Value {
        self.json(&["run", "import-activities", "--channel", "B2B", "--user", "A", "--as-of", now])
    }

    /// All activities.
    ///
    /// # Panics
    /// They cannot be listed.
    #[must_use]
    pub fn activities(&self) -> Vec<Value> {
        self.json(&["activities", "list"]).as_array().expect("an array").clone()
    }

    /// The activity of an appointment, by the appointment's id.
    #[must_use]
    pub fn activity(&self, source_id: &str) -> Option<Value> {
        self.activities().into_iter().find(|activity| activity["source_id"] == source_id)
    }

    /// Appends a line to `feed/appointments.jsonl`.
    pub fn feed(&self, appointment: &Value) {
        self.feed_text("appointments.jsonl", &format!("{appointment}\n"));
    }

    /// Appends a line to `feed/customers.jsonl`.
    pub fn feed_customer(&self, customer: &Value) {
        self.feed_text("customers.jsonl", &format!("{customer}\n"));
    }

    /// Appends text to a file of the feed.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn feed_text(&self, file: &str, text: &str) {
        let path = self.path("feed").join(file);
        let mut file = OpenOptions::new().create(true).append(true).open(path).expect("the feed opens");
        file.write_all(text.as_bytes()).expect("the feed is written");
    }

    /// Replaces the pipeline of the configuration.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn configure(&self, pipeline: &str) {
        let text = format!("database = \"headquarters.db\"\n\n[pipeline]\n{pipeline}\n");
        fs::write(self.path("apptsync.toml"), text).expect("the configuration is written");
    }
}

/// See [`Workspace::new`].
pub const MASTER_DATA: &str = r#"
[[organization]]
id = "O1"
name = "Comfort Trade"
time_zone = "Europe/Warsaw"
[[employee]]
id = "A"
name = "Anna Kowalska"
organization = "O1"
user = true
sales_representative = true
profile = "manager"
[[employee]]
id = "B"
name = "Barbara Nowak"
email = "b@example.com"
organization = "O1"
manager = "A"
user = true
sales_representative = true
[[employee]]
id = "C"
name = "Cezary Lis"
organization = "O1"
manager = "A"
user = true
sales_representative = true
[[employee]]
id = "D"
name = "Dorota Mazur"
organization = "O1"
manager = "A"
user = true
sales_representative = true
[[partner]]
id = "C00001"
name = "Delikatesy Krakus"
street = "Długa 1"
postcode = "31-147"
city = "Kraków"
country = "PL"
email = "krakus@example.com"
phone = "+48 12 000 00 01"
[[partner]]
id = "C00002"
name = "Sklep Wanda"
street = "Rynek 2"
postcode = "00-001"
city = "Warszawa"
country = "PL"
[[partner]]
id = "C00003"
name = "Hurtownia Smok"
city = "Gdańsk"
country = "PL"
[[channel]]
id = "B2B"
description = "Field sales"
organization = "O1"
[[channel_partner]]
channel = "B2B"
partner = "C00001"
external_id = "C00001"
[[channel_partner]]
channel = "B2B"
partner = "C00002"
external_id = "C00002"
[[channel_partner]]
channel = "B2B"
partner = "C00003"
external_id = "C00003"
"#;

/// A confirmed appointment of employee B with customer C00001 in the future. Change fields of it with [`with`].
#[must_use]
pub fn appointment(id: &str) -> Value {
    json!({
        "id": id, "channel": "B2B", "number": format!("SA/2026/{id}"), "name": "Autumn assortment", "type": "Visit",
        "customer": "C00001", "employee": "B", "start": "2026-12-01T09:00:00Z", "end": "2026-12-01T10:00:00Z",
        "all_day": false, "priority": "normal", "status": "confirmed", "description": "Show the new range",
        "completed_on": null, "completed_by": null, "reason": null, "changed_at": "2026-11-23T07:00:00Z",
        "deleted": false, "attributes": {}
    })
}

/// A customer that the headquarters does not know.
#[must_use]
pub fn customer(id: &str) -> Value {
    json!({
        "id": id, "channel": "B2B", "name": format!("Customer {id}"), "street": "Nowa 5", "postcode": "60-001",
        "city": "Poznań", "country": "PL", "email": "", "phone": "", "changed_at": "2026-11-23T07:00:00Z", "deleted": false
    })
}

/// The value with some fields replaced.
///
/// # Panics
/// One of the two is no object.
#[must_use]
pub fn with(mut value: Value, fields: &Value) -> Value {
    for (name, field) in fields.as_object().expect("an object") {
        value[name] = field.clone();
    }
    value
}

/// The texts of a report's messages of one severity.
#[must_use]
pub fn messages(report: &Value, severity: &str) -> Vec<String> {
    let messages = report["messages"].as_array().cloned().unwrap_or_default();
    let of_severity = messages.iter().filter(|message| message["severity"] == severity);
    of_severity.filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}
