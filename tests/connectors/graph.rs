//! A mailbox of the simulator of Microsoft Graph, with the faults of the real one.

use apptsync_model::day_start;
use apptsync_model::outlook::ItemKind;
use apptsync_tests::dice::Dice;
use chrono::{DateTime, NaiveDateTime};
use graph_simulator::{Fault, FaultName, Options, Simulator, User};
use serde_json::{Value, json};

use crate::bench::{Account, Grant, HOUR, Opened, ZONE, day};
use crate::calendar::{Calendar, Edit, Item, Occurrence, Series, SeriesEdit};
use crate::history::play;

/// What passes when the server behaves again: nothing of it is forgotten for good.
const FAULTS: [FaultName; 23] = [
    FaultName::LostAnswer,
    FaultName::LostRequest,
    FaultName::SavedBut503,
    FaultName::Throttled,
    FaultName::ThrottledWithoutRetryAfter,
    FaultName::BatchThrottled,
    FaultName::UnknownError503,
    FaultName::ServiceUnavailable,
    FaultName::GatewayTimeout,
    FaultName::GatewayTimeoutAfter,
    FaultName::GoneMidRound,
    FaultName::GoneWithLocation,
    FaultName::GoneFullSync,
    FaultName::RemovedOutsideWindow,
    FaultName::ReplayedEntries,
    FaultName::EmptyPages,
    FaultName::LateVisibility,
    FaultName::FilterLag,
    FaultName::ConflictWithoutReason,
    FaultName::EtagDrift,
    FaultName::BodyRewritten,
    FaultName::TruncatedBody,
    FaultName::HtmlErrorPage,
];

struct Mailbox<'a> {
    simulator: &'a Simulator,
    address: String,
}

