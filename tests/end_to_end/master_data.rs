//! The master data of the headquarters (domain 3): loading, the commands by hand, and what refers to what.

use std::fs;

use apptsync_tests::{MASTER_DATA, NOW, Ran, Workspace, appointment};
use serde_json::{Value, json};

use crate::support::{assert_ledger, import, number, rows};

/// Loads a text and gives what the command says.
fn load(workspace: &Workspace, toml: &str) -> Ran {
    let file = workspace.path("data.toml");
    fs::write(&file, toml).expect("written");
    workspace.run(&["load", "data.toml", "--output", "json"])
}

/// Everything that the master data tables hold.
fn everything(workspace: &Workspace) -> Vec<Vec<Vec<rusqlite::types::Value>>> {
    let tables = ["organization", "partner", "employee", "channel", "channel_partner"];
    tables.iter().map(|table| rows(workspace, &format!("SELECT * FROM {table} ORDER BY 1, 2"))).collect()
}

/// Domain 3: the documented fields of `load`, all of them.
#[test]
fn load_takes_every_documented_field() {
    let workspace = Workspace::empty();
    let toml = r#"
[[organization]]
id = "O1"
name = "Comfort Trade"
time_zone = "Europe/Warsaw"
[[partner]]
id = "C00001"
name = "Delikatesy Krakus"
street = "Długa 1"
postcode = "31-147"
city = "Kraków"
country = "PL"
email = "krakus@example.com"
phone = "+48 12 000 00 01"
blocked = true
deletion_mark = true
[[employee]]
id = "A"
name = "Anna Kowalska"
organization = "O1"
[[employee]]
id = "B"
name = "Barbara Nowak"
email = "b@example.com"
organization = "O1"
manager = "A"
user = true
active = true
sales_representative = true
profile = "administrator"
blocked = true
deletion_mark = true
certificates = ["barbara-2026"]
[[channel]]
id = "B2B"
description = "Field sales"
organization = "O1"
active = false
[[channel_partner]]
channel = "B2B"
partner = "C00001"
external_id = "ext-1"
"#;
    let counts = load(&workspace, toml).exits(0).json();
    assert_eq!(counts, json!({ "created": 6, "updated": 0, "unchanged": 0 }));
    assert_eq!(
        workspace.json(&["organizations", "show", "O1"]),
        json!({ "id": "O1", "name": "Comfort Trade", "time_zone": "Europe/Warsaw" })
    );
    assert_eq!(
        workspace.json(&["partners", "show", "C00001"]),
        json!({
            "id": "C00001", "name": "Delikatesy Krakus", "street": "Długa 1", "postcode": "31-147", "city": "Kraków",
            "country": "PL", "email": "krakus@example.com", "phone": "+48 12 000 00 01", "blocked": true, "deletion_mark": true
        })
    );
    assert_eq!(
        workspace.json(&["employees", "show", "B"]),
        json!({
            "id": "B", "name": "Barbara Nowak", "email": "b@example.com", "organization": "O1", "manager": "A",
            "user": true, "active": true, "sales_representative": true, "profile": "administrator", "blocked": true,
            "deletion_mark": true, "certificates": ["barbara-2026"]
        })
    );
    let a = workspace.json(&["employees", "show", "A"]);
    assert_eq!(
        (&a["user"], &a["active"], &a["sales_representative"], &a["profile"], &a["manager"]),
        (&json!(false), &json!(true), &json!(false), &json!("employee"), &Value::Null)
    );
    assert_eq!(
        workspace.json(&["channels", "show", "B2B"]),
        json!({ "id": "B2B", "description": "Field sales", "organization": "O1", "active": false })
    );
    assert_eq!(
        workspace.json(&["channel-partners", "show", "B2B", "ext-1"]),
        json!({ "channel": "B2B", "partner": "C00001", "external_id": "ext-1" })
    );
}

/// Issue: `load` is idempotent.
#[test]
fn loading_the_same_again_changes_nothing() {
    let workspace = Workspace::empty();
    let first = load(&workspace, MASTER_DATA).exits(0).json();
    assert_eq!((&first["updated"], &first["unchanged"]), (&json!(0), &json!(0)));
    let before = everything(&workspace);
    let again = load(&workspace, MASTER_DATA).exits(0).json();
    assert_eq!(again, json!({ "created": 0, "updated": 0, "unchanged": first["created"] }));
    assert_eq!(everything(&workspace), before);
    let changed = load(&workspace, "[[partner]]\nid = \"C00001\"\nname = \"Another name\"\n").exits(0).json();
    assert_eq!(changed, json!({ "created": 0, "updated": 1, "unchanged": 0 }));
}

