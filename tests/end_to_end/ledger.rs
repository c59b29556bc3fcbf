//! The ledger adds up and the headquarters has what the rules say (domain 4, 5 and 7): random feeds, edits in between, and
//! a small model of the rules to compare with.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use apptsync_tests::{NOW, Workspace, appointment, customer, with};
use chrono::{DateTime, Days, Duration, FixedOffset, NaiveDate, Utc};
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};

use crate::support::assert_balanced;

/// Employees: A leads B and C; D is below B and no sales representative; X is nobody's; the headquarters does not know Q.
const EMPLOYEES: [&str; 6] = ["A", "B", "C", "D", "X", "Q"];
const CUSTOMERS: [&str; 4] = ["C00001", "C00002", "L1", "L2"];
const STATUSES: [(&str, &str); 7] = [
    ("unconfirmed", "Unconfirmed"),
    ("confirmed", "Confirmed"),
    ("pending", "Pending"),
    ("suspended", "Suspended"),
    ("completed", "Completed"),
    ("rejected", "Rejected"),
    ("canceled", "Rejected"),
];

const STRUCTURE: &str = r#"
[[employee]]
id = "D"
name = "Dorota Mazur"
organization = "O1"
manager = "B"
user = true
sales_representative = false
[[employee]]
id = "X"
name = "Xenia Wilk"
organization = "O1"
user = true
sales_representative = true
"#;

/// A version of an appointment, as numbers that make sense of themselves.
#[derive(Debug, Clone)]
struct Line {
    id: u8,
    status: usize,
    employee: usize,
    customer: usize,
    /// Hours from the beginning of the test, and hours of duration.
    start: i64,
    duration: i64,
    all_day: bool,
    deleted: bool,
    /// Minutes from the end to the completion.
    completed: Option<i64>,
    /// Minutes from the end to the change.
    changed: i64,
    name: u8,
    reason: bool,
}

/// What stands in a feed: a version, or something that is none.
#[derive(Debug, Clone)]
enum Entry {
    Version(Line),
    Broken(u8),
    OtherChannel(u8),
}

/// One run and what is written to the feed before it.
#[derive(Debug, Clone)]
struct Step {
    entries: Vec<Entry>,
    /// Hours since the beginning.
    now: i64,
    user: Option<&'static str>,
    is_anytime: bool,
    /// Customers that the feed has by now, brought in by BUS Import data.
    customers: Vec<&'static str>,
}

