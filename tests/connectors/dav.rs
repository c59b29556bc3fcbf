//! A calendar at a real Radicale, which its owner uses with another program.

use std::cell::Cell;

use apptsync_tests::calendar_servers::{ForeignUser, authorization};
use apptsync_tests::radicale::{PASSWORD, Radicale, USER};

use crate::bench::{Account, Grant, Opened};
use crate::history::{Calendar, Edit, Item, play};
use crate::icalendar::{edited, empty, event, events, item, uid, with_events, with_line};

struct Collection<'a> {
    user: &'a ForeignUser,
    path: String,
    numbers: Cell<u64>,
}

impl Collection<'_> {
    fn change(&self, handle: &str, change: impl FnOnce(&str) -> String) {
        let text = self.user.get(handle).expect("there");
        let event = events(&text).remove(0);
        self.user.put(handle, &with_events(&text, &[change(&event)]));
    }

    fn next(&self) -> String {
        self.numbers.set(self.numbers.get() + 1);
        format!("own-{}", self.numbers.get())
    }

    fn put(&self, uid: &str, around: &str, event: String) -> String {
        let path = format!("{}{uid}.ics", self.path);
        self.user.put(&path, &with_events(around, &[event]));
        path
    }
}

impl Calendar for Collection<'_> {
    fn items(&self) -> Vec<Item> {
        let objects = self.user.objects(&self.path);
        objects.iter().map(|(path, text)| item(path, &events(text)[0])).collect()
    }

    fn add(&self, subject: &str, start: i64, is_private: bool) -> String {
        let uid = self.next();
        self.put(&uid, &empty(), event(&uid, subject, start, is_private))
    }

    fn edit(&self, handle: &str, edit: &Edit) {
        self.change(handle, |event| edited(event, edit));
    }

    fn delete(&self, handle: &str) {
        self.user.delete(handle);
    }

    fn copy(&self, handle: &str, subject: &str) -> Option<String> {
        let text = self.user.get(handle).expect("there");
        let original = events(&text).remove(0);
        assert!(!uid(&original).is_empty(), "every event has one");
        let new = self.next();
        let copy = with_line(&original, "UID", &format!("UID:{new}"));
        Some(self.put(&new, &text, edited(&copy, &Edit::Subject(subject.to_owned()))))
    }
}

#[test]
fn histories_of_a_caldav_server() {
    let radicale = Radicale::start();
    let user = radicale.foreign_user();
    let authorization = authorization(USER, PASSWORD);
    let connector = Opened::new("caldav", Grant { server: radicale.origin(), authorization, folder: None });
    crate::play("a CalDAV server", |seed, dice| {
        let account = Account { mailbox: USER.to_owned(), calendar: format!("c{seed}") };
        let path = radicale.calendar(&account.calendar);
        let collection = Collection { user: &user, path: path.clone(), numbers: Cell::new(0) };
        play(&connector, &account, &collection, dice);
        user.delete(&path);
    });
}
