//! A mailbox of the simulator of Microsoft Graph, with the faults of the real one.

use chrono::DateTime;
use graph_simulator::{Fault, FaultName, Options, Simulator, User};
use serde_json::{Value, json};

use crate::bench::{Account, Grant, Opened};
use crate::history::{Calendar, Edit, Item, play};
use apptsync_tests::dice::Dice;

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

impl Mailbox<'_> {
    fn user(&self) -> User<'_> {
        self.simulator.user(&*self.address)
    }

    fn item(&self, event: &Value) -> Item {
        let id = text(event, "id");
        let read = self.user().request("GET", &format!("events/{id}"), Value::Null).expect("it is there");
        let local = format!("{} {} {}", read["categories"], read["isReminderOn"], read["reminderMinutesBeforeStart"]);
        let start = text(&read["start"], "dateTime").get(..19).unwrap_or_default();
        assert_eq!(read["start"]["timeZone"], "UTC");
        let start = chrono::NaiveDateTime::parse_from_str(start, "%Y-%m-%dT%H:%M:%S").expect("a date");
        Item {
            handle: id.to_owned(),
            subject: text(event, "subject").to_owned(),
            body: text(event, "text").trim().to_owned(),
            start: start.and_utc().timestamp(),
            is_private: event["sensitivity"] == "private",
            local,
            raw: event.to_string(),
        }
    }
}

impl Calendar for Mailbox<'_> {
    fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = self.user().events("Calendar").iter().map(|event| self.item(event)).collect();
        items.sort_by(|one, other| one.handle.cmp(&other.handle));
        items
    }

    fn add(&self, subject: &str, start: i64, is_private: bool) -> String {
        let event = json!({
            "subject": subject, "body": {"contentType": "text", "content": "mine"},
            "start": moment(start), "end": moment(start + 3_600),
            "sensitivity": if is_private { "private" } else { "normal" },
        });
        let made = self.user().request("POST", "events", event).expect("made");
        text(&made, "id").to_owned()
    }

    fn edit(&self, handle: &str, edit: &Edit) {
        let change = match edit {
            Edit::Subject(text) => json!({"subject": text}),
            Edit::Body(text) => json!({"body": {"contentType": "text", "content": text}}),
            Edit::Start(start) => json!({"start": moment(*start), "end": moment(start + 3_600)}),
            Edit::Local(number) => json!({
                "categories": [format!("Mine {number}")], "isReminderOn": true, "reminderMinutesBeforeStart": number
            }),
        };
        self.user().edit_event(handle, change).expect("edited");
    }

    fn delete(&self, handle: &str) {
        self.user().delete_event(handle).expect("deleted");
    }

    fn copy(&self, handle: &str, subject: &str) -> Option<String> {
        let events = self.user().events("Calendar");
        let original = events.iter().find(|event| text(event, "id") == handle).expect("there");
        let event = json!({
            "subject": subject, "start": original["start"], "end": original["end"], "body": original["body"],
            "singleValueExtendedProperties": original["singleValueExtendedProperties"],
        });
        let made = self.user().request("POST", "events", event).expect("made");
        Some(text(&made, "id").to_owned())
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
