//! Credentials go where they belong and nowhere else, and whoever refuses them is named.

use std::fs;

use apptsync_tests::certificates::TestCertificate;
use apptsync_tests::server::{Server, answer};
use apptsync_tests::{Ran, Workspace, component};
use graph_simulator::{Fault, FaultName, MailboxOptions, Options, Simulator};
use serde_json::Value;

const MAILBOX: &str = "anna@contoso.example";
const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
/// `b:hunter2-word`.
const BASIC: &str = "Basic YjpodW50ZXIyLXdvcmQ=";

fn file(workspace: &Workspace, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = workspace.path(name);
    fs::write(&path, content).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

/// Adds a password, and says more of it.
fn password(workspace: &Workspace, more: &[&str]) {
    let secret = file(workspace, "secret", "hunter2-word");
    let add = ["credentials", "add", "dav", "--kind", "password", "--user", "b", "--secret-file", &secret];
    let _ = workspace.run(&[&add[..], more].concat()).exits(0);
}

/// Adds an application with a client secret, and says of which cloud.
fn application(workspace: &Workspace, name: &str, secret: &str, cloud: &[&str]) {
    let secret = file(workspace, "secret", secret);
    let add = ["credentials", "add", name, "--kind", "client-secret", "--tenant", "contoso.example"];
    let more = ["--client-id", CLIENT, "--secret-file", &secret];
    let _ = workspace.run(&[&add[..], &more, cloud].concat()).exits(0);
}

fn profile(workspace: &Workspace, name: &str, more: &[&str]) {
    let add = ["outlook", "profile", "add", name, "--employee", "B"];
    let _ = workspace.run(&[&add[..], more].concat()).exits(0);
}

fn honest() -> Server {
    Server::start(|_, out| out.write_all(&answer(200, &[], "")))
}

/// The test guest as a connector that asks one of two servers, both granted.
fn asking(workspace: &Workspace, asked: &Server, other: &Server) {
    let guest = component("connector-guest");
    let text = fs::read_to_string(workspace.path("apptsync.toml")).expect("a configuration");
    let text = text.split("\n[connectors.guest]").next().unwrap_or_default();
    let connector = format!(
        "\n[connectors.guest]\nplugin = {:?}\nhttp = [{:?}, {:?}]\nconfig = {{ behaviour = \"ask\", scheme = \"http\", authority = \"127.0.0.1:{}\" }}\n",
        guest.display().to_string(),
        asked.origin(),
        other.origin(),
        asked.port(),
    );
    fs::write(workspace.path("apptsync.toml"), format!("{text}{connector}")).expect("written");
}

fn authorizations(server: &Server) -> Vec<Option<String>> {
    server.received().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

#[test]
fn a_password_goes_to_the_server_of_its_profile_and_to_no_other_that_is_granted() {
    let workspace = Workspace::new();
    let (own, other) = (honest(), honest());
    asking(&workspace, &own, &other);
    password(&workspace, &[]);
    profile(&workspace, "b", &["--connector", "guest", "--server", &own.origin(), "--credential", "dav"]);
    let _ = workspace.run(&["outlook", "calendars", "b"]).exits(0);
    assert_eq!(authorizations(&own), [Some(BASIC.to_owned())]);
    asking(&workspace, &other, &own);
    let _ = workspace.run(&["outlook", "calendars", "b"]).exits(0);
    assert_eq!(authorizations(&other), [None]);
    assert_eq!(own.received().len(), 1);
}

#[test]
fn a_password_that_is_bound_to_a_server_is_sent_to_no_other() {
    let workspace = Workspace::new();
    let (own, other) = (honest(), honest());
    asking(&workspace, &own, &other);
    password(&workspace, &["--server", &format!("{}/dav/", own.origin())]);
    assert_eq!(workspace.json(&["credentials", "list"])[0]["server"], Value::from(own.origin()));
    profile(&workspace, "b", &["--connector", "guest", "--server", &own.origin(), "--credential", "dav"]);
    let _ = workspace.run(&["outlook", "calendars", "b"]).exits(0);
    assert_eq!(authorizations(&own), [Some(BASIC.to_owned())]);
    let _ = workspace.run(&["outlook", "profile", "set", "b", "--server", &other.origin()]).exits(0);
    let said = workspace.run(&["outlook", "calendars", "b"]).exits(1).stderr;
    for part in [format!("server is {}", other.origin()), format!("`dav` belongs to {}", own.origin())] {
        assert!(said.contains(&part), "{part}: {said}");
    }
    assert_eq!((own.received().len(), other.connections()), (1, 0));
}

#[test]
fn a_token_is_not_fetched_for_another_cloud_or_server() {
    let workspace = Workspace::new();
    let simulator = Simulator::start(Options::default()).expect("a simulator");
    let server = simulator.base_url();
    application(&workspace, "contoso", "simulated-secret", &["--login-server", server, "--graph-server", server]);
    application(&workspace, "gov", "hunter2-word", &["--cloud", "us-gov-l4"]);
    let graph = ["--connector", "outlook-graph", "--user", MAILBOX, "--credential", "contoso"];
    profile(&workspace, "b", &graph);
    let _ = workspace.run(&["outlook", "calendars", "b"]).exits(0);
    let refused = |own: &str, server: &str| {
        let said = workspace.run(&["outlook", "calendars", "b"]).exits(1).stderr;
        assert!(
            said.contains(&format!("belongs to {own} ")) && said.contains(&format!("server is {server},")),
            "{said}"
        );
        assert!(said.contains("--server") && said.contains("--credential"), "{said}");
    };
    let _ = workspace.run(&["outlook", "profile", "set", "b", "--credential", "gov"]).exits(0);
    refused("https://graph.microsoft.us", server);
    let set = ["outlook", "profile", "set", "b", "--credential", "contoso", "--server", "https://graph.microsoft.com"];
    let _ = workspace.run(&set).exits(0);
    refused(server, "https://graph.microsoft.com");
}

#[test]
fn a_proxy_of_the_environment_gets_nothing() {
    let workspace = Workspace::new();
    let (own, proxy) = (honest(), honest());
    asking(&workspace, &own, &proxy);
    password(&workspace, &[]);
    profile(&workspace, "b", &["--connector", "guest", "--server", &own.origin(), "--credential", "dav"]);
    let mut command = workspace.command(&["outlook", "calendars", "b"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env(name, proxy.origin());
    }
    assert!(command.output().expect("the binary starts").status.success());
    assert_eq!((authorizations(&own), proxy.connections()), (vec![Some(BASIC.to_owned())], 0));
}

/// Activity synchronization settings for everybody.
fn settings(workspace: &Workspace) {
    let set = ["outlook", "settings", "set", "--level", "database", "--calendar-from", "-7d", "--calendar-to", "+90d"];
    let _ = workspace.run(&[&set[..], &["--tasks-from", "-7d", "--tasks-to", "+90d"]].concat()).exits(0);
}

/// The operator reads what Microsoft says of the credential, the plugin does not: it gets a 401.
#[test]
fn a_refused_token_asks_to_connect_again_and_a_busy_token_server_does_not() {
    let workspace = Workspace::new();
    settings(&workspace);
    let simulator = Simulator::start(Options::default()).expect("a simulator");
    let server = simulator.base_url();
    application(&workspace, "contoso", "hunter2-word", &["--login-server", server, "--graph-server", server]);
    let graph = ["--connector", "outlook-graph", "--user", MAILBOX, "--credential", "contoso"];
    profile(&workspace, "b", &graph);
    let synchronised = || -> Value {
        let reports = workspace.json(&["outlook", "sync", "b", "--patience", "0s"]);
        assert!(!reports.to_string().contains("hunter2"), "{reports}");
        reports[0].clone()
    };
    let report = synchronised();
    assert_eq!(report["state"], "reconnect", "{report:#}");
    let said = report["messages"].to_string();
    for part in ["AADSTS7000215", "contoso.example", "the client secret is wrong", "--replace"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    simulator.switch_on(Fault::new(FaultName::IdentityUnavailable));
    let report = synchronised();
    assert_ne!(report["state"], "reconnect", "{report:#}");
    assert_ne!(report["state"], "completed", "{report:#}");
}

#[test]
fn a_credential_in_use_is_not_removed_unless_it_is_forced() {
    let workspace = Workspace::new();
    password(&workspace, &[]);
    profile(&workspace, "b", &["--connector", "caldav", "--server", "https://dav.example", "--credential", "dav"]);
    let text = fs::read_to_string(workspace.path("apptsync.toml")).expect("a configuration");
    fs::write(workspace.path("apptsync.toml"), format!("{text}\n[connectors.caldav]\ncredential = \"dav\"\n"))
        .expect("written");
    let said = workspace.run(&["credentials", "remove", "dav", "--yes"]).exits(2).stderr;
    for part in ["[connectors.caldav]", "the profile `b`", "--force"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(workspace.json(&["credentials", "list"]).as_array().map(Vec::len), Some(1));
    let _ = workspace.run(&["credentials", "remove", "dav", "--yes", "--force"]).exits(0);
    assert_eq!(workspace.json(&["credentials", "list"]).as_array().map(Vec::len), Some(0));
}

/// Two applications whose keys have passwords of their own, and a profile for each.
fn protected(workspace: &Workspace, stores_first: bool) -> Simulator {
    let own = TestCertificate::new(2020, 2100);
    let application =
        graph_simulator::Application { certificates: vec![own.pem()], ..graph_simulator::Application::default() };
    let mailbox = |name: &str| format!("{name}@contoso.example");
    let mailboxes = ["one", "two"].map(|name| MailboxOptions::new(mailbox(name), "UTC")).into();
    let options = Options { applications: vec![application], mailboxes, ..Options::default() };
    let simulator = Simulator::start(options).expect("a simulator");
    settings(workspace);
    for (name, secret, is_stored) in [("one", "hunter2-one", stores_first), ("two", "hunter2-two", false)] {
        let pem = file(workspace, "own.pem", format!("{}{}", own.pem(), own.protected_key_pem(secret)));
        let secret = file(workspace, &format!("{name}.txt"), secret);
        let server = simulator.base_url();
        let add = ["credentials", "add", name, "--kind", "certificate", "--tenant", "contoso.example"];
        let login = ["--client-id", CLIENT, "--login-server", server, "--graph-server", server];
        let key = ["--certificate", &pem, "--certificate-password-file", &secret];
        let store: &[&str] = if is_stored { &["--store-key-password"] } else { &[] };
        let _ = workspace.run(&[&add[..], &login, &key, store].concat()).exits(0);
        profile(workspace, name, &["--connector", "outlook-graph", "--user", &mailbox(name), "--credential", name]);
    }
    simulator
}

fn states(ran: &Ran) -> Vec<String> {
    let reports: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let reports = reports.as_array().expect("an array").iter();
    reports.map(|report| report["state"].as_str().expect("a state").to_owned()).collect()
}

#[test]
fn the_password_of_a_key_is_for_the_credentials_that_need_one() {
    let workspace = Workspace::new();
    let _simulator = protected(&workspace, true);
    let sync = ["outlook", "sync", "one", "two", "--output", "json", "--key-password-file"];
    let ran = workspace.run(&[&sync[..], &["two.txt"]].concat());
    assert_eq!(states(&ran), ["completed", "completed"], "{ran:?}");
    let ran = workspace.run(&[&sync[..], &["one.txt"]].concat());
    assert_eq!(states(&ran), ["completed", "failed"], "{ran:?}");
    assert!(ran.stdout.contains("the password is wrong") && !format!("{ran:?}").contains("hunter2"), "{ran:?}");
}

#[cfg(unix)]
mod terminal {
    use std::fs::File;
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    use std::sync::{Arc, Mutex};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};

    use super::*;

    /// Each key has a password of its own, is asked for by name, and what is typed is not shown.
    #[test]
    fn passwords_of_keys_are_asked_for_one_by_one_and_not_echoed() {
        let workspace = Workspace::new();
        let _simulator = protected(&workspace, false);
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("granted");
        unlockpt(&terminal).expect("unlocked");
        let name = ptsname(&terminal, Vec::new()).expect("its name").into_string().expect("UTF-8");
        let open = || File::options().read(true).write(true).open(&name).expect("it opens");
        let asked = workspace.command(&["outlook", "sync", "--all", "--output", "json"]);
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg("--wait").arg(asked.get_program()).args(asked.get_args());
        command.current_dir(workspace.folder()).envs(asked.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let keeps_it_open = open();
        let mut child = command.stdin(open()).stdout(Stdio::piped()).stderr(open()).spawn().expect("it starts");
        let mut terminal = File::from(terminal);
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reader, seen) = (terminal.try_clone().expect("a second handle"), shown.clone());
        std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                seen.lock().expect("what is shown").push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        for (credential, password) in [("one", "hunter2-one"), ("two", "hunter2-two")] {
            let question = format!("Password of the private key of `{credential}`: ");
            let is_asked = || {
                let is_silent = !tcgetattr(&terminal).expect("its modes").local_modes.contains(LocalModes::ECHO);
                is_silent && shown.lock().expect("what is shown").contains(&question)
            };
            while !is_asked() {
                assert!(child.try_wait().expect("its state").is_none(), "{:?}", shown.lock());
                std::thread::yield_now();
            }
            terminal.write_all(format!("{password}\n").as_bytes()).expect("typed");
        }
        let mut stdout = String::new();
        let _ = child.stdout.take().expect("its output").read_to_string(&mut stdout).expect("UTF-8");
        let _ = child.wait().expect("it ends");
        drop(keeps_it_open);
        let stderr = shown.lock().expect("what is shown").clone();
        let ran = Ran { code: 0, stdout, stderr };
        assert_eq!(states(&ran), ["completed", "completed"], "{ran:?}");
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
    }
}