fn line() -> impl Strategy<Value = Line> {
    let who = (0_u8..24, 0..STATUSES.len(), 0..EMPLOYEES.len(), 0..CUSTOMERS.len());
    // Confirmed and well known more often than not: the rest would hardly ever get to an activity.
    let likely = (0_u8..24, Just(1_usize), 0_usize..3, 0_usize..2);
    let who = prop_oneof![1 => who, 1 => likely];
    let when = (-20_i64..120, 1_i64..40, prop::bool::weighted(0.15), prop::bool::weighted(0.08));
    let end = (prop::option::of(-90_i64..60), -90_i64..60, 0_u8..3, any::<bool>());
    (who, when, end).prop_map(|((id, status, employee, customer), (start, duration, all_day, deleted), end)| {
        let (completed, changed, name, reason) = end;
        Line { id, status, employee, customer, start, duration, all_day, deleted, completed, changed, name, reason }
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        18 => line().prop_map(Entry::Version),
        1 => (0_u8..4).prop_map(Entry::Broken),
        1 => (0_u8..24).prop_map(Entry::OtherChannel),
    ]
}

fn step(entries: std::ops::Range<usize>) -> impl Strategy<Value = Step> {
    let user = prop_oneof![4 => Just(Some("A")), 1 => Just(Some("B")), 1 => Just(Some("X")), 1 => Just(None)];
    let customers = prop::sample::subsequence(vec!["L1", "L2"], 0..=2);
    (prop::collection::vec(entry(), entries), 0_i64..60, user, any::<bool>(), customers)
        .prop_map(|(entries, now, user, is_anytime, customers)| Step { entries, now, user, is_anytime, customers })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    (step(40..60), prop::collection::vec(step(0..25), 1..3)).prop_map(|(first, more)| {
        let mut steps = vec![first];
        steps.extend(more);
        // Time goes on.
        let mut now = 0;
        for step in &mut steps {
            now += step.now;
            step.now = now;
        }
        steps
    })
}

fn beginning() -> DateTime<Utc> {
    NOW.parse().expect("an instant")
}

fn text(instant: DateTime<Utc>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Warsaw is one hour ahead of UTC from November to March.
fn warsaw() -> FixedOffset {
    FixedOffset::east_opt(3_600).expect("an offset")
}

fn day(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&warsaw()).date_naive()
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    let midnight = day.and_hms_opt(0, 0, 0).expect("a time").and_local_timezone(warsaw());
    midnight.single().expect("a fixed offset").to_utc()
}

impl Line {
    fn days(&self) -> (NaiveDate, NaiveDate) {
        let start = day(beginning() + Duration::hours(self.start));
        (start, start + Days::new(1 + self.duration.unsigned_abs() / 24))
    }

    fn period(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        if self.all_day {
            let (start, end) = self.days();
            return (midnight(start), midnight(end));
        }
        let start = beginning() + Duration::hours(self.start);
        (start, start + Duration::hours(self.duration))
    }

    fn changed_at(&self) -> DateTime<Utc> {
        self.period().1 + Duration::minutes(self.changed)
    }

    fn completed_on(&self) -> Option<DateTime<Utc>> {
        self.completed.map(|minutes| self.period().1 + Duration::minutes(minutes))
    }

    fn id(&self) -> String {
        format!("a-{}", self.id)
    }

    fn reason(&self) -> Option<&'static str> {
        self.reason.then_some("as agreed")
    }

    fn json(&self) -> Value {
        let (start, end) = self.period();
        let (start, end) = if self.all_day {
            let (start, end) = self.days();
            (start.to_string(), end.to_string())
        } else {
            (text(start), text(end))
        };
        let fields = json!({
            "name": format!("Name {}", self.name), "status": STATUSES[self.status].0, "employee": EMPLOYEES[self.employee],
            "customer": CUSTOMERS[self.customer], "start": start, "end": end, "all_day": self.all_day,
            "deleted": self.deleted, "completed_on": self.completed_on().map(text), "completed_by": "B",
            "changed_at": text(self.changed_at()), "reason": self.reason()
        });
        with(appointment(&self.id()), &fields)
    }

    /// The description by the delivered template.
    fn description(&self) -> String {
        let (name, address) = match CUSTOMERS[self.customer] {
            "C00001" => ("Delikatesy Krakus".to_owned(), "Długa 1, 31-147 Kraków, PL"),
            "C00002" => ("Sklep Wanda".to_owned(), "Rynek 2, 00-001 Warszawa, PL"),
            lead => (format!("Customer {lead}"), "Nowa 5, 60-001 Poznań, PL"),
        };
        let dated = |what: &str, instant: DateTime<Utc>| {
            let reason = self.reason().map_or(String::new(), |reason| format!(": {reason}"));
            format!("{what} in Mobile on {}{reason}\n", instant.format("%Y-%m-%d %H:%M UTC"))
        };
        let (status, label) = STATUSES[self.status];
        let note = match status {
            _ if self.deleted => dated("Deleted", self.changed_at()),
            "rejected" | "canceled" => dated("Rejected", self.completed_on().unwrap_or(self.changed_at())),
            "suspended" if self.reason => dated("Suspended", self.changed_at()),
            _ => String::new(),
        };
        format!("Customer: {name}\nAddress: {address}\nStatus: {label}\n{note}Show the new range")
    }
}

/// An activity as the model has it: what `activities list` shows of it, and the version that it was made of.
#[derive(Debug, Clone)]
struct Expected {
    shown: BTreeMap<&'static str, Value>,
    end: DateTime<Utc>,
    imported: Value,
}

/// The headquarters by the rules of domain 5 and 7, written down once more, as short as they are there.
#[derive(Default)]
struct Model {
    last: BTreeMap<String, Line>,
    activities: BTreeMap<String, Expected>,
    partners: BTreeSet<&'static str>,
    broken: u64,
}

#[derive(Default, Debug, PartialEq, Eq)]
struct Counts {
    created: u64,
    updated: u64,
}

impl Model {
    fn covers(user: Option<&str>, employee: &str) -> bool {
        match user {
            None => true,
            Some("A") => ["A", "B", "C", "D"].contains(&employee),
            Some("B") => ["B", "D"].contains(&employee),
            Some(user) => user == employee,
        }
    }

    fn is_planned(activity: &Expected) -> bool {
        activity.shown["status"] == "planned"
    }

