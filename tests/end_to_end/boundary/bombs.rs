//! Small files that would be endless work for a compiler: they are refused before it begins.

use std::fs;

use super::binary::{CORE_MODULE, PREAMBLE, length, section};
use crate::guests::{self, GUEST};
use crate::support::batch;

/// What a run says when this is the extension, behind its name; no job is begun.
#[track_caller]
fn refused(bytes: &[u8]) -> String {
    let workspace = guests::workspace();
    fs::write(workspace.path(GUEST), bytes).expect("written");
    workspace.configure(&format!("extensions = [ {{ plugin = '{GUEST}' }} ]"));
    let ran = batch(&workspace, "import-activities", &[]).exits(2);
    workspace.configure("");
    assert_eq!(workspace.json(&["jobs", "list"]).as_array().map(Vec::len), Some(0), "no job was begun");
    let begin = format!("error: plugin `{GUEST}` ");
    let reason = ran.stderr.strip_prefix(&begin).unwrap_or_else(|| panic!("{}", ran.stderr));
    reason.split(" (at offset").next().expect("a reason").trim_end().to_owned()
}

/// A component with a module of functions without parameters, all with this body.
fn functions(count: usize, body: &[u8]) -> Vec<u8> {
    let mut module = CORE_MODULE.to_vec();
    section(&mut module, 1, 1, &[0x60, 0, 0]);
    section(&mut module, 3, count, &vec![0; count]);
    let mut code = Vec::new();
    length(&mut code, body.len());
    code.extend(body);
    section(&mut module, 10, count, &code.repeat(count));
    let mut bytes = PREAMBLE.to_vec();
    bytes.push(1);
    length(&mut bytes, module.len());
    bytes.extend(module);
    bytes
}

/// Some hundred kilobytes.
#[test]
fn a_component_with_more_functions_than_any_has_is_refused() {
    assert_eq!(
        refused(&functions(100_001, &[0, 0x0b])),
        "has more than 100000 functions: it would take too much time and memory to compile"
    );
}

#[test]
fn a_component_with_a_function_without_end_is_refused() {
    const NOTHING: u8 = 0x01;
    let body = [&[0][..], &[NOTHING; 3 << 19], &[0x0b]].concat();
    assert_eq!(
        refused(&functions(1, &body)),
        "has a function of 1536 KiB, and 1024 KiB is the most: it would take too much time and memory to compile"
    );
}

/// Each block may have to keep each variable: the product is what the compiler has to hold.
#[test]
fn a_component_with_variables_kept_over_endless_branches_is_refused() {
    const BLOCK: [u8; 3] = [0x02, 0x40, 0x0b];
    let expected = "has too many branches over too many variables in a function: it would take too much time and memory to compile";
    // 50,000 variables of 32 bits.
    let mut wide = vec![1];
    length(&mut wide, 50_000);
    wide.push(0x7f);
    wide.extend(BLOCK.repeat(100));
    wide.push(0x0b);
    assert_eq!(refused(&functions(1, &wide)), expected);
    // Each function alone would do.
    let mut medium = vec![1];
    length(&mut medium, 10_000);
    medium.push(0x7f);
    medium.extend(BLOCK.repeat(300));
    medium.push(0x0b);
    assert_eq!(refused(&functions(20, &medium)), expected);
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
    let reason = refused(&bytes);
    let reason = reason.strip_prefix("is not a valid component: failed to parse WebAssembly module: ");
    assert_eq!(reason, Some("effective type size exceeds the limit of 1000000"));
}