/// Issue: `load` is all or nothing, and says where the mistake is.
#[test]
fn a_file_with_a_mistake_loads_nothing_and_names_it() {
    let good = "[[partner]]\nid = \"NEW\"\nname = \"New\"\n";
    for (bad, parts) in [
        ("[[partner]]\nid = \"P2\"\nnaem = \"x\"\n", vec!["data.toml:6:1", "`naem`", "did you mean `name`?"]),
        ("[[partner]]\nid = \"P2\"\n", vec!["data.toml:4", "name"]),
        ("[[partner]]\nid = \"P2\"\nname = 7\n", vec!["data.toml:6"]),
        ("[[partner]]\nid = \"P2\nname", vec!["data.toml:6:5"]),
        ("[[partners]]\nid = \"P2\"\n", vec!["data.toml:4", "`partners`", "did you mean `partner`?"]),
        ("[[employee]]\nid = \"N\"\nname = \"N\"\norganization = \"O9\"\n", vec!["employee `N`", "organization"]),
        ("[[employee]]\nid = \"N\"\nname = \"N\"\norganization = \"O1\"\nmanager = \"Q\"\n", vec!["`Q`"]),
        ("[[channel]]\nid = \"N\"\norganization = \"O9\"\n", vec!["sales channel `N`"]),
        ("[[channel]]\nid = \"toolong\"\norganization = \"O1\"\n", vec!["toolong"]),
        ("[[channel_partner]]\nchannel = \"B2B\"\npartner = \"P9\"\nexternal_id = \"P9\"\n", vec!["`P9`"]),
        ("[[channel_partner]]\nchannel = \"XYZ\"\npartner = \"NEW\"\nexternal_id = \"P9\"\n", vec!["`P9`"]),
        ("[[organization]]\nid = \"O3\"\nname = \"x\"\ntime_zone = \"Europe/Krakow\"\n", vec!["Europe/Krakow"]),
        ("[[partner]]\nid = \"\"\nname = \"x\"\n", vec!["partner"]),
        ("[[employee]]\nid = \"A\"\nname = \"Anna\"\norganization = \"O1\"\nmanager = \"B\"\n", vec!["manager"]),
    ] {
        let workspace = Workspace::empty();
        workspace.load(MASTER_DATA);
        let before = everything(&workspace);
        let ran = load(&workspace, &format!("{good}{bad}")).exits(2);
        for part in parts {
            assert!(ran.stderr.contains(part), "{part} is missing: {}", ran.stderr);
        }
        assert_eq!(everything(&workspace), before, "{bad}");
    }
    let workspace = Workspace::empty();
    let ran = workspace.run(&["load", "nowhere.toml"]).exits(2);
    assert!(ran.stderr.contains("nowhere.toml"), "{ran:?}");
}

/// Domain 3: the id of a sales channel has up to 3 of letters, digits, `_ . -`.
#[test]
fn ids_of_sales_channels_have_one_to_three_letters_digits_or_marks() {
    let workspace = Workspace::new();
    for id in ["A", "b2", "X_1", "-.-", "123", "..."] {
        let _ = workspace.run(&["channels", "add", "--as-of", NOW, "--organization", "O1", "--", id]).exits(0);
    }
    for id in ["", "ABCD", "A B", "ż", "a/b", "A,B", "é1"] {
        let ran = workspace.run(&["channels", "add", "--as-of", NOW, "--organization", "O1", "--", id]).exits(2);
        assert!(ran.stderr.contains("sales channel"), "{id}: {ran:?}");
    }
    assert_eq!(number(&workspace, "SELECT count(*) FROM channel"), 7);
}

/// Issue: channels by hand.
#[test]
fn channels_are_added_shown_changed_and_removed() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["channels", "add", "B2C", "--organization", "O1", "--description", "Shops"]).exits(0);
    let ran = workspace.run(&["channels", "add", "B2C", "--organization", "O1"]).exits(2);
    assert!(ran.stderr.contains("is there already") && ran.stderr.contains("channels set B2C"), "{ran:?}");
    let _ = workspace.run(&["channels", "set", "B2C", "--active", "false"]).exits(0);
    let shown = workspace.json(&["channels", "show", "B2C"]);
    assert_eq!(shown, json!({ "id": "B2C", "description": "Shops", "organization": "O1", "active": false }));
    let list = workspace.run(&["channels", "list"]).exits(0).stdout;
    assert!(list.contains("B2B") && list.contains("B2C") && list.contains("Shops"), "{list}");
    let _ = workspace.run(&["channels", "remove", "B2C"]).exits(0);
    let ran = workspace.run(&["channels", "show", "B2C"]).exits(2);
    assert!(ran.stderr.contains("did you mean `B2B`?"), "{ran:?}");
    for command in ["set", "remove"] {
        let _ = workspace.run(&["channels", command, "B2C"]).exits(2);
    }
}

