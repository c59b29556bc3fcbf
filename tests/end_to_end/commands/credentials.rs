//! Credentials: kept for their owner alone, from wherever they come, and never shown.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use apptsync_tests::certificates::TestCertificate;
use apptsync_tests::{Ran, Workspace};
use graph_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::support::log_in;

const SECRET: &str = "hunter2&=\"'€";
/// What `Application::default` of the simulator has.
const CLIENT: &str = "11111111-2222-4333-8444-555555555555";

fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command as talkatively as it can be, and fails if it says the secret.
#[track_caller]
fn run(workspace: &Workspace, arguments: &[&str]) -> Ran {
    finish(workspace.command(arguments).env("RUST_LOG", "trace"))
}

#[track_caller]
fn finish(command: &mut Command) -> Ran {
    let ran = ran(command.output().expect("the binary starts"));
    for said in [&ran.stdout, &ran.stderr] {
        assert!(!said.contains("hunter2") && !said.contains("PRIVATE KEY"), "a secret is shown: {said}");
    }
    ran
}

/// Runs a command with something on its standard input.
#[track_caller]
fn run_with(workspace: &Workspace, arguments: &[&str], input: &str) -> Ran {
    let mut command = workspace.command(arguments);
    command.env("RUST_LOG", "trace").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let ran = ran(child.wait_with_output().expect("it ends"));
    assert!(!format!("{ran:?}").contains("hunter2"), "a secret is shown: {ran:?}");
    ran
}

