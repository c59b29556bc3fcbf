//! The conversion for connectors. What a server says through a plugin is untrusted twice.

use apptsync_model::outlook as model;
use apptsync_model::{Period, text};

use super::{Broken, Checked, at_most, instant, line, lines, period, priority_in, priority_out, word};
use crate::bindings::exports::ibus::appointments::connector as exports;
use crate::bindings::ibus::appointments::types as wit;

const MAX_REMOTE_ID: usize = 1_024;
const MAX_CURSOR: usize = 65_536;
const MAX_COLLECTIONS: usize = 1_024;
const MAX_CHANGES: usize = 1_024;
const MAX_ITEMS: usize = 4_096;
const MAX_OUR_ID: usize = 64;
const MAX_ZONE: usize = 64;
/// How many items may carry one key of ours: more are no copies any more.
const MAX_FOUND: usize = 64;
/// Shortest time that an appointment takes, in seconds: Outlook knows appointments without a duration.
const SHORTEST: i64 = 60;

pub(crate) fn kind_in(kind: model::ItemKind) -> exports::Kind {
    match kind {
        model::ItemKind::Appointment => exports::Kind::Appointment,
        model::ItemKind::Task => exports::Kind::Task,
        model::ItemKind::Contact => exports::Kind::Contact,
    }
}

fn kind_out(kind: exports::Kind) -> model::ItemKind {
    match kind {
        exports::Kind::Appointment => model::ItemKind::Appointment,
        exports::Kind::Task => model::ItemKind::Task,
        exports::Kind::Contact => model::ItemKind::Contact,
    }
}

pub(crate) fn failure(value: wit::Failure) -> model::ConnectorFailure {
    match value {
        wit::Failure::Throttled(seconds) => model::ConnectorFailure::Throttled(seconds),
        wit::Failure::Auth(reason) => model::ConnectorFailure::Auth(text::quoted(&reason)),
        wit::Failure::Gone => model::ConnectorFailure::Gone,
        wit::Failure::Conflict => model::ConnectorFailure::Conflict,
        wit::Failure::Transient(reason) => model::ConnectorFailure::Transient(text::quoted(&reason)),
        wit::Failure::Permanent(reason) => model::ConnectorFailure::Permanent(text::quoted(&reason)),
    }
}

/// What a batch lends to a call and does not itself hold in the shape of the bindings.
pub(crate) struct Days(Option<(String, String)>);

/// Prepares what a piece of content lends.
pub(crate) fn lend(content: &model::Content) -> Days {
    Days(match content {
        model::Content::Entry(model::Entry { period: Some(Period::AllDay { start, end }), .. }) => {
            Some((start.to_string(), end.to_string()))
        }
        _ => None,
    })
}

fn content_in<'a>(content: &'a model::Content, days: &'a Days) -> exports::ContentParam<'a> {
    match content {
        model::Content::Entry(entry) => exports::ContentParam::Entry(exports::EntryParam {
            subject: &entry.subject,
            body: &entry.body,
            location: &entry.location,
            period: match (&entry.period, &days.0) {
                (None, _) => None,
                (Some(_), Some((start, end))) => Some(wit::PeriodParam::AllDay(wit::AllDayParam { start, end })),
                (Some(period), None) => {
                    let (start, end) = period.instants(chrono_tz::UTC);
                    Some(wit::PeriodParam::Timed(wit::Timed { start: start.0, end: end.0 }))
                }
            },
            zone: &entry.zone,
            priority: priority_in(entry.priority),
            completed: entry.completed.map(|instant| instant.0),
        }),
        model::Content::Contact(contact) => exports::ContentParam::Contact(exports::ContactParam {
            name: &contact.name,
            company: &contact.company,
            email: &contact.email,
            phone: &contact.phone,
            street: &contact.street,
            postcode: &contact.postcode,
            city: &contact.city,
            country: &contact.country,
            note: &contact.note,
        }),
    }
}

