//! How fast the import is, and what it needs: side by side in one run with the floor (the same rows by prepared statements,
//! nothing else) and with the same stages as native calls. Prints a table.
//!
//! `cargo bench -p apptsync-tests --bench import [-- COUNT …]`; counts are 10,000, 100,000 and 1,000,000 unless given. Each
//! measurement runs in a process of its own, so that its peak of memory is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot go on must fail")]

mod feed;
mod floor;
mod native;
mod run;

use std::path::Path;
use std::process::Command;
use std::time::Instant as Stopwatch;

use apptsync_tests::{Workspace, appointment, component, with};
use serde_json::json;

/// Changed appointments of the last measurement.
const CHANGES: u64 = 1_000;
/// Runs of the smallest count and of the single appointment: their medians are printed.
const REPEATS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|argument| argument == "--child") {
        child(&arguments[1], Path::new(&arguments[2]));
        return;
    }
    let counts: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![10_000, 100_000, 1_000_000] } else { counts };
    // Built and compiled beforehand: the compile cache is warm, as it is in practice.
    let _ = (component("ibus-feed"), component("appointment-synchronize"), component("status-mapping"));
    println!(
        "{:>9}  {:>8} {:>9}  {:>8} {:>8}  {:>7} {:>7}  {:>8} {:>7}  {:>8} {:>7}  {:>8}",
        "count",
        "import",
        "a second",
        "floor",
        "native",
        "×floor",
        "×native",
        "again",
        "of 1st",
        "1000 chg",
        "of 1st",
        "peak"
    );
    let mut peaks = Vec::new();
    for count in counts {
        peaks.push(measure(count));
    }
    if let (Some(first), Some(last)) = (peaks.first(), peaks.last()) {
        println!("peak memory of the largest against the smallest: {:.2} ×", *last as f64 / *first as f64);
    }
    single();
}

/// What a child measured: seconds, and the peak of its memory in bytes.
#[derive(Clone, Copy)]
struct Measured {
    seconds: f64,
    peak: u64,
}

fn measure(count: u64) -> u64 {
    let repeats = if count <= 10_000 { REPEATS } else { 1 };
    let mut imports = Vec::new();
    let mut floors = Vec::new();
    let mut natives = Vec::new();
    let mut agains = Vec::new();
    let mut changes = Vec::new();
    for _ in 0..repeats {
        let folder = tempfile::tempdir().expect("a temporary folder");
        feed::write(folder.path(), count);
        imports.push(run_child("import", folder.path()));
        natives.push(run_child("native", folder.path()));
        floors.push(run_child("floor", folder.path()));
        agains.push(run_child("again", folder.path()));
        feed::append_changes(folder.path(), count, CHANGES.min(count));
        changes.push(run_child("again", folder.path()));
    }
    let [import, floor, native, again, change] =
        [&imports, &floors, &natives, &agains, &changes].map(|measured| median(measured.iter().map(|one| one.seconds)));
    let peak = imports.iter().map(|one| one.peak).max().unwrap_or_default();
    println!(
        "{count:>9}  {import:>7.2}s {:>9.0}  {floor:>7.2}s {native:>7.2}s  {:>7.2} {:>7.2}  {again:>7.3}s {:>6.1}%  {change:>7.3}s {:>6.1}%  {:>5} MiB",
        count as f64 / import,
        import / floor,
        import / native,
        100.0 * again / import,
        100.0 * change / import,
        peak >> 20
    );
    peak
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn run_child(what: &str, folder: &Path) -> Measured {
    let output = Command::new(std::env::current_exe().expect("this bench"))
        .args(["--child", what])
        .arg(folder)
        .output()
        .expect("a child starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut words = text.split_whitespace();
    match (words.next().and_then(|word| word.parse().ok()), words.next().and_then(|word| word.parse().ok())) {
        (Some(seconds), Some(peak)) if output.status.success() => Measured { seconds, peak },
        _ => panic!("{what} failed: {text}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn child(what: &str, folder: &Path) {
    let seconds = match what {
        "import" => run::import(folder, "headquarters.db"),
        "again" => run::again(folder, "headquarters.db"),
        "native" => run::native(folder, "native.db"),
        "floor" => floor::write_same_rows(folder),
        _ => panic!("{what} is nothing to measure"),
    };
    println!("{seconds} {}", peak_memory());
}

/// Most memory this process ever had, in bytes; 0 where the system does not tell.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}

/// One appointment, from the start of the process to its end, with a warm compile cache.
fn single() {
    let workspace = Workspace::new();
    let _ = workspace.import();
    let mut times = Vec::new();
    for number in 0..4 * REPEATS {
        workspace.feed(&with(appointment(&format!("single-{number}")), &json!({"name": "One more"})));
        let mut command = workspace.command(&["run", "import-activities", "--channel", "B2B", "--user", "A"]);
        let begun = Stopwatch::now();
        let output = command.output().expect("the binary starts");
        times.push(begun.elapsed().as_secs_f64());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    println!(
        "one appointment, process start to end, warm compile cache: {:.1} ms",
        1_000.0 * median(times.into_iter())
    );
}
