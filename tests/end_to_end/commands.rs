//! The commands as people use them: the stand-in for Mobile, the cockpit and its exports, explain, plugins, doctor, demo,
//! the configuration's mistakes, and the manners of a command line.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use apptsync_tests::{MASTER_DATA, NOW, Ran, Workspace, appointment, binary, customer, with};
use serde_json::{Value, json};

use crate::guests;
use crate::support::{assert_ledger, batch, import};

/// Plans an appointment of B, confirmed at once by A, with id a-1.
fn planned() -> Workspace {
    let workspace = Workspace::new();
    let _ = plan(&workspace, &["--user", "A", "--employee", "B", "--confirmed"]).exits(0);
    workspace
}

fn plan(workspace: &Workspace, more: &[&str]) -> Ran {
    let mut arguments =
        vec!["mobile", "plan", "--channel", "B2B", "--customer", "C00001", "--name", "Autumn assortment"];
    arguments.extend(["--start", "2026-12-01T09:00:00Z", "--end", "2026-12-01T10:00:00Z"]);
    arguments.extend(more);
    workspace.run(&arguments)
}

/// The appointments as Mobile has them.
fn mobile(workspace: &Workspace, more: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["mobile", "list"];
    arguments.extend(more);
    workspace.json(&arguments).as_array().expect("an array").clone()
}

fn feed(workspace: &Workspace) -> String {
    fs::read_to_string(workspace.path("feed").join("appointments.jsonl")).unwrap_or_default()
}

/// Domain 2: an Employee may add, not confirm or reject, nor create an appointment already confirmed.
#[test]
fn an_employee_may_plan_but_not_confirm_or_reject() {
    let workspace = Workspace::new();
    let _ = plan(&workspace, &["--user", "B"]).exits(0);
    assert_eq!(mobile(&workspace, &[])[0]["status"], "unconfirmed");
    let before = feed(&workspace);
    for command in [
        &["mobile", "confirm", "a-1", "--user", "B"][..],
        &["mobile", "reject", "a-1", "--user", "B", "--reason", "no time"],
    ] {
        let ran = workspace.run(command).exits(1);
        assert!(
            ran.stderr.contains("profile Employee") && ran.stderr.contains("a manager or administrator can"),
            "{ran:?}"
        );
    }
    let ran = plan(&workspace, &["--user", "B", "--confirmed"]).exits(1);
    assert!(ran.stderr.contains("profile Employee"), "{ran:?}");
    assert_eq!(feed(&workspace), before, "what was refused is not in the feed");
}

/// Domain 2: Manager and Administrator may; a manager for those below, an administrator for everybody.
#[test]
fn a_manager_confirms_and_rejects_for_those_below_and_an_administrator_for_all() {
    let workspace = Workspace::new();
    workspace.load(
        r#"
[[employee]]
id = "M"
name = "Another manager"
organization = "O1"
profile = "manager"
[[employee]]
id = "Z"
name = "Administrator"
organization = "O1"
profile = "administrator"
"#,
    );
    for _ in 0..3 {
        let _ = plan(&workspace, &["--user", "B"]).exits(0);
    }
    let ran = workspace.run(&["mobile", "confirm", "a-1", "--user", "M"]).exits(1);
    assert!(ran.stderr.contains("cannot confirm for B"), "{ran:?}");
    let _ = workspace.run(&["mobile", "confirm", "a-1", "--user", "A"]).exits(0);
    let _ = workspace.run(&["mobile", "confirm", "a-2", "--user", "Z"]).exits(0);
    let _ = workspace.run(&["mobile", "reject", "a-3", "--user", "A", "--reason", "no time"]).exits(0);
    let statuses: Vec<_> = mobile(&workspace, &[]).iter().map(|version| version["status"].clone()).collect();
    assert_eq!(statuses, ["confirmed", "confirmed", "rejected"]);
    let ran = plan(&workspace, &["--user", "C", "--employee", "B"]).exits(1);
    assert!(ran.stderr.contains("for B"), "C plans for C alone: {ran:?}");
    let _ = plan(&workspace, &["--user", "A", "--confirmed", "--employee", "D"]).exits(0);
}

/// Domain 2: the life of an appointment, each step a new line of the append-only feed.
#[test]
fn every_step_in_mobile_is_a_new_version_in_the_feed() {
    let workspace = planned();
    let mut lines = 1;
    let mut step = |command: &[&str], field: &str, value: &str| {
        let before = feed(&workspace);
        let _ = workspace.run(command).exits(0);
        lines += 1;
        let after = feed(&workspace);
        assert!(after.starts_with(&before) && after.lines().count() == lines, "lines are added only: {after}");
        let current = mobile(&workspace, &["--deleted"]);
        assert_eq!(current[0][field], value, "{command:?}");
    };
    step(&["mobile", "start", "a-1", "--user", "B"], "status", "pending");
    step(&["mobile", "suspend", "a-1", "--user", "B", "--reason", "roadworks"], "reason", "roadworks");
    step(&["mobile", "resume", "a-1", "--user", "B"], "status", "pending");
    let later = ["--start", "2026-12-02T10:00:00+01:00", "--end", "2026-12-02T11:00:00+01:00"];
    step(
        &["mobile", "reschedule", "a-1", "--user", "B", later[0], later[1], later[2], later[3]],
        "start",
        "2026-12-02T09:00:00Z",
    );
    step(
        &["mobile", "complete", "a-1", "--user", "B", "--on", "2026-11-23T07:30:00Z"],
        "completed_on",
        "2026-11-23T07:30:00Z",
    );
    step(
        &["mobile", "delete", "a-1", "--user", "A", "--as-of", "2026-11-23T09:00:00Z"],
        "changed_at",
        "2026-11-23T09:00:00Z",
    );
    assert_eq!(mobile(&workspace, &[]), Vec::<Value>::new(), "what is deleted is not listed");
}

