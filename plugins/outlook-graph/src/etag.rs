//! ETags as we hand them out: the server's, and before it what has to be known when that very version is written.
//!
//! A write has no time to look at the item first, and an item's ETag says exactly which version it looked at.

use serde_json::Value;

const FENCE: char = '~';

/// What a version of an event forbids.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Its body holds how to join an online meeting, and would lose it.
    pub(crate) is_online_meeting: bool,
    /// The owner invited others, who would get mail.
    pub(crate) has_guests: bool,
    /// It is the master of a series, whose times must stay in its zone.
    pub(crate) is_master: bool,
}

impl Marks {
    const LETTERS: [char; 3] = ['o', 'g', 'm'];

    fn flags(self) -> [bool; 3] {
        [self.is_online_meeting, self.has_guests, self.is_master]
    }
}

/// The server's ETag of an entity.
///
/// # Errors
///
/// It has none.
pub(crate) fn of(entity: &Value) -> Result<&str, String> {
    let etag = entity["@odata.etag"].as_str().filter(|etag| (1..=1_000).contains(&etag.len()));
    etag.ok_or_else(|| "it has no ETag".to_owned())
}

/// An ETag with marks; without any, it is the server's.
pub(crate) fn with_marks(etag: &str, marks: Marks) -> String {
    let letters: String =
        Marks::LETTERS.into_iter().zip(marks.flags()).filter(|(_, is_set)| *is_set).map(|(letter, _)| letter).collect();
    if letters.is_empty() { etag.to_owned() } else { format!("{FENCE}{letters}{FENCE}{etag}") }
}

/// The marks, and the server's ETag.
pub(crate) fn split(etag: &str) -> (Marks, &str) {
    let Some((letters, rest)) = etag.strip_prefix(FENCE).and_then(|rest| rest.split_once(FENCE)) else {
        return (Marks::default(), etag);
    };
    let [is_online_meeting, has_guests, is_master] = Marks::LETTERS.map(|letter| letters.contains(letter));
    (Marks { is_online_meeting, has_guests, is_master }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_put_before_an_etag_and_read_again() {
        let etag = "W/\"abc~d\"";
        assert_eq!(with_marks(etag, Marks::default()), etag);
        assert_eq!(split(etag), (Marks::default(), etag));
        let marks = Marks { is_online_meeting: true, has_guests: false, is_master: true };
        assert_eq!(split(&with_marks(etag, marks)), (marks, etag));
    }
}