    fn run(&mut self, user: Option<&str>, now: DateTime<Utc>) -> Counts {
        let mut counts = Counts::default();
        for (id, line) in &self.last {
            let (start, end) = line.period();
            let employee = EMPLOYEES[line.employee];
            let is_eligible = ["A", "B", "C", "X"].contains(&employee);
            let may_be_asked =
                Self::covers(user, employee) && is_eligible && self.partners.contains(CUSTOMERS[line.customer]);
            if !may_be_asked {
                continue;
            }
            let Some(activity) = self.activities.get_mut(id) else {
                let is_future = if line.all_day { line.days().0 > day(now) } else { start > now };
                if !line.deleted && STATUSES[line.status].0 == "confirmed" && is_future {
                    counts.created += 1;
                    self.activities.insert(id.clone(), Self::activity(id, line, "planned"));
                }
                continue;
            };
            if !Self::is_planned(activity) || activity.imported == line.json() {
                continue;
            }
            let finished = line.completed_on().unwrap_or(line.changed_at());
            let is_in_time = now <= end || finished <= end;
            let status = match STATUSES[line.status].0 {
                _ if line.deleted => {
                    if is_in_time {
                        "completed-unprocessed"
                    } else {
                        "delayed"
                    }
                }
                "completed" => {
                    if is_in_time {
                        "completed"
                    } else {
                        "delayed"
                    }
                }
                "rejected" | "canceled" => {
                    if is_in_time {
                        "completed-unprocessed"
                    } else {
                        "delayed"
                    }
                }
                _ => {
                    if end < now {
                        "delayed"
                    } else {
                        "planned"
                    }
                }
            };
            if status == "delayed" {
                // The status alone.
                activity.shown.insert("status", json!(status));
                counts.updated += 1;
                continue;
            }
            let after = Self::activity(id, line, status);
            counts.updated += u64::from(after.shown != activity.shown);
            *activity = after;
        }
        for activity in self.activities.values_mut() {
            let employee = activity.shown["employee"].as_str().unwrap_or_default().to_owned();
            if Self::is_planned(activity) && activity.end < now && Self::covers(user, &employee) {
                activity.shown.insert("status", json!("delayed"));
            }
        }
        counts
    }

    fn activity(id: &str, line: &Line, status: &str) -> Expected {
        let (start, end) = line.period();
        let shown = line.json();
        let is_completed = status == "completed";
        let completed_on = is_completed.then(|| text(line.completed_on().unwrap_or(line.changed_at())));
        let (start, shown_end) = if line.all_day {
            (shown["start"].clone(), shown["end"].clone())
        } else {
            (json!(text(start)), json!(text(end)))
        };
        let shown = BTreeMap::from([
            ("source_id", json!(id)),
            ("channel", json!("B2B")),
            ("subject", json!(format!("SA/2026/{id} Name {}", line.name))),
            ("status", json!(status)),
            ("start", start),
            ("end", shown_end),
            ("all_day", json!(line.all_day)),
            ("priority", json!("normal")),
            ("customer", json!(CUSTOMERS[line.customer])),
            ("employee", json!(EMPLOYEES[line.employee])),
            ("description", json!(line.description())),
            ("completed_on", json!(completed_on)),
            ("completed_by", if is_completed { json!("B") } else { Value::Null }),
        ]);
        Expected { shown, end, imported: line.json() }
    }
}

/// Writes the entries to the feed, and to the model.
fn write(workspace: &Workspace, model: &mut Model, entries: &[Entry]) -> u64 {
    let mut broken = 0;
    let mut text = String::new();
    for entry in entries {
        match entry {
            Entry::Version(line) => {
                text.push_str(&line.json().to_string());
                model.last.insert(line.id(), line.clone());
            }
            Entry::Broken(kind) => {
                broken += 1;
                let id = format!("a-{kind}");
                text.push_str(&match kind {
                    0 => "no record".to_owned(),
                    1 => with(appointment(&id), &json!({ "status": "paused" })).to_string(),
                    2 => with(appointment(&id), &json!({ "end": "2026-12-01T08:00:00Z" })).to_string(),
                    _ => with(appointment(&id), &json!({ "customer": 7 })).to_string(),
                });
            }
            Entry::OtherChannel(id) => {
                let fields = json!({ "channel": "B2C", "status": "rejected" });
                text.push_str(&with(appointment(&format!("a-{id}")), &fields).to_string());
            }
        }
        text.push('\n');
    }
    workspace.feed_text("appointments.jsonl", &text);
    model.broken += broken;
    broken
}

fn shown(workspace: &Workspace, keys: &Expected) -> BTreeMap<String, BTreeMap<&'static str, Value>> {
    let mut activities = BTreeMap::new();
    for activity in workspace.activities() {
        let id = activity["source_id"].as_str().expect("an id").to_owned();
        let fields = keys.shown.keys().map(|key| (*key, activity[key].clone())).collect();
        assert!(activities.insert(id, fields).is_none(), "an appointment has one activity: {activity}");
    }
    activities
}