/// What the status does not allow is refused, with what is possible.
#[test]
fn what_the_status_does_not_allow_is_refused_with_what_is_possible() {
    let workspace = planned();
    let _ = workspace.run(&["mobile", "complete", "a-1", "--user", "B"]).exits(0);
    let before = feed(&workspace);
    for command in ["start", "complete", "resume", "confirm"] {
        let ran = workspace.run(&["mobile", command, "a-1", "--user", "A"]).exits(1);
        assert!(ran.stderr.contains("Completed") && ran.stderr.contains("possible now: delete"), "{ran:?}");
    }
    let ran = workspace.run(&["mobile", "start", "nobody", "--user", "A"]).exits(1);
    assert!(ran.stderr.contains("nobody"), "{ran:?}");
    let ran = workspace.run(&["mobile", "start", "a-1", "--user", "Q"]).exits(1);
    assert!(ran.stderr.contains("`Q`"), "{ran:?}");
    for period in [["2026-12-01T10:00:00Z", "2026-12-01T09:00:00Z"], ["2026-12-01", "2026-12-01"], ["noon", "later"]] {
        let arguments = ["mobile", "plan", "--user", "B", "--channel", "B2B", "--customer", "C00001", "--name", "x"];
        let mut arguments = arguments.to_vec();
        arguments.extend(["--start", period[0], "--end", period[1]]);
        let _ = workspace.run(&arguments).exits(2);
    }
    assert_eq!(feed(&workspace), before);
}

/// `mobile list` filters, and what `mobile` writes is what the import reads.
#[test]
fn mobile_list_filters_and_the_import_reads_what_mobile_writes() {
    let workspace = planned();
    let _ = plan(&workspace, &["--user", "C", "--all-day", "--start", "x"]).exits(2);
    let all_day = ["--start", "2026-12-05", "--end", "2026-12-07"];
    let mut arguments = vec!["mobile", "plan", "--user", "A", "--employee", "C", "--confirmed", "--channel", "B2B"];
    arguments.extend([
        "--customer",
        "C00002",
        "--name",
        "Fair",
        "--id",
        "fair",
        "--number",
        "F/1",
        "--priority",
        "high",
    ]);
    arguments.extend(all_day);
    let _ = workspace.run(&arguments).exits(0);
    let _ = plan(&workspace, &["--user", "D"]).exits(0);
    let ids = |more: &[&str]| mobile(&workspace, more).iter().map(|version| version["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&[]).len(), 3);
    assert_eq!(ids(&["--status", "unconfirmed"]), ["a-2"]);
    assert_eq!(ids(&["--employee", "C"]), ["fair"]);
    assert_eq!(ids(&["--channel", "B2C"]), Vec::<Value>::new());
    assert_eq!(ids(&["--limit", "1"]).len(), 1);
    assert_ledger(&import(&workspace, &[]), &[("created", 2), ("not-confirmed", 1)]);
    assert_eq!(workspace.activity("fair").expect("an activity")["subject"], "F/1 Fair");
}

/// Ten activities of different kinds for the cockpit.
fn cockpit() -> Workspace {
    let workspace = Workspace::new();
    workspace.load("[[channel]]\nid = \"B2C\"\norganization = \"O1\"\n[[channel_partner]]\nchannel = \"B2C\"\npartner = \"C00003\"\nexternal_id = \"C00003\"\n");
    for (id, fields) in [
        ("one", json!({ "name": "Zażółć gęślą jaźń", "start": "2026-12-04T09:00:00Z", "end": "2026-12-04T10:00:00Z" })),
        (
            "two",
            json!({ "employee": "C", "customer": "C00002", "start": "2026-12-03T09:00:00Z", "end": "2026-12-03T10:00:00Z" }),
        ),
        ("three", json!({ "all_day": true, "start": "2026-12-02", "end": "2026-12-05" })),
        ("four", json!({ "name": "=1+1", "description": "@SUM(A1)" , "number": "+48 12" })),
        ("five", json!({ "employee": "D", "start": "2026-12-10T09:00:00Z", "end": "2026-12-10T10:00:00Z" })),
        ("six", json!({ "start": "2026-11-23T09:00:00Z", "end": "2026-11-23T10:00:00Z" })),
    ] {
        workspace.feed(&with(appointment(id), &fields));
    }
    workspace.feed(&with(appointment("seven"), &json!({ "channel": "B2C", "customer": "C00003" })));
    assert_ledger(&import(&workspace, &[]), &[("created", 6)]);
    let _ = workspace.run(&["definitions", "set", "--kind", "Shop visit", "--priority", "low"]).exits(0);
    let _ = workspace.run(&["run", "import-activities", "--channel", "B2C", "--user", "A"]).exits(0);
    let _ = workspace.run(&["definitions", "set", "--defaults"]).exits(0);
    workspace.feed(&with(
        appointment("one"),
        &json!({
            "name": "Zażółć gęślą jaźń", "start": "2026-12-04T09:00:00Z", "end": "2026-12-04T10:00:00Z",
            "status": "completed", "completed_on": "2026-11-23T10:30:00Z", "completed_by": "B"
        }),
    ));
    workspace.feed(&with(appointment("five"), &json!({ "employee": "D", "status": "rejected", "reason": "no time" })));
    assert_ledger(&import(&workspace, &["--as-of", "2026-11-23T11:00:00Z"]), &[("updated", 2)]);
    workspace
}

fn found(workspace: &Workspace, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["activities", "list"];
    arguments.extend(more);
    let activities = workspace.json(&arguments);
    let ids = activities
        .as_array()
        .expect("an array")
        .iter()
        .map(|activity| activity["source_id"].as_str().expect("an id").to_owned());
    ids.collect()
}

/// Issue, `activities`: every filter of the cockpit, and the order.
#[test]
fn the_cockpit_filters_by_every_field_and_sorts() {
    let workspace = cockpit();
    let all = ["six", "four", "seven", "three", "two", "one", "five"];
    let by_start = found(&workspace, &[]);
    assert_eq!(by_start.len(), all.len(), "{by_start:?}");
    for (filter, expected) in [
        (&["--status", "planned"][..], vec!["four", "seven", "three", "two"]),
        (&["--status", "delayed"], vec!["six"]),
        (&["--status", "completed", "--status", "completed-unprocessed"], vec!["one", "five"]),
        (&["--kind", "Shop visit"], vec!["seven"]),
        (&["--kind", "shop visit"], vec![]),
        (&["--priority", "low"], vec!["seven"]),
        (&["--priority", "normal", "--employee", "C"], vec!["two"]),
        (&["--customer", "C00002"], vec!["two"]),
        (&["--customer", "C00002", "--customer", "C00003"], vec!["seven", "two"]),
        (&["--employee", "D"], vec!["five"]),
        (&["--channel", "B2C"], vec!["seven"]),
        (&["--from", "2026-12-03T09:00:00Z", "--to", "2026-12-04T09:00:00Z"], vec!["two"]),
        (&["--from", "2026-12-03", "--to", "2026-12-05", "--status", "planned"], vec!["two"]),
        (&["--to", "2026-11-24"], vec!["six"]),
        (&["--text", "GĘŚLĄ"], vec!["one"]),
        (&["--text", "sklep wanda"], vec!["two"]),
        (&["--text", "no time"], vec!["five"]),
        (&["--text", "100%"], vec![]),
        (&["--text", "_"], vec![]),
        (&["--limit", "1"], vec!["six"]),
    ] {
        let mut found = found(&workspace, filter);
        let mut expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{filter:?}");
    }
    assert_eq!(found(&workspace, &["--sort", "id"])[..3], ["one", "two", "three"]);
    assert_eq!(found(&workspace, &["--sort", "id", "--descending", "--limit", "1"]), ["seven"]);
    assert_eq!(found(&workspace, &["--sort", "completed_on", "--descending", "--limit", "1"]), ["one"]);
    assert_eq!(found(&workspace, &["--sort", "priority", "--limit", "1"]), ["seven"]);
    assert_eq!(found(&workspace, &["--sort", "employee", "--descending", "--limit", "1"]), ["five"]);
    for wrong in [
        ["--status", "open"],
        ["--priority", "urgent"],
        ["--sort", "colour"],
        ["--from", "noon"],
        ["--columns", "colour"],
    ] {
        let _ = workspace.run(&["activities", "list", wrong[0], wrong[1]]).exits(2);
    }
}

/// Issue, formats: the documented JSON of `activities list`, field by field; instants in UTC.
#[test]
fn the_json_of_activities_is_the_documented_one() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    assert_eq!(
        workspace.json(&["activities", "list"]),
        json!([{
            "id": workspace.activities()[0]["id"], "channel": "B2B", "source_id": "a-1", "number": "SA/2026/a-1",
            "subject": "SA/2026/a-1 Autumn assortment", "status": "planned", "start": "2026-12-01T09:00:00Z",
            "end": "2026-12-01T10:00:00Z", "all_day": false, "kind": "Sales appointment", "priority": "normal",
            "customer": "C00001", "employee": "B",
            "description": "Customer: Delikatesy Krakus\nAddress: Długa 1, 31-147 Kraków, PL\nStatus: Confirmed\nShow the new range",
            "completed_on": null, "completed_by": null, "origin": "mobile"
        }])
    );
}

/// Issue, formats: the documented JSON of a run.
#[test]
fn the_json_of_a_run_is_the_documented_one() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    workspace.feed(&with(appointment("a-2"), &json!({ "status": "unconfirmed" })));
    let report = import(&workspace, &[]);
    for field in ["job", "state", "ledger", "messages", "stages"] {
        assert!(report.get(field).is_some(), "{field} is missing: {report:#}");
    }
    assert_eq!(
        report["ledger"],
        json!({
            "read": 2, "created": 1, "updated": 0, "unchanged": 0, "skipped": { "not-confirmed": 1 }, "quarantined": 0,
            "failed": 0
        })
    );
    assert_eq!(report["messages"], json!([]));
    assert_eq!(report["state"], "completed");
}

