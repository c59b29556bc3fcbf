//! What activities say, and what may be set.

#![allow(clippy::expect_used, reason = "what helps tests fails as they do")]

use appointment_synchronize::{Variable, check, describe, render};
use apptsync_plugin::activity_definition::{Draft, Occasion, Settings};
use apptsync_plugin::types::{
    ActivityStatus, AllDay, Appointment, AppointmentContext, Customer, MobileStatus, Period, Priority, Timed,
};

fn occasion() -> Occasion {
    let appointment = Appointment {
        id: "a-1".into(),
        channel: "B2B".into(),
        number: "SA/2026/000001".into(),
        name: "Autumn assortment".into(),
        visit_type: "Visit".into(),
        customer: "C00017".into(),
        employee: "B".into(),
        period: Period::Timed(Timed { start: 1_796_115_600, end: 1_796_119_200 }),
        priority: Priority::High,
        status: MobileStatus::Confirmed,
        description: "Bring samples\nand prices".into(),
        completed_on: None,
        completed_by: None,
        reason: None,
        changed_at: 0,
        deleted: false,
        attributes: vec![("region".into(), "south".into())],
    };
    let customer = Customer {
        id: "C00017".into(),
        channel: "B2B".into(),
        name: "Delikatesy Krakus".into(),
        street: "Długa 1".into(),
        postcode: "31-147".into(),
        city: "Kraków".into(),
        country: "PL".into(),
        email: "krakus@example.com".into(),
        phone: "+48 12 000 00 01".into(),
        changed_at: 0,
        deleted: false,
        attributes: Vec::new(),
    };
    let context = AppointmentContext {
        appointment,
        customer,
        employee_name: "Barbara Nowak".into(),
        zone: "Europe/Warsaw".into(),
        local_start: "2026-12-01 10:00".into(),
        local_end: "2026-12-01 11:00".into(),
    };
    Occasion { context, status: ActivityStatus::Planned, note: None }
}

fn draft(settings: &Settings, occasion: Occasion) -> Draft {
    let mut drafts = render(settings, vec![occasion]);
    assert_eq!(drafts.len(), 1);
    drafts.remove(0).expect("a draft")
}

fn settings(subject: &str, description: &str) -> Settings {
    let mut settings = describe().settings;
    settings.texts.subject = subject.into();
    settings.texts.description = description.into();
    settings
}

fn description(template: &str, occasion: Occasion) -> String {
    draft(&settings("{number}", template), occasion).description
}

#[test]
fn the_defaults_are_those_of_the_adapter() {
    let defaults = describe().settings;
    assert_eq!(defaults.name, "ibus.AppointmentSynchronize");
    assert_eq!(defaults.kind, "Sales appointment");
    assert_eq!(defaults.priority, Priority::Normal);
    assert_eq!(check(&defaults), Vec::<String>::new());
}

#[test]
fn subject_is_number_and_name_and_description_holds_customer_address_status_description() {
    let draft = draft(&describe().settings, occasion());
    assert_eq!(draft.id, "a-1");
    assert_eq!(draft.subject, "SA/2026/000001 Autumn assortment");
    assert_eq!(
        draft.description,
        "Customer: Delikatesy Krakus\nAddress: Długa 1, 31-147 Kraków, PL\nStatus: Confirmed\nBring samples\nand prices"
    );
    assert_eq!(draft.period, Period::Timed(Timed { start: 1_796_115_600, end: 1_796_119_200 }));
    assert_eq!(draft.attributes, [("region".to_owned(), "south".to_owned())]);
}

#[test]
fn kind_and_priority_come_from_the_settings_never_from_the_appointment() {
    let mut settings = describe().settings;
    settings.kind = "Visit".into();
    settings.priority = Priority::Low;
    let draft = draft(&settings, occasion());
    assert_eq!((draft.kind.as_str(), draft.priority), ("Visit", Priority::Low));
}