fn fields_in(fields: model::FieldSet) -> exports::Fields {
    let mut flags = exports::Fields::empty();
    for (is_set, flag) in [
        (fields.subject, exports::Fields::SUBJECT),
        (fields.body, exports::Fields::BODY),
        (fields.location, exports::Fields::LOCATION),
        (fields.period, exports::Fields::PERIOD),
        (fields.priority, exports::Fields::PRIORITY),
        (fields.completed, exports::Fields::COMPLETED),
        (fields.contact, exports::Fields::CONTACT),
    ] {
        if is_set {
            flags |= flag;
        }
    }
    flags
}

/// What the content of a write lends.
pub(crate) fn lend_push(push: &model::Push) -> Days {
    match push {
        model::Push::Create { content, .. } | model::Push::Update { content, .. } => lend(content),
        model::Push::Delete { .. } | model::Push::Disown { .. } | model::Push::Mark { .. } => Days(None),
    }
}

pub(crate) fn operation<'a>(push: &'a model::Push, days: &'a Days) -> exports::Operation<'a> {
    match push {
        model::Push::Create { key, our_id, writer, content } => {
            exports::Operation::Create(exports::Create { key, our_id, writer, content: content_in(content, days) })
        }
        model::Push::Update { remote_id, etag, content, fields, our_id, writer } => {
            exports::Operation::Update(exports::Update {
                remote_id,
                etag,
                content: content_in(content, days),
                fields: fields_in(*fields),
                our_id: our_id.as_deref(),
                writer,
            })
        }
        model::Push::Delete { remote_id, etag } => {
            exports::Operation::Delete(exports::ReferenceParam { remote_id, etag })
        }
        model::Push::Disown { remote_id, etag } => {
            exports::Operation::Disown(exports::ReferenceParam { remote_id, etag })
        }
        model::Push::Mark { remote_id, etag, locked } => {
            exports::Operation::Mark(exports::Mark { remote_id, etag, locked: *locked })
        }
    }
}

pub(crate) fn connection(value: exports::Connection) -> wasmtime::Result<model::Connection> {
    if value.collections.len() > MAX_COLLECTIONS {
        wasmtime::bail!("{} collections came back, at most {MAX_COLLECTIONS} are allowed", value.collections.len());
    }
    let collection = |value: exports::Collection| {
        Ok(model::RemoteCollection {
            id: word("the id of a collection", value.id, MAX_REMOTE_ID)?,
            name: line("the name of a collection", value.name)?,
            kind: kind_out(value.kind),
            writable: value.writable,
            is_default: value.is_default,
        })
    };
    let collections: Checked<Vec<_>> = value.collections.into_iter().map(collection).collect();
    Ok(model::Connection {
        server: text::quoted(&value.server),
        reads_own_writes: value.reads_own_writes,
        collections: collections.map_err(broken)?,
    })
}

fn broken(Broken(reason): Broken) -> wasmtime::Error {
    wasmtime::Error::msg(reason)
}

fn entry_period(value: wit::PeriodResult) -> Checked<Period> {
    match value {
        wit::PeriodResult::Timed(timed) if timed.start == timed.end => {
            period(wit::PeriodResult::Timed(wit::Timed { start: timed.start, end: timed.end.saturating_add(SHORTEST) }))
        }
        other => period(other),
    }
}