/// Issue, `activities`: columns in the order asked, tables of 50 rows unless told.
#[test]
fn columns_are_chosen_and_tables_show_fifty_rows_unless_told() {
    let workspace = Workspace::new();
    let lines: String = (0..60).map(|index| format!("{}\n", appointment(&format!("a-{index}")))).collect();
    workspace.feed_text("appointments.jsonl", &lines);
    let _ = import(&workspace, &[]);
    let ran = workspace.run(&["activities", "list", "--columns", "source_id,status"]).exits(0);
    let rows: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(rows.len(), 51, "{rows:?}");
    assert_eq!(
        rows[0].split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>(),
        ["Id in Mobile", "Status"]
    );
    assert!(ran.stderr.contains("50 of 60"), "{ran:?}");
    let rows = workspace.run(&["activities", "list", "--limit", "55"]).exits(0).stdout.lines().count();
    assert_eq!(rows, 56);
    assert_eq!(workspace.activities().len(), 60, "other outputs have all");
    let only = workspace.json(&["activities", "list", "--columns", "status,id", "--limit", "1"]);
    assert_eq!(only[0].as_object().map(serde_json::Map::len), Some(2));
}

/// Issue, `activities show`: the tabs General, Results, References and Tasks, by the activity's id, the appointment's id or
/// its number.
#[test]
fn an_activity_is_shown_with_its_four_tabs() {
    let workspace = cockpit();
    let id = workspace.activity("one").expect("an activity")["id"].as_str().expect("an id").to_owned();
    for name in [&*id, "one", "SA/2026/one"] {
        let shown = workspace.run(&["activities", "show", name]).exits(0).stdout;
        let at = |part: &str| shown.find(part).unwrap_or_else(|| panic!("{part} is missing: {shown}"));
        assert!(at("\nGeneral") < at("Start time") && at("Start time") < at("\nResults"));
        assert!(at("\nResults") < at("Completed on") && at("Completed by") < at("\nReferences"));
        assert!(at("\nReferences") < at("C00001 Delikatesy Krakus") && at("\nReferences") < at("\nTasks"));
        assert!(at("\nTasks") < at("B Barbara Nowak"));
        for part in [
            "Subject",
            "End time",
            "Priority",
            "Kind",
            "Description",
            "2026-12-04 10:00 (Europe/Warsaw)",
            "Normal",
            "Sales appointment",
            "2026-11-23 11:30",
            "Completed",
        ] {
            at(part);
        }
    }
    let ran = workspace.run(&["activities", "show", "nothing"]).exits(1);
    assert!(ran.stderr.contains("activities list"), "{ran:?}");
    workspace.feed(&with(appointment("waiting"), &json!({ "status": "unconfirmed" })));
    let _ = import(&workspace, &[]);
    let ran = workspace.run(&["activities", "show", "waiting"]).exits(1);
    assert!(ran.stderr.contains("apptsync explain waiting"), "{ran:?}");
}

