//! README.md and DEVELOPMENT.md say what is true: paths exist, commands and flags are those of the binary, examples work.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use apptsync_tests::Workspace;
use serde_json::Value;

use crate::support::batch;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A piece of a document that is set in the typeface of code.
struct Code<'a> {
    /// The language of a block, as the document names it; none for a piece within a line.
    block: Option<&'a str>,
    text: &'a str,
}

/// Everything that is set as code: blocks whole, and the pieces within lines.
fn code(document: &str) -> Vec<Code<'_>> {
    let mut found = Vec::new();
    for (position, part) in document.split("```").enumerate() {
        if position % 2 == 1 {
            let (language, text) = part.split_once('\n').expect("a block has lines");
            found.push(Code { block: Some(language.trim()), text });
        } else {
            let pieces = part.split('`').skip(1).step_by(2);
            found.extend(pieces.map(|text| Code { block: None, text }));
        }
    }
    found
}

/// The blocks of a language.
fn blocks<'a>(document: &'a str, language: &str) -> Vec<&'a str> {
    code(document).iter().filter(|code| code.block == Some(language)).map(|code| code.text).collect()
}

/// The one block of a language with a word in it.
#[track_caller]
fn block<'a>(document: &'a str, language: &str, word: &str) -> &'a str {
    let found: Vec<_> = blocks(document, language).into_iter().filter(|text| text.contains(word)).collect();
    let [block] = &*found else { panic!("{} blocks of {language} with {word}", found.len()) };
    block
}

/// The names at the top of the repository; `target` and hidden folders but `.ci` are not of it.
fn top_level() -> BTreeSet<String> {
    let entries = fs::read_dir(root()).expect("the repository");
    let names = entries.filter_map(|entry| entry.expect("an entry").file_name().into_string().ok());
    names.filter(|name| name == ".ci" || (name != "target" && !name.starts_with('.'))).collect()
}

#[test]
fn the_paths_in_development_md_exist() {
    let development = document("DEVELOPMENT.md");
    let top_level = top_level();
    let is_path = |text: &&str| text.split('/').next().is_some_and(|first| top_level.contains(first));
    let pieces: BTreeSet<_> =
        code(&development).iter().filter(|code| code.block.is_none()).map(|code| code.text).collect();
    let paths: Vec<_> = pieces.into_iter().filter(|text| !text.contains(' ')).filter(is_path).collect();
    assert!(paths.len() > 60, "only {} paths found", paths.len());
    let missing: Vec<_> = paths.iter().filter(|path| !root().join(path).exists()).collect();
    assert!(missing.is_empty(), "DEVELOPMENT.md names what is not there: {missing:#?}");
    // What has slashes and is no path would slip through above.
    let rooms = ["host/", "plugins/", "tests/", "wit/"];
    let others: Vec<_> = development
        .split(|character: char| character.is_whitespace() || "`(),;|".contains(character))
        .filter(|word| rooms.iter().any(|room| word.starts_with(room)))
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| !root().join(word).exists())
        .collect();
    assert!(others.is_empty(), "DEVELOPMENT.md names what is not there: {others:#?}");
}

#[test]
fn links_lead_somewhere() {
    for name in ["README.md", "DEVELOPMENT.md"] {
        let text = document(name);
        let anchors: BTreeSet<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim()))
            .map(|heading| {
                let kept =
                    heading.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
                kept.collect::<String>().to_lowercase().replace(' ', "-")
            })
            .collect();
        let links: Vec<_> = text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
        assert!(links.len() > 2, "{name}: {links:?}");
        for link in links {
            match link.strip_prefix('#') {
                Some(anchor) => assert!(anchors.contains(anchor), "{name}: there is no heading {anchor}"),
                None if link.starts_with("https://") => {}
                None => assert!(root().join(link).exists(), "{name}: there is no {link}"),
            }
        }
    }
}

/// What the binary says of its commands.
struct Help {
    workspace: Workspace,
    texts: HashMap<Vec<String>, String>,
}

impl Help {
    fn new() -> Self {
        Self { workspace: Workspace::empty(), texts: HashMap::new() }
    }

    fn text(&mut self, command: &[String]) -> String {
        if let Some(text) = self.texts.get(command) {
            return text.clone();
        }
        let mut arguments: Vec<_> = command.iter().map(String::as_str).collect();
        arguments.push("--help");
        let text = self.workspace.run(&arguments).exits(0).stdout;
        self.texts.insert(command.to_vec(), text.clone());
        text
    }

