//! What the connector knows when the next page is asked for.

use apptsync_plugin::types::Failure;
use serde::{Deserialize, Serialize};

use crate::pull::Validator;

/// Longest cursor of the contract, in bytes.
const LONGEST: usize = 65_536;

/// Where a pass, or the pass to come, stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Cursor {
    /// Everything is being listed; what changes meanwhile is told by the token that was valid before.
    Listing {
        /// The token of the next pass.
        token: String,
        /// The last path of the pages before.
        after: String,
        /// Of the listing that is kept, so that the server is not asked for it for each page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kept: Option<String>,
    },
    /// What changed since a token, by sync-collection.
    Changes {
        /// The token that the server is asked with.
        from: String,
        /// Set on the second and later pages of what one answer listed.
        page: Option<ChangesPage>,
        /// What was read before the server was asked for the changes that the token comes from, or the first of these pages.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        validator: Option<Validator>,
    },
    /// What differs from the tags that are kept.
    Tags {
        /// The calendar's tag when the pass began, where the server has one.
        ctag: Option<String>,
        /// Of the tags that are kept: others are of another pass.
        digest: String,
        /// A pass is under way and tells everything, or only what differs; none between passes.
        under_way: Option<Extent>,
    },
}

/// See [`Cursor::Changes`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangesPage {
    /// The last path of the pages before.
    pub(crate) after: String,
    /// The token that the first of these pages came with: whatever changed after it is told again.
    pub(crate) to: String,
}

/// What a pass tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Extent {
    Everything,
    Differences,
}

impl Cursor {
    /// # Errors
    ///
    /// `gone`: it was not made by this connector.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|_| Failure::Gone)
    }

    /// # Errors
    ///
    /// `permanent`: what the server gave is too long to be kept.
    pub(crate) fn write(&self) -> Result<String, Failure> {
        let text = serde_json::to_string(self).map_err(|error| Failure::Permanent(error.to_string()))?;
        if text.len() > LONGEST {
            return Err(Failure::Permanent("the server's synchronisation token is too long to be kept".to_owned()));
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let page = ChangesPage { after: "/a/\"b\".ics".to_owned(), to: "u".to_owned() };
        for cursor in [
            Cursor::Listing { token: "t".to_owned(), after: "/a".to_owned(), kept: Some("d".to_owned()) },
            Cursor::Changes { from: "t".to_owned(), page: Some(page), validator: None },
            Cursor::Changes {
                from: "t".to_owned(),
                page: None,
                validator: Some(Validator { last_modified: 1, read_at: 2 }),
            },
            Cursor::Tags { ctag: None, digest: "d".to_owned(), under_way: Some(Extent::Everything) },
        ] {
            assert_eq!(Cursor::read(&cursor.write().expect("short enough")), Ok(cursor));
        }
        // As it was written before there was a validator.
        let old = Cursor::Changes { from: "t".to_owned(), page: None, validator: None };
        assert_eq!(Cursor::read(r#"{"changes":{"from":"t","page":null}}"#), Ok(old));
        for foreign in ["", "{}", "null", r#"{"listing":{}}"#, "t"] {
            assert_eq!(Cursor::read(foreign), Err(Failure::Gone));
        }
        let long = Cursor::Changes { from: "x".repeat(70_000), page: None, validator: None };
        assert!(matches!(long.write(), Err(Failure::Permanent(_))));
    }
}