#[test]
fn the_note_is_a_line_of_its_own() {
    let mut rejected = occasion();
    rejected.context.appointment.status = MobileStatus::Rejected;
    rejected.context.appointment.description.clear();
    rejected.note = Some("Rejected in Mobile on 2026-12-01 10:00 UTC: customer ill".into());
    assert_eq!(
        draft(&describe().settings, rejected).description,
        "Customer: Delikatesy Krakus\nAddress: Długa 1, 31-147 Kraków, PL\nStatus: Rejected\n\
         Rejected in Mobile on 2026-12-01 10:00 UTC: customer ill"
    );
}

#[test]
fn a_line_whose_variables_are_all_empty_is_left_out() {
    let mut bare = occasion();
    let customer = &mut bare.context.customer;
    for part in [&mut customer.street, &mut customer.postcode, &mut customer.city, &mut customer.country] {
        part.clear();
    }
    bare.context.appointment.description.clear();
    assert_eq!(draft(&describe().settings, bare.clone()).description, "Customer: Delikatesy Krakus\nStatus: Confirmed");
    assert_eq!(
        description("{street}\nfixed\n\n{street}{city}\nin {city} at {zone}", bare.clone()),
        "fixed\n\nin  at Europe/Warsaw"
    );
    assert_eq!(description("{street}\n{city}", bare), "");
}

#[test]
fn the_address_has_no_gaps() {
    for (parts, expected) in [
        (["", "31-147", "Kraków", "PL"], "31-147 Kraków, PL"),
        (["Długa 1", "", "Kraków", ""], "Długa 1, Kraków"),
        (["Długa 1", "31-147", "", "PL"], "Długa 1, 31-147, PL"),
        (["", "", "", "PL"], "PL"),
    ] {
        let mut asked = occasion();
        let customer = &mut asked.context.customer;
        let [street, postcode, city, country] = parts.map(str::to_owned);
        (customer.street, customer.postcode, customer.city, customer.country) = (street, postcode, city, country);
        assert_eq!(description("{address}", asked), expected);
    }
}

#[test]
fn every_variable_has_its_value() {
    let mut full = occasion();
    full.context.appointment.completed_on = Some(1_796_119_259);
    full.context.appointment.completed_by = Some("C".into());
    full.context.appointment.reason = Some("why".into());
    full.note = Some("noted".into());
    full.status = ActivityStatus::CompletedUnprocessed;
    let expected = [
        ("number", "SA/2026/000001"),
        ("name", "Autumn assortment"),
        ("type", "Visit"),
        ("customer", "Delikatesy Krakus"),
        ("customer-id", "C00017"),
        ("address", "Długa 1, 31-147 Kraków, PL"),
        ("street", "Długa 1"),
        ("postcode", "31-147"),
        ("city", "Kraków"),
        ("country", "PL"),
        ("email", "krakus@example.com"),
        ("phone", "+48 12 000 00 01"),
        ("status", "Confirmed"),
        ("note", "noted"),
        ("description", "Bring samples\nand prices"),
        ("reason", "why"),
        ("employee", "Barbara Nowak"),
        ("employee-id", "B"),
        ("priority", "High"),
        ("start", "2026-12-01 10:00"),
        ("end", "2026-12-01 11:00"),
        ("zone", "Europe/Warsaw"),
        ("completed-on", "2026-12-01 10:00 UTC"),
        ("completed-by", "C"),
        ("channel", "B2B"),
        ("headquarters-status", "Completed unprocessed"),
    ];
    let names: Vec<_> = Variable::ALL.iter().map(|variable| variable.name()).collect();
    assert_eq!(names, expected.map(|(name, _)| name));
    for (name, value) in expected {
        assert_eq!(description(&format!("{{{name}}}"), full.clone()), value, "{name}");
    }
}

#[test]
fn mobile_labels_are_those_of_the_screens() {
    for (status, label) in [
        (MobileStatus::Unconfirmed, "Unconfirmed"),
        (MobileStatus::Confirmed, "Confirmed"),
        (MobileStatus::Pending, "Pending"),
        (MobileStatus::Suspended, "Suspended"),
        (MobileStatus::Completed, "Completed"),
        (MobileStatus::Rejected, "Rejected"),
        (MobileStatus::Canceled, "Rejected"),
    ] {
        let mut asked = occasion();
        asked.context.appointment.status = status;
        assert_eq!(description("{status}", asked), label);
    }
}

