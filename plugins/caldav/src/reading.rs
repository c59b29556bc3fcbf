//! Stored objects as items of the contract.

use apptsync_calendar::{Calendar, Effort, Object, Place, Unreadable, Viewer, instants};
use apptsync_plugin::connector::{Account, Change, Content, Entry, Identity, Item, Kind, Reference, Series, Window};
use apptsync_plugin::types::{Failure, Instant};

use crate::address::Path;
use crate::objects::Stored;
use crate::query;
use crate::versions::Lying;

/// What an object is to a listing.
#[derive(Debug)]
pub(crate) enum Holding {
    /// One item.
    Single(Lying),
    /// A series: its occurrences in the window.
    Series(Vec<Reference>),
}

/// Reads objects of one kind through the eyes of an account.
pub(crate) struct Reader {
    pub(crate) viewer: Viewer,
    pub(crate) kind: Kind,
}

impl Reader {
    /// A reader for an account.
    ///
    /// # Errors
    ///
    /// `permanent`: contacts, or a time zone that is none.
    pub(crate) fn new(account: &Account, kind: Kind) -> Result<Self, Failure> {
        if kind == Kind::Contact {
            return Err(Failure::Permanent("CalDAV has appointments and tasks, but no contacts".to_owned()));
        }
        Ok(Self { viewer: Viewer::of(account).map_err(Failure::Permanent)?, kind })
    }

    /// What a pull says of an object: its item or, of a series, what of it lies in the window. Nothing when it is of another
    /// kind.
    ///
    /// A single item may have been a series, and a series with our id a single item, before the pass. One that lists
    /// everything shows what is no longer there; the others say so first.
    ///
    /// # Errors
    ///
    /// It cannot be read; the text says why.
    pub(crate) fn changes(
        &self,
        path: &Path,
        stored: &Stored,
        window: &Window,
        full: bool,
        effort: &mut Effort,
    ) -> Result<Vec<Change>, String> {
        let read = self.with(stored, |object| {
            let (collection, version) = (path.parent(), stored.version());
            let place = place(path, &version, &collection);
            let why = |error: Unreadable| error.to_string();
            let id = || path.as_str().to_owned();
            let own = object.item(&place, &self.viewer).map_err(why)?;
            if !object.is_series() {
                let before = (!full).then(|| Change::Series(Series { id: id(), occurrences: Vec::new() }));
                return Ok(own
                    .map(|item| before.into_iter().chain([Change::Present(item)]).collect())
                    .unwrap_or_default());
            }
            let found = object.occurrences(window, &place, &self.viewer, effort).map_err(why)?;
            if found.truncated {
                return Err(format!("it has more than {} occurrences in the window", found.items.len()));
            }
            if full && found.items.is_empty() {
                return Ok(Vec::new());
            }
            let was_single = !full && own.is_some_and(|item| matches!(item.identity, Identity::Ours(_)));
            let before = was_single.then(|| Change::Removed(id()));
            let series = Change::Series(Series { id: id(), occurrences: found.items });
            Ok(before.into_iter().chain([series]).collect())
        });
        read.map(Option::unwrap_or_default)
    }

    /// What a listing says of an object; what is private or called off lies nowhere.
    ///
    /// # Errors
    ///
    /// It cannot be read; the text says why.
    pub(crate) fn holding(
        &self,
        path: &Path,
        stored: &Stored,
        window: &Window,
        effort: &mut Effort,
    ) -> Result<Holding, String> {
        let is_hidden = |item: &Item| item.private || item.cancelled;
        let read = self.with(stored, |object| {
            let (collection, version) = (path.parent(), stored.version());
            let place = place(path, &version, &collection);
            let why = |error: Unreadable| error.to_string();
            if object.is_series() {
                let found = object.occurrences(window, &place, &self.viewer, effort).map_err(why)?;
                if found.truncated {
                    return Err(format!("it has more than {} occurrences in the window", found.items.len()));
                }
                let shown = found.items.into_iter().filter(|item| !is_hidden(item));
                let reference = |item: Item| Reference { remote_id: item.remote_id, etag: item.etag };
                return Ok(Holding::Series(shown.map(reference).collect()));
            }
            let item = object.item(&place, &self.viewer).map_err(why)?.filter(|item| !is_hidden(item));
            let lying = match item.map(|item| item.content) {
                Some(Content::Entry(Entry { period: Some(period), .. })) => instants(&period, self.viewer.zone)
                    .map_or(Lying::Anywhere, |(start, end)| Lying::Between(start, end)),
                Some(_) => Lying::Anywhere,
                None => Lying::Nowhere,
            };
            Ok(Holding::Single(lying))
        })?;
        Ok(read.unwrap_or(Holding::Single(Lying::Nowhere)))
    }