/// Issue, `activities export`: exactly what is filtered, in four formats by the file's ending.
#[test]
fn the_cockpit_exports_exactly_what_is_filtered_to_csv_xlsx_json_and_ics() {
    let workspace = cockpit();
    let filter = ["--status", "planned", "--sort", "id"];
    let export = |file: &str, more: &[&str]| {
        let mut arguments = vec!["activities", "export", file];
        arguments.extend(filter);
        arguments.extend(more);
        let ran = workspace.run(&arguments).exits(0);
        assert!(ran.stdout.contains('4'), "{ran:?}");
        fs::read(workspace.path(file)).expect("a file")
    };
    let json: Value = serde_json::from_slice(&export("planned.json", &[])).expect("JSON");
    let mut list = vec!["activities", "list"];
    list.extend(filter);
    assert_eq!(json, workspace.json(&list));

    let csv =
        String::from_utf8(export("planned.csv", &["--columns", "source_id,subject,start,all_day"])).expect("UTF-8");
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(lines[0], "source_id,subject,start,all_day");
    assert_eq!(lines[1], "two,SA/2026/two Autumn assortment,2026-12-03T09:00:00Z,false");
    assert_eq!(lines[2], "three,SA/2026/three Autumn assortment,2026-12-02,true");
    assert_eq!(lines[4], "seven,SA/2026/seven Autumn assortment,2026-12-01T09:00:00Z,false");
    assert_eq!(lines.len(), 6, "four rows, heading and end: {lines:?}");

    let ics = String::from_utf8(export("planned.ics", &[])).expect("UTF-8");
    assert!(ics.starts_with("BEGIN:VCALENDAR\r\n") && ics.ends_with("END:VCALENDAR\r\n"), "{ics}");
    assert!(ics.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')), "{ics}");
    let unfolded = ics.replace("\r\n ", "");
    assert_eq!(unfolded.matches("BEGIN:VEVENT").count(), 4);
    for part in
        ["DTSTART:20261203T090000Z", "DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261205", "SUMMARY:SA/2026/two"]
    {
        assert!(unfolded.contains(part), "{part} is missing: {unfolded}");
    }
    assert!(!unfolded.contains("ATTENDEE") && !unfolded.contains("METHOD:REQUEST"), "no meeting requests");

    let xlsx = export("planned.xlsx", &[]);
    assert!(xlsx.starts_with(b"PK\x03\x04"), "a workbook is a ZIP archive");
    for part in ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"] {
        assert!(xlsx.windows(part.len()).any(|bytes| bytes == part.as_bytes()), "{part} is missing");
    }
    let _ = workspace.run(&["activities", "export", "planned.pdf"]).exits(2);
    let _ = workspace.run(&["activities", "export", "nowhere/planned.csv"]).exits(1);
    assert_eq!(
        fs::read_dir(workspace.folder())
            .expect("a folder")
            .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().ends_with(".part"))
            .count(),
        0
    );
}

/// What others wrote must not compute in a spreadsheet.
#[test]
fn formulas_in_texts_are_made_harmless_in_csv() {
    let workspace = cockpit();
    let arguments = ["activities", "export", "four.csv", "--text", "=1+1", "--columns", "number,subject"];
    let _ = workspace.run(&arguments).exits(0);
    let csv = fs::read_to_string(workspace.path("four.csv")).expect("a file");
    assert_eq!(csv, "number,subject\r\n'+48 12,'+48 12 =1+1\r\n");
}

/// An export replaces a file when it is whole.
#[test]
fn an_export_replaces_the_file_of_the_same_name() {
    let workspace = cockpit();
    fs::write(workspace.path("all.csv"), "old").expect("written");
    let _ = workspace.run(&["activities", "export", "all.csv"]).exits(0);
    assert!(fs::read_to_string(workspace.path("all.csv")).expect("a file").starts_with("id,channel,source_id"));
}

/// Issue, `explain`: for an imported appointment: source record, each stage's answer, plugin digests, rule, run.
#[test]
fn explain_says_why_an_imported_appointment_is_as_it_is() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "number": "SA/7" })));
    let report = import(&workspace, &[]);
    for name in ["a-1", "SA/7"] {
        let explained = workspace.json(&["explain", name]);
        let explained = &explained[0];
        assert_eq!((&explained["outcome"], &explained["source_id"]), (&json!("created"), &json!("a-1")));
        assert_eq!(explained["activity"]["status"], "planned");
        assert_eq!(explained["job"]["job"], report["job"]);
        assert_eq!(explained["source_record"]["name"], "Autumn assortment");
        assert_eq!(explained["rule"], "its period is not over");
        let stages = explained["stages_now"].as_array().expect("stages");
        let answers: Vec<_> =
            stages.iter().map(|stage| (stage["stage"].as_str(), stage["same_plugin_as_then"].as_bool())).collect();
        assert_eq!(answers, [(Some("status"), Some(true)), (Some("definition"), Some(true))]);
        assert!(stages[0]["answer"].as_str().is_some_and(|answer| answer.contains("Planned")), "{stages:?}");
        assert!(
            stages[1]["answer"].as_str().is_some_and(|answer| answer.contains("SA/7 Autumn assortment")),
            "{stages:?}"
        );
        for stage in report["stages"].as_array().expect("stages").iter().skip(1) {
            assert!(stages.iter().any(|now| now["digest"] == stage["digest"]), "{stage}");
        }
    }
    let table = workspace.run(&["explain", "a-1"]).exits(0).stdout;
    for part in ["a-1", "created", "its period is not over", "status-mapping", "Autumn assortment", "Next run"] {
        assert!(table.contains(part), "{part} is missing: {table}");
    }
}

