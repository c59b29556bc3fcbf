//! What the activity definition makes of an appointment (domain 6).

use apptsync_tests::{MASTER_DATA, Workspace, appointment, messages, with};
use serde_json::{Value, json};

use crate::support::{assert_ledger, import, rows};

fn activity(workspace: &Workspace) -> Value {
    workspace.activity("a-1").expect("an activity")
}

fn description(workspace: &Workspace) -> String {
    activity(workspace)["description"].as_str().expect("a description").to_owned()
}

/// Imports a-1 with these fields into a new workspace.
fn imported(fields: &Value) -> Workspace {
    let workspace = Workspace::new();
    workspace.feed(&with(appointment("a-1"), fields));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    workspace
}

fn definition(workspace: &Workspace) -> Value {
    workspace.json(&["definitions", "show", "ibus.AppointmentSynchronize"])
}

/// Domain 6 and the seed: it comes with the adapter, is there by itself, and is inactive.
#[test]
fn the_definition_is_there_from_the_beginning_and_inactive_until_it_is_activated() {
    let workspace = Workspace::empty();
    let list = workspace.json(&["definitions", "list"]);
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    let only = &list[0];
    assert_eq!(
        (&only["name"], &only["active"], &only["changed"]),
        (&json!("ibus.AppointmentSynchronize"), &json!(false), &json!(false))
    );
    let _ = workspace.run(&["definitions", "activate", "ibus.AppointmentSynchronize"]).exits(0);
    assert_eq!(definition(&workspace)["active"], true);
    let _ = workspace.run(&["definitions", "deactivate", "ibus.AppointmentSynchronize"]).exits(0);
    assert_eq!(definition(&workspace)["active"], false);
}

/// Domain 6: Subject = number and name.
#[test]
fn the_subject_is_number_and_name() {
    let workspace = imported(&json!({ "number": "SA/2026/000123", "name": "Zażółć gęślą jaźń" }));
    assert_eq!(activity(&workspace)["subject"], "SA/2026/000123 Zażółć gęślą jaźń");
}

/// Domain 6: Start time, End time.
#[test]
fn start_and_end_are_those_of_the_appointment() {
    let workspace = imported(&json!({ "start": "2026-12-01T10:15:00+01:00", "end": "2026-12-01T12:00:00Z" }));
    let activity = activity(&workspace);
    assert_eq!(
        (&activity["start"], &activity["end"]),
        (&json!("2026-12-01T09:15:00Z"), &json!("2026-12-01T12:00:00Z"))
    );
    assert_eq!(activity["all_day"], false);
}

/// Domain 6: Description = customer, the customer's address, Mobile's status, description.
#[test]
fn the_description_has_customer_address_status_and_description_in_this_order() {
    let workspace = imported(&json!({ "description": "Show the new range\nand the old one" }));
    assert_eq!(
        description(&workspace),
        "Customer: Delikatesy Krakus\nAddress: Długa 1, 31-147 Kraków, PL\nStatus: Confirmed\nShow the new range\nand the old one"
    );
}

/// Domain 6 and the seed: Priority and Kind come from the definition, never from the appointment.
#[test]
fn priority_and_kind_come_from_the_definition_never_from_the_appointment() {
    for priority in ["low", "high"] {
        let workspace = imported(&json!({ "priority": priority, "type": "Stocktaking" }));
        let (activity, definition) = (activity(&workspace), definition(&workspace));
        assert_eq!(activity["priority"], "normal");
        assert_eq!((&activity["priority"], &activity["kind"]), (&definition["priority"], &definition["kind"]));
        assert_ne!(activity["kind"], "Stocktaking");
    }
    let workspace = Workspace::new();
    let _ = workspace.run(&["definitions", "set", "--priority", "high", "--kind", "Visit of a rep"]).exits(0);
    workspace.feed(&with(appointment("a-1"), &json!({ "priority": "low" })));
    let _ = import(&workspace, &[]);
    let activity = activity(&workspace);
    assert_eq!((&activity["priority"], &activity["kind"]), (&json!("high"), &json!("Visit of a rep")));
}

