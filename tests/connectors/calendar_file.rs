//! A calendar file, edited by another program.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use apptsync_model::outlook::ItemKind;

use crate::bench::{Account, Grant, Opened};
use crate::calendar::{Calendar, Edit, Item, Series, SeriesEdit};
use crate::history::play;
use crate::icalendar::{component, components, edited, empty, item, series, uid, with_components, with_line};

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
        let mut all = components(&text);
        change(&mut all);
        fs::write(&self.path, with_components(&text, &all)).expect("written");
    }

    fn next(&self) -> String {
        self.numbers.set(self.numbers.get() + 1);
        format!("own-{}", self.numbers.get())
    }
}

impl Calendar for File {
    fn items(&self) -> Vec<Item> {
        let all = components(&self.text());
        all.iter().filter(|one| !series::is_of_series(one)).map(|one| item(&uid(one), one)).collect()
    }

    fn add(&self, kind: ItemKind, subject: &str, start: i64, is_private: bool) -> String {
        let uid = self.next();
        self.save(|all| all.push(component(kind, &uid, subject, start, is_private)));
        uid
    }

    fn edit(&self, handle: &str, edit: &Edit) {
        self.save(|all| {
            for one in all.iter_mut().filter(|one| uid(one) == handle) {
                *one = edited(one, edit);
            }
        });
    }

    fn delete(&self, handle: &str) {
        self.save(|all| all.retain(|one| uid(one) != handle));
    }

    fn copy(&self, handle: &str, subject: &str) -> Option<String> {
        let new = self.next();
        self.save(|all| {
            let original = all.iter().find(|one| uid(one) == handle).expect("there").clone();
            let copy = with_line(&original, "UID", &format!("UID:{new}"));
            all.push(edited(&copy, &Edit::Subject(subject.to_owned())));
        });
        Some(new)
    }

    fn add_series(&self, subject: &str, start: i64, count: u32) -> String {
        let uid = self.next();
        self.save(|all| all.push(series::series(&uid, subject, start, count)));
        uid
    }

    fn series(&self, handle: &str) -> Option<Series> {
        let mut all = components(&self.text());
        all.retain(|one| uid(one) == handle);
        series::read(&all)
    }

    fn edit_series(&self, handle: &str, edit: &SeriesEdit) {
        self.save(|all| {
            let (own, others): (Vec<_>, Vec<_>) = all.drain(..).partition(|one| uid(one) == handle);
            *all = others;
            all.extend(series::with_edit(own, edit));
        });
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
