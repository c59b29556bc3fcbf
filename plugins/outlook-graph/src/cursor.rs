//! Where a pass over a collection stands, as text that only this connector reads.

use apptsync_plugin::types::Failure;
use serde::{Deserialize, Serialize};

/// Longest cursor that the contract has room for, in bytes.
const LONGEST: usize = 65_536;
/// Of the form of this text.
const VERSION: u32 = 1;

/// A cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    version: u32,
    /// Path and query at the configured origin of what is read next.
    pub(crate) link: String,
    /// The pass lists everything.
    pub(crate) full: bool,
    /// With the series that are open, nothing of this pass is left.
    pub(crate) last: bool,
    /// Masters of series that were mentioned and have yet to be read.
    pub(crate) series: Vec<String>,
}

impl Cursor {
    /// The beginning of a pass.
    pub(crate) fn new(link: String, full: bool) -> Self {
        Self { version: VERSION, link, full, last: false, series: Vec::new() }
    }

    /// # Errors
    ///
    /// `gone` for what is none of ours, or one of an older form: everything is read anew.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let cursor: Self = serde_json::from_str(text).map_err(|_| Failure::Gone)?;
        if cursor.version == VERSION && cursor.link.starts_with('/') { Ok(cursor) } else { Err(Failure::Gone) }
    }

    /// # Errors
    ///
    /// It is longer than the contract allows.
    pub(crate) fn write(&self) -> Result<String, Failure> {
        let text = serde_json::to_string(self).map_err(|error| Failure::Permanent(error.to_string()))?;
        if text.len() > LONGEST {
            return Err(Failure::Permanent(format!(
                "the cursor would have {} bytes; at most {LONGEST} are kept",
                text.len()
            )));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor =
            Cursor { series: vec!["m".into()], last: true, ..Cursor::new("/v1.0/x?$deltatoken=\"".into(), true) };
        assert_eq!(Cursor::parse(&cursor.write().unwrap()), Ok(cursor));
    }

    #[test]
    fn what_is_no_cursor_of_ours_is_gone() {
        let newer = Cursor { version: 2, ..Cursor::new("/x".into(), false) }.write().unwrap();
        let elsewhere = Cursor::new("https://evil.example/".into(), false).write().unwrap();
        for text in ["", "null", "{}", "https://graph.microsoft.com/", &newer, &elsewhere] {
            assert_eq!(Cursor::parse(text), Err(Failure::Gone), "{text}");
        }
        assert!(Cursor::new("x".repeat(LONGEST), false).write().is_err());
    }
}