    /// True for an object that is one item, and no series.
    pub(crate) fn is_single(&self, stored: &Stored) -> bool {
        self.with(stored, |object| Ok(!object.is_series())).is_ok_and(|single| single == Some(true))
    }

    /// The object's own item or one occurrence of it. None when there is no such occurrence.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is of another kind; the text says why.
    pub(crate) fn item(
        &self,
        path: &Path,
        stored: &Stored,
        original_start: Option<Instant>,
    ) -> Result<Option<Item>, String> {
        self.item_in(&path.parent(), path, stored, original_start)
    }

    /// As [`Reader::item`], of an object that now lies in another collection than its remote id says.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is of another kind; the text says why.
    pub(crate) fn item_in(
        &self,
        collection: &Path,
        path: &Path,
        stored: &Stored,
        original_start: Option<Instant>,
    ) -> Result<Option<Item>, String> {
        let version = stored.version();
        let read = self.with(stored, |object| {
            let place = place(path, &version, collection);
            match original_start {
                Some(start) => object.occurrence(start, &place, &self.viewer).map_err(|error| error.to_string()),
                None => match object.item(&place, &self.viewer).map_err(|error| error.to_string())? {
                    Some(item) => Ok(Some(item)),
                    None => Err("it has only single occurrences of a series that is not here".to_owned()),
                },
            }
        })?;
        read.ok_or_else(|| format!("it has no {}", query::component(self.kind)))
    }

    /// The items of an object that carry some of our ids, each with the position of its id.
    ///
    /// # Errors
    ///
    /// It cannot be read and has one of the ids in it, so that nobody can say whether it carries it; the text says why.
    pub(crate) fn carrying(
        &self,
        path: &Path,
        stored: &Stored,
        our_ids: &[String],
    ) -> Result<Vec<(usize, Item)>, String> {
        let (collection, version) = (path.parent(), stored.version());
        let read = self.with(stored, |object| {
            let place = place(path, &version, &collection);
            let why = |error: Unreadable| error.to_string();
            let mut found = Vec::new();
            if object.is_series() {
                for (position, our_id) in our_ids.iter().enumerate() {
                    let items = object.carrying(our_id, &place, &self.viewer).map_err(why)?;
                    found.extend(items.into_iter().map(|item| (position, item)));
                }
            } else if let Some(item) = object.item(&place, &self.viewer).map_err(why)?
                && let Identity::Ours(id) = &item.identity
                && let Some(position) = our_ids.iter().position(|our_id| our_id == id)
            {
                found.push((position, item));
            }
            Ok(found)
        });
        let has = |id: &String| !id.is_empty() && stored.data.windows(id.len()).any(|part| part == id.as_bytes());
        match read {
            Ok(found) => Ok(found.unwrap_or_default()),
            Err(why) if our_ids.iter().any(has) => Err(why),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Who takes part in the object.
    ///
    /// # Errors
    ///
    /// It cannot be read; the text says why.
    pub(crate) fn people(&self, stored: &Stored) -> Result<Vec<String>, String> {
        Ok(self.with(stored, |object| Ok(object.people()))?.unwrap_or_default())
    }

    /// The UID of the object that a resource holds.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is of another kind; the text says why.
    pub(crate) fn uid(&self, stored: &Stored) -> Result<String, String> {
        let uid = self.with(stored, |object| Ok(object.uid().to_owned()))?;
        uid.ok_or_else(|| format!("it has no {}", query::component(self.kind)))
    }

    /// A resource holds one object (RFC 4791 4.1). None when it is of another kind.
    fn with<T>(
        &self,
        stored: &Stored,
        read: impl FnOnce(Object<'_>) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let calendar = Calendar::parse(&stored.data).map_err(|error| error.to_string())?;
        let object = calendar.objects().find(|object| object.kind() == self.kind);
        match object {
            Some(object) => read(object).map(Some),
            None if calendar.has_unidentified() => Err("it has no UID".to_owned()),
            None => Ok(None),
        }
    }
}

fn place<'a>(path: &'a Path, version: &'a str, collection: &'a Path) -> Place<'a> {
    Place { remote_id: path.as_str(), etag: version, collection: collection.as_str() }
}
