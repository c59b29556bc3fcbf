//! Exports of the cockpit.

use std::fs;

use serde_json::Value;

use super::cockpit::cockpit;

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
