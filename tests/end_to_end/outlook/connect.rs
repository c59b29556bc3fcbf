//! [Connect] (domain 8): server address, certificate and rights are proved, and what is there is listed; with each kind of
//! credential that a connector takes.

use std::process::{Command, Stdio};

use apptsync_tests::certificates::TestCertificate;
use apptsync_tests::{Ran, Workspace};
use graph_simulator::{Options, Simulator};
use serde_json::{Value, json};

use super::calendar::{APPLICATION, Calendar, Kind, MAILBOX, SALES, connected, settings};
use super::{at, counts, make, said, state, synchronised};
use crate::support::log_in;

const KEY_PASSWORD: &str = "a horse, a battery";

fn connect(workspace: &Workspace) -> Ran {
    workspace.run(&["outlook", "connect", "b"])
}

/// The collections, each with its kind and whether it is the chosen one.
fn collections(listed: &Value) -> Vec<(&str, &str, bool)> {
    let all = listed["collections"].as_array().expect("an array").iter();
    let mut all: Vec<_> = all
        .map(|one| {
            let text = |name: &str| one[name].as_str().expect("a text");
            assert!(!text("id").is_empty());
            (text("kind"), text("name"), one["chosen"].as_bool().expect("whether"))
        })
        .collect();
    all.sort_unstable();
    all
}

stories! {
    /// What is there is listed, and the chosen one is marked.
    what_is_there_is_listed_and_the_chosen_one_marked(workspace, calendar, &[]) {
        let shown = connect(&workspace).exits(0).stdout;
        assert!(shown.starts_with("connected with "), "{shown}");
        let chosen: Vec<&str> = shown.lines().filter(|line| line.contains("synchronised")).collect();
        assert!(!chosen.is_empty(), "{shown}");
        for command in ["connect", "calendars"] {
            let listed = workspace.json(&["outlook", command, "b"]);
            assert_eq!(listed["profile"], "b", "{listed:#}");
            let found = collections(&listed);
            let appointments: Vec<_> = found.iter().filter(|(kind, ..)| *kind == "appointment").collect();
            assert_eq!(appointments.iter().filter(|(.., chosen)| *chosen).count(), 1, "{listed:#}");
            if calendar.origin().is_empty() {
                continue;
            }
            assert!(found.contains(&("appointment", SALES, true)), "{listed:#}");
        }
        let table = workspace.run(&["outlook", "calendars", "b"]).exits(0).stdout;
        assert!(!table.contains("connected with") && table.contains("synchronised"), "{table}");
    }
}

/// A calendar that is not there: those that are there are named, for every server.
fn a_wrong_calendar_is_refused_by_naming_the_right_ones(kind: Kind) {
    let (workspace, calendar) = connected(kind, &[]);
    let _ = workspace.run(&["outlook", "profile", "set", "b", "--calendar", "Salse"]).exits(0);
    let ran = connect(&workspace).exits(3);
    assert!(ran.stderr.contains("the server has no calendar named `Salse`; it has"), "{ran:?}");
    assert!(ran.stderr.contains("`Sales`"), "{ran:?}");
    let listed = workspace.json(&["outlook", "calendars", "b"]);
    assert!(collections(&listed).contains(&("appointment", SALES, false)), "{listed:#}");
    let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
    let ran = synchronised(&workspace, &["b"], &at(0)).exits(1);
    assert!(ran.stdout.contains("no calendar named `Salse`") && ran.stdout.contains("`Sales`"), "{ran:?}");
    assert_eq!(calendar.subjects().len(), 0);
    let _ = workspace.run(&["outlook", "profile", "set", "b", "--calendar", SALES]).exits(0);
    let _ = connect(&workspace).exits(0);
    assert_eq!(counts(&synchronised(&workspace, &["b"], &at(1)).json()[0]), [1, 0, 0, 0, 0]);
}

#[test]
fn a_wrong_calendar_is_refused_by_naming_the_right_ones_with_caldav() {
    a_wrong_calendar_is_refused_by_naming_the_right_ones(Kind::CalDav);
}

#[test]
fn a_wrong_calendar_is_refused_by_naming_the_right_ones_with_graph() {
    a_wrong_calendar_is_refused_by_naming_the_right_ones(Kind::Graph);
}

