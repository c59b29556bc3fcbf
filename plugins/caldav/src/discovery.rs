//! From the server's address to the calendars of an account (RFC 6764, RFC 5397, RFC 4791 6.2).
//!
//! The address may be that of the server, of anything on the way, or of a calendar.

use apptsync_plugin::connector::{Collection, Connection, Kind};
use apptsync_plugin::http::Response;
use apptsync_plugin::text;
use apptsync_plugin::types::Failure;

use crate::address::Path;
use crate::client::Client;
use crate::failure::{self, Intent};
use crate::multistatus::{Multistatus, Resource};
use crate::query;
use crate::xml::{Element, Vocabulary};

/// Redirects that are followed one after the other.
const REDIRECTS: usize = 5;
/// Most collections of the contract.
const COLLECTIONS: usize = 1_024;
/// Where a server says where its CalDAV is.
const WELL_KNOWN: &str = "/.well-known/caldav";

/// What is found at an address, and what answered there.
struct Answer {
    path: Path,
    all: Multistatus,
    /// What the server calls itself.
    software: Option<String>,
}

impl Answer {
    fn own(&self) -> Option<&Resource> {
        let own = self.path.clone().collection();
        self.all.resources.iter().find(|resource| resource.path.clone().collection() == own)
    }

    /// The first reference in a property of what was asked about.
    fn reference(&self, client: &Client<'_>, name: (Vocabulary, &str)) -> Result<Option<Path>, Failure> {
        Ok(self.references(client, name)?.into_iter().next())
    }

    fn references(&self, client: &Client<'_>, (vocabulary, name): (Vocabulary, &str)) -> Result<Vec<Path>, Failure> {
        let references = self.own().map(|own| own.references(vocabulary, name)).unwrap_or_default();
        let address = client.address.at(&self.path);
        let paths = references.into_iter().filter(|reference| !reference.is_empty()).map(|reference| {
            address
                .resolve(reference)
                .map(Path::collection)
                .map_err(|why| Failure::Permanent(format!("the server's {name} {why}")))
        });
        paths.collect()
    }

    /// Whether something says that CalDAV is spoken here.
    fn leads_on(&self) -> bool {
        self.all.resources.iter().any(|resource| {
            is_calendar(resource)
                || resource.property(Vocabulary::Dav, "current-user-principal").is_some()
                || resource.property(Vocabulary::CalDav, "calendar-home-set").is_some()
        })
    }
}

/// Proves that server, credential and rights work, and lists the calendars.
///
/// # Errors
///
/// What keeps it from working, in words for people.
pub(crate) fn probe(client: &Client<'_>) -> Result<Connection, Failure> {
    let start = entrance(client)?;
    let principal = match principal(client, &start)? {
        Some(path) if path != start.path.clone().collection() => Some(ask(client, &path, "0")?),
        _ => None,
    };
    let account = principal.as_ref().unwrap_or(&start);
    let mut homes = account.references(client, (Vocabulary::CalDav, "calendar-home-set"))?;
    homes.extend(start.references(client, (Vocabulary::CalDav, "calendar-home-set"))?);
    if homes.is_empty() {
        homes.push(start.path.clone().collection());
    }
    let mut calendars: Vec<Resource> = Vec::new();
    homes.sort();
    homes.dedup();
    for home in &homes {
        add(&mut calendars, ask(client, home, "1")?);
    }
    let default = default_calendar(client, account);
    let software = start.software.clone();
    add(&mut calendars, start);
    if calendars.is_empty() {
        let looked: Vec<&str> = homes.iter().map(Path::as_str).collect();
        return Err(Failure::Permanent(format!(
            "there is no calendar in {}: make one at the server",
            looked.join(", ")
        )));
    }
    let server =
        software.map_or_else(|| client.address.origin.clone(), |name| format!("{} ({name})", client.address.origin));
    let mut server = text::excerpt(&server, text::LINE).into_owned();
    text::truncate(&mut server, text::LINE);
    Ok(Connection { server, reads_own_writes: true, collections: collections(&calendars, default.as_ref()) })
}