fn content(value: exports::ContentResult, private: bool) -> Checked<model::Content> {
    match value {
        // Whatever the plugin gives: what is private never leaves Outlook (domain 8).
        exports::ContentResult::Contact(_) if private => Ok(model::Content::Contact(model::Contact::default())),
        exports::ContentResult::Contact(value) => Ok(model::Content::Contact(model::Contact {
            name: line("the name", value.name)?,
            company: line("the company", value.company)?,
            email: line("the e-mail address", value.email)?,
            phone: line("the telephone", value.phone)?,
            street: line("the street", value.street)?,
            postcode: line("the post code", value.postcode)?,
            city: line("the city", value.city)?,
            country: line("the country", value.country)?,
            note: lines("the note", value.note, text::MAX_NOTE)?,
        })),
        exports::ContentResult::Entry(value) => {
            let kept = |text: String| if private { String::new() } else { text };
            at_most("the zone", &value.zone, MAX_ZONE)?;
            Ok(model::Content::Entry(model::Entry {
                subject: line("the subject", kept(value.subject))?,
                body: lines("the body", kept(value.body), text::MAX_DESCRIPTION)?,
                location: line("the location", kept(value.location))?,
                period: value.period.map(entry_period).transpose()?,
                zone: text::line(value.zone),
                priority: priority_out(value.priority),
                completed: value.completed.map(|seconds| instant("completed", seconds)).transpose()?,
            }))
        }
    }
}