/// Issue, `explain`: why an appointment is not there, and what the next run will do with it.
#[test]
fn explain_says_why_a_skipped_appointment_is_not_there_and_what_comes_next() {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), &json!({ "customer": "L1" })));
    workspace.feed(&with(appointment("a-2"), &json!({ "status": "unconfirmed" })));
    let _ = import(&workspace, &[]);
    for (id, outcome) in [("a-1", "customer-missing"), ("a-2", "not-confirmed")] {
        let explained = workspace.json(&["explain", id]);
        assert_eq!((&explained[0]["outcome"], &explained[0]["activity"]), (&json!(outcome), &Value::Null));
        assert_eq!(explained[0]["pending"], true);
        assert!(explained[0]["next_run"].as_str().is_some_and(|text| !text.is_empty()), "{explained:#}");
    }
    let table = workspace.run(&["explain", "a-1"]).exits(0).stdout;
    assert!(table.contains("customer missing"), "{table}");
    workspace.feed_customer(&customer("L1"));
    let _ = batch(&workspace, "import-customers", &[]).exits(0);
    let explained = workspace.json(&["explain", "a-1"]);
    assert!(explained[0]["next_run"].as_str().is_some_and(|text| !text.contains("skips")), "{explained:#}");
    let of_customer = workspace.json(&["explain", "L1"]);
    assert_eq!((&of_customer[0]["collection"], &of_customer[0]["outcome"]), (&json!("customers"), &json!("created")));
}

/// Issue, `explain`: a record that a stage could not answer.
#[test]
fn explain_says_why_a_quarantined_appointment_is_not_there() {
    let workspace = guests::workspace();
    guests::configure(&workspace, "status", &guests::stage("record-error", &[], ""));
    workspace.feed(&guests::named("a-1", "BAD"));
    let report = batch(&workspace, "import-activities", &[]).exits(3).json();
    assert_ledger(&report, &[("quarantined", 1)]);
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!(explained[0]["outcome"], "quarantined");
    let rule = explained[0]["rule"].as_str().expect("a rule");
    for part in [guests::GUEST, "stage status", "no price list"] {
        assert!(rule.contains(part), "{part} is missing: {rule}");
    }
    workspace.configure("");
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// `explain` of something that no run has read.
#[test]
fn explain_of_something_unknown_says_where_to_look() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let ran = workspace.run(&["explain", "a-1"]).exits(1);
    assert!(ran.stderr.contains("a-1") && ran.stderr.contains("mobile list"), "{ran:?}");
}

/// `explain` of an activity that a newer version could not change.
#[test]
fn explain_says_why_a_newer_version_was_not_imported() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let _ = import(&workspace, &["--as-of", "2026-12-02T08:00:00Z"]);
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "Winter assortment" })));
    let _ = import(&workspace, &["--as-of", "2026-12-02T09:00:00Z"]);
    let explained = workspace.json(&["explain", "a-1"]);
    assert_eq!((&explained[0]["outcome"], &explained[0]["is_current"]), (&json!("delayed"), &json!(false)));
    assert_eq!(explained[0]["activity"]["status"], "delayed");
    assert_eq!(explained[0]["source_record"]["name"], "Winter assortment");
}

/// Issue, `plugins list`: what is configured or embedded: world, version, imports, grants, limits, digest.
#[test]
fn plugins_lists_what_is_in_force() {
    let workspace = Workspace::new();
    let plugins = workspace.json(&["plugins", "list"]);
    let plugins = plugins.as_array().expect("an array");
    let in_force: Vec<_> = plugins
        .iter()
        .map(|plugin| (plugin["stage"].as_str(), plugin["plugin"].as_str(), plugin["world"].as_str()))
        .collect();
    assert_eq!(
        in_force,
        [
            (Some("source"), Some("ibus-feed"), Some("source")),
            (Some("status"), Some("status-mapping"), Some("status-mapping")),
            (Some("definition"), Some("appointment-synchronize"), Some("activity-definition")),
        ]
    );
    for plugin in plugins {
        assert_eq!(plugin["sha256"].as_str().map(str::len), Some(64), "{plugin}");
        assert_eq!((&plugin["version"], &plugin["built_in"]), (&json!("0.1.0"), &json!(true)));
        assert!(plugin["imports"].as_array().is_some_and(|imports| !imports.is_empty()), "{plugin}");
        assert!(plugin["limits"]["memory"].as_u64().is_some_and(|bytes| bytes > 0), "{plugin}");
        let granted = plugin["grants"]["read"].as_array().map(Vec::len);
        assert_eq!(
            granted,
            Some(usize::from(plugin["stage"] == "source")),
            "nothing but the source's folder is granted"
        );
    }
    let limited = r#"status = { plugin = "status-mapping", limits = { memory = "32MiB", deadline = "500ms" }, config = { late-results = "never" } }"#;
    workspace.configure(limited);
    let plugins = workspace.json(&["plugins", "list"]);
    assert_eq!(plugins[1]["limits"]["memory"], 32 << 20);
    assert_eq!(plugins[1]["limits"]["deadline_milliseconds"], 500);
    assert_eq!(plugins[1]["config"], json!({ "late-results": "never" }));
    let table = workspace.run(&["plugins", "list"]).exits(0).stdout;
    assert!(table.contains("appointment-synchronize") && table.contains("activity-definition@0.1.0"), "{table}");
}

