//! What happens when a run cannot go on: killed at any moment, ended by Ctrl-C, beside another run, without the right to
//! write, without room, without the lock (design, crash; domain 4). Whatever it was, the next run completes to the same
//! database as an undisturbed one.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Seek};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use apptsync_tests::{NOW, Ran, Workspace, appointment, binary, customer, messages, with};
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, ErrorCode};
use serde_json::{Value, json};

use crate::support::{assert_balanced, assert_ledger, batch, contents, import, ledger, number, reading, rows};

/// Appointments of the tests that kill runs.
const MANY: usize = 20_000;
/// Customers that the feed brings.
const LEADS: usize = 2_500;
/// When the period of every appointment is over.
const AFTER: &str = "2026-12-01T12:00:00Z";

/// Appointment lines with everything that can happen to one at its first import.
fn many() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let line = |index: usize| {
            let fields = match index % 20 {
                3 => json!({ "status": "unconfirmed" }),
                7 => json!({ "customer": "nobody" }),
                11 => json!({ "customer": format!("L{}", index % LEADS) }),
                13 => json!({ "start": "2026-11-20T09:00:00Z", "end": "2026-11-20T10:00:00Z" }),
                17 => json!({ "employee": "C", "customer": "C00002" }),
                19 if index % 1_000 == 19 => return "no record\n".to_owned(),
                _ => json!({}),
            };
            format!("{}\n", with(appointment(&format!("a-{index}")), &fields))
        };
        (0..MANY).map(line).collect()
    })
}

/// Newer versions of most of them.
fn many_changed() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let line = |index: usize| {
            let fields = match index % 5 {
                0 => json!({ "status": "completed", "completed_on": "2026-12-01T09:30:00Z", "completed_by": "B" }),
                1 => json!({ "status": "rejected", "reason": "closed down", "changed_at": "2026-12-01T09:00:00Z" }),
                2 => json!({ "start": "2026-12-09T09:00:00Z", "end": "2026-12-09T10:00:00Z", "employee": "D" }),
                _ => return String::new(),
            };
            format!("{}\n", with(appointment(&format!("a-{index}")), &fields))
        };
        (0..MANY).map(line).collect()
    })
}

pub(crate) fn with_many() -> Workspace {
    let workspace = Workspace::new();
    workspace.feed_text("appointments.jsonl", many());
    let customers: String = (0..LEADS).map(|index| format!("{}\n", customer(&format!("L{index}")))).collect();
    workspace.feed_text("customers.jsonl", &customers);
    written_at_once(&workspace);
    workspace
}

/// Gives the files of the feed the same time in every workspace: a cursor remembers it, and cursors are compared.
fn written_at_once(workspace: &Workspace) {
    for name in ["appointments.jsonl", "customers.jsonl"] {
        let file = fs::File::options().append(true).open(workspace.path("feed").join(name)).expect("the feed opens");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_420_800)).expect("set");
    }
}

/// What a run brings about, without the numbers of the jobs that did it.
fn outcome(workspace: &Workspace) -> Vec<Vec<Vec<Cell>>> {
    let queries = [
        "SELECT id, channel, source_id, number, subject, description, kind, priority, status, start_at, end_at, start_day,
           end_day, completed_on, completed_by, origin, attributes FROM activity ORDER BY id",
        "SELECT * FROM task ORDER BY activity",
        "SELECT * FROM reference ORDER BY activity",
        "SELECT id, channel, collection, source_id, activity, seen, imported, stage_set, outcome, pending, detail, changed_at,
           record FROM transfer ORDER BY id",
        "SELECT * FROM partner ORDER BY id",
        "SELECT * FROM channel_partner ORDER BY channel, external_id",
        "SELECT * FROM cursor ORDER BY collection",
        "SELECT place, reason FROM quarantine ORDER BY id",
    ];
    queries.iter().map(|query| rows(workspace, query)).collect()
}

/// Fails unless two workspaces hold the same; says where they differ without printing a hundred thousand rows.
#[track_caller]
fn assert_same(disturbed: &Workspace, undisturbed: &Workspace) {
    for (found, expected) in outcome(disturbed).iter().zip(&outcome(undisturbed)) {
        for (found, expected) in found.iter().zip(expected) {
            assert_eq!(found, expected);
        }
        assert_eq!(found.len(), expected.len());
    }
    let checked = rows(disturbed, "PRAGMA integrity_check");
    assert_eq!(checked, [[Cell::from("ok".to_owned())]]);
}