/// Domain 6: References = the customer; Tasks = the rep.
#[test]
fn the_reference_is_the_customer_and_the_task_is_the_reps() {
    let workspace = imported(&json!({ "customer": "C00002", "employee": "C" }));
    let activity = activity(&workspace);
    assert_eq!((&activity["customer"], &activity["employee"]), (&json!("C00002"), &json!("C")));
    let text = |text: &str| rusqlite::types::Value::from(text.to_owned());
    assert_eq!(rows(&workspace, "SELECT employee FROM task"), [[text("C")]]);
    assert_eq!(rows(&workspace, "SELECT partner FROM reference"), [[text("C00002")]]);
    let shown = workspace.run(&["activities", "show", "a-1"]).exits(0).stdout;
    let (references, tasks) = (shown.find("References").expect("a tab"), shown.find("Tasks").expect("a tab"));
    assert!(shown[references..tasks].contains("C00002 Sklep Wanda"), "{shown}");
    assert!(shown[tasks..].contains("C Cezary Lis") && shown[tasks..].contains("Planned"), "{shown}");
}

/// Domain 6: Completed on / by = instant and employee of the completion in Mobile; nothing before.
#[test]
fn completed_on_and_by_are_empty_until_the_completion_in_mobile() {
    let workspace = imported(&json!({}));
    let before = activity(&workspace);
    assert_eq!((&before["completed_on"], &before["completed_by"]), (&Value::Null, &Value::Null));
    let completed = json!({ "status": "completed", "completed_on": "2026-12-01T10:45:00+01:00", "completed_by": "B" });
    workspace.feed(&with(appointment("a-1"), &completed));
    let _ = import(&workspace, &["--as-of", "2026-12-01T09:50:00Z"]);
    let after = activity(&workspace);
    assert_eq!((&after["completed_on"], &after["completed_by"]), (&json!("2026-12-01T09:45:00Z"), &json!("B")));
}

/// Domain 6: texts are templates with named variables; every documented variable can be used.
#[test]
fn texts_are_templates_with_named_variables() {
    let workspace = Workspace::new();
    let subject = "{number}|{name}|{type}|{customer-id}|{employee}|{employee-id}|{channel}|{{x}}";
    let description = "{customer}|{street}|{postcode}|{city}|{country}|{email}|{phone}\\n{address}\\n{start} to {end} {zone}\\n{priority} {status} {headquarters-status}\\n{note}\\n{description}";
    let set = ["definitions", "set", "--subject", subject, "--description", description];
    let _ = workspace.run(&set).exits(0);
    workspace.feed(&with(appointment("a-1"), &json!({ "priority": "high" })));
    let _ = import(&workspace, &[]);
    assert_eq!(activity(&workspace)["subject"], "SA/2026/a-1|Autumn assortment|Visit|C00001|Barbara Nowak|B|B2B|{x}");
    assert_eq!(
        self::description(&workspace),
        "Delikatesy Krakus|Długa 1|31-147|Kraków|PL|krakus@example.com|+48 12 000 00 01\nDługa 1, 31-147 Kraków, PL\n2026-12-01 10:00 to 2026-12-01 11:00 Europe/Warsaw\nHigh Confirmed Planned\nShow the new range"
    );
    let variables = definition(&workspace)["variables"].as_array().expect("variables").clone();
    assert!(variables.len() > 20 && variables.iter().all(|variable| variable["meaning"] != ""), "{variables:?}");
    let every: String =
        variables.iter().filter_map(|variable| variable["name"].as_str()).fold(String::new(), |mut all, name| {
            all.push_str(&format!("{{{name}}} "));
            all
        });
    let _ = workspace.run(&["definitions", "set", "--description", &every]).exits(0);
}