/// Issue, `plugins inspect`: a built-in plugin or a file.
#[test]
fn plugins_inspect_says_what_a_file_holds() {
    let workspace = Workspace::new();
    let inspected = workspace.json(&["plugins", "inspect", "status-mapping"]);
    assert_eq!(inspected["worlds"], json!([{ "world": "status-mapping", "version": "0.1.0" }]));
    let listed = workspace.json(&["plugins", "list"]);
    assert_eq!(inspected["sha256"], listed[1]["sha256"]);
    for (name, bytes) in [("text.wasm", &b"no component"[..]), ("empty.wasm", b""), ("module.wasm", b"\0asm\x01\0\0\0")]
    {
        fs::write(workspace.path(name), bytes).expect("written");
        let ran = workspace.run(&["plugins", "inspect", name]);
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(name), "{ran:?}");
    }
    let ran = workspace.run(&["plugins", "inspect", "nowhere.wasm"]).exits(2);
    assert!(ran.stderr.contains("nowhere.wasm"), "{ran:?}");
    let ran = workspace.run(&["plugins", "inspect", "status-maping"]).exits(2);
    assert!(ran.stderr.contains("did you mean `status-mapping`?"), "{ran:?}");
}

fn health(workspace: &Workspace) -> (i32, Value) {
    let ran = workspace.run(&["doctor", "--output", "json"]);
    (ran.code, ran.json())
}

fn finding<'a>(report: &'a Value, check: &str) -> (&'a str, &'a str) {
    let checks = report["checks"].as_array().expect("checks");
    let of_check = |finding: &&Value| finding["check"].as_str().is_some_and(|name| name.starts_with(check));
    let worst = |finding: &&Value| ["ok", "warning", "error"].iter().position(|health| finding["health"] == *health);
    let found =
        checks.iter().filter(of_check).max_by_key(worst).unwrap_or_else(|| panic!("no check `{check}`: {report:#}"));
    (found["health"].as_str().expect("a health"), found["text"].as_str().expect("a text"))
}

/// Issue, `doctor`: checks workspace, database, plugins, cache and feed.
#[test]
fn doctor_finds_a_good_workspace_good() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    let _ = import(&workspace, &[]);
    let (code, report) = health(&workspace);
    assert_eq!((code, &report["health"]), (0, &json!("ok")), "{report:#}");
    for check in [
        "workspace",
        "configuration",
        "database",
        "definition",
        "master data",
        "plugin of source",
        "feed",
        "compile cache",
    ] {
        assert_eq!(finding(&report, check).0, "ok", "{check}");
    }
    assert!(finding(&report, "database").1.contains('1'), "{report:#}");
}

/// Issue, `doctor`: says what to do.
#[test]
fn doctor_says_what_is_wrong_and_what_to_do() {
    let workspace = Workspace::empty();
    workspace.load(MASTER_DATA);
    let (code, report) = health(&workspace);
    assert_eq!(code, 3);
    assert_eq!(
        finding(&report, "definition"),
        (
            "warning",
            "ibus.AppointmentSynchronize is inactive, no activities are imported: `apptsync definitions activate`"
        )
    );

    let workspace = Workspace::empty();
    let (code, report) = health(&workspace);
    assert_eq!(code, 3);
    let (level, text) = finding(&report, "master data");
    assert!(level == "warning" && text.contains("apptsync"), "{report:#}");

    type Harm = fn(&Workspace);
    let harms: [(&str, &str, Harm); 5] = [
        ("feed", "feed", |workspace| fs::remove_dir_all(workspace.path("feed")).expect("removed")),
        ("database", "no database", |workspace| {
            fs::write(workspace.path("headquarters.db"), "x".repeat(5_000)).expect("written")
        }),
        ("database", "there is no database", |workspace| {
            fs::remove_file(workspace.path("headquarters.db")).expect("removed")
        }),
        ("configuration", "apptsync.toml:4:1", |workspace| workspace.configure("soucre = 1")),
        ("plugin of status", "nowhere.wasm", |workspace| workspace.configure("status = { plugin = \"nowhere.wasm\" }")),
    ];
    for (check, part, harm) in harms {
        let workspace = Workspace::new();
        workspace.feed(&appointment("a-1"));
        harm(&workspace);
        let (code, report) = health(&workspace);
        assert_eq!((code, &report["health"]), (1, &json!("error")), "{check}: {report:#}");
        let (level, text) = finding(&report, check);
        assert!(level == "error" && text.contains(part), "{check}: {report:#}");
        let table = workspace.run(&["doctor"]).exits(1).stdout;
        assert!(table.contains("error"), "{table}");
    }
}

/// Issue, what a newcomer does: `demo` makes everything, imports, and shows protocol, ledger and cockpit; a second one in
/// the same folder says that nothing changed.
#[test]
fn demo_imports_and_shows_and_a_second_one_says_that_nothing_changed() {
    let place = Workspace::empty();
    let ran = place.run(&["demo", "there"]).exits(0);
    for part in ["element(s) of Activities was skipped", "quarantined", "created", "Planned", "Barbara Nowak"] {
        assert!(ran.stdout.contains(part), "{part} is missing: {}", ran.stdout);
    }
    let file = place.path("there").join("apptsync.toml");
    let inside = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--config", file.to_str().expect("UTF-8")]);
        place.json(&all)
    };
    let activities = inside(&["activities", "list"]);
    assert!(activities.as_array().is_some_and(|activities| activities.len() > 100), "{activities}");
    let statuses: std::collections::BTreeSet<_> = inside(&["mobile", "list"])
        .as_array()
        .expect("an array")
        .iter()
        .map(|version| version["status"].to_string())
        .collect();
    assert_eq!(statuses.len(), 7, "every status: {statuses:?}");
    assert_eq!(inside(&["definitions", "list"])[0]["active"], true);
    let employees = inside(&["employees", "list"]);
    let managers: Vec<_> =
        employees.as_array().expect("an array").iter().map(|employee| employee["manager"].clone()).collect();
    assert_eq!(managers, [Value::Null, json!("A"), json!("A"), json!("A")]);

    let ran = place.run(&["demo", "there"]).exits(0);
    assert!(ran.stdout.contains("Nothing changed"), "{}", ran.stdout);
    assert_eq!(inside(&["activities", "list"]), activities);
    let again = place.json(&["demo", "there"]);
    assert_eq!(again["changed"], false);
}

