//! Delta rounds. A token stands for what its holder knows: the versions of all items then reported. A round compares
//! them with what is there now, and gives the differences page by page; old tokens go on working.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;

use crate::error::GraphError;
use crate::series::Window;

/// What a delta query follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    Calendar(u32),
    Tasks(u32),
    Contacts(u32),
}

/// An item in delta: its number, and the date for an instance of a series.
pub(crate) type Key = (u32, Option<NaiveDate>);

/// Items with their versions.
pub(crate) type Known = Arc<BTreeMap<Key, u64>>;

/// One line of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Changed(Key),
    Removed(Key),
}

/// What a deltaLink stands for.
#[derive(Debug, Clone)]
pub(crate) struct Position {
    pub(crate) scope: Scope,
    pub(crate) window: Option<Window>,
    pub(crate) known: Known,
    /// The mailbox's latest change then.
    pub(crate) since: u64,
}

/// A round under way.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) scope: Scope,
    entries: Arc<Vec<Entry>>,
    /// The token at its end.
    after: u64,
    /// Whether it answers a deltaLink rather than a first query.
    pub(crate) incremental: bool,
}

/// All tokens of a mailbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds {
    positions: BTreeMap<u64, Position>,
    rounds: BTreeMap<u64, Round>,
    next: u64,
}

/// A place in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) round: u64,
    pub(crate) offset: usize,
    /// An empty page came before.
    pub(crate) after_empty: bool,
}

/// A page of a round.
pub(crate) struct Page {
    pub(crate) entries: Vec<Entry>,
    pub(crate) link: Link,
}

/// How it goes on after a page: the token of a nextLink or a deltaLink.
pub(crate) enum Link {
    Next(String),
    Delta(String),
}

fn token(kind: u8, number: u64, offset: usize) -> String {
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&(offset as u64).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn read_token(text: &str, kind: u8) -> Option<(u64, usize)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let number = |from: usize| Some(u64::from_be_bytes(bytes.get(from..from + 8)?.try_into().ok()?));
    (bytes.len() == 17 && bytes[0] == kind).then_some(())?;
    Some((number(1)?, usize::try_from(number(9)?).ok()?))
}

/// 410 for a token that the service has forgotten, or never gave.
pub(crate) fn gone(code: &str) -> GraphError {
    GraphError::new(410, code, "The sync state generation is not found; a full synchronization is required.")
}

impl Rounds {
    /// Begins a round that leads from what is known to what is there now. `entries` are the differences, in order.
    pub(crate) fn begin(
        &mut self,
        known: &Position,
        now: Known,
        since: u64,
        entries: Vec<Entry>,
        incremental: bool,
    ) -> u64 {
        let after = self.next;
        self.positions.insert(after, Position { scope: known.scope.clone(), window: known.window, known: now, since });
        let round = Round { scope: known.scope.clone(), entries: Arc::new(entries), after, incremental };
        self.rounds.insert(after + 1, round);
        self.next += 2;
        after + 1
    }

    /// What a `$deltatoken` stands for.
    ///
    /// # Errors
    /// 410 for an unknown one.
    pub(crate) fn position(&self, text: &str) -> Result<Position, GraphError> {
        let found = read_token(text, b'd').and_then(|(number, _)| self.positions.get(&number));
        found.cloned().ok_or_else(|| gone("syncStateNotFound"))
    }

    /// The place in a round that a `$skiptoken` stands for.
    ///
    /// # Errors
    /// 410 for an unknown one.
    pub(crate) fn place(&self, text: &str) -> Result<Place, GraphError> {
        let place = |kind, after_empty| {
            let (round, offset) = read_token(text, kind)?;
            self.rounds.contains_key(&round).then_some(Place { round, offset, after_empty })
        };
        place(b's', false).or_else(|| place(b'e', true)).ok_or_else(|| gone("syncStateNotFound"))
    }

    pub(crate) fn get(&self, round: u64) -> Option<&Round> {
        self.rounds.get(&round)
    }

    /// A page of a round. A series is never split over pages, so a page may be longer than asked for.
    pub(crate) fn page(&self, round: u64, offset: usize, size: usize) -> Option<Page> {
        let found = self.rounds.get(&round)?;
        let item = |at: usize| found.entries.get(at).map(|(Entry::Changed(key) | Entry::Removed(key))| key.0);
        let mut end = (offset + size.max(1)).min(found.entries.len());
        while end > offset && end < found.entries.len() && item(end) == item(end - 1) {
            end += 1;
        }
        let entries = found.entries.get(offset..end).unwrap_or_default().to_vec();
        let link = if end < found.entries.len() {
            Link::Next(token(b's', round, end))
        } else {
            Link::Delta(token(b'd', found.after, 0))
        };
        Some(Page { entries, link })
    }

    /// The token of a nextLink from an empty page to what should have stood on it.
    pub(crate) fn past_empty(place: Place) -> String {
        token(b'e', place.round, place.offset)
    }
}

/// The differences between what is known and what is there now: changes by item, then removals.
pub(crate) fn differences(known: &BTreeMap<Key, u64>, now: &BTreeMap<Key, u64>) -> Vec<Entry> {
    let changed =
        now.iter().filter(|(key, version)| known.get(*key) != Some(*version)).map(|(key, _)| Entry::Changed(*key));
    let removed = known.keys().filter(|key| !now.contains_key(*key)).map(|key| Entry::Removed(*key));
    changed.chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_lead_to_a_token_and_keep_series_together() {
        let day = |day| NaiveDate::from_ymd_opt(2026, 1, day);
        let now: BTreeMap<Key, u64> =
            [((1, None), 1), ((2, None), 1), ((2, day(1)), 1), ((2, day(2)), 1), ((3, None), 1)].into();
        let start = Position { scope: Scope::Calendar(1), window: None, known: Known::default(), since: 0 };
        let mut rounds = Rounds::default();
        let entries = differences(&start.known, &now);
        let round = rounds.begin(&start, Arc::new(now), 1, entries, false);
        let first = rounds.page(round, 0, 2).unwrap();
        assert_eq!(first.entries.len(), 4);
        let Link::Next(next) = first.link else { panic!("a page is missing") };
        let place = rounds.place(&next).unwrap();
        let second = rounds.page(place.round, place.offset, 2).unwrap();
        let Link::Delta(token) = second.link else { panic!("a page too many") };
        assert_eq!(rounds.position(&token).unwrap().known.len(), 5);
        assert_eq!(rounds.position("x").unwrap_err().status, 410);
        assert_eq!(rounds.place(&token).unwrap_err().status, 410);
    }
}