/// A server that is not there, and one that refuses: plain words, and no secret in them.
#[test]
fn what_cannot_be_connected_says_why() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = connected(kind, &[]);
        let nowhere = "http://127.0.0.1:1";
        let _ = workspace.run(&["outlook", "profile", "set", "b", "--server", nowhere]).exits(0);
        calendar.add_credential(&workspace, "login", nowhere, None);
        for command in ["connect", "calendars"] {
            let ran = workspace.run(&["outlook", command, "b"]).exits(1);
            let said = format!("profile `b` cannot be connected: {nowhere}: ");
            assert!(ran.stderr.contains(&said), "{kind:?}: {ran:?}");
        }
        let origin = calendar.origin();
        let _ = workspace.run(&["outlook", "profile", "set", "b", "--server", &origin]).exits(0);
        calendar.add_credential(&workspace, "login", &origin, Some("not the secret"));
        let ran = workspace.command(&["outlook", "connect", "b", "-vv"]).env("RUST_LOG", "trace").output();
        let ran = ran.expect("the binary starts");
        let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert_eq!(ran.status.code(), Some(1), "{kind:?}: {said}");
        assert!(said.contains("profile `b` cannot be connected: "), "{kind:?}: {said}");
        assert!(!said.contains("not the secret"), "{kind:?}: {said}");
        // Base64 of user and password, as HTTP carries it.
        assert!(!said.contains("bm90IHRoZSBzZWNyZXQ") && !said.contains("dXNlcjpub3QgdGhl"), "{kind:?}: {said}");
    }
    let workspace = Workspace::new();
    let refused = workspace.run(&["outlook", "connect", "b"]).exits(2);
    assert!(refused.stderr.contains("`b` is no profile: there is none yet"), "{refused:?}");
}

/// A calendar in the simulator, and a workspace whose profile names a credential that is yet to be made.
fn with_credential() -> (Workspace, Calendar) {
    let workspace = Workspace::new();
    let simulator = Simulator::start(Options { device_code_interval: 0, ..Options::default() }).expect("a simulator");
    let calendar = Calendar::of_simulator(simulator);
    settings(&workspace);
    (workspace, calendar)
}

fn use_credential(workspace: &Workspace, calendar: &Calendar) {
    calendar.connect(workspace, "b", &["--credential", "contoso"]);
    let _ = make(workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
}

/// Adds a certificate whose private key may be protected by a password.
fn add_certificate(workspace: &Workspace, calendar: &Calendar, own: &TestCertificate, password: Option<&str>) {
    let file = |name: &str, text: &str| {
        let path = workspace.path(name);
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let key = password.map_or_else(|| own.key_pem(), |password| own.protected_key_pem(password));
    let (certificate, key) = (file("own.pem", &own.pem()), file("own.key", &key));
    let add = ["credentials", "add", "contoso", "--kind", "certificate", "--certificate", &certificate];
    let origin = calendar.origin();
    let more = ["--private-key", &key, "--login-server", &origin, "--graph-server", &origin];
    let password = password.map(|password| file("key-password.txt", &format!("{password}\n")));
    let password = password.as_ref().map(|file| ["--certificate-password-file", file]);
    let password = password.as_ref().map_or(&[][..], |words| words);
    let _ = workspace.run(&[&add[..], &more, &APPLICATION, password].concat()).exits(0);
}

/// Synchronises there and back, and fails if the second run does anything.
fn synchronises(workspace: &Workspace, calendar: &Calendar, more: &[&str]) {
    let words = [&["b"], more].concat();
    let report = synchronised(workspace, &words, &at(0)).json()[0].clone();
    assert_eq!((state(&report), counts(&report)), ("completed", [1, 0, 0, 0, 0]), "{report:#}");
    assert_eq!(calendar.subjects(), ["Visit"]);
    calendar.edit("SUMMARY:Visit", "SUMMARY:Visit edited");
    let report = synchronised(workspace, &words, &at(1)).json()[0].clone();
    assert_eq!((state(&report), counts(&report)), ("completed", [0, 0, 0, 1, 0]), "{report:#}");
    assert_eq!(counts(&synchronised(workspace, &words, &at(2)).json()[0]), [0; 5]);
}

#[test]
fn a_certificate_synchronises() {
    let (workspace, calendar) = with_credential();
    let own = TestCertificate::new(2020, 2100);
    add_certificate(&workspace, &calendar, &own, None);
    calendar.simulator().register_certificate(&own.pem());
    use_credential(&workspace, &calendar);
    let _ = connect(&workspace).exits(0);
    synchronises(&workspace, &calendar, &[]);
}

/// A certificate that the tenant does not know is refused, and nothing is changed; registered, it works.
#[test]
fn a_foreign_certificate_is_refused() {
    let (workspace, calendar) = with_credential();
    add_certificate(&workspace, &calendar, &TestCertificate::new(2020, 2100), None);
    use_credential(&workspace, &calendar);
    let refused = connect(&workspace).exits(1);
    assert!(refused.stderr.contains("profile `b` cannot be connected: "), "{refused:?}");
    let report = synchronised(&workspace, &["b"], &at(0)).exits(1).json()[0].clone();
    assert_eq!(counts(&report), [0; 5], "{report:#}");
    assert!(said(&report).contains("refuses the credential `contoso`"), "{report:#}");
    assert_eq!(calendar.subjects().len(), 0);
    calendar.simulator().register_certificate(&TestCertificate::new(2020, 2100).pem());
    synchronises(&workspace, &calendar, &[]);
}

#[test]
fn a_login_by_device_code_synchronises() {
    let (workspace, calendar) = with_credential();
    let (code, said) = log_in(&workspace, calendar.simulator(), "contoso", Some(MAILBOX));
    assert_eq!(code, Some(0), "{said}");
    use_credential(&workspace, &calendar);
    let _ = connect(&workspace).exits(0);
    synchronises(&workspace, &calendar, &[]);
    // The access token is used up; the login renews it by itself.
    calendar.simulator().revoke_tokens();
    assert_eq!(counts(&synchronised(&workspace, &["b"], &at(3)).json()[0]), [0; 5]);
}

/// Runs a command, and fails if it says the password of the key.
fn quietly(command: &mut Command) -> Ran {
    let output = command.env("RUST_LOG", "trace").stdin(Stdio::null()).output().expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ran =
        Ran { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) };
    let all = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!all.contains(KEY_PASSWORD) && !all.contains("PRIVATE KEY"), "a secret is shown: {all}");
    ran
}

