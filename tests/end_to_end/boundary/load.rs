//! Plugins that cannot be loaded. The texts are what an operator reads, so they are tested as text.

use std::fs;

use apptsync_tests::{Ran, Workspace, appointment, component, guest};
use insta::assert_snapshot;

use super::binary::{self, CORE_MODULE};
use crate::guests::{self, GUEST};
use crate::support::{assert_ledger, batch, contents};

/// What a run says when this is the extension, with its exit code; digests and folders are left out. Nothing is begun.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    refused_with(bytes, "")
}

#[track_caller]
fn refused_with(bytes: &[u8], more: &str) -> String {
    let workspace = guests::workspace();
    fs::write(workspace.path(GUEST), bytes).expect("written");
    refusal(&workspace, &format!("extensions = [ {{ plugin = '{GUEST}'{more} }} ]"))
}

#[track_caller]
fn refusal(workspace: &Workspace, pipeline: &str) -> String {
    workspace.feed(&appointment("a-1"));
    let before = contents(workspace);
    workspace.configure(pipeline);
    let ran = batch(workspace, "import-activities", &[]);
    assert_eq!(contents(workspace), before, "nothing was written");
    workspace.configure("");
    assert_eq!(workspace.json(&["jobs", "list"]).as_array().map(Vec::len), Some(0), "no job was begun");
    said(workspace, ran)
}

/// Exit code and standard error, without what differs from machine to machine.
#[track_caller]
fn said(workspace: &Workspace, ran: Ran) -> String {
    assert_eq!(ran.stdout, "", "errors are on stderr");
    let mut text = ran.stderr;
    for folder in [workspace.folder().to_owned(), workspace.folder().canonicalize().expect("a folder")] {
        text = text.replace(folder.to_str().expect("UTF-8"), "[folder]");
    }
    format!("exit {}: {}", ran.code, without_digests(&text))
}

fn without_digests(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_hexdigit() {
            run.push(character);
            continue;
        }
        out.push_str(if run.len() == 64 { "[digest]" } else { &run });
        run.clear();
        out.push(character);
    }
    out.trim_end_matches('\0').to_owned()
}

#[test]
fn a_file_with_another_digest() {
    let expected = "0".repeat(64);
    let bytes = fs::read(guest()).expect("the guest");
    assert_snapshot!(refused_with(&bytes, &format!(", sha256 = '{expected}'")), @"exit 2: error: plugin `plugins/guest.wasm` has SHA-256 [digest], the configuration expects [digest]: if the new file is wanted, change `sha256`");
}

#[test]
fn a_file_that_is_not_there() {
    let workspace = guests::workspace();
    assert_snapshot!(refusal(&workspace, "status = { plugin = 'plugins/gone.wasm' }"), @"exit 2: error: apptsync.toml:4:21: there is no file [folder]/plugins/gone.wasm: correct `plugin`, or build it");
}