fn is_our_id(value: &str) -> bool {
    (1..=MAX_OUR_ID).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn identity(value: exports::Identity) -> model::Identity {
    match value {
        exports::Identity::Unread => model::Identity::Unread,
        exports::Identity::Ours(id) if is_our_id(&id) => model::Identity::Ours(id),
        // What has not the form of our keys is none.
        exports::Identity::None | exports::Identity::Ours(_) => model::Identity::None,
    }
}

fn fitting(kind: model::ItemKind, content: &model::Content) -> Checked<()> {
    match (kind, content) {
        (model::ItemKind::Contact, model::Content::Contact(_)) | (model::ItemKind::Task, model::Content::Entry(_)) => {
            Ok(())
        }
        (model::ItemKind::Appointment, model::Content::Entry(entry)) if entry.period.is_some() => Ok(()),
        (model::ItemKind::Appointment, model::Content::Entry(_)) => Err(Broken("an appointment has no time".into())),
        _ => Err(Broken(format!("it is no {}", kind.name()))),
    }
}

fn item(kind: model::ItemKind, value: exports::Item) -> Checked<model::RemoteItem> {
    let content = content(value.content, value.private)?;
    fitting(kind, &content)?;
    let occurrence = value.occurrence.map(|occurrence| {
        Ok(model::Occurrence {
            series: remote_id(occurrence.series)?,
            original_start: instant("the original start", occurrence.original_start)?,
        })
    });
    Ok(model::RemoteItem {
        remote_id: remote_id(value.remote_id)?,
        etag: word("the etag", value.etag, MAX_REMOTE_ID)?,
        collection: word("the collection", value.collection, MAX_REMOTE_ID)?,
        identity: identity(value.identity),
        // What has not the form of a mark of ours was written by nobody that we need to know.
        writer: value.writer.filter(|writer| is_our_id(writer)),
        uid: line("the UID", value.uid)?,
        content,
        private: value.private,
        cancelled: value.cancelled,
        is_organizer: value.is_organizer,
        has_attendees: value.has_attendees,
        occurrence: occurrence.transpose()?,
        changed_at: value.changed_at.and_then(|seconds| instant("changed at", seconds).ok()),
    })
}

fn remote_id(value: String) -> Checked<String> {
    let is_whole = !value.is_empty() && value.len() <= MAX_REMOTE_ID && text::line(value.clone()) == value;
    if is_whole {
        return Ok(value);
    }
    let shown = text::quoted(text::cut(&value, 80).as_ref());
    Err(Broken(format!("`{shown}` is no remote id: 1 to {MAX_REMOTE_ID} bytes without control characters")))
}

pub(crate) fn page(kind: model::ItemKind, value: exports::Page) -> wasmtime::Result<model::RemotePage> {
    if value.changes.len() > MAX_CHANGES {
        wasmtime::bail!("{} changes came back, at most {MAX_CHANGES} are allowed", value.changes.len());
    }
    if value.next.len() > MAX_CURSOR {
        wasmtime::bail!("the cursor has {} bytes, at most {MAX_CURSOR} are allowed", value.next.len());
    }
    let mut items = 0;
    let mut changes = Vec::with_capacity(value.changes.len());
    for change in value.changes {
        changes.push(match change {
            exports::Change::Present(found) => {
                items += 1;
                let id = found.remote_id.clone();
                match item(kind, found) {
                    Ok(item) => model::RemoteChange::Present(Box::new(item)),
                    Err(Broken(reason)) => {
                        model::RemoteChange::Unreadable { remote_id: remote_id(id).map_err(broken)?, reason }
                    }
                }
            }
            exports::Change::Series(series) => {
                items += series.occurrences.len();
                let id = remote_id(series.id).map_err(broken)?;
                let occurrences: Checked<Vec<_>> =
                    series.occurrences.into_iter().map(|found| item(kind, found)).collect();
                match occurrences {
                    Ok(occurrences) => model::RemoteChange::Series { id, occurrences },
                    Err(Broken(reason)) => model::RemoteChange::Unreadable { remote_id: id, reason },
                }
            }
            exports::Change::Known(exports::ReferenceResult { remote_id: id, etag }) => {
                items += 1;
                let etag = word("the etag", etag, MAX_REMOTE_ID).map_err(broken)?;
                model::RemoteChange::Known { remote_id: remote_id(id).map_err(broken)?, etag }
            }
            exports::Change::Removed(id) => model::RemoteChange::Removed(remote_id(id).map_err(broken)?),
        });
    }
    if items > MAX_ITEMS {
        wasmtime::bail!("{items} items came back on one page, at most {MAX_ITEMS} are allowed");
    }
    Ok(model::RemotePage { changes, next: value.next, done: value.done, full: value.full })
}

pub(crate) fn versions(value: exports::VersionsPage) -> wasmtime::Result<model::RemoteVersions> {
    if value.items.len() > MAX_ITEMS {
        wasmtime::bail!("{} versions came back, at most {MAX_ITEMS} are allowed", value.items.len());
    }
    if let Some(next) = value.next.as_ref().filter(|next| next.len() > MAX_CURSOR) {
        wasmtime::bail!("where to go on has {} bytes, at most {MAX_CURSOR} are allowed", next.len());
    }
    let version = |value: exports::ReferenceResult| {
        Ok((remote_id(value.remote_id)?, word("the etag", value.etag, MAX_REMOTE_ID)?))
    };
    let items: Checked<Vec<_>> = value.items.into_iter().map(version).collect();
    Ok(model::RemoteVersions { items: items.map_err(broken)?, next: value.next })
}

/// An answer about one item that was asked for by its id.
pub(crate) type Fetched = Result<Option<model::RemoteItem>, model::ConnectorFailure>;

pub(crate) fn fetched(
    kind: model::ItemKind,
    asked: &[&str],
    answers: Vec<Result<Option<exports::Item>, wit::Failure>>,
) -> wasmtime::Result<Vec<Fetched>> {
    if answers.len() != asked.len() {
        wasmtime::bail!("{} answers came back for {} items", answers.len(), asked.len());
    }
    let convert = |(asked, answer): (&&str, Result<Option<exports::Item>, wit::Failure>)| match answer {
        Ok(None) => Ok(None),
        Ok(Some(found)) if found.remote_id != **asked => Err(model::ConnectorFailure::Broken(format!(
            "the answer about `{}` is about another item",
            text::quoted(asked)
        ))),
        Ok(Some(found)) => item(kind, found)
            .map(Some)
            .map_err(|Broken(reason)| model::ConnectorFailure::Permanent(format!("it cannot be read: {reason}"))),
        Err(why) => Err(failure(why)),
    };
    Ok(asked.iter().zip(answers).map(convert).collect())
}

pub(crate) fn found(
    kind: model::ItemKind,
    asked: &[&str],
    answers: Vec<Vec<exports::Item>>,
) -> wasmtime::Result<Vec<Vec<model::RemoteItem>>> {
    if answers.len() != asked.len() {
        wasmtime::bail!("{} answers came back for {} keys", answers.len(), asked.len());
    }
    let convert = |(asked, items): (&&str, Vec<exports::Item>)| {
        let items: Checked<Vec<_>> = items.into_iter().take(MAX_FOUND).map(|found| item(kind, found)).collect();
        let mut items = items.map_err(broken)?;
        // What carries another key was not asked for.
        items.retain(|item| matches!(&item.identity, model::Identity::Ours(id) if id == *asked));
        Ok(items)
    };
    asked.iter().zip(answers).map(convert).collect()
}

pub(crate) fn outcomes(
    kind: model::ItemKind,
    batch: &[model::Push],
    outcomes: Vec<exports::Outcome>,
) -> wasmtime::Result<Vec<model::Pushed>> {
    if outcomes.len() != batch.len() {
        wasmtime::bail!("{} outcomes came back for {} operations", outcomes.len(), batch.len());
    }
    let convert = |(push, outcome): (&model::Push, exports::Outcome)| {
        let found = match outcome {
            exports::Outcome::Done(found) => found,
            exports::Outcome::Failed(why) => return Err(failure(why)),
        };
        let Some(found) = found else { return Ok(None) };
        let item = item(kind, found).map_err(|Broken(reason)| {
            model::ConnectorFailure::Transient(format!("what was written cannot be read back: {reason}"))
        })?;
        let is_deletion = matches!(push, model::Push::Delete { .. });
        if push.remote_id().is_some_and(|written| written != item.remote_id) && !is_deletion {
            return Err(model::ConnectorFailure::Broken("the outcome of a write is about another item".to_owned()));
        }
        Ok(Some(Box::new(item)))
    };
    Ok(batch.iter().zip(outcomes).map(convert).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_versions_keeps_its_limits() {
        let page = |count: usize, remote_id: &str, next: usize| {
            let item = exports::ReferenceResult { remote_id: remote_id.to_owned(), etag: "1".to_owned() };
            let found = exports::VersionsPage { items: vec![item; count], next: Some("n".repeat(next)) };
            versions(found).map(|page| page.items.len()).map_err(|error| error.to_string())
        };
        assert_eq!(page(MAX_ITEMS, "r", MAX_CURSOR), Ok(MAX_ITEMS));
        assert!(page(MAX_ITEMS + 1, "r", 1).is_err_and(|why| why.contains("4097 versions")));
        assert!(page(1, "r", MAX_CURSOR + 1).is_err_and(|why| why.contains("65537 bytes")));
        assert!(page(1, "", 1).is_err_and(|why| why.contains("no remote id")));
    }

    #[test]
    fn a_writer_that_is_no_mark_of_ours_is_none() {
        let read = |writer: Option<&str>| {
            let contact = exports::ContactResult {
                name: "Nowak".to_owned(),
                company: String::new(),
                email: String::new(),
                phone: String::new(),
                street: String::new(),
                postcode: String::new(),
                city: String::new(),
                country: String::new(),
                note: String::new(),
            };
            let found = exports::Item {
                remote_id: "r".to_owned(),
                etag: "1".to_owned(),
                collection: "c".to_owned(),
                identity: exports::Identity::None,
                writer: writer.map(str::to_owned),
                uid: String::new(),
                content: exports::ContentResult::Contact(contact),
                private: false,
                cancelled: false,
                is_organizer: true,
                has_attendees: false,
                occurrence: None,
                changed_at: None,
            };
            item(model::ItemKind::Contact, found).map(|item| item.writer).map_err(|Broken(why)| why)
        };
        let longest = "a".repeat(MAX_OUR_ID);
        assert_eq!(read(Some(&longest)), Ok(Some(longest.clone())));
        assert_eq!(read(Some("0a-1")), Ok(Some("0a-1".to_owned())));
        for none in [None, Some(""), Some("A"), Some("a b"), Some("a\n"), Some(&*format!("{longest}a"))] {
            assert_eq!(read(none), Ok(None), "{none:?}");
        }
    }
}
