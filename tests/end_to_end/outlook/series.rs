//! Whole days, recurring items and private items of Outlook (domain 8).

use apptsync_tests::{Workspace, appointment, with};
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind, SALES, Server, connected, id, settings};
use super::{at, counts, database_has, found, import, make, make_for, sync_at};

/// Of each activity that counts: subject, start and end, in order.
fn periods(workspace: &Workspace) -> Vec<[String; 3]> {
    let all = workspace.activities();
    let there = all.iter().filter(|activity| activity["canceled"] == false);
    let mut periods: Vec<_> = there
        .map(|activity| ["subject", "start", "end"].map(|name| activity[name].as_str().expect("a text").to_owned()))
        .collect();
    periods.sort_unstable();
    periods
}

/// The first and the day after the last of a whole-day item of the calendar.
fn days(calendar: &Calendar, subject: &str) -> [String; 2] {
    match calendar.server {
        Server::Graph(_) => {
            let event = calendar.events().into_iter().find(|event| event["subject"] == subject).expect("it is there");
            assert_eq!(event["isAllDay"], true, "{event:#}");
            ["start", "end"].map(|name| {
                let time = event[name]["dateTime"].as_str().expect("a time");
                let (day, time) = time.split_once('T').expect("a day");
                assert!(time.starts_with("00:00:00"), "{event:#}");
                day.to_owned()
            })
        }
        _ => {
            let text = calendar.text();
            let event = text.split("BEGIN:VEVENT").find(|part| part.contains(&format!("SUMMARY:{subject}")));
            let event = event.expect("it is there");
            ["DTSTART;VALUE=DATE:", "DTEND;VALUE=DATE:"].map(|name| {
                let day = event.lines().find_map(|line| line.strip_prefix(name)).expect("a day").trim_end();
                format!("{}-{}-{}", &day[..4], &day[4..6], &day[6..])
            })
        }
    }
}

/// A calendar whose mailbox lies in a zone far away from the organization's, with a window over a whole year.
fn far_away(kind: Kind) -> (Workspace, Calendar) {
    let workspace = Workspace::new();
    let calendar = Calendar::start(kind, &workspace);
    if let Server::Graph(simulator) = &calendar.server {
        simulator.add_mailbox(&calendar.owner, "Pacific Standard Time").expect("a mailbox");
        let _ = calendar.user().create_calendar(SALES).expect("a calendar");
    }
    settings(&workspace);
    let _ = workspace.run(&["outlook", "settings", "set", "--level", "database", "--calendar-to", "+400d"]).exits(0);
    calendar.connect(&workspace, "b", &["--text-priority", "outlook"]);
    (workspace, calendar)
}

stories! {
    /// Whole days are dates, not instants: they are the same on both sides in whatever zone the mailbox is, over both clock
    /// changes, and whenever it is synchronised.
    whole_days_are_not_shifted(kind) {
        let (workspace, calendar) = far_away(kind);
        let spans = [
            ("Trade fair", "2026-12-24", "2026-12-27"),
            ("Spring", "2027-03-28", "2027-03-29"),
            ("Autumn", "2027-10-30", "2027-11-01"),
        ];
        for (subject, start, end) in spans {
            let _ = make_for(&workspace, "B", subject, &["--all-day", "--start", start, "--end", end]);
        }
        let mobile = json!({ "all_day": true, "start": "2026-12-03", "end": "2026-12-04" });
        workspace.feed(&with(appointment("a-1"), &mobile));
        let _ = import(&workspace).exits(0);
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [4, 0, 0, 0, 0]);
        assert_eq!(days(&calendar, "SA/2026/a-1 Autumn assortment"), ["2026-12-03", "2026-12-04"]);
        for (subject, start, end) in spans {
            assert_eq!(days(&calendar, subject), [start, end], "{subject}");
        }
        calendar.add_days("Holiday", "2027-03-27", "2027-03-30");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        let holiday = found(&workspace, "Holiday");
        let text = |name: &str| holiday[name].as_str().expect("a text").to_owned();
        assert_eq!((holiday["all_day"].as_bool(), text("start"), text("end")), (Some(true), "2027-03-27".into(), "2027-03-30".into()));
        let before = periods(&workspace);
        // Just before and after a day begins here, there, and in UTC, in winter and in summer.
        for now in [
            "2026-11-23T22:30:00Z", "2026-11-23T23:30:00Z", "2026-11-24T07:30:00Z", "2026-11-24T08:30:00Z",
            "2027-03-28T00:30:00Z", "2027-03-28T01:30:00Z", "2027-03-28T22:30:00Z",
        ] {
            assert_eq!(counts(&sync_at(&workspace, now)), [0; 5], "{now}");
        }
        assert_eq!(periods(&workspace), before);
        calendar.edit("SUMMARY:Spring", "SUMMARY:Spring cleaning");
        assert_eq!(counts(&sync_at(&workspace, "2027-03-28T23:00:00Z")), [0, 0, 0, 0, 1]);
        let spring = found(&workspace, "Spring cleaning");
        assert_eq!((&spring["start"], &spring["end"]), (&json!("2027-03-28"), &json!("2027-03-29")));
        let autumn = found(&workspace, "Autumn");
        let moved = ["--start", "2027-10-31", "--end", "2027-11-01"];
        let set = ["activities", "set", autumn["id"].as_str().expect("an id")];
        let _ = workspace.run(&[&set[..], &moved].concat()).exits(0);
        assert_eq!(counts(&sync_at(&workspace, "2027-03-28T23:10:00Z")), [0, 1, 0, 0, 0]);
        assert_eq!(days(&calendar, "Autumn"), ["2027-10-31", "2027-11-01"]);
        assert_eq!(counts(&sync_at(&workspace, "2027-03-28T23:20:00Z")), [0; 5]);
    }
}

