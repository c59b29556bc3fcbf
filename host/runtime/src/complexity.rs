//! How much work a component is for the compiler, counted before it begins: compilation has no memory limit of its own.

use wasmparser::{FunctionBody, Operator, Parser, Payload, Result};

use crate::limits;

/// Checks that a component is no more work than the largest that people build: an interpreter with its libraries.
///
/// # Errors
/// It is more, or it cannot be parsed; the text says what, as a part of a sentence about the plugin.
pub(crate) fn check(component: &[u8]) -> std::result::Result<(), String> {
    let invalid = |error| format!("is not a valid component: failed to parse WebAssembly module: {error}");
    let (mut functions, mut joins) = (0_usize, 0_u64);
    for payload in Parser::new(0).parse_all(component) {
        let Payload::CodeSectionEntry(body) = payload.map_err(invalid)? else { continue };
        functions += 1;
        if functions > limits::MAX_FUNCTIONS {
            return Err(too_much(&format!("has more than {} functions", limits::MAX_FUNCTIONS)));
        }
        let length = body.range().len();
        if length > limits::MAX_FUNCTION {
            let (found, most) = (length >> 10, limits::MAX_FUNCTION >> 10);
            return Err(too_much(&format!("has a function of {found} KiB, and {most} KiB is the most")));
        }
        let here = joins_of(&body).map_err(invalid)?;
        joins = joins.saturating_add(here);
        if here > limits::MAX_JOINS_OF_FUNCTION || joins > limits::MAX_JOINS {
            return Err(too_much("has too many branches over too many variables in a function"));
        }
    }
    Ok(())
}

fn too_much(what: &str) -> String {
    format!("{what}: it would take too much time and memory to compile")
}

/// Places where the compiler may have to keep the value of a variable: its blocks times its variables.
fn joins_of(body: &FunctionBody<'_>) -> Result<u64> {
    let mut variables = 0_u64;
    for declared in body.get_locals_reader()? {
        variables += u64::from(declared?.0);
    }
    let mut blocks = 1_u64;
    for operator in body.get_operators_reader()? {
        use Operator::{Block, Br, BrIf, BrTable, Else, If, Loop};
        if matches!(operator?, Block { .. } | Loop { .. } | If { .. } | Else | Br { .. } | BrIf { .. } | BrTable { .. })
        {
            blocks += 1;
        }
    }
    Ok(blocks * variables)
}
