//! Beside vdirsyncer: the same events, the same server, one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use apptsync_tests::calendar_servers::programs;
use apptsync_tests::radicale::{PASSWORD, Radicale, USER};

use crate::process::{self, Taken, median};
use crate::sales;

/// Runs with nothing new; the middle one counts.
const REPEATS: usize = 5;

pub(crate) fn measure(counts: &[usize]) {
    println!(
        "{:>7} {:<24} {:>10} {:>10} {:>8} {:>9} {:>8}",
        "events", "Radicale", "apptsync", "vdirsyncer", "ratio", "waiting", "peak"
    );
    let mut peaks = Vec::new();
    for count in counts {
        peaks.push(one(*count));
    }
    if let (Some(first), Some(last)) = (peaks.first(), peaks.last()) {
        let ratio = *last as f64 / *first as f64;
        println!("peak memory of the largest against the smallest: {ratio:.2} × (reach: flat)");
    }
    println!("reach: nothing new at least 10 × as fast as vdirsyncer; first sync at least 90 % waiting\n");
}

fn row(count: usize, what: &str, ours: Taken, theirs: Taken) {
    println!(
        "{count:>7} {what:<24} {:>9.3}s {:>9.3}s {:>7.1}× {:>8.0}% {:>4} MiB",
        ours.seconds,
        theirs.seconds,
        theirs.seconds / ours.seconds,
        ours.waiting(),
        ours.peak >> 20
    );
}

fn one(count: usize) -> u64 {
    let radicale = Radicale::start();
    let ours = radicale.calendar("Sales");
    let workspace = sales::workspace(0);
    sales::visits(&workspace, "B", 0..count, "Autumn assortment");
    sales::import(&workspace);
    let secret = workspace.path("secret");
    fs::write(&secret, PASSWORD).expect("written");
    let add = ["credentials", "add", "dav", "--kind", "password", "--secret-file", secret.to_str().expect("a path")];
    let _ = workspace.run(&add).exits(0);
    let origin = radicale.origin();
    let profile = ["outlook", "profile", "add", "b", "--employee", "B", "--connector", "caldav", "--server", &origin];
    let more = ["--user", USER, "--calendar", "Sales", "--credential", "dav", "--max-creations", "1000000"];
    let _ = workspace.run(&[&profile[..], &more].concat()).exits(0);
    // The compile cache is warm, as it is in practice.
    let _ = workspace.run(&["outlook", "connect", "b"]).exits(0);
    let (first, reports) = sales::sync(&workspace);
    assert_eq!(sales::sum(&reports, "create"), count as u64);

    let mut other = Vdirsyncer::new(&radicale, &origin);
    for entry in fs::read_dir(radicale.folder(&ours)).expect("the calendar") {
        let path = entry.expect("an object").path();
        if path.extension().is_some_and(|extension| extension == "ics") {
            let _ = fs::copy(&path, other.local.join(path.file_name().expect("a name"))).expect("copied");
        }
    }
    row(count, "first", first, other.sync());

    let (echoes, _) = sales::sync(&workspace);
    row(count, "second", echoes, other.sync());
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..REPEATS {
        let (taken, reports) = sales::sync(&workspace);
        assert_eq!(["create", "update", "delete", "revert", "import"].map(|name| sales::sum(&reports, name)), [0; 5]);
        mine.push(taken);
        theirs.push(other.sync());
    }
    row(count, "nothing new", median(mine), median(theirs));

    let changes = count / 100;
    sales::visits(&workspace, "B", 0..changes, "Winter assortment");
    sales::import(&workspace);
    edit(&radicale, &ours, changes, changes..2 * changes);
    let (changed, reports) = sales::sync(&workspace);
    let (updated, reverted) = (sales::sum(&reports, "update"), sales::sum(&reports, "revert"));
    assert_eq!((updated, reverted), (changes as u64, changes as u64));
    other.edit(changes);
    row(count, "1 % changed on each side", changed, other.sync());
    first.peak.max(echoes.peak)
}

/// The owner edits some events.
fn edit(radicale: &Radicale, calendar: &str, changes: usize, numbers: std::ops::Range<usize>) {
    let folder = radicale.folder(calendar);
    let mut done = 0;
    for entry in fs::read_dir(folder).expect("the calendar") {
        let path = entry.expect("an object").path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let is_one = numbers.clone().any(|number| text.contains(&format!("SUMMARY:SA/2026/B-{number} ")));
        if path.extension().is_some_and(|extension| extension == "ics") && is_one {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let headers = [("content-type", "text/calendar")];
            let text = text.replace("Autumn assortment", "My own words");
            let status = radicale.foreign_user().ask("PUT", &format!("{calendar}{name}"), &headers, &text).status;
            assert!((200..300).contains(&status), "{status}");
            done += 1;
        }
    }
    assert_eq!(done, changes);
}

/// vdirsyncer between a folder and a calendar of its own.
struct Vdirsyncer<'a> {
    radicale: &'a Radicale,
    calendar: String,
    folder: tempfile::TempDir,
    local: PathBuf,
}

impl<'a> Vdirsyncer<'a> {
    fn new(radicale: &'a Radicale, origin: &str) -> Self {
        let calendar = radicale.calendar("other");
        let folder = tempfile::tempdir().expect("a folder");
        let local = folder.path().join("local/other");
        fs::create_dir_all(&local).expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let configuration = format!(
            "[general]\nstatus_path = \"{}\"\n[pair p]\na = \"local\"\nb = \"remote\"\ncollections = [\"other\"]\n\
             conflict_resolution = \"a wins\"\n[storage local]\ntype = \"filesystem\"\npath = \"{}\"\nfileext = \".ics\"\n\
             [storage remote]\ntype = \"caldav\"\nurl = \"{origin}/\"\nusername = \"{USER}\"\npassword = \"{PASSWORD}\"\n",
            at("status"),
            at("local")
        );
        fs::write(folder.path().join("config"), configuration).expect("written");
        let one = Self { radicale, calendar, folder, local };
        let status =
            one.command(&["discover", "p"]).stdin(Stdio::null()).stdout(Stdio::null()).status().expect("it runs");
        assert!(status.success(), "vdirsyncer discover");
        one
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs().join("vdirsyncer"));
        command.arg("-v").arg("ERROR").arg("-c").arg(self.folder.path().join("config")).args(arguments);
        command
    }

    fn sync(&mut self) -> Taken {
        process::run(&mut self.command(&["sync", "p"])).0
    }

    /// Changes some events on each side, not the same.
    fn edit(&self, changes: usize) {
        let files = objects(&self.local);
        for path in &files[..changes] {
            let text = fs::read_to_string(path).expect("an object");
            fs::write(path, text.replace("Autumn", "Winter")).expect("written");
        }
        let remote = objects(&self.radicale.folder(&self.calendar));
        let here: Vec<_> = files[..changes].iter().map(|path| uid(path)).collect();
        let others = remote.iter().filter(|path| !here.contains(&uid(path))).take(changes);
        for path in others {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(path).expect("an object").replace("Autumn", "My own");
            let headers = [("content-type", "text/calendar")];
            let status =
                self.radicale.foreign_user().ask("PUT", &format!("{}{name}", self.calendar), &headers, &text).status;
            assert!((200..300).contains(&status), "{status}");
        }
    }
}

fn objects(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut objects: Vec<_> = entries.filter(|path| path.extension().is_some_and(|found| found == "ics")).collect();
    objects.sort();
    objects
}

fn uid(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("an object");
    text.lines().find(|line| line.starts_with("UID:")).expect("a UID").trim_end().to_owned()
}