fn file(workspace: &Workspace, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = workspace.path(name);
    fs::write(&path, content).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

fn stored(workspace: &Workspace) -> String {
    fs::read_to_string(workspace.path("credentials.toml")).expect("a credential file")
}

fn names(workspace: &Workspace) -> Vec<String> {
    let listed = workspace.json(&["credentials", "list"]);
    let names = listed.as_array().expect("an array").iter();
    names.map(|credential| credential["name"].as_str().expect("a name").to_owned()).collect()
}

/// Design, the configuration: secrets from a file or standard input; added, replaced only when asked for, removed.
#[test]
fn credentials_are_added_replaced_and_removed() {
    let workspace = Workspace::empty();
    assert_eq!(names(&workspace), [""; 0]);
    let secret = file(&workspace, "password.txt", format!("{SECRET}\n"));
    let add = ["credentials", "add", "radicale", "--kind", "password", "--user", "barbara", "--secret-file", &secret];
    assert!(run(&workspace, &add).exits(0).stdout.contains("added the credential `radicale` (password)"));
    assert!(run(&workspace, &add).exits(2).stderr.contains("--replace"));
    assert!(stored(&workspace).contains("barbara"));
    let replace = ["credentials", "add", "radicale", "--kind", "password", "--user", "anna", "--stdin", "--replace"];
    let _ = run_with(&workspace, &replace, &format!("{SECRET}\r\n")).exits(0);
    assert!(stored(&workspace).contains("anna") && !stored(&workspace).contains("barbara"));
    let contoso = ["credentials", "add", "contoso", "--kind", "client-secret", "--tenant", "contoso.example"];
    let more = ["--client-id", CLIENT, "--cloud", "us-gov-l4", "--secret-file", &secret];
    let _ = run(&workspace, &[&contoso[..], &more].concat()).exits(0);
    let ibus = ["credentials", "add", "b2b", "--kind", "ibus", "--stdin"];
    let _ = run_with(&workspace, &ibus, &format!("{SECRET}1\n{SECRET}2\n")).exits(0);
    assert_eq!(names(&workspace), ["b2b", "contoso", "radicale"]);
    let listed = run(&workspace, &["credentials", "list"]).exits(0).stdout;
    for part in ["Credential", "radicale", "client-secret", "anna", "us-gov-l4", CLIENT] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    assert!(run(&workspace, &["credentials", "remove", "radicale"]).exits(2).stderr.contains("--yes"));
    let _ = run(&workspace, &["credentials", "remove", "radicale", "--yes"]).exits(0);
    assert_eq!(names(&workspace), ["b2b", "contoso"]);
    let gone = run(&workspace, &["credentials", "remove", "radicale", "--yes"]).exits(2);
    assert!(gone.stderr.contains("only b2b, contoso"), "{}", gone.stderr);
}

/// The JSON of `credentials list`, as the README documents it.
#[test]
fn the_json_of_the_list_is_stable_and_without_secrets() {
    let workspace = Workspace::empty();
    let own = TestCertificate::new(2026, 2027);
    let archive = file(&workspace, "contoso.pfx", own.pkcs12("hunter2"));
    let password = file(&workspace, "password.txt", "hunter2");
    let add = ["credentials", "add", "contoso", "--kind", "certificate", "--tenant", "contoso.example"];
    let more = ["--client-id", CLIENT, "--certificate", &archive, "--certificate-password-file", &password];
    let added = run(&workspace, &[&add[..], &more, &["--output", "json"]].concat()).exits(0).json();
    let expected = json!({
        "name": "contoso", "kind": "certificate", "user": null, "server": null, "tenant": "contoso.example", "client_id": CLIENT,
        "cloud": "global", "login_server": "https://login.microsoftonline.com",
        "graph_server": "https://graph.microsoft.com", "secret": "file", "key_protected": true,
        "valid_until": "2027-01-01T00:00:00Z", "days_left": 38
    });
    assert_eq!(added, expected);
    assert_eq!(run(&workspace, &["credentials", "list", "--output", "json"]).exits(0).json(), json!([expected]));
    let soon = run(&workspace, &["credentials", "list", "--as-of", "2026-12-15T00:00:00Z"]).exits(0);
    assert!(soon.stderr.contains("`contoso` ends soon: valid until 2027-01-01T00:00:00Z"), "{}", soon.stderr);
    let over = run(&workspace, &["credentials", "list", "--as-of", "2027-01-02T00:00:00Z"]).exits(0);
    assert!(over.stderr.contains("cannot be used"), "{}", over.stderr);
    assert!(stored(&workspace).contains("ENCRYPTED PRIVATE KEY") && !stored(&workspace).contains("hunter2"));
    let _ = run(&workspace, &[&add[..], &more, &["--store-key-password", "--replace"]].concat()).exits(0);
    assert!(stored(&workspace).contains("key-password = \"hunter2\""));
}

/// Certificates from PEM and PKCS#12; what cannot be used is refused, and nothing is stored.
#[test]
fn certificates_are_read_from_pem_and_pkcs12_and_refused_with_the_reason() {
    let workspace = Workspace::empty();
    let (own, other) = (TestCertificate::new(2020, 2100), TestCertificate::other());
    let pem = file(&workspace, "own.pem", own.pem());
    let key = file(&workspace, "own.key", own.key_pem());
    let protected = file(&workspace, "protected.key", own.protected_key_pem("hunter2"));
    let foreign = file(&workspace, "foreign.key", other.key_pem());
    let archive = file(&workspace, "own.p12", own.pkcs12("hunter2"));
    let expired = file(&workspace, "old.pem", {
        let old = TestCertificate::new(2020, 2021);
        format!("{}{}", old.pem(), old.key_pem())
    });
    let password = file(&workspace, "right.txt", "hunter2\n");
    let wrong = file(&workspace, "wrong.txt", "hunter22\n");
    let add = |more: &[&str]| {
        let base = ["credentials", "add", "contoso", "--kind", "certificate", "--tenant", "t", "--client-id", "c"];
        run(&workspace, &[&base[..], more].concat())
    };
    for (more, part) in [
        (&["--certificate", &*pem][..], "--private-key"),
        (&["--certificate", &pem, "--private-key", &foreign], "does not belong"),
        (&["--certificate", &pem, "--private-key", &protected], "--certificate-password-file"),
        (&["--certificate", &pem, "--private-key", &protected, "--certificate-password-file", &wrong], "wrong"),
        (&["--certificate", &archive], "--certificate-password-file"),
        (&["--certificate", &archive, "--certificate-password-file", &wrong], "password is wrong"),
        (&["--certificate", &key], "neither PEM nor PKCS#12"),
        (&["--certificate", "nowhere.pem"], "nowhere.pem cannot be read"),
        (&["--certificate", &pem, "--certificate-password-file", "nowhere.txt"], "nowhere.txt cannot be read"),
        (&[], "--certificate is needed"),
    ] {
        let refused = add(more).exits(2);
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
        assert!(!workspace.path("credentials.toml").exists());
    }
    for (more, is_protected) in [
        (&["--certificate", &*pem, "--private-key", &key][..], false),
        (&["--certificate", &pem, "--private-key", &protected, "--certificate-password-file", &password], true),
        (&["--certificate", &archive, "--certificate-password-file", &password], true),
    ] {
        let _ = add(&[more, &["--replace"]].concat()).exits(0);
        assert_eq!(stored(&workspace).contains("ENCRYPTED"), is_protected, "{more:?}");
    }
    let late = add(&["--certificate", &expired, "--replace"]).exits(3);
    assert!(late.stderr.contains("it expired on 2021-01-01T00:00:00Z"), "{}", late.stderr);
    let mut by_environment = workspace.command(&[
        "credentials",
        "add",
        "contoso-2",
        "--kind",
        "certificate",
        "--tenant",
        "t",
        "--client-id",
        "c",
        "--certificate",
        &archive,
        "--assertion",
        "rs256",
    ]);
    let _ = finish(by_environment.env("APPTSYNC_KEY_PASSWORD_CONTOSO_2", "hunter2")).exits(0);
    assert!(stored(&workspace).contains("assertion = \"rs256\""));
}

/// The environment holds secrets instead of the file, and goes before it.
#[test]
fn secrets_may_come_from_the_environment() {
    let workspace = Workspace::empty();
    let contoso = ["credentials", "add", "contoso-2", "--kind", "client-secret", "--tenant", "t", "--client-id", "c"];
    let _ = run(&workspace, &[&contoso[..], &["--secret-in-environment"]].concat()).exits(0);
    assert!(!stored(&workspace).contains("secret ="));
    let listed = workspace.json(&["credentials", "list"]);
    assert_eq!((&listed[0]["name"], &listed[0]["secret"]), (&json!("contoso-2"), &json!("missing")));
    let mut command = workspace.command(&["credentials", "list", "--output", "json"]);
    command.env("APPTSYNC_CREDENTIAL_CONTOSO_2", SECRET).env("APPTSYNC_CREDENTIAL_RADICALE", SECRET);
    let listed = finish(command.env("RUST_LOG", "trace")).exits(0).json();
    for (index, (name, kind)) in [("contoso-2", "client-secret"), ("radicale", "password")].into_iter().enumerate() {
        let found = &listed[index];
        assert_eq!(
            (&found["name"], &found["kind"], &found["secret"]),
            (&json!(name), &json!(kind), &json!("environment"))
        );
    }
    let mut command = workspace.command(&["credentials", "remove", "radicale", "--yes"]);
    let refused = finish(command.env("APPTSYNC_CREDENTIAL_RADICALE", SECRET)).exits(2);
    assert!(refused.stderr.contains("unset APPTSYNC_CREDENTIAL_RADICALE"), "{}", refused.stderr);
}

/// Wrong usage says what to do, and asks for no secret first.
#[test]
fn wrong_usage_is_refused_before_a_secret_is_read() {
    let workspace = Workspace::empty();
    for (arguments, part) in [
        (&["radicale", "--kind", "password"][..], "--secret-file"),
        (&["Radicale", "--kind", "password"], "lower-case letters"),
        (&["radicale", "--kind", "token"], "possible values"),
        (&["radicale", "--kind", "password", "--tenant", "t"], "--tenant says nothing"),
        (&["radicale", "--kind", "password", "--certificate", "c.pem"], "--certificate says nothing"),
        (&["radicale", "--kind", "password", "--server", "https://u:hunter2@dav"], "must not name a user"),
        (&["c", "--kind", "client-secret", "--server", "https://dav.example"], "--server says nothing"),
        (&["radicale", "--kind", "ibus"], "Client Password"),
        (&["c", "--kind", "client-secret", "--stdin"], "--tenant is needed"),
        (&["c", "--kind", "client-secret", "--tenant", "t"], "--client-id is needed"),
        (&["c", "--kind", "client-secret", "--tenant", "a/b", "--client-id", "c"], "is no tenant"),
        (&["c", "--kind", "client-secret", "--cloud", "mars"], "us-gov-dod"),
        (&["c", "--kind", "device-code", "--login-server", "https://l.example"], "--graph-server"),
        (
            &[
                "c",
                "--kind",
                "device-code",
                "--tenant",
                "t",
                "--client-id",
                "c",
                "--login-server",
                "http://l.example",
                "--graph-server",
                "https://g.example",
            ],
            "https://",
        ),
        (&["c", "--kind", "password", "--stdin", "--secret-file", "f"], "cannot be used with"),
        (&["c", "--kind", "password", "--secret-file", "nowhere"], "nowhere cannot be read"),
    ] {
        let refused = run(&workspace, &[&["credentials", "add"], arguments].concat()).exits(2);
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    for (input, part) in
        [("", "0 lines"), ("hunter2\nhunter2\n", "2 lines"), ("\n", "no secret"), ("hunter2\0\n", "control")]
    {
        let add = ["credentials", "add", "radicale", "--kind", "password", "--user", "u", "--stdin"];
        let refused = run_with(&workspace, &add, input).exits(2);
        assert!(refused.stderr.contains(part), "{part}: {}", refused.stderr);
    }
    assert!(!workspace.path("credentials.toml").exists());
}

/// `init` keeps credentials and databases out of version control, and leaves a `.gitignore` alone that is there.
#[test]
fn a_new_workspace_keeps_credentials_out_of_version_control() {
    let workspace = Workspace::empty();
    let ignored = fs::read_to_string(workspace.path(".gitignore")).expect("a file");
    assert!(ignored.lines().any(|line| line == "credentials.toml*"), "{ignored}");
    fs::create_dir(workspace.path("own")).expect("a folder");
    fs::write(workspace.path("own/.gitignore"), "mine\n").expect("written");
    let _ = workspace.run(&["init", "own"]).exits(0);
    assert_eq!(fs::read_to_string(workspace.path("own/.gitignore")).expect("a file"), "mine\n");
}

/// A person logs in by device code: the page and the code are shown, and the login is kept.
#[test]
fn a_person_logs_in_by_device_code() {
    let workspace = Workspace::empty();
    let simulator = Simulator::start(Options { device_code_interval: 0, ..Options::default() }).expect("it starts");
    let (code, said) = log_in(&workspace, &simulator, "anna", None);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("the login was declined"), "{said}");
    assert!(!workspace.path("credentials.toml").exists());
    let (code, said) = log_in(&workspace, &simulator, "anna", Some("anna@contoso.example"));
    assert_eq!(code, Some(0), "{said}");
    assert!(stored(&workspace).contains("refresh-token = \"simulated-refresh-"));
    let listed = &workspace.json(&["credentials", "list"])[0];
    assert_eq!((&listed["kind"], &listed["cloud"]), (&json!("device-code"), &json!("custom")));
    let shown = format!("{:?}", run(&workspace, &["credentials", "list"]).exits(0));
    assert!(!shown.contains("simulated-refresh"), "{shown}");
    assert!(listed["valid_until"].is_string(), "{listed}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("a file").permissions().mode() & 0o777
    }

    fn add(workspace: &Workspace, name: &str) -> Ran {
        run_with(workspace, &["credentials", "add", name, "--kind", "password", "--user", "u", "--stdin"], SECRET)
    }

    /// Whatever the umask, nothing of the file is ever readable by others, and whoever reads it finds it whole.
    #[test]
    fn the_file_is_for_its_owner_alone_at_every_moment_and_always_whole() {
        let workspace = Workspace::empty();
        let _ = add(&workspace, "first").exits(0);
        let whole = stored(&workspace);
        let (_, first) = whole.split_once("\n\n").expect("a head and an entry");
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut seen = 0;
                while !is_done.load(Ordering::SeqCst) {
                    for entry in fs::read_dir(workspace.folder()).expect("the workspace") {
                        let entry = entry.expect("an entry");
                        let name = entry.file_name().to_string_lossy().into_owned();
                        // What is gone by now was somebody's temporary file.
                        let Ok(metadata) = entry.metadata() else { continue };
                        if name.starts_with("credentials.toml") {
                            assert_eq!(metadata.permissions().mode() & 0o077, 0, "{name}");
                            seen += 1;
                        }
                    }
                    let text = stored(&workspace);
                    assert!(text.contains(first) && text.ends_with('\n'), "half a file: {text}");
                }
                seen
            });
            for number in 0..20 {
                let name = format!("zz-{number}");
                let mut command = Command::new("sh");
                let script =
                    "umask 000; printf hunter2 | exec \"$0\" credentials add \"$1\" --kind password --user u --stdin";
                command.args(["-c", script]).arg(apptsync_tests::binary()).arg(&name);
                let _ = finish(command.current_dir(workspace.folder())).exits(0);
            }
            is_done.store(true, Ordering::SeqCst);
            assert!(watcher.join().expect("nothing was readable") > 0);
        });
        assert_eq!(mode(&workspace.path("credentials.toml")), 0o600);
        assert_eq!(names(&workspace).len(), 21);
        let left =
            fs::read_dir(workspace.folder()).expect("the workspace").map(|entry| entry.expect("an entry").file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("credentials.toml")).collect();
        assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
    }

    /// A file that others can read is refused by every command, and stays as it is.
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let workspace = Workspace::empty();
        let _ = add(&workspace, "first").exits(0);
        let before = stored(&workspace);
        let path = workspace.path("credentials.toml");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("changed");
        for refused in [
            run(&workspace, &["credentials", "list"]),
            run(&workspace, &["credentials", "remove", "first", "--yes"]),
            add(&workspace, "second"),
        ] {
            let said = refused.exits(2).stderr;
            assert!(said.contains("mode 0644") && said.contains("chmod 600"), "{said}");
        }
        assert_eq!(stored(&workspace), before);
    }

    /// What a broken file holds is not repeated: it may be a secret.
    #[test]
    fn a_broken_file_is_named_with_its_place_and_not_repeated() {
        let workspace = Workspace::empty();
        for text in
            ["[first]\nkind = \"password\"\npassword = hunter2\n", "first = \"hunter2\"\n", "[first]\nhunter2 = 1\n"]
        {
            let path = workspace.path("credentials.toml");
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changed");
            let refused = run(&workspace, &["credentials", "list"]).exits(2);
            assert!(refused.stderr.contains("credentials.toml:"), "{}", refused.stderr);
        }
    }

    /// `APPTSYNC_CREDENTIALS` names another file, which may be a link.
    #[test]
    fn the_file_may_be_elsewhere() {
        let workspace = Workspace::empty();
        let elsewhere = tempfile::tempdir().expect("a folder");
        let (real, link) = (elsewhere.path().join("real.toml"), elsewhere.path().join("link.toml"));
        fs::write(&real, "").expect("written");
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).expect("changed");
        symlink(&real, &link).expect("a link");
        let secret = file(&workspace, "password.txt", SECRET);
        let add = ["credentials", "add", "first", "--kind", "password", "--secret-file", &secret];
        let _ = finish(workspace.command(&add).env("APPTSYNC_CREDENTIALS", &link)).exits(0);
        assert!(!workspace.path("credentials.toml").exists());
        assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
        assert!(fs::read_to_string(&real).expect("a file").contains("[first]"));
        assert_eq!(mode(&real), 0o600);
        let listed =
            finish(workspace.command(&["credentials", "list", "--output", "json"]).env("APPTSYNC_CREDENTIALS", &link));
        assert_eq!(listed.exits(0).json().as_array().map(Vec::len), Some(1));
        assert_eq!(workspace.json(&["credentials", "list"]), Value::Array(Vec::new()));
    }
}