/// Issue: partners and their connections by hand.
#[test]
fn partners_and_channel_partners_are_added_shown_changed_and_removed() {
    let workspace = Workspace::new();
    let add = ["partners", "add", "C9", "--name", "Sklep Zorza", "--city", "Łódź", "--country", "PL"];
    let _ = workspace.run(&add).exits(0);
    let _ = workspace.run(&["partners", "set", "C9", "--street", "Nowa 5", "--blocked", "true"]).exits(0);
    let shown = workspace.json(&["partners", "show", "C9"]);
    assert_eq!(
        (&shown["name"], &shown["city"], &shown["street"], &shown["blocked"]),
        (&json!("Sklep Zorza"), &json!("Łódź"), &json!("Nowa 5"), &json!(true))
    );
    let _ = workspace.run(&["channel-partners", "add", "B2B", "ext-9", "--partner", "C9"]).exits(0);
    let _ = workspace.run(&["channel-partners", "add", "B2B", "ext-9", "--partner", "C00001"]).exits(2);
    let _ = workspace.run(&["channel-partners", "add", "B2B", "ext-8", "--partner", "nobody"]).exits(2);
    let list = workspace.json(&["channel-partners", "list", "--channel", "B2B"]);
    assert_eq!(list.as_array().map(Vec::len), Some(4));
    let _ = workspace.run(&["channel-partners", "set", "B2B", "ext-9", "--partner", "C00002"]).exits(0);
    assert_eq!(workspace.json(&["channel-partners", "show", "B2B", "ext-9"])["partner"], "C00002");
    let _ = workspace.run(&["channel-partners", "remove", "B2B", "ext-9"]).exits(0);
    let _ = workspace.run(&["channel-partners", "show", "B2B", "ext-9"]).exits(2);
    let _ = workspace.run(&["partners", "remove", "C9"]).exits(0);
    let _ = workspace.run(&["partners", "show", "C9"]).exits(2);
}