/// A run under way, which a test that fails does not leave behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, or it ends now.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn spawn(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().expect("the binary starts"))
    }

    /// Waits for its end and gives the exit code.
    fn code(&mut self) -> Option<i32> {
        self.0.wait().expect("a status").code()
    }

    /// The first line that it says on stderr.
    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stderr.take().expect("a pipe")).read_line(&mut line).expect("a line");
        line
    }

    /// Ends it as a power failure would; false when it was over before.
    fn kill(&mut self) -> bool {
        self.0.kill().expect("killed");
        self.code().is_none()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.0.id().to_string()]).status().expect("kill runs");
        assert!(status.success());
    }
}

fn command(workspace: &Workspace, application: &str, more: &[&str]) -> Command {
    let mut arguments = vec!["run", application, "--channel", "B2B", "--user", "A", "--output", "json"];
    arguments.extend(more);
    workspace.command(&arguments)
}

/// Starts a batch application whose output nobody reads.
fn start(workspace: &Workspace, application: &str, more: &[&str]) -> Running {
    Running::spawn(command(workspace, application, more).stdout(Stdio::null()).stderr(Stdio::null()))
}

/// Waits until something holds in the database, or the process ends, which is returned then.
fn wait_until(run: &mut Running, holds: &mut dyn FnMut() -> bool) -> Option<ExitStatus> {
    loop {
        if let Some(status) = run.0.try_wait().expect("a status") {
            return Some(status);
        }
        if holds() {
            return None;
        }
        std::thread::yield_now();
    }
}

/// The moment at which a run is killed, counted in the job that runs.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// The job stands in the database.
    Begun,
    /// A part has stored so many records.
    Read(&'static str, i64),
    /// So many activities are Delayed.
    Delayed(i64),
}

