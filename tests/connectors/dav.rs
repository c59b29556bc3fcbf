//! A calendar at a real Radicale, which its owner uses with another program.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use apptsync_model::outlook::ItemKind;
use apptsync_tests::calendar_servers::{ForeignUser, authorization};
use apptsync_tests::radicale::{PASSWORD, Radicale, USER};

use crate::bench::{Account, Grant, Opened};
use crate::calendar::{Calendar, Edit, Item, Series, SeriesEdit};
use crate::history::play;
use crate::icalendar::{component, components, edited, empty, item, series, uid, with_components, with_line};

struct Collection<'a> {
    user: &'a ForeignUser,
    path: String,
    /// Where Radicale keeps it: to look at it there takes a fraction of the time.
    folder: PathBuf,
    numbers: Cell<u64>,
}

impl Collection<'_> {
    fn change(&self, handle: &str, change: impl FnOnce(Vec<String>) -> Vec<String>) {
        let text = self.user.get(handle).expect("there");
        self.user.put(handle, &with_components(&text, &change(components(&text))));
    }

    fn next(&self) -> String {
        self.numbers.set(self.numbers.get() + 1);
        format!("own-{}", self.numbers.get())
    }

    fn put(&self, uid: &str, around: &str, component: String) -> String {
        let path = format!("{}{uid}.ics", self.path);
        self.user.put(&path, &with_components(around, &[component]));
        path
    }
}

impl Calendar for Collection<'_> {
    fn items(&self) -> Vec<Item> {
        let files = fs::read_dir(&self.folder).expect("the calendar").map(|file| file.expect("a file").file_name());
        let mut names: Vec<String> = files.map(|name| name.into_string().expect("a name")).collect();
        // The others are Radicale's own.
        names.retain(|name| name.ends_with(".ics"));
        names.sort_unstable();
        let objects = names.iter().map(|name| {
            let text = fs::read_to_string(self.folder.join(name)).expect("an object");
            (format!("{}{name}", self.path), components(&text).remove(0))
        });
        objects.filter(|(_, one)| !series::is_of_series(one)).map(|(path, one)| item(&path, &one)).collect()
    }

    fn add(&self, kind: ItemKind, subject: &str, start: i64, is_private: bool) -> String {
        let uid = self.next();
        self.put(&uid, &empty(), component(kind, &uid, subject, start, is_private))
    }

    fn edit(&self, handle: &str, edit: &Edit) {
        self.change(handle, |all| all.iter().map(|one| edited(one, edit)).collect());
    }

    fn delete(&self, handle: &str) {
        self.user.delete(handle);
    }

    fn copy(&self, handle: &str, subject: &str) -> Option<String> {
        let text = self.user.get(handle).expect("there");
        let original = components(&text).remove(0);
        assert!(!uid(&original).is_empty(), "every item has one");
        let new = self.next();
        let copy = with_line(&original, "UID", &format!("UID:{new}"));
        Some(self.put(&new, &text, edited(&copy, &Edit::Subject(subject.to_owned()))))
    }

    fn add_series(&self, subject: &str, start: i64, count: u32) -> String {
        let uid = self.next();
        self.put(&uid, &empty(), series::series(&uid, subject, start, count))
    }

    fn series(&self, handle: &str) -> Option<Series> {
        series::read(&components(&self.user.get(handle)?))
    }

    fn edit_series(&self, handle: &str, edit: &SeriesEdit) {
        self.change(handle, |all| series::with_edit(all, edit));
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
        let collection =
            Collection { user: &user, path: path.clone(), folder: radicale.folder(&path), numbers: Cell::new(0) };
        play(&connector, &account, &collection, dice);
        user.delete(&path);
    });
}
