//! Ids as Exchange makes them: long, opaque, case-sensitive, base64 for addresses. Deterministic, so that a run can be
//! repeated. The ordinary id of an item changes with its folder, the immutable one does not.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use chrono::{Days, NaiveDate};
use sha2::{Digest as _, Sha256};

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Calendar = 1,
    Event = 2,
    TaskList = 3,
    Task = 4,
    ContactFolder = 5,
    Contact = 6,
}

/// The key of a mailbox, a part of every id in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MailboxKey([u8; 12]);

impl MailboxKey {
    pub(crate) fn of(address: &str) -> Self {
        let digest = Sha256::digest(address.to_lowercase().as_bytes());
        let mut key = [0; 12];
        key.copy_from_slice(&digest[..12]);
        Self(key)
    }
}

/// What stands in an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identifier {
    pub(crate) kind: Kind,
    /// Number of the item in its mailbox.
    pub(crate) item: u32,
    /// Number of the folder it lies in.
    pub(crate) folder: u32,
    /// The occurrence of a series, by its original date.
    pub(crate) date: Option<NaiveDate>,
    /// How often the ids of the series' occurrences were replaced.
    pub(crate) generation: u8,
}

const ORDINARY: &str = "AAMkAG";
const IMMUTABLE: &str = "AAkALgAA";
const NO_DATE: u32 = u32::MAX;

fn day_number(date: NaiveDate) -> u32 {
    u32::try_from(date.signed_duration_since(NaiveDate::default()).num_days() + 1_000_000).unwrap_or(NO_DATE)
}

impl Identifier {
    /// The id as clients see it.
    pub(crate) fn write(&self, mailbox: MailboxKey, immutable: bool) -> String {
        let mut bytes = Vec::with_capacity(28);
        bytes.extend_from_slice(&mailbox.0);
        bytes.push(self.kind as u8);
        bytes.push(self.generation);
        bytes.extend_from_slice(&self.date.map_or(NO_DATE, day_number).to_be_bytes());
        if !immutable {
            bytes.extend_from_slice(&self.folder.to_be_bytes());
        }
        bytes.extend_from_slice(&self.item.to_be_bytes());
        format!("{}{}", if immutable { IMMUTABLE } else { ORDINARY }, URL_SAFE.encode(bytes))
    }

    /// Takes an id apart: what it names, and whether it is immutable (its folder is then unknown, 0).
    pub(crate) fn read(text: &str, mailbox: MailboxKey) -> Option<(Self, bool)> {
        let (immutable, rest) = match text.strip_prefix(IMMUTABLE) {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix(ORDINARY)?),
        };
        let bytes = URL_SAFE.decode(rest).ok()?;
        if bytes.len() != if immutable { 22 } else { 26 } || !bytes.starts_with(&mailbox.0) {
            return None;
        }
        let kind = match bytes[12] {
            1 => Kind::Calendar,
            2 => Kind::Event,
            3 => Kind::TaskList,
            4 => Kind::Task,
            5 => Kind::ContactFolder,
            6 => Kind::Contact,
            _ => return None,
        };
        let number = |from: usize| {
            let mut four = [0; 4];
            four.copy_from_slice(&bytes[from..from + 4]);
            u32::from_be_bytes(four)
        };
        let date = match number(14) {
            NO_DATE => None,
            days => Some(
                NaiveDate::default()
                    .checked_sub_days(Days::new(1_000_000))?
                    .checked_add_days(Days::new(u64::from(days)))?,
            ),
        };
        let (folder, item) = if immutable { (0, number(18)) } else { (number(18), number(22)) };
        Some((Self { kind, item, folder, date, generation: bytes[13] }, immutable))
    }
}

/// `changeKey`, and between `W/"` and `"` the etag: changes with every write.
pub(crate) fn change_key(mailbox: MailboxKey, change: u64) -> String {
    let mut bytes = Vec::from(mailbox.0);
    bytes.extend_from_slice(&change.to_be_bytes());
    STANDARD.encode(bytes)
}

/// `iCalUId`: the same in every mailbox copy of an event, another one for each occurrence.
pub(crate) fn calendar_uid(mailbox: MailboxKey, item: u32, date: Option<NaiveDate>) -> String {
    let mut text = String::from("040000008200E00074C5B7101A82E008");
    text.push_str(&date.map_or_else(|| "00000000".into(), |date| date.format("%Y%m%d").to_string()));
    for byte in mailbox.0 {
        text.push_str(&format!("{byte:02X}"));
    }
    text.push_str(&format!("{item:08X}"));
    text
}

/// A GUID that follows from a text: request ids, user ids.
pub(crate) fn guid(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_belong_to_one_mailbox() {
        let (anna, bert) = (MailboxKey::of("anna@example.com"), MailboxKey::of("bert@example.com"));
        let date = NaiveDate::from_ymd_opt(2026, 3, 29);
        for date in [None, date] {
            let id = Identifier { kind: Kind::Event, item: 7, folder: 3, date, generation: 1 };
            assert_eq!(Identifier::read(&id.write(anna, false), anna), Some((id, false)));
            assert_eq!(Identifier::read(&id.write(anna, true), anna), Some((Identifier { folder: 0, ..id }, true)));
            assert_eq!(Identifier::read(&id.write(anna, true), bert), None);
            assert_eq!(Identifier::read(&id.write(anna, true).to_lowercase(), anna), None);
        }
    }
}
