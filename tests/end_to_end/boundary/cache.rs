//! The compile cache: fast, and never trusted.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use apptsync_tests::{Ran, Workspace, appointment};

use crate::guests::{self, GUEST};
use crate::support::assert_ledger;

/// A workspace with a compile cache of its own and an appointment to import each time.
struct Cached {
    workspace: Workspace,
    runs: u32,
}

impl Cached {
    fn new() -> Self {
        let workspace = guests::workspace();
        guests::configure(&workspace, "extensions", &guests::stage("", &[], ", limits = { deadline = '1m' }"));
        Self { workspace, runs: 0 }
    }

    fn folder(&self) -> PathBuf {
        self.workspace.path("cache")
    }

    /// Imports one more appointment, which works whatever the cache is like; gives what stands on stderr.
    #[track_caller]
    fn run(&mut self) -> String {
        self.runs += 1;
        self.workspace.feed(&appointment(&format!("a-{}", self.runs)));
        let arguments = ["run", "import-activities", "--channel", "B2B", "--user", "A", "--output", "json"];
        let output = self
            .workspace
            .command(&arguments)
            .env("APPTSYNC_CACHE", self.folder())
            .env("NO_COLOR", "1")
            .output()
            .expect("the binary starts");
        let ran = Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
        .exits(0);
        assert_ledger(&ran.json(), &[("created", 1)]);
        ran.stderr
    }

    /// The entries with their contents.
    fn entries(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut entries: Vec<_> = fs::read_dir(self.folder())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
            .map(|path| (path.clone(), fs::read(path).expect("an entry")))
            .collect();
        entries.sort();
        entries
    }

    fn guests_entry(&self) -> PathBuf {
        let inspected = self.workspace.json(&["plugins", "inspect", GUEST]);
        let digest = inspected["sha256"].as_str().expect("a digest").to_owned();
        let mut entries = self.entries().into_iter().map(|(path, _)| path);
        let is_of = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&digest));
        entries.find(is_of).expect("an entry named by the digest")
    }
}

#[test]
fn the_cache_is_private_and_used_again() {
    let mut cached = Cached::new();
    assert_eq!(cached.run(), "");
    let mode = fs::metadata(cached.folder()).expect("made").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let entries = cached.entries();
    assert_eq!(
        entries.len(),
        4,
        "one for each plugin: {entries:?}",
        entries = entries.iter().map(|entry| &entry.0).collect::<Vec<_>>()
    );
    let written =
        |cached: &Cached| fs::metadata(cached.guests_entry()).and_then(|entry| entry.modified()).expect("a time");
    let before = written(&cached);
    assert_eq!(cached.run(), "");
    assert_eq!((cached.entries() == entries, written(&cached)), (true, before), "nothing is written anew");
}

#[test]
fn an_edited_entry_is_noticed_and_replaced() {
    let mut cached = Cached::new();
    assert_eq!(cached.run(), "");
    let entry = cached.guests_entry();
    let good = fs::read(&entry).expect("an entry");
    // In the digest, at the beginning, in the middle, and at the end.
    for place in [0, 40, good.len() / 2, good.len() - 1] {
        let mut edited = good.clone();
        edited[place] ^= 1;
        fs::write(&entry, &edited).expect("edited");
        let warned = cached.run();
        assert!(warned.contains("compile cache entry is damaged and will be replaced"), "{place}: {warned}");
        assert_ne!(fs::read(&entry).expect("an entry"), edited, "{place}");
        assert_eq!(cached.run(), "", "{place}: the entry is good again");
    }
}

#[test]
fn a_shortened_or_empty_entry_is_replaced() {
    let mut cached = Cached::new();
    assert_eq!(cached.run(), "");
    let entry = cached.guests_entry();
    let length = fs::metadata(&entry).expect("an entry").len();
    for shorter in [length - 1, 32, 31, 0] {
        fs::OpenOptions::new().write(true).open(&entry).and_then(|file| file.set_len(shorter)).expect("shortened");
        let _ = cached.run();
        assert!(fs::metadata(&entry).expect("an entry").len() > length / 2, "{shorter}");
        assert_eq!(cached.run(), "", "{shorter}: the entry is good again");
    }
}

/// Whole, but of something else: that it lies under the name of the plugin does not make it the plugin.
#[test]
fn the_entry_of_another_component_is_not_taken_for_the_plugins() {
    let mut cached = Cached::new();
    assert_eq!(cached.run(), "");
    let entry = cached.guests_entry();
    let others = cached.entries();
    let (_, other) = others.iter().find(|(path, _)| *path != entry).expect("another entry");
    fs::write(&entry, other).expect("swapped");
    let _ = cached.run();
    assert_ne!(&fs::read(&entry).expect("an entry"), other, "replaced");
}

#[test]
fn a_cache_that_others_may_write_to_is_refused_with_a_warning() {
    for mode in [0o777, 0o720, 0o702] {
        let mut cached = Cached::new();
        fs::create_dir(cached.folder()).expect("a folder");
        fs::set_permissions(cached.folder(), fs::Permissions::from_mode(mode)).expect("permissions");
        let warned = cached.run();
        assert!(warned.contains("others may write to") && warned.contains("chmod 700"), "{mode:o}: {warned}");
        assert_eq!(cached.entries().len(), 0, "{mode:o}: nothing is put there");
    }
}

#[test]
fn a_cache_that_is_gone_is_made_again() {
    let mut cached = Cached::new();
    assert_eq!(cached.run(), "");
    fs::remove_dir_all(cached.folder()).expect("removed");
    assert_eq!(cached.run(), "");
    assert_eq!(cached.entries().len(), 4);
}

#[test]
fn a_cache_that_cannot_be_a_folder_costs_time_alone() {
    let mut cached = Cached::new();
    fs::write(cached.folder(), "a file").expect("a file");
    let warned = cached.run();
    assert!(warned.contains("without the compile cache"), "{warned}");
    assert_eq!(fs::read_to_string(cached.folder()).expect("a file"), "a file");
}