/// Domain 6: an unknown variable is an error when it is set, with the nearest name, and nothing is changed.
#[test]
fn an_unknown_variable_is_an_error_at_definitions_set_and_not_at_the_import() {
    let workspace = Workspace::new();
    let before = definition(&workspace);
    for (flag, template, near) in [
        ("--subject", "{numbr} {name}", "{number}"),
        ("--description", "{custmer}", "{customer}"),
        ("--description", "{xyzzy}", "{number}"),
        ("--subject", "{number", "not closed"),
        ("--subject", "", "empty"),
        ("--kind", " ", "empty"),
    ] {
        let ran = workspace.run(&["definitions", "set", flag, template]).exits(2);
        let near = near.trim_matches(['{', '}']);
        assert!(ran.stderr.contains(near) && ran.stderr.contains(flag.trim_start_matches('-')), "{template}: {ran:?}");
        assert_eq!(definition(&workspace), before, "{template}");
    }
    let _ = workspace.run(&["definitions", "set", "--priority", "urgent"]).exits(2);
    let _ = workspace.run(&["definitions", "set"]).exits(2);
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
}

/// Domain 6: changing the defaults is allowed, with a warning; putting them back is not warned about.
#[test]
fn changing_the_defaults_warns_and_putting_them_back_does_not() {
    let workspace = Workspace::new();
    let delivered = definition(&workspace);
    let ran = workspace.run(&["definitions", "set", "--subject", "{name}"]).exits(0);
    assert!(ran.stderr.contains("warning") && ran.stderr.contains("ibus.AppointmentSynchronize"), "{ran:?}");
    let changed = definition(&workspace);
    assert_eq!(
        (&changed["changed"], &changed["subject"], &changed["active"]),
        (&json!(true), &json!("{name}"), &json!(true))
    );
    let ran = workspace.run(&["definitions", "set", "--defaults"]).exits(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    assert_eq!(definition(&workspace), delivered);
}

/// Domain 4 and 6: after a change of the settings, Last transfer says what is old, and Anytime renders it anew.
#[test]
fn changed_settings_reach_planned_activities_with_anytime_alone() {
    let workspace = Workspace::new();
    for id in ["a-1", "a-2", "done"] {
        workspace.feed(&appointment(id));
    }
    let _ = import(&workspace, &[]);
    workspace.feed(&with(appointment("done"), &json!({ "status": "rejected" })));
    let _ = import(&workspace, &[]);
    let _ = workspace.run(&["definitions", "set", "--subject", "{name} at {city}", "--priority", "low"]).exits(0);
    let report = import(&workspace, &[]);
    assert_ledger(&report, &[]);
    let hints = messages(&report, "info");
    assert!(matches!(&*hints, [one] if one.starts_with("2 ") && one.contains("--changed-since anytime")), "{hints:?}");
    assert_eq!(activity(&workspace)["subject"], "SA/2026/a-1 Autumn assortment");

    let report = import(&workspace, &["--changed-since", "anytime"]);
    assert_ledger(&report, &[("updated", 2), ("unchanged", 1)]);
    let renewed = activity(&workspace);
    assert_eq!((&renewed["subject"], &renewed["priority"]), (&json!("Autumn assortment at Kraków"), &json!("low")));
    let closed = workspace.activity("done").expect("an activity");
    assert_eq!(closed["subject"], "SA/2026/done Autumn assortment", "what is closed stays as it is");
    assert_eq!(messages(&import(&workspace, &[]), "info"), Vec::<String>::new());
}

/// Domain 6: an appointment that changed is rendered with the settings of now by any run.
#[test]
fn a_new_version_is_rendered_with_the_settings_of_now() {
    let workspace = imported(&json!({}));
    let _ = workspace.run(&["definitions", "set", "--subject", "{name}"]).exits(0);
    workspace.feed(&with(appointment("a-1"), &json!({ "name": "Winter assortment" })));
    assert_ledger(&import(&workspace, &[]), &[("updated", 1)]);
    assert_eq!(activity(&workspace)["subject"], "Winter assortment");
}

/// Domain 6: a definition that is not there is a mistake, answered with the nearest name.
#[test]
fn an_unknown_definition_is_wrong_usage_with_the_nearest_name() {
    let workspace = Workspace::empty();
    workspace.load(MASTER_DATA);
    for command in ["show", "activate", "deactivate"] {
        let ran = workspace.run(&["definitions", command, "ibus.AppointmentSynchronise"]).exits(2);
        assert!(ran.stderr.contains("did you mean `ibus.AppointmentSynchronize`?"), "{ran:?}");
    }
}
