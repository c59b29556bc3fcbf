//! The connector for calendar files, broken in the one way that the key `broken` of its configuration says: a calendar that its
//! owner sees as it is, behind a connector that does not do what the contract wants. Without the key it is as good as any.

#![expect(clippy::panic, reason = "one of the ways to be broken")]
#![expect(unreachable_pub, reason = "the sources are those of a library")]

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use apptsync_plugin::configuration;
use apptsync_plugin::connector::{
    Account, Change, Connection, Connector, Create, Identity, Item, Operation, Outcome, Page, Target, VersionsPage,
    Window,
};
use apptsync_plugin::types::Failure;
use mailbox::Mailbox;

// The sources, and not the package: that would be built without its exports, in the place of the one with them.
#[path = "../../../plugins/calendar-file/src/file.rs"]
mod file;
#[path = "../../../plugins/calendar-file/src/mailbox.rs"]
mod mailbox;

struct Broken;

apptsync_plugin::export_connector!(Broken);

impl Connector for Broken {
    fn probe(account: Account) -> Result<Connection, Failure> {
        mailbox(&account)?.probe()
    }

    fn pull(account: Account, target: Target, window: Window, cursor: Option<String>) -> Result<Page, Failure> {
        let mut page = mailbox(&account)?.pull(target.kind, &window, cursor.as_deref())?;
        match way().as_str() {
            "drops-every-third" => {
                let mut place = 0;
                page.changes.retain(|_| {
                    place += 1;
                    place % 3 != 0
                });
            }
            "takes-everything-for-gone" => page.changes.clear(),
            // What left the window, for one, is no longer listed either.
            "says-removed-of-everything" => {
                let id = |change: Change| match change {
                    Change::Present(item) => item.remote_id,
                    Change::Series(series) => series.id,
                    Change::Known(known) => known.remote_id,
                    Change::Removed(id) => id,
                };
                page.changes = page.changes.into_iter().map(|change| Change::Removed(id(change))).collect();
                page.full = false;
            }
            "tells-everything-twice-and-backwards" => {
                let again = page.changes.clone();
                page.changes.extend(again);
                page.changes.reverse();
            }
            _ => {}
        }
        page.changes.iter_mut().for_each(disguise_change);
        Ok(page)
    }

    fn versions(_: Account, _: Target, _: Window, _: Option<String>) -> Result<Option<VersionsPage>, Failure> {
        Ok(None)
    }

    fn fetch(
        account: Account,
        target: Target,
        remote_ids: Vec<String>,
    ) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        if matches!(way().as_str(), "takes-everything-for-gone" | "says-removed-of-everything") {
            return Ok(remote_ids.iter().map(|_| Ok(None)).collect());
        }
        let mut found = mailbox(&account)?.fetch(target.kind, &remote_ids)?;
        found.iter_mut().flatten().flatten().for_each(disguise);
        Ok(found)
    }

    fn find(account: Account, target: Target, our_ids: Vec<String>) -> Result<Vec<Vec<Item>>, Failure> {
        let mut found = mailbox(&account)?.find(target.kind, &our_ids)?;
        found.iter_mut().flatten().for_each(disguise);
        Ok(found)
    }

    fn push(account: Account, target: Target, batch: Vec<Operation>) -> Result<Vec<Outcome>, Failure> {
        let mailbox = mailbox(&account)?;
        let way = way();
        if way == "reports-success-and-does-nothing" {
            let said = |operation: &Operation| Ok(Outcome::Done(said(&mailbox, &target, operation)?));
            return batch.iter().map(said).collect();
        }
        let batch: Vec<Operation> = batch.into_iter().map(undisguised).collect();
        let mut outcomes = mailbox.push(target.kind, &batch)?;
        match way.as_str() {
            "ignores-keys-and-loses-answers" => {
                let lost = || Outcome::Failed(Failure::Transient("no answer".to_owned()));
                outcomes.iter_mut().for_each(|outcome| *outcome = lost());
            }
            "traps-after-writing" => panic!("after {} writes", batch.len()),
            "answers-with-another" => {
                let page = mailbox.pull(target.kind, &Window { start: 0, end: i64::from(u32::MAX) }, None)?;
                let first = page.changes.into_iter().find_map(|change| match change {
                    Change::Present(item) => Some(item),
                    _ => None,
                });
                outcomes.iter_mut().for_each(|outcome| *outcome = Outcome::Done(first.clone()));
            }
            _ => {}
        }
        for outcome in &mut outcomes {
            if let Outcome::Done(Some(item)) = outcome {
                disguise(item);
            }
        }
        Ok(outcomes)
    }
}

/// The mailbox of an account, in the folder that is granted.
fn mailbox(account: &Account) -> Result<Mailbox, Failure> {
    let folders = configuration::get("folders").map_err(Failure::Permanent)?.unwrap_or_default();
    let folder = configuration::list(&folders).map_err(Failure::Permanent)?.remove(0);
    Mailbox::new(PathBuf::from(folder), account, 1_796_000_000)
}

/// The way to be broken; empty for none.
fn way() -> String {
    configuration::get("broken").ok().flatten().unwrap_or_default()
}

/// Different at each look.
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

fn disguise_change(change: &mut Change) {
    match change {
        Change::Present(item) => disguise(item),
        Change::Series(series) => series.occurrences.iter_mut().for_each(disguise),
        Change::Known(_) | Change::Removed(_) => {}
    }
}

/// What a broken connector makes of an item that it read.
fn disguise(item: &mut Item) {
    match way().as_str() {
        "has-no-echo" => item.etag = format!("{}~{}", item.etag, now()),
        "says-that-everything-is-ours" => item.identity = Identity::Ours("0000-of-nobody".to_owned()),
        _ => {}
    }
}

/// What a broken connector makes of an operation before it is carried out.
fn undisguised(mut operation: Operation) -> Operation {
    let real = |etag: &str| etag.split('~').next().unwrap_or_default().to_owned();
    match &mut operation {
        Operation::Create(Create { key, .. }) if way() == "ignores-keys-and-loses-answers" => {
            *key = format!("{:032x}", now());
        }
        Operation::Create(_) => {}
        Operation::Update(update) => update.etag = real(&update.etag),
        Operation::Delete(reference) | Operation::Disown(reference) => reference.etag = real(&reference.etag),
        Operation::Mark(mark) => mark.etag = real(&mark.etag),
    }
    operation
}

/// What is said of an operation that was not carried out.
fn said(mailbox: &Mailbox, target: &Target, operation: &Operation) -> Result<Option<Item>, Failure> {
    let id = match operation {
        Operation::Create(create) => {
            return Ok(Some(Item {
                remote_id: format!("phantom-{}", create.our_id),
                etag: "phantom".to_owned(),
                collection: target.collection.clone(),
                identity: Identity::Ours(create.our_id.clone()),
                writer: Some(create.writer.clone()),
                uid: String::new(),
                content: create.content.clone(),
                private: false,
                cancelled: false,
                is_organizer: true,
                has_attendees: false,
                occurrence: None,
                changed_at: None,
            }));
        }
        Operation::Update(update) => &update.remote_id,
        Operation::Delete(_) => return Ok(None),
        Operation::Disown(reference) => &reference.remote_id,
        Operation::Mark(mark) => &mark.remote_id,
    };
    mailbox.fetch(target.kind, std::slice::from_ref(id))?.remove(0)
}