impl Moment {
    fn has_come(self, connection: &Connection, job: i64) -> bool {
        let count = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> i64 {
            connection.query_row(sql, values, |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
        };
        match self {
            Self::Begun => count("SELECT count(*) FROM job WHERE id = ?", &[&job]) > 0,
            Self::Read(part, records) => {
                let sql =
                    "SELECT coalesce(max(ledger ->> '$.read'), 0) FROM job_part WHERE job = ? AND application = ?";
                count(sql, &[&job, &part]) >= records
            }
            Self::Delayed(activities) => {
                count("SELECT count(*) FROM activity WHERE status = 'delayed'", &[]) >= activities
            }
        }
    }
}

/// Runs BUS Import data again and again, killed at each of these moments, and once to its end. Gives how often it was killed.
fn run_killed_at(workspace: &Workspace, moments: &[Moment], now: &str, exit: i32) -> usize {
    let mut killed = 0;
    for moment in moments {
        let connection = reading(workspace);
        let job: i64 = number(workspace, "SELECT coalesce(max(id), 0) + 1 FROM job");
        let mut child = start(workspace, "import-data", &["--as-of", now]);
        if wait_until(&mut child, &mut || moment.has_come(&connection, job)).is_none() {
            killed += usize::from(child.kill());
        }
    }
    let report = batch(workspace, "import-data", &["--as-of", now]).exits(exit).json();
    assert_balanced(&report);
    killed
}

/// Issue, what must hold: SIGKILL at many points of an import, also of changes and of the end of a run.
#[test]
fn killed_at_many_moments_the_next_run_completes_to_the_same_database() {
    use Moment::{Begun, Delayed, Read};
    const CUSTOMERS: &str = "import-customers";
    const ACTIVITIES: &str = "import-activities";
    let (disturbed, undisturbed) = (with_many(), with_many());
    let first = batch(&undisturbed, "import-data", &[]).exits(3).json();
    let moments = [
        Begun,
        Read(CUSTOMERS, 1),
        Begun,
        Read(CUSTOMERS, 1_024),
        Read(ACTIVITIES, 1),
        Read(ACTIVITIES, 1),
        Read(ACTIVITIES, 2_000),
        Begun,
        Read(ACTIVITIES, 3_000),
        Read(ACTIVITIES, 1_024),
        Read(ACTIVITIES, 2_500),
    ];
    let killed = run_killed_at(&disturbed, &moments, NOW, 3);
    assert!(killed * 2 > moments.len(), "only {killed} runs were not over before their moment was seen");
    assert_same(&disturbed, &undisturbed);

    // Every record was counted by one of the jobs, and each job that was killed says so.
    let created = "SELECT sum(ledger ->> '$.created') FROM job_part";
    assert_eq!(number(&disturbed, created), first["ledger"]["created"].as_i64().expect("a count"));
    let jobs = disturbed.json(&["jobs", "list"]);
    let failed: Vec<_> = jobs.as_array().expect("an array").iter().filter(|job| job["state"] == "failed").collect();
    assert_eq!(failed.len(), killed, "{jobs:#}");
    let shown = disturbed.json(&["jobs", "show", &failed[0]["job"].to_string()]);
    assert!(messages(&shown, "error").iter().any(|text| text.contains("while the job ran")), "{shown:#}");

    for workspace in [&disturbed, &undisturbed] {
        workspace.feed_text("appointments.jsonl", many_changed());
        written_at_once(workspace);
    }
    let _ = batch(&undisturbed, "import-data", &["--as-of", AFTER]).exits(0);
    let moments = [
        Begun,
        Read(ACTIVITIES, 1),
        Read(ACTIVITIES, 1_500),
        Read(ACTIVITIES, 3_000),
        Read(ACTIVITIES, 1),
        Delayed(1),
        Delayed(2_500),
        Begun,
    ];
    let killed = run_killed_at(&disturbed, &moments, AFTER, 0);
    assert!(killed * 2 > moments.len(), "only {killed} runs were not over before their moment was seen");
    assert_same(&disturbed, &undisturbed);
    let statuses = rows(&disturbed, "SELECT DISTINCT status FROM activity");
    assert_eq!(statuses.len(), 4, "the changes led to every status: {statuses:?}");
}

/// Issue: the run after a crash says which job was interrupted.
#[test]
fn the_next_run_says_which_job_was_interrupted() {
    let workspace = with_many();
    let connection = reading(&workspace);
    let mut child = start(&workspace, "import-activities", &[]);
    let moment = Moment::Read("import-activities", 1);
    assert_eq!(wait_until(&mut child, &mut || moment.has_come(&connection, 1)), None);
    assert!(child.kill());
    let report = import(&workspace, &[]);
    let interrupted = messages(&report, "info").into_iter().filter(|text| text.contains("job 1 was interrupted"));
    assert_eq!(interrupted.count(), 1, "{report:#}");
}

/// Domain 4: Ctrl-C ends a run after the page under way, as Canceled; the next one goes on.
#[test]
fn a_run_that_is_canceled_ends_after_its_page_and_the_next_goes_on() {
    let (canceled, undisturbed) = (with_many(), with_many());
    let _ = batch(&undisturbed, "import-data", &[]).exits(3);
    let connection = reading(&canceled);
    let mut child = start(&canceled, "import-data", &[]);
    let moment = Moment::Read("import-activities", 1);
    assert_eq!(wait_until(&mut child, &mut || moment.has_come(&connection, 1)), None);
    child.signal("-INT");
    assert_eq!(child.code(), Some(1));
    let shown = canceled.json(&["jobs", "show", "1"]);
    assert_eq!(shown["state"], "canceled");
    assert_balanced(&shown);
    let read = shown["ledger"]["read"].as_u64().expect("a count");
    assert!(read < MANY as u64, "it did not run to its end: {read}");
    assert!(messages(&shown, "warning").iter().any(|text| text.contains("canceled")), "{shown:#}");
    let _ = batch(&canceled, "import-data", &[]).exits(3);
    assert_same(&canceled, &undisturbed);
}

/// Issue: two runs at once on one database: the second waits, or is refused with --no-wait; nothing is doubled.
#[test]
fn of_two_runs_at_once_the_second_waits_or_is_refused_and_nothing_is_doubled() {
    let (shared, undisturbed) = (with_many(), with_many());
    let _ = batch(&undisturbed, "import-data", &[]).exits(3);
    let connection = reading(&shared);
    let mut first = start(&shared, "import-data", &[]);
    let moment = Moment::Read("import-activities", 1);
    assert_eq!(wait_until(&mut first, &mut || moment.has_come(&connection, 1)), None);
    // Held in the middle, so that it is under way for as long as this takes.
    first.signal("-STOP");
    let mut refused = command(&shared, "import-data", &["--no-wait"]);
    let mut refused = Running::spawn(refused.stdout(Stdio::null()).stderr(Stdio::piped()));
    let told = refused.first_line();
    assert!(told.starts_with("error: another run is under way"), "{told}");
    assert_eq!(refused.code(), Some(1));
    let mut report = tempfile::tempfile().expect("a file");
    let mut second = command(&shared, "import-data", &[]);
    let mut second = Running::spawn(second.stdout(report.try_clone().expect("a file")).stderr(Stdio::piped()));
    let told = second.first_line();
    assert!(told.starts_with("another run is under way") && told.contains("waiting"), "{told}");
    assert_eq!(second.0.try_wait().expect("a status"), None);
    assert_eq!(number(&shared, "SELECT count(*) FROM job"), 1, "the second has not begun");
    let jobs = shared.json(&["jobs", "list"]);
    assert_eq!((&jobs[0]["state"], &jobs[0]["finished"]), (&json!("running"), &Value::Null), "{jobs:#}");
    assert!(!shared.activities().is_empty(), "the cockpit shows what is there while a run is under way");
    first.signal("-CONT");
    assert_eq!(first.code(), Some(3));
    assert_eq!(second.code(), Some(3));
    report.rewind().expect("the beginning");
    let report: Value = serde_json::from_reader(report).expect("a report");
    assert_eq!((&report["ledger"]["created"], &report["ledger"]["updated"]), (&json!(0), &json!(0)), "{report:#}");
    assert_same(&shared, &undisturbed);
}

/// Issue: many at once: each appointment is imported once.
#[test]
fn several_runs_started_at_once_import_each_appointment_once() {
    let workspace = Workspace::new();
    let lines: String = (0..1_500).map(|index| format!("{}\n", appointment(&format!("a-{index}")))).collect();
    workspace.feed_text("appointments.jsonl", &lines);
    let mut runs: Vec<_> = (0..4).map(|_| start(&workspace, "import-activities", &[])).collect();
    for run in &mut runs {
        assert_eq!(run.code(), Some(0));
    }
    assert_eq!(number(&workspace, "SELECT sum(ledger ->> '$.created') FROM job_part"), 1_500);
    assert_eq!(number(&workspace, "SELECT count(*) FROM activity"), 1_500);
    assert_eq!(number(&workspace, "SELECT count(*) FROM job WHERE state = 'completed'"), 4);
}

/// Runs a batch application as somebody whom the permissions of files bind, which they do not for root.
fn run_bound(workspace: &Workspace) -> Ran {
    let arguments = ["run", "import-activities", "--channel", "B2B", "--user", "A"];
    let mut command = workspace.command(&arguments);
    let place = tempfile::tempdir().expect("a folder");
    if fs::metadata(place.path()).expect("a folder").uid() == 0 {
        // Nobody may not look into every folder that the binary could lie in.
        let copy = place.path().join("apptsync");
        fs::copy(binary(), &copy).expect("copied");
        fs::set_permissions(place.path(), Permissions::from_mode(0o777)).expect("permissions");
        let mut as_nobody = Command::new(copy);
        as_nobody
            .args(command.get_args())
            .current_dir(workspace.folder())
            .env("APPTSYNC_CACHE", place.path().join("cache"))
            .stdin(Stdio::null())
            .uid(65_534)
            .gid(65_534);
        command = as_nobody;
    }
    let output = command.output().expect("the binary starts");
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Issue: a read-only database or folder: a clear error, and nothing is written.
#[test]
fn a_database_or_a_folder_that_is_read_only_is_a_clear_error() {
    for (folder_mode, file_mode) in [(0o777, 0o444), (0o555, 0o644), (0o555, 0o444)] {
        let workspace = Workspace::new();
        workspace.feed(&appointment("a-1"));
        let before = contents(&workspace);
        let file = workspace.path("headquarters.db");
        let mode = |folder, of_file| {
            fs::set_permissions(workspace.folder(), Permissions::from_mode(folder)).expect("permissions");
            fs::set_permissions(&file, Permissions::from_mode(of_file)).expect("permissions");
        };
        mode(folder_mode, file_mode);
        let ran = run_bound(&workspace);
        mode(0o755, 0o644);
        assert_eq!(ran.code, 1, "{folder_mode:o} {file_mode:o}: {ran:?}");
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains("write"),
            "{folder_mode:o} {file_mode:o}: {ran:?}"
        );
        assert_eq!(contents(&workspace), before);
        let left_over = workspace.path("headquarters.db-run");
        if left_over.exists() {
            fs::remove_file(left_over).expect("removed");
        }
        assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    }
}

/// Issue: a full disk, here one on which no file may grow beyond two megabytes: a clear error, nothing half written, and the
/// next run completes.
#[test]
fn when_there_is_no_room_the_run_fails_clearly_and_the_next_completes() {
    let (full, undisturbed) = (with_many(), with_many());
    let _ = batch(&undisturbed, "import-data", &[]).exits(3);
    // Whatever a block is to this shell, 512 or 1,024 bytes. Without the signal, writing fails as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\"";
    let run = full.command(&["run", "import-data", "--channel", "B2B", "--user", "A"]);
    let output = Command::new("sh")
        .args(["-c", script])
        .arg(run.get_program())
        .args(run.get_args())
        .current_dir(full.folder())
        .envs(run.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))))
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let said = format!("{}{stderr}", String::from_utf8_lossy(&output.stdout));
    assert!(said.contains("room"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let imported = number(&full, "SELECT count(*) FROM activity");
    assert!(imported < number(&undisturbed, "SELECT count(*) FROM activity"), "it was too much for the disk");
    let incomplete = "SELECT count(*) FROM activity WHERE id NOT IN (SELECT activity FROM task)
        OR id NOT IN (SELECT activity FROM reference) OR id NOT IN (SELECT activity FROM transfer WHERE activity IS NOT NULL)";
    assert_eq!(number(&full, incomplete), 0);
    let _ = batch(&full, "import-data", &[]).exits(3);
    assert_same(&full, &undisturbed);
}

/// Issue: a database that another program has locked: a clear error, and nothing is written.
#[test]
fn a_locked_database_is_a_clear_error() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let before = contents(&workspace);
    let other = Connection::open(workspace.path("headquarters.db")).expect("the database opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let ran = batch(&workspace, "import-activities", &[]).exits(1);
    assert!(ran.stderr.contains("locked by another program"), "{ran:?}");
    // Reading goes on.
    assert_eq!(workspace.activities(), Vec::<Value>::new());
    other.execute_batch("ROLLBACK").expect("no lock");
    assert_eq!(contents(&workspace), before);
    assert_eq!(batch(&workspace, "import-activities", &[]).exits(0).json()["ledger"], ledger(&[("created", 1)]));
}

/// The same in the middle of a run: what is stored stays, and the next run completes.
#[test]
fn a_database_that_is_locked_in_the_middle_of_a_run_ends_it_and_the_next_completes() {
    let (locked, undisturbed) = (with_many(), with_many());
    let _ = batch(&undisturbed, "import-data", &[]).exits(3);
    let connection = reading(&locked);
    let mut child = command(&locked, "import-data", &[]);
    let mut child = Running::spawn(child.stdout(Stdio::null()).stderr(Stdio::piped()));
    let moment = Moment::Read("import-activities", 1);
    assert_eq!(wait_until(&mut child, &mut || moment.has_come(&connection, 1)), None);
    let other = Connection::open(locked.path("headquarters.db")).expect("the database opens");
    other.busy_timeout(Duration::ZERO).expect("no busy timeout");
    // Held for a moment between two of its transactions, so that the lock can be had.
    while let Err(error) = {
        child.signal("-STOP");
        other.execute_batch("BEGIN IMMEDIATE")
    } {
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
        child.signal("-CONT");
    }
    child.signal("-CONT");
    let told = child.first_line();
    assert!(told.contains("locked by another program"), "{told}");
    assert_eq!(child.code(), Some(1));
    other.execute_batch("ROLLBACK").expect("no lock");
    let _ = batch(&locked, "import-data", &[]).exits(3);
    assert_same(&locked, &undisturbed);
}

/// A file that is no database is left as it is.
#[test]
fn a_damaged_database_is_a_clear_error_and_is_left_as_it_is() {
    let workspace = Workspace::new();
    let file = workspace.path("headquarters.db");
    let text = "this is no database, it only stands where one should be\n".repeat(100);
    fs::write(&file, &text).expect("written");
    let ran = batch(&workspace, "import-activities", &[]).exits(1);
    assert!(ran.stderr.contains("no database"), "{ran:?}");
    assert_eq!(fs::read_to_string(&file).expect("a file"), text);
    fs::remove_file(&file).expect("removed");
    let ran = batch(&workspace, "import-activities", &[]).exits(2);
    assert!(ran.stderr.contains("there is no database") && ran.stderr.contains("init"), "{ran:?}");
    assert!(!file.exists(), "a run makes no database");
}