#[test]
fn a_folder_in_place_of_a_file() {
    let workspace = guests::workspace();
    fs::create_dir(workspace.path("plugins/folder.wasm")).expect("a folder");
    assert_snapshot!(refusal(&workspace, "status = { plugin = 'plugins/folder.wasm' }"), @"exit 2: error: apptsync.toml:4:21: there is no file [folder]/plugins/folder.wasm: correct `plugin`, or build it");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere() {
    let workspace = guests::workspace();
    std::os::unix::fs::symlink("nowhere.wasm", workspace.path("plugins/gone.wasm")).expect("a link");
    assert_snapshot!(refusal(&workspace, "status = { plugin = 'plugins/gone.wasm' }"), @"exit 2: error: apptsync.toml:4:21: there is no file [folder]/plugins/gone.wasm: correct `plugin`, or build it");
}

#[test]
fn an_empty_file() {
    assert_snapshot!(refused(b""), @"exit 2: error: plugin `plugins/guest.wasm` is not a WebAssembly component");
}

#[test]
fn random_bytes() {
    let bytes: Vec<u8> = (0..4_096_u32).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    assert_snapshot!(refused(&bytes), @"exit 2: error: plugin `plugins/guest.wasm` is not a WebAssembly component");
}

#[test]
fn a_text_file() {
    assert_snapshot!(refused(b"#!/bin/sh\necho plugin\n"), @"exit 2: error: plugin `plugins/guest.wasm` is not a WebAssembly component");
}

#[test]
fn a_core_module_in_place_of_a_component() {
    assert_snapshot!(refused(&CORE_MODULE), @"exit 2: error: plugin `plugins/guest.wasm` is a core module, not a component: build it for wasm32-wasip2, or wrap it with `wasm-tools component new`");
}

#[test]
fn a_file_that_is_larger_than_any_component() {
    let workspace = guests::workspace();
    let file = fs::File::create(workspace.path(GUEST)).expect("a file");
    file.set_len((64 << 20) + 1).expect("a long file");
    assert_snapshot!(refusal(&workspace, &format!("extensions = [ {{ plugin = '{GUEST}' }} ]")), @"exit 2: error: plugin `plugins/guest.wasm` cannot be read: [folder]/plugins/guest.wasm is larger than 64 MiB");
}

/// Cut off anywhere, a component is refused; what the engine says of it depends on where.
#[test]
fn a_truncated_component_is_refused_wherever_it_was_cut() {
    let bytes = fs::read(guest()).expect("the guest");
    for part in [9, 100, bytes.len() / 2, bytes.len() - 1] {
        let said = refused(&bytes[..part]);
        assert!(
            said.starts_with(&format!("exit 2: error: plugin `{GUEST}` is not a valid component: ")),
            "{part}: {said}"
        );
        assert_eq!(said.trim_end().lines().count(), 1, "{part}: {said}");
    }
}

#[test]
fn a_component_of_another_world() {
    let workspace = guests::workspace();
    fs::copy(component("status-mapping"), workspace.path(GUEST)).expect("copied");
    assert_snapshot!(refusal(&workspace, &format!("extensions = [ {{ plugin = '{GUEST}' }} ]")), @"exit 2: error: plugin `plugins/guest.wasm` exports status-mapping, but this stage wants an extension-plugin (ibus:appointments/extension)");
}

#[test]
fn a_built_in_plugin_of_another_world() {
    let workspace = guests::workspace();
    assert_snapshot!(refusal(&workspace, "extensions = [ { plugin = 'status-mapping' } ]"), @"exit 2: error: apptsync.toml:4:27: `status-mapping` is a status-mapping-plugin, but this stage wants an extension-plugin");
}

#[test]
fn a_component_that_is_no_plugin() {
    assert_snapshot!(refused(&binary::component(&[], &["wasi:cli/run@0.2.0"])), @"exit 2: error: plugin `plugins/guest.wasm` exports no interface of ibus:appointments: it is no plugin of apptsync; an extension-plugin exports ibus:appointments/extension@0.1.0");
    assert_snapshot!(refused(&binary::component(&[], &[])), @"exit 2: error: plugin `plugins/guest.wasm` exports no interface of ibus:appointments: it is no plugin of apptsync; an extension-plugin exports ibus:appointments/extension@0.1.0");
}

#[test]
fn a_component_for_another_version_of_the_contract() {
    let bytes = fs::read(guest()).expect("the guest");
    assert_snapshot!(refused(&binary::with_version(&bytes, "0.1.0", "0.3.0")), @"exit 2: error: plugin `plugins/guest.wasm` was built for ibus:appointments@0.3.0, this host offers 0.1: build it with the contract of this host (`wit/`), or use a host that offers its version");
    assert_snapshot!(refused(&binary::component(&[], &["ibus:appointments/extension"])), @"exit 2: error: plugin `plugins/guest.wasm` was built for ibus:appointments@(no version), this host offers 0.1: build it with the contract of this host (`wit/`), or use a host that offers its version");
}

/// Within a minor version nothing breaks: what was built for 0.1.7 runs on 0.1.0.
#[test]
fn a_component_for_another_patch_of_the_contract_runs() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    let bytes = binary::with_version(&fs::read(guest()).expect("the guest"), "0.1.0", "0.1.7");
    fs::write(workspace.path(GUEST), bytes).expect("written");
    guests::configure(&workspace, "extensions", &guests::stage("mark", &[("mark", " marked")], ""));
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_ledger(&report, &[("created", 1)]);
    let activity = workspace.activity("a-1").expect("an activity");
    assert!(activity["description"].as_str().expect("a text").ends_with(" marked"), "{activity:#}");
}

#[test]
fn a_component_with_the_right_name_and_the_wrong_shape() {
    assert_snapshot!(refused(&binary::component(&[], &["ibus:appointments/extension@0.1.0"])), @"exit 2: error: plugin `plugins/guest.wasm` does not have the published shape: instance export `ibus:appointments/extension@0.1.0` does not have export `apply`");
}