fn check(steps: &[Step]) {
    let workspace = Workspace::new();
    workspace.load(STRUCTURE);
    let mut model = Model { partners: BTreeSet::from(["C00001", "C00002"]), ..Model::default() };
    let keys = Model::activity("a", &sample(), "planned");
    let mut in_feed: BTreeSet<&str> = BTreeSet::new();
    for step in steps {
        let broken = write(&workspace, &mut model, &step.entries);
        for lead in &step.customers {
            if in_feed.insert(lead) {
                workspace.feed_customer(&customer(lead));
            }
        }
        let imports_customers = !step.customers.is_empty();
        if imports_customers {
            model.partners.extend(&in_feed);
        }
        let now = beginning() + Duration::hours(step.now);
        let expected = model.run(step.user, now);

        let application = if imports_customers { "import-data" } else { "import-activities" };
        let since = if step.is_anytime { "anytime" } else { "last-transfer" };
        let now = text(now);
        let mut arguments = vec!["run", application, "--channel", "B2B", "--output", "json", "--as-of", &now];
        arguments.extend(["--changed-since", since]);
        arguments.extend(step.user.map(|user| ["--user", user]).into_iter().flatten());
        let report = workspace.run(&arguments).json();
        assert_balanced(&report);
        let parts = report["parts"].as_array().expect("parts");
        let ledger =
            parts.iter().find(|part| part["application"] == "import-activities").expect("activities")["ledger"].clone();
        assert_balanced(&json!({ "ledger": ledger }));
        let counted = Counts {
            created: ledger["created"].as_u64().expect("a count"),
            updated: ledger["updated"].as_u64().expect("a count"),
        };
        let activities: BTreeMap<_, _> =
            model.activities.iter().map(|(id, activity)| (id.clone(), activity.shown.clone())).collect();
        assert_eq!(shown(&workspace, &keys), activities, "after the run of {:?} at {now}: {report:#}", step.user);
        assert_eq!(counted, expected, "{report:#}");
        assert_eq!(ledger["failed"], 0);
        assert_eq!(ledger["quarantined"], if step.is_anytime { model.broken } else { broken });
        if step.is_anytime {
            assert_eq!(ledger["read"], model.last.len() as u64 + model.broken, "every id once, and every broken line");
        }
        // And once more: nothing is left to do.
        let again = batch_like(&workspace, &arguments);
        let changes: HashMap<_, _> = ["created", "updated"].map(|name| (name, again["ledger"][name].clone())).into();
        assert_eq!(changes, HashMap::from([("created", json!(0)), ("updated", json!(0))]), "{again:#}");
        assert_eq!(shown(&workspace, &keys), activities, "the same run again");
    }
}

fn batch_like(workspace: &Workspace, arguments: &[&str]) -> Value {
    let report = workspace.run(arguments).json();
    assert_balanced(&report);
    report
}

fn sample() -> Line {
    Line {
        id: 0,
        status: 1,
        employee: 1,
        customer: 0,
        start: 1,
        duration: 1,
        all_day: false,
        deleted: false,
        completed: None,
        changed: 0,
        name: 0,
        reason: false,
    }
}

proptest! {
    #![proptest_config(Config { cases: 30, max_shrink_iters: 60, failure_persistence: None, ..Config::default() })]

    /// Design, the ledger, and domain 5 and 7: every record is counted once, and the headquarters has what the rules say.
    #[test]
    fn the_ledger_adds_up_and_the_activities_are_those_of_the_rules(steps in steps()) {
        check(&steps);
    }
}

/// The model is no copy of the program: it knows the example of the seed.
#[test]
fn the_model_knows_the_rules_that_it_is_compared_by() {
    let mut model = Model { partners: BTreeSet::from(["C00001"]), ..Model::default() };
    model.last.insert("a-0".into(), sample());
    let at = |hours| beginning() + Duration::hours(hours);
    assert_eq!(model.run(Some("X"), at(0)), Counts { created: 0, updated: 0 });
    assert_eq!(model.run(Some("A"), at(0)), Counts { created: 1, updated: 0 });
    model.last.insert("a-0".into(), Line { status: 5, ..sample() });
    assert_eq!(model.run(Some("A"), at(1)), Counts { created: 0, updated: 1 });
    assert_eq!(model.activities["a-0"].shown["status"], "completed-unprocessed");
}