/// Issue: employees, users and organizations by hand.
#[test]
fn employees_users_and_organizations_are_added_shown_changed_and_removed() {
    let workspace = Workspace::new();
    let _ = workspace.run(&["organizations", "add", "O2", "--name", "US", "--time-zone", "America/New_York"]).exits(0);
    let _ = workspace.run(&["organizations", "add", "O3", "--name", "x", "--time-zone", "Mars/Olympus"]).exits(2);
    let add = ["employees", "add", "E", "--name", "Ewa Zając", "--organization", "O2", "--manager", "B"];
    let _ = workspace.run(&add).exits(0);
    let shown = workspace.json(&["employees", "show", "E"]);
    assert_eq!(
        (&shown["user"], &shown["sales_representative"], &shown["manager"]),
        (&json!(false), &json!(false), &json!("B"))
    );
    let users = || {
        let users = workspace.json(&["users", "list"]);
        users
            .as_array()
            .expect("an array")
            .iter()
            .filter_map(|user| user["id"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(users(), ["A", "B", "C", "D"]);
    let _ = workspace.run(&["users", "show", "E"]).exits(2);
    let _ = workspace.run(&["users", "add", "E"]).exits(0);
    assert_eq!(users(), ["A", "B", "C", "D", "E"]);
    let _ = workspace.run(&["users", "set", "E", "--active", "false"]).exits(0);
    assert_eq!(workspace.json(&["users", "show", "E"])["active"], false);
    let _ = workspace.run(&["users", "remove", "E"]).exits(0);
    assert_eq!(users(), ["A", "B", "C", "D"]);
    let _ = workspace.run(&["employees", "set", "E", "--no-manager", "--sales-representative", "true"]).exits(0);
    assert_eq!(workspace.json(&["employees", "show", "E"])["manager"], Value::Null);
    let ran = workspace.run(&["organizations", "remove", "O2"]).exits(2);
    assert!(ran.stderr.contains("in use"), "{ran:?}");
    let _ = workspace.run(&["employees", "remove", "E"]).exits(0);
    let _ = workspace.run(&["organizations", "remove", "O2"]).exits(0);
    assert_eq!(workspace.json(&["organizations", "list"]).as_array().map(Vec::len), Some(1));
}

/// Domain 3: a user has certificates, which are entries of the credential file.
#[test]
fn a_user_has_certificates() {
    let workspace = Workspace::new();
    let certificates = || workspace.json(&["users", "show", "A"])["certificates"].clone();
    assert_eq!(certificates(), json!([]));
    let _ = workspace.run(&["users", "set", "A", "--certificate", "anna-2025,anna-2026"]).exits(0);
    assert_eq!(certificates(), json!(["anna-2025", "anna-2026"]));
    let shown = workspace.run(&["users", "show", "A"]).exits(0).stdout;
    assert!(shown.contains("anna-2025, anna-2026"), "{shown}");
    let _ = workspace.run(&["users", "set", "A", "--active", "false"]).exits(0);
    assert_eq!(certificates(), json!(["anna-2025", "anna-2026"]));
    let _ = workspace.run(&["users", "set", "A", "--no-certificates"]).exits(0);
    assert_eq!(certificates(), json!([]));
    let _ = workspace.run(&["users", "set", "A"]).exits(2);
}

/// Domain 3: IBUS settings of Customizing; passwords are named and never kept.
#[test]
fn a_sales_channel_has_ibus_settings_without_passwords() {
    let workspace = Workspace::new();
    let shown = || workspace.json(&["channels", "ibus", "show", "B2B"]);
    let empty =
        json!({ "client_id": "", "user": "", "url": "", "version": "", "item_category": "", "credential": null });
    assert_eq!(shown(), empty);
    let set = ["channels", "ibus", "set", "B2B"];
    let first = ["--client-id", "7", "--user", "mobile", "--url", "https://ibus.example/api", "--version", "2026.1"];
    let _ = workspace.run(&[&set[..], &first].concat()).exits(0);
    let _ = workspace.run(&[&set[..], &["--item-category", "MOS", "--credential", "ibus-b2b"]].concat()).exits(0);
    let expected = json!({
        "client_id": "7", "user": "mobile", "url": "https://ibus.example/api", "version": "2026.1",
        "item_category": "MOS", "credential": "ibus-b2b"
    });
    assert_eq!(shown(), expected);
    let table = workspace.run(&["channels", "ibus", "show", "B2B"]).exits(0).stdout;
    assert!(table.contains("Item category for MOS") && !table.contains("Password"), "{table}");
    for wrong in [&[][..], &["--url", "https://mobile:secret@ibus.example"]] {
        let ran = workspace.run(&[&set[..], wrong].concat()).exits(2);
        assert!(!ran.stderr.contains("secret"), "{ran:?}");
    }
    let _ = workspace.run(&["channels", "ibus", "set", "B9", "--user", "x"]).exits(2);
    assert_eq!(shown(), expected);
}

/// What something refers to cannot be removed, and the message says what to do instead.
#[test]
fn what_is_in_use_cannot_be_removed() {
    let workspace = Workspace::new();
    workspace.feed(&appointment("a-1"));
    assert_ledger(&import(&workspace, &[]), &[("created", 1)]);
    let before = everything(&workspace);
    for (command, id, advice) in [
        ("organizations", "O1", "in use"),
        ("partners", "C00002", "deletion mark"),
        ("partners", "C00001", "deletion mark"),
        ("employees", "B", "deletion mark"),
        ("employees", "A", "deletion mark"),
        ("channels", "B2B", "--active false"),
    ] {
        let ran = workspace.run(&[command, "remove", id]).exits(2);
        assert!(ran.stderr.contains(id) && ran.stderr.contains(advice), "{command} {id}: {ran:?}");
    }
    assert_eq!(everything(&workspace), before);
    // The connection may go: the activity refers to the partner.
    let _ = workspace.run(&["channel-partners", "remove", "B2B", "C00001"]).exits(0);
    assert_eq!(workspace.activity("a-1").expect("an activity")["customer"], "C00001");
}

/// Domain 3: the manager structure has no circles.
#[test]
fn nobody_can_be_above_themselves() {
    let workspace = Workspace::new();
    let before = everything(&workspace);
    for (employee, manager) in [("A", "A"), ("A", "B"), ("B", "B")] {
        let ran = workspace.run(&["employees", "set", employee, "--manager", manager]).exits(2);
        assert!(ran.stderr.contains("manager"), "{ran:?}");
    }
    let _ = workspace.run(&["employees", "set", "C", "--manager", "B"]).exits(0);
    let _ = workspace.run(&["employees", "set", "B", "--manager", "C"]).exits(2);
    let circle = "[[employee]]\nid = \"X\"\nname = \"X\"\norganization = \"O1\"\nmanager = \"Y\"\n[[employee]]\nid = \"Y\"\nname = \"Y\"\norganization = \"O1\"\nmanager = \"X\"\n";
    let _ = load(&workspace, circle).exits(2);
    let _ = workspace.run(&["employees", "set", "C", "--manager", "A"]).exits(0);
    assert_eq!(everything(&workspace), before);
    let ran = workspace.run(&["employees", "set", "B", "--manager", "Q"]).exits(2);
    assert!(ran.stderr.contains("`Q`"), "{ran:?}");
}

/// Employees may stand in any order in a file, their managers after them too.
#[test]
fn managers_may_stand_after_those_they_manage() {
    let workspace = Workspace::new();
    let toml = "[[employee]]\nid = \"X\"\nname = \"X\"\norganization = \"O1\"\nmanager = \"Y\"\n[[employee]]\nid = \"Y\"\nname = \"Y\"\norganization = \"O1\"\n";
    assert_eq!(load(&workspace, toml).exits(0).json()["created"], 2);
}