/// `demo` without a folder makes `apptsync-demo`, and leaves a folder alone that is something else.
#[test]
fn demo_makes_apptsync_demo_and_leaves_foreign_folders_alone() {
    let place = Workspace::empty();
    fs::create_dir(place.path("mine")).expect("a folder");
    fs::write(place.path("mine").join("letter.txt"), "dear").expect("written");
    let ran = place.run(&["demo", "mine"]).exits(2);
    assert!(ran.stderr.contains("mine"), "{ran:?}");
    assert_eq!(fs::read_dir(place.path("mine")).expect("a folder").count(), 1);
    let report = place.json(&["demo"]);
    assert_eq!(report["changed"], true);
    assert!(place.path("apptsync-demo").join("feed").is_dir());
}

/// Issue, `init`: an empty workspace with comments, database and feed folder, and never over one that is there.
#[test]
fn init_makes_an_empty_workspace_and_never_over_one_that_is_there() {
    let place = Workspace::empty();
    let _ = place.run(&["init", "new/sales"]).exits(0);
    let text = fs::read_to_string(place.path("new/sales/apptsync.toml")).expect("a configuration");
    assert!(text.lines().filter(|line| line.starts_with('#')).count() > 5, "with comments: {text}");
    assert!(place.path("new/sales/feed").is_dir() && place.path("new/sales/headquarters.db").is_file());
    let ran = place.run(&["init", "new/sales"]).exits(2);
    assert!(ran.stderr.contains("already"), "{ran:?}");
    assert_eq!(fs::read_to_string(place.path("new/sales/apptsync.toml")).expect("a configuration"), text);
}

/// The workspace is found from the current folder upwards, or named.
#[test]
fn the_configuration_is_found_upwards_or_named() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    fs::create_dir_all(workspace.path("deep/down")).expect("a folder");
    let deep =
        workspace.command(&["channels", "list"]).current_dir(workspace.path("deep/down")).output().expect("starts");
    assert!(deep.status.success() && String::from_utf8_lossy(&deep.stdout).contains("B2B"), "{deep:?}");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = workspace.path("apptsync.toml");
    let mut named = workspace.command(&["channels", "list", "--config", file.to_str().expect("UTF-8")]);
    let named = named.current_dir(elsewhere.path()).output().expect("starts");
    assert!(named.status.success() && String::from_utf8_lossy(&named.stdout).contains("B2B"), "{named:?}");
    let lost = workspace.command(&["channels", "list"]).current_dir(elsewhere.path()).output().expect("starts");
    let said = String::from_utf8_lossy(&lost.stderr);
    assert_eq!(lost.status.code(), Some(2));
    assert!(said.contains("apptsync init") && said.contains("--config"), "{said}");
}

/// Design, the configuration: an unknown key, a wrong type, a missing file: file, line, column and the nearest right name.
#[test]
fn mistakes_in_the_configuration_are_named_with_their_place_and_the_nearest_name() {
    let workspace = Workspace::new();
    for (text, parts) in [
        ("databse = \"x.db\"\n", vec!["apptsync.toml:1:1", "`databse`", "did you mean `database`?"]),
        ("[pipelin]\n", vec!["apptsync.toml:1:2", "`pipelin`", "`pipeline`"]),
        ("[pipeline]\nsoucre = { plugin = \"ibus-feed\" }\n", vec!["apptsync.toml:2:1", "`source`"]),
        ("[pipeline]\nsource = { plugn = \"ibus-feed\" }\n", vec!["apptsync.toml:2:12", "`plugin`"]),
        ("[pipeline]\nsource = { plugin = \"ibus-fed\" }\n", vec!["apptsync.toml:2:21", "did you mean `ibus-feed`?"]),
        ("[pipeline]\nstatus = { plugin = \"ibus-feed\" }\n", vec!["apptsync.toml:2:21", "status-mapping"]),
        ("[pipeline]\nsource = 7\n", vec!["apptsync.toml:2:10", "table"]),
        ("[pipeline]\nstatus = { plugin = \"gone.wasm\" }\n", vec!["apptsync.toml:2:21", "gone.wasm"]),
        ("[pipeline]\nsource = { plugin = \"ibus-feed\", read = [\"gone\"] }\n", vec!["apptsync.toml:2:42", "gone"]),
        (
            "[pipeline]\nstatus = { plugin = \"status-mapping\", limits = { memory = \"much\" } }\n",
            vec!["apptsync.toml:2:59", "32MiB"],
        ),
        (
            "[pipeline]\nstatus = { plugin = \"status-mapping\", limits = { deadline = \"soon\" } }\n",
            vec!["apptsync.toml:2", "500ms"],
        ),
        (
            "[pipeline]\nstatus = { plugin = \"status-mapping\", on-failure = \"ignore\" }\n",
            vec!["apptsync.toml:2", "quarantine"],
        ),
        ("[pipeline]\nstatus = { plugin = \"status-mapping\", read = [\"feed\"] }\n", vec!["apptsync.toml:2", "read"]),
        ("[batch]\nusr = \"A\"\n", vec!["apptsync.toml:2:1", "`user`"]),
        ("database = \"postgres://here\"\n", vec!["apptsync.toml:1:12", "not supported"]),
        ("database = \n", vec!["apptsync.toml:1"]),
    ] {
        fs::write(workspace.path("apptsync.toml"), text).expect("written");
        let ran = workspace.run(&["run", "import-activities", "--channel", "B2B", "--user", "A"]).exits(2);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part} is missing for {text}: {}", ran.stderr);
        }
    }
}