#[test]
fn a_component_that_wants_what_no_plugin_of_its_stage_is_granted() {
    let wants = |import: &str| refused(&binary::component(&[import], &["ibus:appointments/extension@0.1.0"]));
    assert_snapshot!(wants("wasi:http/outgoing-handler@0.2.0"), @r#"exit 2: error: plugin `plugins/guest.wasm` imports wasi:http/outgoing-handler@0.2.0, the network, which is not granted: only connectors can be granted `http = ["https://…"]`"#);
    assert_snapshot!(wants("wasi:keyvalue/store@0.2.0-draft"), @"exit 2: error: plugin `plugins/guest.wasm` imports wasi:keyvalue/store@0.2.0-draft, state of its own, which only connectors are lent: remove what needs it");
    assert_snapshot!(wants("acme:crm/customers@1.0.0"), @"exit 2: error: plugin `plugins/guest.wasm` imports acme:crm/customers@1.0.0, which this host does not offer: remove what needs it");
    assert_snapshot!(wants("wasi:clocks/wall-clock@0.3.0"), @"exit 2: error: plugin `plugins/guest.wasm` imports wasi:clocks/wall-clock@0.3.0, but this host offers WASI 0.2, not 0.3.0");
    assert_snapshot!(wants("wasi:config/store@0.2.0-draft"), @"exit 2: error: plugin `plugins/guest.wasm` imports wasi:config/store@0.2.0-draft, but this host offers wasi:config/store@0.2.0-rc.1");
    assert_snapshot!(wants("ibus:appointments/types@0.2.0"), @"exit 2: error: plugin `plugins/guest.wasm` imports ibus:appointments/types@0.2.0, so it was built for ibus:appointments@0.2.0, but this host offers 0.1: build it with this host's `wit/`");
}

/// What is linked is what the digest is of: a link works, and pins what it leads to.
#[cfg(unix)]
#[test]
fn a_link_to_a_plugin_runs_and_its_digest_is_that_of_the_file() {
    let workspace = guests::workspace();
    workspace.feed(&appointment("a-1"));
    std::os::unix::fs::symlink("guest.wasm", workspace.path("plugins/link.wasm")).expect("a link");
    let inspected = workspace.json(&["plugins", "inspect", GUEST]);
    let digest = inspected["sha256"].as_str().expect("a digest");
    let pipeline = format!("extensions = [ {{ plugin = 'plugins/link.wasm', sha256 = '{digest}' }} ]");
    workspace.configure(&pipeline);
    let report = batch(&workspace, "import-activities", &[]).exits(0).json();
    assert_eq!(report["stages"][1]["digest"], digest);
    // Led elsewhere, the link no longer has the digest.
    fs::copy(component("vip-visits"), workspace.path(GUEST)).expect("copied");
    let ran = batch(&workspace, "import-activities", &[]);
    assert_snapshot!(said(&workspace, ran), @"exit 2: error: plugin `plugins/link.wasm` has SHA-256 [digest], the configuration expects [digest]: if the new file is wanted, change `sha256`");
}

/// `plugins inspect` tells of a file what a run would, without a workspace's help.
#[test]
fn inspecting_a_component_that_does_not_fit_says_why() {
    let workspace = guests::workspace();
    let bytes = fs::read(guest()).expect("the guest");
    fs::write(workspace.path(GUEST), binary::with_version(&bytes, "0.1.0", "0.3.0")).expect("written");
    let ran = workspace.run(&["plugins", "inspect", GUEST, "--output", "json"]).exits(1);
    let inspected = ran.json();
    let problem = inspected["problem"].as_str().expect("a problem");
    assert!(problem.starts_with("was built for ibus:appointments@0.3.0, this host offers 0.1"), "{problem}");
    assert!(inspected["worlds"].to_string().contains(r#""version":"0.3.0""#), "{inspected:#}");
}

/// The test guest stands in every stage; honest, it is shown as fitting.
#[test]
fn inspecting_a_component_shows_worlds_versions_imports_and_digest() {
    let workspace = guests::workspace();
    let inspected = workspace.run(&["plugins", "inspect", GUEST, "--output", "json"]).exits(0).json();
    let worlds: Vec<_> = inspected["worlds"].as_array().expect("worlds").iter().map(|world| &world["world"]).collect();
    for world in ["source", "extension", "status-mapping", "activity-definition"] {
        assert!(worlds.iter().any(|found| *found == world), "{inspected:#}");
    }
    assert!(inspected["imports"].to_string().contains("wasi:config/store@0.2.0-rc.1"), "{inspected:#}");
    assert_eq!(inspected["sha256"].as_str().map(str::len), Some(64));
}
