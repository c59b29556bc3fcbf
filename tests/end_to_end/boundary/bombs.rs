//! Small files that would be endless work for a compiler: they are refused before it begins.

use std::fs;

use super::binary::{CORE_MODULE, PREAMBLE, length, section};
use crate::guests::{self, GUEST};
use crate::support::batch;

/// What a run says when this is the extension; no job is begun.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let workspace = guests::workspace();
    fs::write(workspace.path(GUEST), bytes).expect("written");
    workspace.configure(&format!("extensions = [ {{ plugin = '{GUEST}' }} ]"));
    let ran = batch(&workspace, "import-activities", &[]).exits(2);
    workspace.configure("");
    assert_eq!(workspace.json(&["jobs", "list"]).as_array().map(Vec::len), Some(0), "no job was begun");
    let begin = format!("error: plugin `{GUEST}` is not a valid component: failed to parse WebAssembly module: ");
    let reason = ran.stderr.strip_prefix(&begin).unwrap_or_else(|| panic!("{}", ran.stderr));
    reason.split(" (at offset").next().expect("a reason").to_owned()
}

/// Four megabytes that are more than a million functions.
#[test]
fn a_component_with_more_functions_than_any_has_is_refused() {
    const FUNCTIONS: usize = 1_000_001;
    let mut module = CORE_MODULE.to_vec();
    section(&mut module, 1, 1, &[0x60, 0, 0]);
    section(&mut module, 3, FUNCTIONS, &vec![0; FUNCTIONS]);
    section(&mut module, 10, FUNCTIONS, &[2, 0, 0x0b].repeat(FUNCTIONS));
    let mut bytes = PREAMBLE.to_vec();
    bytes.push(1);
    length(&mut bytes, module.len());
    bytes.extend(module);
    assert_eq!(refused(&bytes), "functions count exceeds limit of 1000000");
}

/// Some hundred bytes: each type is ten of the one before, so the last has more parts than there is memory.
#[test]
fn a_component_with_a_type_of_endless_size_is_refused() {
    const TUPLE: u8 = 0x6f;
    const BYTE: u8 = 0x7d;
    let mut types = vec![TUPLE, 1, BYTE];
    for before in 0..20 {
        types.extend([TUPLE, 10]);
        types.extend([before; 10]);
    }
    let mut bytes = PREAMBLE.to_vec();
    section(&mut bytes, 7, 21, &types);
    assert_eq!(refused(&bytes), "effective type size exceeds the limit of 1000000");
}
