use std::path::Path;
use std::time::Duration;

use apptsync_pipeline::OnFailure;

use super::{Configuration, PluginReference};

fn parse(text: &str) -> Configuration {
    Configuration::parse(Path::new("apptsync.toml"), text).expect("a configuration")
}

fn error(text: &str) -> String {
    Configuration::parse(Path::new("apptsync.toml"), text).expect_err("an error").to_string()
}

#[test]
fn an_empty_file_means_the_built_in_plugins() {
    let configuration = parse("");
    assert_eq!(configuration.database, Path::new("headquarters.db"));
    assert_eq!(configuration.source.name, "ibus-feed");
    assert_eq!(configuration.source.read[0].path, Path::new("feed"));
    assert_eq!(configuration.status.name, "status-mapping");
    assert_eq!(configuration.definition.name, "appointment-synchronize");
    assert!(configuration.extensions.is_empty());
}

#[test]
fn the_configuration_of_a_new_workspace_is_read_whole() {
    let configuration = parse(include_str!("../commands/init/apptsync.toml"));
    assert_eq!(configuration.batch.user, None);
    assert_eq!(configuration.status.config, [("late-results".to_owned(), "in-period".to_owned())]);
}

#[test]
fn everything_that_may_be_said_is_taken_over() {
    let digest = "a".repeat(64);
    let configuration = parse(&format!(
        r#"
        database = "data/hq.db"
        [batch]
        user = "A"
        [pipeline.source]
        plugin = "ibus-feed"
        read = ["in", "/srv/feed"]
        [[pipeline.extensions]]
        plugin = "plugins/vip.wasm"
        sha256 = "{digest}"
        config = {{ word = "vip", count = 3, words = ["a", "b"], table = {{ deep = true }}, half = 0.5, hex = 0xff }}
        limits = {{ memory = "32MiB", deadline = "500ms", run = "30min" }}
        on-failure = "stop"
        "#
    ));
    assert_eq!(configuration.database, Path::new("data/hq.db"));
    assert_eq!(configuration.batch.user.as_deref(), Some("A"));
    assert_eq!(configuration.source.read[1].path, Path::new("/srv/feed"));
    let extension = &configuration.extensions[0];
    assert_eq!(extension.stage, "extension 1");
    assert!(matches!(&extension.plugin, PluginReference::File(path) if path == Path::new("plugins/vip.wasm")));
    assert_eq!(extension.on_failure, OnFailure::Stop);
    assert_eq!(extension.limits.memory, 32 << 20);
    assert_eq!(extension.limits.deadline, Duration::from_millis(500));
    assert_eq!(extension.limits.run, Duration::from_secs(1_800));
    let mut config = extension.config.clone();
    config.sort();
    let texts: Vec<_> = config.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(texts, ["count=3", "half=0.5", "hex=255", "table={\"deep\":true}", "word=vip", "words=[\"a\",\"b\"]"]);
}

#[test]
fn unknown_keys_get_the_nearest_name() {
    let text = "[pipeline]\nsource = { plugin = \"ibus-feed\" }\n\nextentions = []\n";
    insta::assert_snapshot!(error(text), @"apptsync.toml:4:1: unknown key `extentions`: did you mean `extensions`?");
    let text = "[connectors.outlook]\nplugin = \"outlook-graph\"\nhtpp = []\n";
    insta::assert_snapshot!(error(text), @"apptsync.toml:3:1: unknown key `htpp`: did you mean `http`?");
    let text = "[conectors.outlook]\n";
    insta::assert_snapshot!(error(text), @"apptsync.toml:1:2: unknown key `conectors`: did you mean `connectors`?");
    insta::assert_snapshot!(error("[batch]\nuser = \"A\"\nusers = \"B\"\n"), @"apptsync.toml:3:1: unknown key `users`: did you mean `user`?");
    let text = "[pipeline]\nstatus = { plugin = \"status-mapping\", limits = { memroy = \"1MiB\" } }\n";
    insta::assert_snapshot!(error(text), @"apptsync.toml:2:50: unknown key `memroy`: did you mean `memory`?");
}

