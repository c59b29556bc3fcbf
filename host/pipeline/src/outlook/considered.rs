//! The links and objects that a plan has to look at. What both sides agree on and nobody touched is counted and left where it
//! is: a run needs memory for what changed, not for what is linked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use apptsync_model::outlook::{HeadquartersId, Identity, ItemKind, Link, LinkId, LinkState, RemoteItem};
use apptsync_store::Side;

use super::decide::FLAPS;
use super::snapshot::{HeadquartersItem, Place};

/// What makes a link worth looking at although both sides agree: something was seen of its item or of one that may take its
/// place, a write is not confirmed, or a person decided.
#[derive(Debug)]
pub struct Touched<'a> {
    unsettled: &'a BTreeSet<LinkId>,
    answers: &'a BTreeMap<HeadquartersId, Side>,
    items: HashSet<(ItemKind, &'a str)>,
    keys: HashSet<&'a str>,
    uids: HashSet<(ItemKind, &'a str)>,
    series: HashSet<(ItemKind, &'a str)>,
}

impl<'a> Touched<'a> {
    /// By what was seen: items by their remote ids, with what they say where they are there.
    pub fn new(
        seen: impl IntoIterator<Item = (ItemKind, &'a str, Option<&'a RemoteItem>)>,
        unsettled: &'a BTreeSet<LinkId>,
        answers: &'a BTreeMap<HeadquartersId, Side>,
    ) -> Self {
        let mut touched = Self {
            unsettled,
            answers,
            items: HashSet::new(),
            keys: HashSet::new(),
            uids: HashSet::new(),
            series: HashSet::new(),
        };
        for (kind, remote_id, item) in seen {
            touched.items.insert((kind, remote_id));
            let Some(item) = item else { continue };
            if let Identity::Ours(key) = &item.identity {
                touched.keys.insert(key);
            }
            if !item.uid.is_empty() {
                touched.uids.insert((kind, &item.uid));
            }
            if let Some(occurrence) = &item.occurrence {
                touched.series.insert((kind, &occurrence.series));
            }
        }
        touched
    }

    fn has(&self, link: &Link) -> bool {
        let kind = link.kind;
        let is_seen = |id: &String| self.items.contains(&(kind, id)) || self.series.contains(&(kind, id));
        link.remote_id.as_ref().is_some_and(is_seen)
            || link.occurrence.as_ref().is_some_and(|occurrence| self.series.contains(&(kind, &occurrence.series)))
            || self.keys.contains(link.our_id.as_str())
            || self.uids.contains(&(kind, link.base.uid.as_str()))
            || self.unsettled.contains(&link.id)
            || link.headquarters.as_ref().is_some_and(|object| self.answers.contains_key(object))
    }
}

/// What a plan has to look at, and how much else there is.
#[derive(Debug, Clone, Default)]
pub struct Considered {
    /// Links, by number.
    pub links: Vec<Link>,
    /// Their objects, and those that nothing is tied to.
    pub headquarters: BTreeMap<HeadquartersId, HeadquartersItem>,
    /// How many more links are in the window or near it.
    pub settled: u64,
    /// The series whose occurrences these are.
    pub settled_series: BTreeSet<(ItemKind, String)>,
    /// The last incarnation of the items of each object, where there was one before what is linked now.
    pub incarnations: Incarnations,
}

impl Considered {
    /// Takes a link with its object in, or counts it where it is settled and nothing touched it; without `touched`, takes all.
    pub fn take(&mut self, link: Link, ours: Option<HeadquartersItem>, touched: Option<&Touched<'_>>) {
        if link.state == LinkState::Tombstone && touched.is_some() {
            // What is buried counts for what is made next. Its object is that of another link by now, or of none.
            count(&mut self.incarnations, &link);
            return;
        }
        if touched.is_some_and(|touched| is_settled(&link, ours.as_ref()) && !touched.has(&link)) {
            let is_near = ours.is_some_and(|ours| matches!(ours.place, Place::Window | Place::Margin));
            self.settled += u64::from(link.state == LinkState::Linked && is_near);
            if let Some(occurrence) = link.occurrence {
                self.settled_series.insert((link.kind, occurrence.series));
            }
            return;
        }
        count(&mut self.incarnations, &link);
        if let Some(ours) = ours {
            self.headquarters.insert(ours.id.clone(), ours);
        }
        self.links.push(link);
    }

    /// Takes an object in that nothing is tied to.
    pub fn take_new(&mut self, ours: HeadquartersItem) {
        self.headquarters.insert(ours.id.clone(), ours);
    }
}

/// The last incarnation of the items of each object.
pub type Incarnations = HashMap<(ItemKind, HeadquartersId), u32>;

/// The last incarnation of the items of each object, by what the links say.
#[must_use]
pub fn incarnations(links: &[Link]) -> Incarnations {
    let mut incarnations = HashMap::new();
    links.iter().for_each(|link| count(&mut incarnations, link));
    incarnations
}

fn count(incarnations: &mut Incarnations, link: &Link) {
    if let Some(object) = &link.headquarters {
        let last = incarnations.entry((link.kind, object.clone())).or_default();
        *last = link.incarnation.max(*last);
    }
}

/// True for a link that no plan does anything about as long as nothing touches it: the headquarters says what it said when
/// both last agreed, or it is of no concern any more.
fn is_settled(link: &Link, ours: Option<&HeadquartersItem>) -> bool {
    match link.state {
        LinkState::Ignored | LinkState::Tombstone => true,
        // Back in the window, it would be synchronised again.
        LinkState::Unlinked => ours.is_none_or(|ours| ours.place != Place::Window || ours.withdrawn),
        LinkState::Linked => {
            let agrees = |ours: &HeadquartersItem| {
                !ours.withdrawn && ours.place != Place::Filtered && ours.fields == link.base.headquarters
            };
            link.remote_id.is_some()
                && link.flaps.len() < FLAPS
                && !link.base.is_locked
                && link.filtered_since.is_none()
                && ours.is_some_and(agrees)
        }
        LinkState::CreatingRemote | LinkState::Suppressed | LinkState::Quarantined => false,
    }
}