#[test]
fn braces_are_doubled() {
    assert_eq!(description("{{{number}}} {{}}", occasion()), "{SA/2026/000001} {}");
    assert_eq!(description("{ number }", occasion()), "SA/2026/000001");
}

#[test]
fn a_subject_is_one_line_and_never_empty() {
    let mut asked = occasion();
    let subject = |template: &str, occasion: &Occasion| draft(&settings(template, ""), occasion.clone()).subject;
    assert_eq!(subject(" {description} ", &asked), "Bring samples and prices");
    asked.context.appointment.name.clear();
    assert_eq!(subject("{number} {name}", &asked), "SA/2026/000001");
    asked.context.appointment.number.clear();
    assert_eq!(subject("{number} {name}", &asked), "a-1");
}

#[test]
fn long_texts_are_cut_between_characters() {
    let mut asked = occasion();
    asked.context.appointment.name = "ż".repeat(600);
    asked.context.appointment.description = "ż".repeat(40_000);
    let draft = draft(&describe().settings, asked);
    assert!(draft.subject.len() <= 1_024 && draft.subject.len() > 1_018 && draft.subject.ends_with("ż…"));
    assert!(draft.description.len() <= 65_536 && draft.description.len() > 65_530 && draft.description.ends_with("ż…"));
}

#[test]
fn check_names_every_problem() {
    let mut settings = settings("{numbr}", "{customer\n} {xyzzy}\n{zone");
    settings.kind = String::new();
    assert_eq!(
        check(&settings),
        [
            "kind: it is empty: every activity needs a kind, such as `Sales appointment`".to_owned(),
            "subject: `{numbr}` is not a variable: did you mean `{number}`?".to_owned(),
            "description: the brace in `{customer` is not closed: write `{{` for a brace".to_owned(),
            "description: the `}` in `} {xyzzy}` closes nothing: write `}}` for a brace".to_owned(),
            format!(
                "description: `{{xyzzy}}` is not a variable: the variables are {}",
                Variable::ALL.iter().map(|variable| variable.name()).collect::<Vec<_>>().join(", ")
            ),
            "description: the brace in `{zone` is not closed: write `{{` for a brace".to_owned(),
        ]
    );
}

#[test]
fn check_knows_the_limits() {
    let mut settings = settings(&"x".repeat(1_025), &"x".repeat(16_385));
    settings.kind = "k".repeat(129);
    assert_eq!(
        check(&settings),
        [
            "kind: it has 129 bytes, at most 128 are allowed",
            "subject: the template has 1025 bytes, at most 1024 are allowed",
            "description: the template has 16385 bytes, at most 16384 are allowed",
        ]
    );
    settings.kind = "k\n".into();
    settings.texts.subject = " ".into();
    settings.texts.description = "{}".repeat(100);
    let problems = check(&settings);
    assert_eq!(problems.len(), 64);
    assert_eq!(
        problems.first().map(String::as_str),
        Some("kind: it has line breaks or other control characters: a kind is one line")
    );
    settings.texts.subject = "a\nb".into();
    assert!(check(&settings).iter().any(|problem| problem.starts_with("subject: it has line breaks")));
}

#[test]
fn settings_that_cannot_be_used_are_an_error_of_each_record() {
    let answers = render(&settings("{numbr}", ""), vec![occasion(), occasion()]);
    assert_eq!(answers.len(), 2);
    for answer in answers {
        let error = answer.expect_err("an error");
        assert_eq!((error.id.as_str(), error.code.as_str()), ("a-1", "template"));
        assert_eq!(error.message, "subject: `{numbr}` is not a variable: did you mean `{number}`?");
    }
}

#[test]
fn an_all_day_period_goes_through() {
    let mut asked = occasion();
    let period = Period::AllDay(AllDay { start: "2026-12-01".into(), end: "2026-12-02".into() });
    asked.context.appointment.period = period.clone();
    assert_eq!(draft(&describe().settings, asked).period, period);
}
