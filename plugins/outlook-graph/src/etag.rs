//! ETags as we hand them out: the server's, and before it what has to be known when that very version is written.
//!
//! A write has no time to look at the item first, and an item's ETag says exactly which version it looked at.

use serde_json::Value;

const FENCE: char = '~';
const SERIES: char = '#';
const ZONE: char = '@';
/// Longest ETag of a server, in bytes: marks need room beside it.
const LONGEST: usize = 900;
/// Longest name of a zone, in bytes.
const LONGEST_ZONE: usize = 64;

/// What a version of an item says to who writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Its body holds how to join an online meeting, and would lose it.
    pub(crate) is_online_meeting: bool,
    /// The owner invited others, who would get mail.
    pub(crate) has_guests: bool,
    /// It is the master of a series, whose times must stay in its zone.
    pub(crate) is_master: bool,
    /// It holds more than the contract knows, in lists that are written whole.
    pub(crate) has_more: bool,
    /// Tells the series apart that it belongs to; empty for single items.
    pub(crate) series: String,
    /// IANA name of the zone that somebody chose for it; empty where it is the account's.
    pub(crate) zone: String,
}

impl Marks {
    const LETTERS: [char; 4] = ['o', 'g', 'm', 'x'];

    fn flags(&self) -> [bool; 4] {
        [self.is_online_meeting, self.has_guests, self.is_master, self.has_more]
    }
}

/// The mark of a series: short, because an id of a series has not enough room beside an ETag (FNV-1a).
pub(crate) fn series(id: &str) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", id.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
}

/// The server's ETag of an entity.
///
/// # Errors
///
/// It has none.
pub(crate) fn of(entity: &Value) -> Result<&str, String> {
    let etag = entity["@odata.etag"].as_str().filter(|etag| (1..=LONGEST).contains(&etag.len()));
    etag.ok_or_else(|| "it has no ETag".to_owned())
}

/// An ETag with marks; without any, it is the server's.
pub(crate) fn with_marks(etag: &str, marks: &Marks) -> String {
    let mut said: String =
        Marks::LETTERS.into_iter().zip(marks.flags()).filter(|(_, is_set)| *is_set).map(|(letter, _)| letter).collect();
    for (sign, text) in [(SERIES, &marks.series), (ZONE, &marks.zone)] {
        if !text.is_empty() && text.len() <= LONGEST_ZONE {
            said.push(sign);
            said.push_str(text);
        }
    }
    if said.is_empty() { etag.to_owned() } else { format!("{FENCE}{said}{FENCE}{etag}") }
}

/// The marks, and the server's ETag.
pub(crate) fn split(etag: &str) -> (Marks, &str) {
    let Some((said, rest)) = etag.strip_prefix(FENCE).and_then(|rest| rest.split_once(FENCE)) else {
        return (Marks::default(), etag);
    };
    let (said, zone) = said.split_once(ZONE).unwrap_or((said, ""));
    let (letters, series) = said.split_once(SERIES).unwrap_or((said, ""));
    let [is_online_meeting, has_guests, is_master, has_more] = Marks::LETTERS.map(|letter| letters.contains(letter));
    let (series, zone) = (series.to_owned(), zone.to_owned());
    (Marks { is_online_meeting, has_guests, is_master, has_more, series, zone }, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_put_before_an_etag_and_read_again() {
        let etag = "W/\"abc~d\"";
        assert_eq!(with_marks(etag, &Marks::default()), etag);
        assert_eq!(split(etag), (Marks::default(), etag));
        let flags = Marks { is_online_meeting: true, is_master: true, ..Marks::default() };
        let zone = Marks { zone: "America/Los_Angeles".to_owned(), ..Marks::default() };
        let all = Marks { has_guests: true, has_more: true, series: series("AAMk="), ..zone.clone() };
        for marks in [flags, zone, all] {
            assert_eq!(split(&with_marks(etag, &marks)), (marks, etag));
        }
    }

    #[test]
    fn the_longest_etag_has_room_for_all_marks() {
        let long = "x".repeat(LONGEST);
        let entity = serde_json::json!({"@odata.etag": long});
        let marks = Marks {
            is_online_meeting: true,
            has_guests: true,
            is_master: true,
            has_more: true,
            series: series(""),
            zone: "z".repeat(LONGEST_ZONE),
        };
        assert!(with_marks(of(&entity).unwrap(), &marks).len() <= 1_024);
    }
}