stories! {
    /// Domain 8: each occurrence in the window is an activity of its own; one that is deleted cancels its own, one that is moved
    /// moves its own, and as the window moves on, more come in.
    each_occurrence_is_an_activity_of_its_own(workspace, calendar, &["--text-priority", "outlook"]) {
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let _ = sync_at(&workspace, &at(0));
        let series = Series::weekly(&calendar);
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 12]);
        let starts = |workspace: &Workspace| -> Vec<String> {
            let weekly = periods(workspace).into_iter().filter(|[subject, ..]| subject == "Weekly");
            weekly.map(|[_, start, _]| start).collect()
        };
        let days = ["12-01", "12-08", "12-15", "12-22", "12-29", "01-05", "01-12", "01-19", "01-26", "02-02", "02-09", "02-16"];
        let all: Vec<String> = days
            .iter()
            .map(|day| format!("{}-{day}T09:00:00Z", if day.starts_with("12") { 2026 } else { 2027 }))
            .collect();
        assert_eq!(starts(&workspace), all);
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0; 5]);
        series.delete("2026-12-08");
        // Gone from its series it has a run of grace, because a server may tell that late.
        assert_eq!(counts(&sync_at(&workspace, &at(3))), [0; 5]);
        assert_eq!(counts(&sync_at(&workspace, &at(4))), [0, 0, 0, 0, 1]);
        let left: Vec<String> = all.iter().filter(|start| !start.starts_with("2026-12-08")).cloned().collect();
        assert_eq!(starts(&workspace), left);
        series.move_to_afternoon("2026-12-15");
        assert_eq!(counts(&sync_at(&workspace, &at(5))), [0, 0, 0, 0, 1]);
        let moved: Vec<String> = left.iter().map(|start| start.replace("2026-12-15T09", "2026-12-15T14")).collect();
        assert_eq!(starts(&workspace), moved);
        assert_eq!(workspace.activities().len(), 13, "the canceled one is kept");
        // A week later the window reaches the next one.
        let report = sync_at(&workspace, "2026-11-30T08:00:00Z");
        assert_eq!(counts(&report), [0, 0, 0, 0, 1], "{report:#}");
        assert_eq!(starts(&workspace).last().map(String::as_str), Some("2027-02-23T09:00:00Z"));
        assert_eq!(counts(&sync_at(&workspace, "2026-11-30T08:10:00Z")), [0; 5]);
    }

    /// Private and confidential items never leave Outlook: neither as new ones, nor when they become so later.
    what_is_private_never_leaves_outlook(workspace, calendar, &["--text-priority", "outlook"]) {
        let ours = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let _ = sync_at(&workspace, &at(0));
        let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z";
        let add = |uid: &str, more: &str, subject: &str| {
            calendar.add(uid, &format!("BEGIN:VEVENT\nUID:{uid}\n{times}\n{more}SUMMARY:{subject}\nEND:VEVENT"));
        };
        add("private", "CLASS:PRIVATE\n", "Whisper one");
        add("confidential", "CLASS:CONFIDENTIAL\n", "Whisper two");
        add("open", "", "Dentist");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        calendar.make_private("Dentist", "Whisper three");
        calendar.make_private("Visit", "Whisper four");
        let (before, text) = (workspace.activities(), calendar.text());
        for minute in [2, 3] {
            assert_eq!(counts(&sync_at(&workspace, &at(minute))), [0; 5]);
        }
        assert_eq!(workspace.activities(), before);
        assert_eq!(calendar.text(), text);
        // Nor does what is changed here afterwards write over them.
        let _ = workspace.run(&["activities", "set", &ours, "--subject", "Visit at noon"]).exits(0);
        assert_eq!(counts(&sync_at(&workspace, &at(4))), [0; 5]);
        assert_eq!(calendar.text(), text);
        for whisper in ["Whisper one", "Whisper two", "Whisper three", "Whisper four"] {
            assert!(!database_has(&workspace, whisper), "{whisper}");
        }
        assert!(database_has(&workspace, "Dentist"), "the search would find it");
    }
}