    /// The commands below one, in the order of the help; without `help` itself.
    fn below(&mut self, command: &[String]) -> Vec<String> {
        let text = self.text(command);
        let listed = text.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
        let names = names.filter_map(|rest| rest.split_whitespace().next()).filter(|name| *name != "help");
        names.map(str::to_owned).collect()
    }

    fn has_flag(&mut self, command: &[String], flag: &str) -> bool {
        let text = self.text(command);
        let mut words = text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '-'));
        words.any(|word| word == flag)
    }
}

/// Command lines in a document: the words behind `apptsync`.
fn command_lines(document: &str) -> Vec<Vec<&str>> {
    let code = code(document);
    let lines = code.iter().flat_map(|code| code.text.lines());
    let lines = lines.flat_map(|line| line.split("&&")).map(|line| line.trim().trim_start_matches("$ "));
    let lines = lines.filter_map(|line| line.strip_prefix("apptsync "));
    lines.map(|line| line.split_whitespace().take_while(|word| *word != "#").collect()).collect()
}

#[test]
fn the_commands_and_flags_in_the_documents_are_those_of_the_binary() {
    let mut help = Help::new();
    let mut lines = 0;
    for name in ["README.md", "DEVELOPMENT.md"] {
        for words in command_lines(&document(name)) {
            lines += 1;
            let mut command = Vec::new();
            for word in words.iter().filter(|word| !word.starts_with('-')) {
                let below = help.below(&command);
                if below.is_empty() || !word.chars().all(|character| character.is_ascii_lowercase() || character == '-')
                {
                    break;
                }
                assert!(below.iter().any(|name| name == word), "{name}: `apptsync {}`: no {word}", words.join(" "));
                command.push((*word).to_owned());
            }
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(help.has_flag(&command, flag), "{name}: `apptsync {}`: no {flag}", words.join(" "));
            }
        }
    }
    assert!(lines > 40, "only {lines} command lines found");
}

#[test]
fn the_readme_has_every_command() {
    let readme = document("README.md");
    let (_, commands) = readme.split_once("\n## Commands\n").expect("the section");
    let rows: Vec<_> = commands.lines().filter(|line| line.starts_with("| `apptsync ")).collect();
    let mut help = Help::new();
    for command in help.below(&[]) {
        let named = |row: &&&str| row.split('`').any(|piece| piece.split(' ').nth(1) == Some(&command));
        let row = rows.iter().find(named).unwrap_or_else(|| panic!("the README has no row for `{command}`"));
        for below in help.below(std::slice::from_ref(&command)) {
            assert!(row.contains(&format!("`{below}`")), "the README's row for `{command}` lacks `{below}`");
        }
    }
}

#[test]
fn flags_that_stand_alone_belong_to_some_command() {
    let mut help = Help::new();
    let mut commands = vec![Vec::new()];
    let mut all = String::new();
    while let Some(command) = commands.pop() {
        all.push_str(&help.text(&command));
        let below = help.below(&command).into_iter();
        commands.extend(below.map(|name| [command.clone(), vec![name]].concat()));
    }
    for name in ["README.md", "DEVELOPMENT.md"] {
        let text = document(name);
        let pieces = code(&text);
        let alone = pieces.iter().filter(|code| code.block.is_none() && code.text.starts_with("--"));
        for flag in alone.filter_map(|code| code.text.split([' ', '|']).next()).filter(|flag| *flag != "--") {
            assert!(all.contains(flag), "{name}: no command has {flag}");
        }
    }
}

#[test]
fn the_exit_codes_are_those_of_the_help() {
    let help = Help::new().text(&[]);
    let line = help.lines().find_map(|line| line.strip_prefix("Exit codes: ")).expect("exit codes");
    let codes: Vec<_> = line.trim_end_matches('.').split(", ").filter_map(|code| code.split_once(' ')).collect();
    assert_eq!(codes.len(), 4, "{codes:?}");
    let readme = document("README.md");
    for (code, meaning) in codes {
        let is_row =
            |line: &str| line.strip_prefix(&format!("| {code} | ")).is_some_and(|rest| rest.starts_with(meaning));
        assert!(readme.lines().any(is_row), "the README has no row for {code}: {meaning}");
    }
}

