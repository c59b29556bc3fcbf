//! A feed of many appointments, the same for the same count: 5,000 customers, 300 reps, nine of ten to be imported.

use std::fs::File;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Customers that the headquarters has.
pub(crate) const CUSTOMERS: u64 = 5_000;
/// Sales representatives.
pub(crate) const EMPLOYEES: u64 = 300;

fn line(number: u64, name: &str) -> String {
    // Of a hundred, four are not confirmed, three past and three of a customer that is missing.
    let status = if number % 100 < 4 { "unconfirmed" } else { "confirmed" };
    let year = if (4..7).contains(&(number % 100)) { 2025 } else { 2027 };
    let customer = if (7..10).contains(&(number % 100)) { CUSTOMERS + 1 } else { number * 7919 % CUSTOMERS };
    let employee = number * 104_729 % EMPLOYEES;
    let (month, day, hour) = (number % 12 + 1, number % 28 + 1, number % 10 + 7);
    format!(
        "{{\"id\":\"a-{number}\",\"channel\":\"B2B\",\"number\":\"SA/{year}/{number:07}\",\"name\":\"{name}\",\"type\":\"Visit\",\
         \"customer\":\"C{customer:05}\",\"employee\":\"E{employee:03}\",\
         \"start\":\"{year}-{month:02}-{day:02}T{hour:02}:00:00Z\",\"end\":\"{year}-{month:02}-{day:02}T{hour:02}:45:00Z\",\
         \"all_day\":false,\"priority\":\"normal\",\"status\":\"{status}\",\
         \"description\":\"Show the new range, take the order for the winter and check the shelf by the entrance.\",\
         \"completed_on\":null,\"completed_by\":null,\"reason\":null,\"changed_at\":\"2026-11-20T08:00:00Z\",\
         \"deleted\":false,\"attributes\":{{}}}}\n"
    )
}

/// Writes the feed of so many appointments.
pub(crate) fn write(folder: &Path, count: u64) {
    std::fs::create_dir_all(folder.join("feed")).expect("a folder");
    let mut file = BufWriter::new(File::create(folder.join("feed/appointments.jsonl")).expect("a file"));
    for number in 0..count {
        file.write_all(line(number, "Autumn assortment").as_bytes()).expect("written");
    }
    file.flush().expect("written");
}

/// Appends new versions of some appointments, spread over all.
pub(crate) fn append_changes(folder: &Path, count: u64, changes: u64) {
    let file = OpenOptions::new().append(true).open(folder.join("feed/appointments.jsonl")).expect("the feed");
    let mut file = BufWriter::new(file);
    for change in 0..changes {
        file.write_all(line(change * (count / changes), "Winter assortment").as_bytes()).expect("written");
    }
    file.flush().expect("written");
}