/// Issue: shell completions.
#[test]
fn completions_are_there_for_every_shell() {
    let workspace = Workspace::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = workspace.run(&["completions", shell]).exits(0).stdout;
        assert!(script.contains("import-activities") && script.contains("changed-since"), "{shell}");
    }
    let _ = workspace.run(&["completions", "dos"]).exits(2);
}

/// Issue: `--help` with examples, everywhere.
#[test]
fn every_command_has_help_with_examples() {
    let workspace = Workspace::empty();
    for command in [
        &[][..],
        &["init"],
        &["demo"],
        &["load"],
        &["organizations"],
        &["partners"],
        &["employees"],
        &["users"],
        &["channels"],
        &["channel-partners"],
        &["definitions"],
        &["run"],
        &["run", "import-data"],
        &["run", "import-customers"],
        &["run", "import-activities"],
        &["jobs", "list"],
        &["jobs", "show"],
        &["activities", "list"],
        &["activities", "show"],
        &["activities", "export"],
        &["mobile", "plan"],
        &["mobile", "confirm"],
        &["mobile", "complete"],
        &["explain"],
        &["plugins"],
        &["completions"],
    ] {
        let mut arguments = command.to_vec();
        arguments.push("--help");
        let help = workspace.run(&arguments).exits(0).stdout;
        assert!(
            help.contains("apptsync ") && (help.contains("Example") || help.contains("Begin with")),
            "{command:?}: {help}"
        );
        assert!(
            help.contains("--as-of") && help.contains("--output") && help.contains("--config"),
            "{command:?}: {help}"
        );
    }
    let version = workspace.run(&["--version"]).exits(0).stdout;
    assert!(version.starts_with("apptsync 0."), "{version}");
    let _ = workspace.run(&[]).exits(2);
    let ran = workspace.run(&["actvities", "list"]).exits(2);
    assert!(ran.stderr.contains("activities"), "{ran:?}");
}

/// Design: a broken pipe is no error.
#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let workspace = Workspace::new();
    let lines: String = (0..3_000).map(|index| format!("{}\n", appointment(&format!("a-{index}")))).collect();
    workspace.feed_text("appointments.jsonl", &lines);
    let _ = import(&workspace, &[]);
    for arguments in [
        &["activities", "list", "--output", "json"][..],
        &["activities", "list", "--limit", "3000"],
        &["mobile", "list", "--output", "json"],
        &["explain", "a-1"],
        &["completions", "bash"],
    ] {
        let mut child =
            workspace.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let mut first = [0; 10];
        child.stdout.take().expect("a pipe").read_exact(&mut first).expect("some bytes");
        // The pipe is closed here; what the command writes now nobody reads.
        let output = child.wait_with_output().expect("a status");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr).matches("error").count(), 0, "{arguments:?}: {output:?}");
    }
}

/// `--quiet` leaves results and errors.
#[test]
fn quiet_leaves_results_and_errors_alone() {
    let workspace = Workspace::new();
    let loud = workspace.run(&["activities", "list"]).exits(0);
    assert!(loud.stderr.contains("no activities"), "{loud:?}");
    let quiet = workspace.run(&["activities", "list", "--quiet"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let ran = workspace.run(&["channels", "show", "XYZ", "--quiet"]).exits(2);
    assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    let _ = workspace.run(&["channels", "list", "--quiet", "--verbose"]).exits(2);
}

/// `--output json` gives JSON for every command that prints results.
#[test]
fn json_is_json_for_every_command() {
    let workspace = cockpit();
    for arguments in [
        &["organizations", "list"][..],
        &["partners", "list"],
        &["employees", "list"],
        &["users", "list"],
        &["channels", "list"],
        &["channel-partners", "list"],
        &["definitions", "list"],
        &["definitions", "show"],
        &["definitions", "activate"],
        &["jobs", "list"],
        &["jobs", "show", "1"],
        &["activities", "list"],
        &["activities", "show", "one"],
        &["activities", "export", "all.csv"],
        &["mobile", "list"],
        &["mobile", "suspend", "two", "--user", "C"],
        &["explain", "one"],
        &["plugins", "list"],
        &["plugins", "inspect", "ibus-feed"],
        &["doctor"],
        &["load", "load.toml"],
        &["partners", "set", "C00001", "--city", "Tarnów"],
        &["channels", "remove", "B2C"],
        &["run", "import-customers", "--channel", "B2B"],
        &["init", "another"],
    ] {
        let mut all = arguments.to_vec();
        all.extend(["--output", "json"]);
        let ran = workspace.run(&all);
        if arguments == ["channels", "remove", "B2C"] {
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "in use: {ran:?}");
            continue;
        }
        assert!(ran.code == 0 || ran.code == 3, "{arguments:?}: {ran:?}");
        let json: Value = ran.json();
        assert!(json.is_object() || json.is_array(), "{arguments:?}: {json}");
    }
}

/// Design: no clock but `--as-of`; without it, the machine's.
#[test]
fn without_as_of_the_clock_of_the_machine_counts() {
    let workspace = Workspace::new();
    let fields = json!({ "start": "2020-01-01T09:00:00Z", "end": "2020-01-01T10:00:00Z" });
    workspace.feed(&with(appointment("past"), &fields));
    let fields = json!({ "start": "9990-01-01T09:00:00Z", "end": "9990-01-01T10:00:00Z" });
    workspace.feed(&with(appointment("future"), &fields));
    let output = std::process::Command::new(binary())
        .args(["run", "import-activities", "--channel", "B2B", "--user", "A", "--output", "json"])
        .current_dir(workspace.folder())
        .env("APPTSYNC_CACHE", binary().with_file_name("test-compile-cache"))
        .output()
        .expect("the binary starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_ledger(&report, &[("created", 1), ("not-future", 1)]);
    assert_ne!(workspace.json(&["jobs", "show", "1"])["as_of"], NOW);
}