/// The fields of the table below a heading, and those that are needed.
fn fields(readme: &str, heading: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (_, section) = readme.split_once(&format!("\n{heading}\n")).expect(heading);
    let table = section.lines().skip_while(|line| !line.starts_with("| field ")).skip(2);
    let (mut all, mut needed) = (BTreeSet::new(), BTreeSet::new());
    for row in table.take_while(|line| line.starts_with('|')) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let name = cells[1].trim_matches('`').to_owned();
        if cells[2] == "yes" {
            needed.insert(name.clone());
        }
        assert!(all.insert(name), "twice: {row}");
    }
    (all, needed)
}

#[test]
fn the_tables_of_the_feed_have_the_fields_of_the_schema() {
    let readme = document("README.md");
    let schema: Value = serde_json::from_str(&document("plugins/ibus-feed/feed.schema.json")).expect("a schema");
    for (heading, name) in [("#### Appointments", "appointment"), ("#### Customers", "customer")] {
        let object = &schema["$defs"][name];
        let properties: BTreeSet<_> = object["properties"].as_object().expect("properties").keys().cloned().collect();
        let required = object["required"].as_array().expect("required").iter().filter_map(Value::as_str);
        assert_eq!(fields(&readme, heading), (properties, required.map(str::to_owned).collect()), "{name}");
    }
}

/// A workspace with the README's master data, its feed, and the definition active.
fn workspace(readme: &str) -> Workspace {
    let workspace = Workspace::empty();
    workspace.load(block(readme, "toml", "[[organization]]"));
    let _ = workspace.run(&["definitions", "activate"]).exits(0);
    workspace.feed_text("appointments.jsonl", block(readme, "jsonl", "\"employee\""));
    workspace.feed_text("customers.jsonl", block(readme, "jsonl", "\"street\""));
    workspace
}

/// Fails unless a value has the keys of an example, and of objects in lists those of the example's first.
#[track_caller]
fn assert_same_keys(example: &Value, value: &Value, place: &str) {
    match (example, value) {
        (Value::Object(example), Value::Object(value)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(example), keys(value), "{place}");
            for (key, example) in example {
                assert_same_keys(example, &value[key], &format!("{place}.{key}"));
            }
        }
        (Value::Array(example), Value::Array(value)) => {
            let example = example.first().unwrap_or_else(|| panic!("{place} is empty"));
            value.iter().for_each(|value| assert_same_keys(example, value, place));
        }
        _ => {}
    }
}

#[test]
fn the_examples_of_master_data_feed_and_json_work() {
    let readme = document("README.md");
    let workspace = workspace(&readme);
    let report = batch(&workspace, "import-data", &[]).exits(0).json();
    let example: Value = serde_json::from_str(block(&readme, "json", "\"ledger\"")).expect("JSON");
    assert_same_keys(&example, &report, "report");
    for key in ["job", "state", "ledger", "messages"] {
        assert_eq!(example[key], report[key], "{key}");
    }
    let part = &example["parts"][0];
    assert!(report["parts"].as_array().expect("parts").contains(part), "{report:#}");
    let example: Value = serde_json::from_str(block(&readme, "json", "\"source_id\"")).expect("JSON");
    assert_eq!(example, Value::from(workspace.activities()));
}

#[test]
fn the_example_of_a_configuration_is_read() {
    let readme = document("README.md");
    let example = block(&readme, "toml", "[pipeline]");
    let workspace = Workspace::empty();
    fs::write(workspace.path("apptsync.toml"), example).expect("written");
    // Its extension is not there, which only matters to what uses plugins.
    let _ = workspace.run(&["jobs", "list"]).exits(0);
    let ran = workspace.run(&["run", "import-data", "--channel", "B2B"]).exits(2);
    assert!(ran.stderr.contains("there is no file") && ran.stderr.contains("vip.wasm"), "{}", ran.stderr);
    // The single lines that swap a stage stand in the section `[pipeline]`.
    let lines = blocks(&readme, "toml").into_iter().filter(|text| text.trim().lines().count() == 1);
    let mut count = 0;
    for line in lines {
        count += 1;
        workspace.configure(line);
        let _ = workspace.run(&["jobs", "list"]).exits(0);
    }
    assert_eq!(count, 2, "lines that swap a stage");
}
