//! Meetings (domain 8): no meeting request is ever sent, no attendee is ever written, and somebody else's meeting is left alone.

use apptsync_tests::Workspace;
use serde_json::{Value, json};

use super::calendar::{Calendar, Kind, Server, connected};
use super::{at, counts, found, import, make, plan_visit, state, sync_at};

const WORDS: [&str; 2] = ["--text-priority", "outlook"];

fn guest() -> Value {
    json!({ "emailAddress": { "address": "otto@example.com", "name": "Otto" }, "type": "required" })
}

/// The owner of the calendar, or somebody else, invites to a meeting.
fn invite(calendar: &Calendar, subject: &str, is_own: bool) {
    match &calendar.server {
        Server::Graph(simulator) => {
            let time = |hour: &str| json!({ "dateTime": format!("2026-12-03T{hour}:00:00"), "timeZone": "UTC" });
            let mut event =
                json!({ "subject": subject, "start": time("10"), "end": time("11"), "attendees": [guest()] });
            if !is_own {
                event["organizer"] = json!({ "emailAddress": { "address": "boss@example.com", "name": "Boss" } });
            }
            let _ = calendar.user().request("POST", &format!("{}/events", calendar.place()), event).expect("made");
            // The invitations of the person are not ours.
            simulator.reset_counters();
        }
        _ => {
            let organizer = if is_own { "user" } else { "boss" };
            let lines = [
                "BEGIN:VEVENT",
                &format!("UID:{subject}"),
                "DTSTAMP:20261120T100000Z",
                "DTSTART:20261203T100000Z",
                "DTEND:20261203T110000Z",
                &format!("SUMMARY:{subject}"),
                &format!("ORGANIZER:mailto:{organizer}@example.com"),
                "ATTENDEE;PARTSTAT=ACCEPTED:mailto:user@example.com",
                "ATTENDEE:mailto:otto@example.com",
                "END:VEVENT",
            ];
            calendar.add(subject, &lines.join("\n"));
        }
    }
}

/// No mail went out.
#[track_caller]
fn is_silent(calendar: &Calendar) {
    if let Server::Graph(simulator) = &calendar.server {
        assert_eq!(json!(simulator.counters().mails), json!({ "invitations": 0, "updates": 0, "cancellations": 0 }));
    }
}

fn set(workspace: &Workspace, activity: &Value, subject: &str) {
    let _ =
        workspace.run(&["activities", "set", activity["id"].as_str().expect("an id"), "--subject", subject]).exits(0);
}

stories! {
    /// A whole story, with creations, changes, deletions and imports: not a mail, and not an attendee.
    a_whole_story_sends_no_mail_and_writes_no_attendee(workspace, calendar, &WORDS) {
        let id = plan_visit(&workspace);
        let _ = import(&workspace).exits(0);
        let own = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let gone = make(&workspace, "Gone", "2026-12-02T11:00:00Z", "2026-12-02T12:00:00Z");
        assert_eq!(counts(&sync_at(&workspace, &at(0))), [3, 0, 0, 0, 0]);
        let _ = workspace.run(&["activities", "set", &own, "--start", "2026-12-02T13:00:00Z", "--end", "2026-12-02T14:00:00Z"]).exits(0);
        let _ = workspace.run(&["activities", "cancel", &gone, "--yes"]).exits(0);
        let _ = workspace.run(&["mobile", "reject", &id, "--user", "A", "--reason", "closed down"]).exits(0);
        let _ = import(&workspace).exits(0);
        calendar.add("own", "BEGIN:VEVENT\nUID:own\nDTSTAMP:20261120T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSUMMARY:Dentist\nEND:VEVENT");
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 2, 1, 0, 1]);
        calendar.delete("SUMMARY:Dentist");
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0, 0, 0, 0, 1]);
        is_silent(&calendar);
        for event in if matches!(calendar.server, Server::Graph(_)) { calendar.events() } else { Vec::new() } {
            assert_eq!(event["attendees"], json!([]), "{event:#}");
        }
        let text = calendar.text();
        assert!(!text.contains("ATTENDEE") && !text.contains("ORGANIZER") && !text.contains("METHOD:REQUEST"), "{text}");
    }

    /// Guard G6: a meeting of one's own with attendees becomes an activity; what is changed here is held, because writing it would
    /// mail them, until that is allowed.
    a_meeting_with_attendees_is_never_written_unasked(workspace, calendar, &WORDS) {
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let _ = sync_at(&workspace, &at(0));
        invite(&calendar, "Meeting", true);
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        let before = calendar.text();
        set(&workspace, &found(&workspace, "Meeting"), "Meeting at noon");
        for minute in [2, 3] {
            let report = sync_at(&workspace, &at(minute));
            assert_eq!(state(&report), "held", "{report:#}");
            let reason = report["held"][0]["reason"].as_str().expect("a reason");
            assert!(reason.starts_with("G6: 1 items have attendees"), "{report:#}");
            assert_eq!(counts(&report), [0; 5], "{report:#}");
        }
        let activity = found(&workspace, "Meeting at noon");
        let _ = workspace.run(&["activities", "cancel", activity["id"].as_str().expect("an id"), "--yes"]).exits(0);
        assert_eq!(counts(&sync_at(&workspace, &at(4))), [0; 5]);
        assert_eq!(calendar.text(), before);
        is_silent(&calendar);
    }

    /// Somebody else's meeting is followed and never written to: neither changed, nor deleted, nor declined.
    a_meeting_of_somebody_else_is_followed_and_left_alone(workspace, calendar, &WORDS) {
        let _ = make(&workspace, "Visit", "2026-12-02T09:00:00Z", "2026-12-02T10:00:00Z");
        let _ = sync_at(&workspace, &at(0));
        invite(&calendar, "Briefing", false);
        assert_eq!(counts(&sync_at(&workspace, &at(1))), [0, 0, 0, 0, 1]);
        calendar.edit("SUMMARY:Briefing", "SUMMARY:Long briefing");
        assert_eq!(counts(&sync_at(&workspace, &at(2))), [0, 0, 0, 0, 1]);
        let text = calendar.text();
        set(&workspace, &found(&workspace, "Long briefing"), "Something else");
        assert_eq!(counts(&sync_at(&workspace, &at(3))), [0, 0, 0, 0, 1], "the organizer's word counts");
        let activity = found(&workspace, "Long briefing");
        assert_eq!(calendar.text(), text);
        let _ = workspace.run(&["activities", "cancel", activity["id"].as_str().expect("an id"), "--yes"]).exits(0);
        assert_eq!(counts(&sync_at(&workspace, &at(4))), [0; 5]);
        assert_eq!(calendar.text(), text);
        is_silent(&calendar);
    }
}