/// Domain 8: a private key with a password is asked for before running: from a file, or from the environment; where nobody can
/// be asked, it is said what is missing. The password is never shown.
#[test]
fn a_protected_key_opens_with_its_password_alone() {
    let (workspace, calendar) = with_credential();
    let own = TestCertificate::new(2020, 2100);
    add_certificate(&workspace, &calendar, &own, Some(KEY_PASSWORD));
    calendar.simulator().register_certificate(&own.pem());
    use_credential(&workspace, &calendar);
    let right = workspace.path("key-password.txt");
    let right = right.to_str().expect("UTF-8");
    let wrong = workspace.path("wrong.txt");
    std::fs::write(&wrong, "another horse").expect("written");
    let wrong = wrong.to_str().expect("UTF-8");
    for words in [&["connect", "b"][..], &["calendars", "b"], &["sync", "b"], &["contacts", "b"]] {
        let words = [&["outlook"], words].concat();
        let ran = quietly(&mut workspace.command(&words));
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 1, "{words:?}: {all}");
        assert!(all.contains("password") && all.contains("`contoso`"), "{words:?}: {all}");
        let ran = quietly(&mut workspace.command(&[&words[..], &["--key-password-file", wrong]].concat()));
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 1, "{words:?}: {all}");
        assert!(all.contains("password") && !all.contains("another horse"), "{words:?}: {all}");
    }
    assert_eq!(calendar.simulator().counters().total(), 0, "nothing was asked");
    let nowhere = quietly(&mut workspace.command(&["outlook", "sync", "b", "--key-password-file", "nowhere.txt"]));
    assert!(nowhere.code != 0 && nowhere.stderr.contains("nowhere.txt"), "{nowhere:?}");
    let opened = ["outlook", "connect", "b", "--key-password-file", right, "-vv"];
    let _ = quietly(&mut workspace.command(&opened)).exits(0);
    let mut command = workspace.command(&["outlook", "calendars", "b"]);
    let _ = quietly(command.env("APPTSYNC_KEY_PASSWORD_CONTOSO", KEY_PASSWORD)).exits(0);
    synchronises(&workspace, &calendar, &["--key-password-file", right]);
    let stored = std::fs::read_to_string(workspace.path("credentials.toml")).expect("the credentials");
    assert!(stored.contains("ENCRYPTED PRIVATE KEY") && !stored.contains(KEY_PASSWORD));
    assert_eq!(workspace.json(&["credentials", "list"])[0]["key_protected"], json!(true));
}
