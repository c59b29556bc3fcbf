//! The source: made-up appointments `s-0`, `s-1`, …, as many as `records` says, `page` of them at a time. The cursor is the
//! number of the next one.
//!
//! `turn` says in which page (counted from 0) a behaviour shows.

use std::cell::Cell;
use std::fs;

use apptsync_plugin::log;
use apptsync_plugin::source::{Broken, Collection, Item, Page, Reader, ReaderHandle, Source};
use apptsync_plugin::types::{Appointment, Customer, Failure, MobileStatus, Period, Priority, Timed};

use crate::{Guest, attack, behaviour, number, setting};

/// 2026-12-01T09:00:00Z.
const START: i64 = 1_796_115_600;
/// 2026-11-23T07:00:00Z.
const CHANGED_AT: i64 = 1_795_417_200;

/// One pass.
pub struct Pass {
    what: Collection,
    channel: String,
    behaviour: String,
    next: Cell<usize>,
    turn: Cell<usize>,
}

impl Source for Guest {
    type Reader = Pass;
}

impl Reader for Pass {
    fn open(what: Collection, channel: String, cursor: Option<String>) -> Result<ReaderHandle, Failure> {
        let behaviour = behaviour();
        if let Some(at_open) = behaviour.strip_prefix("open-") {
            attack::commit(at_open);
            if let Some(failure) = failure(at_open) {
                return Err(failure);
            }
        }
        let next = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        Ok(ReaderHandle::new(Self { what, channel, behaviour, next: Cell::new(next), turn: Cell::new(0) }))
    }

    fn next(&self, at_most: u32) -> Result<Page, Failure> {
        let turn = self.turn.replace(self.turn.get() + 1);
        let behaviour = if turn == number("turn").unwrap_or(0) { &*self.behaviour } else { "" };
        attack::commit(behaviour);
        if let Some(failure) = failure(behaviour) {
            return Err(failure);
        }
        if self.behaviour == "log-each-page" {
            log::info("", "one more page");
        }
        if self.what == Collection::Customers {
            return Ok(Page { items: Vec::new(), next: String::new(), done: true, notices: Vec::new() });
        }
        let total = number("records").unwrap_or(4);
        let first = self.next.get().min(total);
        let last = total.min(first + number("page").unwrap_or(1_024).min(at_most as usize));
        self.next.set(last);
        let items = (first..last).map(|number| Item::Appointment(self.appointment(number))).collect();
        let mut page = Page { items, next: last.to_string(), done: last == total, notices: Vec::new() };
        if self.behaviour == "empty-for-ever" {
            page = Page { items: Vec::new(), next: first.to_string(), done: false, notices: Vec::new() };
        }
        self.spoil(behaviour, &mut page, at_most);
        Ok(page)
    }
}

impl Pass {
    fn appointment(&self, number: usize) -> Appointment {
        Appointment {
            id: format!("s-{number}"),
            channel: self.channel.clone(),
            number: format!("SA/{number}"),
            name: format!("Made up {number}"),
            visit_type: "Visit".to_owned(),
            customer: "C00001".to_owned(),
            employee: "B".to_owned(),
            period: Period::Timed(Timed { start: START, end: START + 3_600 }),
            priority: Priority::Normal,
            status: MobileStatus::Confirmed,
            description: String::new(),
            completed_on: None,
            completed_by: None,
            reason: None,
            changed_at: CHANGED_AT,
            deleted: false,
            attributes: Vec::new(),
        }
    }

    fn spoil(&self, behaviour: &str, page: &mut Page, at_most: u32) {
        let mut add = |change: &dyn Fn(&mut Appointment)| {
            let mut appointment = self.appointment(9_000);
            change(&mut appointment);
            page.items.push(Item::Appointment(appointment));
        };
        match behaviour {
            "foreign-channel" => add(&|appointment| appointment.channel = "XYZ\u{1b}[31m".to_owned()),
            "other-channel" => add(&|appointment| appointment.channel = "XYZ".to_owned()),
            "again" => add(&|appointment| {
                appointment.id = "s-0".to_owned();
                appointment.name = "The later version".to_owned();
            }),
            "no-id" => add(&|appointment| appointment.id.clear()),
            "long-id" => add(&|appointment| appointment.id = "i".repeat(100_000)),
            "control-id" => add(&|appointment| appointment.id = "i\n\u{1b}[31m".to_owned()),
            "hostile-ids" => {
                for id in ["../../etc/passwd", "'; drop table activity; --", "CON", "=1+1", "а-1", "a\u{300}"] {
                    add(&|appointment| appointment.id = id.to_owned());
                }
            }
            "backwards" => add(&|appointment| appointment.period = Period::Timed(Timed { start: START, end: START })),
            "more-than-asked" => {
                page.items = (0..=at_most as usize).map(|number| Item::Appointment(self.appointment(number))).collect();
            }
            "customer" => page.items.push(Item::Customer(self.customer())),
            "broken" => page.items.push(Item::Broken(Broken {
                place: format!("feed\u{1b}[31m:1{}", "p".repeat(1 << 20)),
                reason: "error:\nthe \u{202e}host\0 is broken".to_owned(),
            })),
            "long-cursor" => page.next = "c".repeat(65_537),
            "notices" => page.notices = (0..1_000).map(|_| "a notice\u{1b}[31m\n".repeat(500)).collect(),
            "look-around" => page.notices = look_around(),
            _ => {}
        }
    }

    fn customer(&self) -> Customer {
        Customer {
            id: "C9".to_owned(),
            channel: self.channel.clone(),
            name: "Made up".to_owned(),
            street: String::new(),
            postcode: String::new(),
            city: String::new(),
            country: String::new(),
            email: String::new(),
            phone: String::new(),
            changed_at: CHANGED_AT,
            deleted: false,
            attributes: Vec::new(),
        }
    }
}

fn failure(behaviour: &str) -> Option<Failure> {
    Some(match behaviour {
        "throttled" => Failure::Throttled(Some(30)),
        "auth" => Failure::Auth("the \u{1b}[31mpassword expired\n".to_owned()),
        "gone" => Failure::Gone,
        "conflict" => Failure::Conflict,
        "transient" => Failure::Transient("the server is asleep".to_owned()),
        "permanent" => Failure::Permanent("there is no such server".to_owned()),
        _ => return None,
    })
}

/// What can be read and written from the folders granted.
fn look_around() -> Vec<String> {
    let folder = setting("folders").unwrap_or_default().trim_matches(['[', ']', '"']).to_owned();
    let paths =
        ["inside.txt", "../apptsync.toml", "./../apptsync.toml", "link.txt", "link/apptsync.toml", "/etc/passwd"];
    let read = paths.iter().map(|path| {
        let path = format!("{folder}/{path}");
        format!("read {path}: {}", fs::read_to_string(&path).unwrap_or_else(|_| "nothing".to_owned()))
    });
    let write = ["inside.txt", "new.txt"].iter().map(|path| {
        let path = format!("{folder}/{path}");
        format!("write {path}: {}", fs::write(&path, "overwritten").map_or("refused", |()| "written"))
    });
    let remove = fs::remove_file(format!("{folder}/inside.txt")).map_or("refused", |()| "removed");
    read.chain(write).chain([format!("remove: {remove}")]).collect()
}
