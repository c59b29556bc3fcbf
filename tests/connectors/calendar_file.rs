//! A calendar file, edited by another program.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use crate::bench::{Account, Grant, Opened};
use crate::history::{Calendar, Edit, Item, play};
use crate::icalendar::{edited, empty, event, events, item, uid, with_events, with_line};

struct File {
    path: PathBuf,
    numbers: Cell<u64>,
}

impl File {
    fn text(&self) -> String {
        fs::read_to_string(&self.path).unwrap_or_else(|_| empty())
    }

    fn save(&self, change: impl FnOnce(&mut Vec<String>)) {
        let text = self.text();
        let mut all = events(&text);
        change(&mut all);
        fs::write(&self.path, with_events(&text, &all)).expect("written");
    }

    fn next(&self) -> String {
        self.numbers.set(self.numbers.get() + 1);
        format!("own-{}", self.numbers.get())
    }
}

impl Calendar for File {
    fn items(&self) -> Vec<Item> {
        events(&self.text()).iter().map(|event| item(&uid(event), event)).collect()
    }

    fn add(&self, subject: &str, start: i64, is_private: bool) -> String {
        let uid = self.next();
        self.save(|events| events.push(event(&uid, subject, start, is_private)));
        uid
    }

    fn edit(&self, handle: &str, edit: &Edit) {
        self.save(|events| {
            for event in events.iter_mut().filter(|event| uid(event) == handle) {
                *event = edited(event, edit);
            }
        });
    }

    fn delete(&self, handle: &str) {
        self.save(|events| events.retain(|event| uid(event) != handle));
    }

    fn copy(&self, handle: &str, subject: &str) -> Option<String> {
        let new = self.next();
        self.save(|events| {
            let original = events.iter().find(|event| uid(event) == handle).expect("there").clone();
            let copy = with_line(&original, "UID", &format!("UID:{new}"));
            events.push(edited(&copy, &Edit::Subject(subject.to_owned())));
        });
        Some(new)
    }
}

#[test]
fn histories_of_a_calendar_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let grant = Grant { folder: Some(folder.path().to_owned()), ..Grant::default() };
    let connector = Opened::new("calendar-file", grant);
    crate::play("a calendar file", |seed, dice| {
        let account = Account { mailbox: format!("m{seed}"), calendar: String::new() };
        let file = File { path: folder.path().join(format!("m{seed}.ics")), numbers: Cell::new(0) };
        play(&connector, &account, &file, dice);
    });
}