/// Where CalDAV begins: at the address, or where the server says that it does.
fn entrance(client: &Client<'_>) -> Result<Answer, Failure> {
    let address = client.address.path.clone();
    let well_known = Path::new(WELL_KNOWN).map_err(Failure::Permanent)?;
    let at_root = address.as_str() == "/";
    let order = if at_root { [well_known, address] } else { [address, well_known] };
    let mut found = Vec::new();
    let mut failed = None;
    for path in order {
        match ask(client, &path, "0") {
            Ok(answer) if answer.leads_on() => return Ok(answer),
            // The address may be a home that does not say so.
            Ok(answer) if !at_root && path == client.address.path => {
                let below = ask(client, &answer.path.clone().collection(), "1")?;
                if below.leads_on() {
                    return Ok(below);
                }
                found.push(format!("{}: WebDAV, but no CalDAV", path.as_str()));
            }
            Ok(_) => found.push(format!("{}: WebDAV, but no CalDAV", path.as_str())),
            Err(Failure::Gone) => found.push(format!("{}: nothing (status 404)", path.as_str())),
            Err(Failure::Permanent(what)) => found.push(format!("{}: {what}", path.as_str())),
            // Many servers guard or break what nobody set up.
            Err(failure) if path.as_str() == WELL_KNOWN && client.address.path.as_str() != WELL_KNOWN => {
                failed = Some(failure);
            }
            Err(failure) => return Err(failure),
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    Err(Failure::Permanent(format!("no CalDAV was found at {}: {}", client.address.origin, found.join("; "))))
}

/// Who the server takes us for; none where it does not say.
fn principal(client: &Client<'_>, start: &Answer) -> Result<Option<Path>, Failure> {
    let name = (Vocabulary::Dav, "current-user-principal");
    let own = start.own().and_then(|own| own.property(name.0, name.1));
    if own.is_some_and(|principal| principal.child(Vocabulary::Dav, "unauthenticated").is_some()) {
        return Err(Failure::Auth("the server answers, but takes us for nobody: the credential is missing".to_owned()));
    }
    start.reference(client, name)
}

/// Where new appointments go by the server's mind (RFC 6638 9.2): a property of the inbox. What cannot be read of it, or lies
/// at another server, keeps nobody from the calendars.
fn default_calendar(client: &Client<'_>, account: &Answer) -> Option<Path> {
    let name = (Vocabulary::CalDav, "schedule-default-calendar-URL");
    if let Ok(Some(default)) = account.reference(client, name) {
        return Some(default);
    }
    let inbox = account.reference(client, (Vocabulary::CalDav, "schedule-inbox-URL")).ok()??;
    ask(client, &inbox, "0").ok()?.reference(client, name).ok()?
}

/// A PROPFIND that follows redirects within the server.
fn ask(client: &Client<'_>, path: &Path, depth: &str) -> Result<Answer, Failure> {
    let mut path = path.clone();
    for _ in 0..=REDIRECTS {
        let response = client.ask(client.propfind(&path, depth, query::about()))?;
        match (response.status, response.header("location")) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                path = client.address.at(&path).resolve(location).map_err(|why| {
                    Failure::Permanent(format!(
                        "the server redirects, but {why}: use the address that it gives, if you trust it"
                    ))
                })?;
            }
            _ => return understand(client, path, &response),
        }
    }
    Err(Failure::Permanent(format!("the server redirects more than {REDIRECTS} times, at last to {}", path.as_str())))
}

fn understand(client: &Client<'_>, path: Path, response: &Response) -> Result<Answer, Failure> {
    let software = response.header("server").map(|name| text::excerpt(name, 200).into_owned());
    match client.multistatus(response, &path) {
        Ok(all) => Ok(Answer { path, all, software }),
        Err(Failure::Conflict) => {
            Err(Failure::Permanent(format!("the server answers with status {}", response.status)))
        }
        Err(Failure::Permanent(what)) => {
            let media_type = response.header("content-type").map(|value| text::excerpt(value, 80).into_owned());
            Err(Failure::Permanent(media_type.map_or(what.clone(), |media_type| format!("{what} ({media_type})"))))
        }
        Err(_) if response.status == 403 => match failure::answered(response, Intent::Read) {
            Failure::Auth(words) => {
                Err(Failure::Auth(format!("{words}, for {}: ask for the right to read it", path.as_str())))
            }
            other => Err(other),
        },
        Err(failure) => Err(failure),
    }
}

fn add(calendars: &mut Vec<Resource>, answer: Answer) {
    for mut resource in answer.all.resources {
        resource.path = resource.path.collection();
        if is_calendar(&resource) && calendars.iter().all(|known| known.path != resource.path) {
            calendars.push(resource);
        }
    }
}

pub(crate) fn is_calendar(resource: &Resource) -> bool {
    resource.has_type(Vocabulary::CalDav, "calendar") && !resource.has_type(Vocabulary::Nextcloud, "deleted-calendar")
}

/// One collection for each kind that a calendar holds.
fn collections(calendars: &[Resource], default: Option<&Path>) -> Vec<Collection> {
    let mut all = Vec::new();
    for (kind, component) in [(Kind::Appointment, "VEVENT"), (Kind::Task, "VTODO")] {
        let of_kind: Vec<&Resource> = calendars.iter().filter(|calendar| holds(calendar, component)).collect();
        let by_server = of_kind.iter().position(|calendar| Some(&calendar.path) == default);
        let first = of_kind.iter().position(|calendar| is_writable(calendar));
        let default = by_server.or(first).unwrap_or(0);
        all.extend(of_kind.into_iter().enumerate().map(|(position, calendar)| Collection {
            id: calendar.path.as_str().to_owned(),
            name: name(calendar),
            kind,
            writable: is_writable(calendar),
            is_default: position == default,
        }));
    }
    all.truncate(COLLECTIONS);
    all
}

/// A calendar that does not say what it holds, holds everything (RFC 4791 5.2.3).
pub(crate) fn holds(calendar: &Resource, component: &str) -> bool {
    let set = calendar.property(Vocabulary::CalDav, "supported-calendar-component-set");
    let named = |set: &Element| {
        let mut names = set.children(Vocabulary::CalDav, "comp").filter_map(|comp| comp.label.as_deref());
        names.any(|name| name.eq_ignore_ascii_case(component))
    };
    set.is_none_or(named)
}

/// A server that does not tell rights will tell when it is written to.
pub(crate) fn is_writable(calendar: &Resource) -> bool {
    let Some(set) = calendar.property(Vocabulary::Dav, "current-user-privilege-set") else { return true };
    let has = |name: &str| {
        let mut privileges = set.children(Vocabulary::Dav, "privilege");
        privileges.any(|privilege| privilege.child(Vocabulary::Dav, name).is_some())
    };
    has("all") || has("write") || (has("bind") && has("write-content"))
}

fn name(calendar: &Resource) -> String {
    let path = calendar.path.as_str().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or(path);
    let last = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    let name = calendar.text(Vocabulary::Dav, "displayname").unwrap_or(&last);
    let mut name = text::excerpt(name, text::LINE).into_owned();
    text::truncate(&mut name, text::LINE);
    name
}