#[test]
fn wrong_types_say_what_is_wanted() {
    insta::assert_snapshot!(error("database = 7\n"), @"apptsync.toml:1:12: `database` is of type integer: it must be a text in quotes");
    insta::assert_snapshot!(error("pipeline = []\n"), @"apptsync.toml:1:12: `pipeline` is of type array: it must be a table, such as { … }");
    let text = "[pipeline]\nsource = { plugin = \"ibus-feed\", read = \"feed\" }\n";
    insta::assert_snapshot!(error(text), @r#"apptsync.toml:2:41: `pipeline.source.read` is of type string: it must be a list of texts, such as ["feed"]"#);
    let text = "[pipeline]\nextensions = { plugin = \"a.wasm\" }\n";
    insta::assert_snapshot!(error(text), @r#"apptsync.toml:2:14: `pipeline.extensions` is of type table: it must be a list of tables, such as [ { plugin = "…" } ]"#);
}

#[test]
fn wrong_values_say_what_is_right() {
    let status = |rest: &str| error(&format!("[pipeline]\nstatus = {{ plugin = \"status-mapping\", {rest} }}\n"));
    insta::assert_snapshot!(status("limits = { memory = \"much\" }"), @r#"apptsync.toml:2:59: `much` is no amount of memory: write it as "32MiB""#);
    insta::assert_snapshot!(status("limits = { deadline = \"0s\" }"), @r#"apptsync.toml:2:61: `0s` is no length of time: write it as "500ms", "2s" or "30min""#);
    insta::assert_snapshot!(status("on-failure = \"ignore\""), @r#"apptsync.toml:2:52: `ignore` is no way to go on after a failure: use "quarantine" or "stop""#);
    insta::assert_snapshot!(status("sha256 = \"abc\""), @"apptsync.toml:2:48: `sha256` must have 64 hexadecimal digits: `apptsync plugins inspect FILE` shows the digest of a file");
    insta::assert_snapshot!(status("read = [\"feed\"]"), @"apptsync.toml:2:39: `read` is for the source alone: other plugins get no folders");
    insta::assert_snapshot!(error("database = \"postgres://hq\"\n"), @r#"apptsync.toml:1:12: `postgres://` databases are not supported: name an SQLite file, such as "headquarters.db""#);
}

#[test]
fn plugins_are_built_in_or_files() {
    let plugin = |name: &str| error(&format!("[pipeline]\nstatus = {{ plugin = \"{name}\" }}\n"));
    insta::assert_snapshot!(plugin("status-maping"), @"apptsync.toml:2:21: `status-maping` is no built-in plugin: did you mean `status-mapping`? built in are ibus-feed, appointment-synchronize, status-mapping, calendar-file, caldav, outlook-graph; a file ends in .wasm or has a slash");
    insta::assert_snapshot!(plugin("ibus-feed"), @"apptsync.toml:2:21: `ibus-feed` is a source-plugin, but this stage wants a status-mapping-plugin");
    insta::assert_snapshot!(error("[pipeline]\nstatus = { sha256 = \"\" }\n"), @"apptsync.toml:2:10: the status has no `plugin`: name one");
    let missing = parse("[pipeline]\nstatus = { plugin = \"plugins/none.wasm\" }\n");
    let error = missing.status.check_files().expect_err("no file");
    insta::assert_snapshot!(error, @"apptsync.toml:2:21: there is no file plugins/none.wasm: correct `plugin`, or build it");
    let missing = parse("[pipeline]\nsource = { plugin = \"ibus-feed\", read = [\"nowhere\"] }\n");
    let error = missing.source.check_files().expect_err("no folder");
    insta::assert_snapshot!(error, @"apptsync.toml:2:42: there is no folder nowhere: make it, or correct `read`");
}

#[test]
fn what_is_no_toml_says_where() {
    insta::assert_snapshot!(error("database = \n"), @"apptsync.toml:1:12: string values must be quoted, expected literal string");
}