/// A series on Tuesdays at nine without an end, as its owner sees and changes it.
struct Series<'a> {
    calendar: &'a Calendar,
    /// The master, where there is one.
    master: String,
}

impl<'a> Series<'a> {
    fn weekly(calendar: &'a Calendar) -> Self {
        let master = match calendar.server {
            Server::Graph(_) => {
                let time = |hour: &str| json!({ "dateTime": format!("2026-12-01T{hour}:00:00"), "timeZone": "UTC" });
                let event = json!({
                    "subject": "Weekly", "start": time("09"), "end": time("10"),
                    "recurrence": {
                        "pattern": { "type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday" },
                        "range": { "type": "noEnd", "startDate": "2026-12-01", "recurrenceTimeZone": "UTC" }
                    }
                });
                let made = calendar.user().request("POST", &format!("{}/events", calendar.place()), event);
                id(&made.expect("made")).to_owned()
            }
            _ => {
                let times = "DTSTAMP:20261120T100000Z\nDTSTART:20261201T090000Z\nDTEND:20261201T100000Z";
                let rule = "RRULE:FREQ=WEEKLY";
                calendar
                    .add("weekly", &format!("BEGIN:VEVENT\nUID:weekly\n{times}\n{rule}\nSUMMARY:Weekly\nEND:VEVENT"));
                String::new()
            }
        };
        Self { calendar, master }
    }

    fn occurrence(&self, day: &str) -> String {
        let view = format!("events/{}/instances?startDateTime={day}T00:00:00&endDateTime={day}T23:59:00", self.master);
        let found = self.calendar.user().request("GET", &view, Value::Null).expect("instances");
        id(&found["value"][0]).to_owned()
    }

    fn delete(&self, day: &str) {
        match self.calendar.server {
            Server::Graph(_) => self.calendar.user().delete_event(&self.occurrence(day)).expect("deleted"),
            _ => {
                let day = day.replace('-', "");
                self.calendar.edit("UID:weekly", &format!("UID:weekly\r\nEXDATE:{day}T090000Z"));
            }
        }
    }

    fn move_to_afternoon(&self, day: &str) {
        match self.calendar.server {
            Server::Graph(_) => {
                let time = |hour: &str| json!({ "dateTime": format!("{day}T{hour}:00:00"), "timeZone": "UTC" });
                let change = json!({ "start": time("14"), "end": time("15") });
                let _ = self.calendar.user().edit_event(&self.occurrence(day), change).expect("moved");
            }
            _ => {
                let day = day.replace('-', "");
                let override_ = [
                    "BEGIN:VEVENT",
                    "UID:weekly",
                    "DTSTAMP:20261121T100000Z",
                    &format!("RECURRENCE-ID:{day}T090000Z"),
                    &format!("DTSTART:{day}T140000Z"),
                    &format!("DTEND:{day}T150000Z"),
                    "SUMMARY:Weekly",
                    "END:VEVENT",
                    "END:VCALENDAR",
                ];
                self.calendar.edit("END:VCALENDAR", &override_.join("\r\n"));
            }
        }
    }
}

/// Guard G1: a series that is deleted would cancel many activities; approved, it cancels those and nothing else.
#[test]
fn a_series_that_is_deleted_cancels_its_activities_once_it_is_approved() {
    for kind in [Kind::CalDav, Kind::Graph] {
        let (workspace, calendar) = connected(kind, &["--text-priority", "outlook"]);
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let _ = sync_at(&workspace, &at(0));
        let _ = Series::weekly(&calendar);
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 12], "{kind:?}");
        calendar.delete("SUMMARY:Weekly");
        let held = sync_at(&workspace, &at(2));
        assert_eq!((&held["state"], counts(&held)), (&json!("held"), [0; 5]), "{kind:?}: {held:#}");
        let hash = held["plan"].as_str().expect("a hash");
        let _ = workspace.run(&["outlook", "sync", "b", "--approve", hash, "--as-of", &at(3)]).exits(0);
        assert_eq!(periods(&workspace).len(), 1, "{kind:?}");
        assert_eq!(calendar.subjects(), ["Visit"], "{kind:?}");
    }
}