fn moment(seconds: i64) -> Value {
    let moment = DateTime::from_timestamp(seconds, 0).expect("an instant");
    json!({"dateTime": moment.format("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "UTC"})
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap_or_default()
}

/// Midnight of the day that an instant lies on.
fn midnight(seconds: i64) -> Value {
    json!({"dateTime": day(seconds).format("%Y-%m-%dT00:00:00").to_string(), "timeZone": "UTC"})
}

/// The local time that is said in UTC.
fn local(moment: &Value) -> NaiveDateTime {
    assert_eq!(moment["timeZone"], "UTC");
    let start = text(moment, "dateTime").get(..19).unwrap_or_default();
    NaiveDateTime::parse_from_str(start, "%Y-%m-%dT%H:%M:%S").expect("a date")
}

fn seconds(moment: &Value) -> i64 {
    local(moment).and_utc().timestamp()
}

fn span(start: i64) -> Value {
    json!({"start": moment(start), "end": moment(start + HOUR)})
}

impl Mailbox<'_> {
    fn user(&self) -> User<'_> {
        self.simulator.user(&*self.address)
    }

    fn appointment(&self, event: &Value) -> Item {
        let id = text(event, "id");
        let read = self.user().request("GET", &format!("events/{id}"), Value::Null).expect("it is there");
        Item {
            handle: id.to_owned(),
            kind: ItemKind::Appointment,
            subject: text(event, "subject").to_owned(),
            body: text(event, "text").trim().to_owned(),
            start: seconds(&read["start"]),
            is_completed: false,
            is_private: event["sensitivity"] == "private",
            local: read["categories"].to_string(),
            reminder: reminder(&read, "reminderMinutesBeforeStart"),
            raw: event.to_string(),
        }
    }

    fn list(&self) -> String {
        let lists = self.user().contents()["lists"].clone();
        let mut lists = lists.as_array().into_iter().flatten();
        text(lists.find(|list| list["displayName"] == TASKS).expect("there"), "id").to_owned()
    }

    fn task(&self, handle: &str) -> Option<String> {
        let tasks = self.user().tasks(TASKS);
        let is_task = tasks.iter().any(|task| text(task, "id") == handle);
        is_task.then(|| format!("todo/lists/{}/tasks/{handle}", self.list()))
    }

    fn edit_task(&self, path: &str, edit: &Edit) {
        let change = match edit {
            Edit::Subject(text) => json!({"title": text}),
            Edit::Body(text) => json!({"body": {"contentType": "text", "content": text}}),
            Edit::Start(start) => json!({"startDateTime": midnight(*start), "dueDateTime": midnight(*start)}),
            Edit::Complete => json!({"status": "completed"}),
            Edit::Local(number) => json!({
                "categories": [format!("Mine {number}")], "isReminderOn": true,
                "reminderDateTime": moment(1_796_000_000 + *number as i64 * 60),
            }),
        };
        self.user().request("PATCH", path, change).expect("edited");
    }

    /// The occurrences of a series; none where it is not there.
    fn instances(&self, handle: &str) -> Option<Vec<Value>> {
        let during = "startDateTime=2026-11-01T00:00:00Z&endDateTime=2027-03-01T00:00:00Z";
        let path = format!("events/{handle}/instances?{during}&$select=id,subject,start,end,originalStart");
        let found = self.user().request("GET", &path, Value::Null).ok()?;
        found["value"].as_array().cloned()
    }
}

/// The list that To Do has from the beginning.
const TASKS: &str = "Tasks";

fn task(task: &Value) -> Item {
    let due = local(&task["dueDateTime"]).date();
    Item {
        handle: text(task, "id").to_owned(),
        kind: ItemKind::Task,
        subject: text(task, "title").to_owned(),
        body: text(&task["body"], "content").trim().to_owned(),
        start: day_start(due, ZONE).0,
        is_completed: task["status"] == "completed",
        is_private: false,
        local: task["categories"].to_string(),
        reminder: reminder(task, "reminderDateTime"),
        raw: task.to_string(),
    }
}

fn reminder(item: &Value, when: &str) -> String {
    if item["isReminderOn"] == true { item[when].to_string() } else { String::new() }
}

fn original_start(instance: &Value) -> i64 {
    DateTime::parse_from_rfc3339(text(instance, "originalStart")).expect("an instant").timestamp()
}

impl Calendar for Mailbox<'_> {
    fn items(&self) -> Vec<Item> {
        let events = self.user().events("Calendar");
        let alone = events.iter().filter(|event| event["recurrence"].is_null());
        let mut items: Vec<Item> = alone.map(|event| self.appointment(event)).collect();
        items.extend(self.user().tasks(TASKS).iter().map(task));
        items.sort_by(|one, other| one.handle.cmp(&other.handle));
        items
    }

    fn add(&self, kind: ItemKind, subject: &str, start: i64, is_private: bool) -> String {
        let body = json!({"contentType": "text", "content": "mine"});
        let made = if kind == ItemKind::Task {
            let task = json!({"title": subject, "body": body, "dueDateTime": midnight(start)});
            self.user().request("POST", &format!("todo/lists/{}/tasks", self.list()), task)
        } else {
            let event = json!({
                "subject": subject, "body": body, "start": moment(start), "end": moment(start + HOUR),
                "sensitivity": if is_private { "private" } else { "normal" },
            });
            self.user().request("POST", "events", event)
        };
        text(&made.expect("made"), "id").to_owned()
    }

    fn edit(&self, handle: &str, edit: &Edit) {
        if let Some(path) = self.task(handle) {
            return self.edit_task(&path, edit);
        }
        let change = match edit {
            Edit::Subject(text) => json!({"subject": text}),
            Edit::Body(text) => json!({"body": {"contentType": "text", "content": text}}),
            Edit::Start(start) => span(*start),
            Edit::Complete => panic!("only tasks are completed"),
            Edit::Local(number) => json!({
                "categories": [format!("Mine {number}")], "isReminderOn": true, "reminderMinutesBeforeStart": number
            }),
        };
        self.user().edit_event(handle, change).expect("edited");
    }

    fn delete(&self, handle: &str) {
        match self.task(handle) {
            Some(path) => drop(self.user().request("DELETE", &path, Value::Null).expect("deleted")),
            None => self.user().delete_event(handle).expect("deleted"),
        }
    }

    /// To Do makes no copies.
    fn copy(&self, handle: &str, subject: &str) -> Option<String> {
        let events = self.user().events("Calendar");
        let original = events.iter().find(|event| text(event, "id") == handle)?;
        let event = json!({
            "subject": subject, "start": original["start"], "end": original["end"], "body": original["body"],
            "singleValueExtendedProperties": original["singleValueExtendedProperties"],
        });
        let made = self.user().request("POST", "events", event).expect("made");
        Some(text(&made, "id").to_owned())
    }

    fn has_private_tasks(&self) -> bool {
        false
    }

    fn add_series(&self, subject: &str, start: i64, count: u32) -> String {
        let first = DateTime::from_timestamp(start, 0).expect("an instant");
        let event = json!({
            "subject": subject, "body": {"contentType": "text", "content": "mine"},
            "start": moment(start), "end": moment(start + HOUR),
            "recurrence": {
                "pattern": {
                    "type": "weekly", "interval": 1, "firstDayOfWeek": "monday",
                    "daysOfWeek": [first.format("%A").to_string().to_lowercase()],
                },
                "range": {
                    "type": "numbered", "startDate": first.format("%Y-%m-%d").to_string(), "numberOfOccurrences": count
                },
            },
        });
        let made = self.user().request("POST", "events", event).expect("made");
        text(&made, "id").to_owned()
    }

    fn series(&self, handle: &str) -> Option<Series> {
        let occurrence = |instance: &Value| Occurrence {
            original_start: original_start(instance),
            start: seconds(&instance["start"]),
            subject: text(instance, "subject").to_owned(),
        };
        let occurrences = self.instances(handle)?.iter().map(occurrence).collect();
        let master = self.user().request("GET", &format!("events/{handle}"), Value::Null).expect("there");
        Some(Series { subject: text(&master, "subject").to_owned(), occurrences })
    }

    fn edit_series(&self, handle: &str, edit: &SeriesEdit) {
        let instances = self.instances(handle).expect("there");
        let id_of = |at: i64| {
            let instance = instances.iter().find(|instance| original_start(instance) == at).expect("there");
            text(instance, "id").to_owned()
        };
        let (id, change) = match edit {
            SeriesEdit::Subject(text) => (handle.to_owned(), json!({"subject": text})),
            SeriesEdit::SubjectOfOne(at, text) => (id_of(*at), json!({"subject": text})),
            SeriesEdit::StartOfOne(at, start) => (id_of(*at), span(*start)),
            SeriesEdit::DeleteOne(at) => return self.user().delete_event(&id_of(*at)).expect("deleted"),
        };
        self.user().edit_event(&id, change).expect("edited");
    }

    fn misbehave(&self, dice: &mut Dice) -> String {
        let mut faults = String::new();
        for _ in 0..dice.between(1, 2) {
            let name = FAULTS[dice.below(FAULTS.len())];
            let fault = Fault::new(name).after(dice.below(4) as u64).times(dice.below(3) as u64 + 1);
            faults.push_str(&format!("{fault:?} "));
            self.simulator.switch_on(fault.mailbox(&*self.address));
        }
        faults
    }

    fn behave(&self) {
        self.simulator.switch_all_off();
    }
}

#[test]
fn histories_of_microsoft_graph() {
    let simulator = Simulator::start(Options::default()).expect("a simulator");
    let authorization = format!("Bearer {}", simulator.access_token(None));
    let server = simulator.base_url().to_owned();
    let connector = Opened::new("outlook-graph", Grant { server, authorization, folder: None });
    crate::play("Microsoft Graph", |seed, dice| {
        let address = format!("m{seed}@contoso.example");
        simulator.add_mailbox(&address, "Central European Standard Time").expect("a mailbox");
        let account = Account { mailbox: address.clone(), calendar: String::new() };
        play(&connector, &account, &Mailbox { simulator: &simulator, address }, dice);
    });
}
