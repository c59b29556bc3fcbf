//! A process and what it took: time, the share of it that was waiting, memory.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Clock ticks of `/proc` in a second.
const TICKS: f64 = 100.0;

/// What a process took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    /// From start to end, in seconds.
    pub(crate) seconds: f64,
    /// Seconds in which it computed, on all cores together.
    pub(crate) computing: f64,
    /// Most memory it had, in bytes.
    pub(crate) peak: u64,
}

impl Taken {
    /// The share of the time in which it did not compute, in percent.
    pub(crate) fn waiting(&self) -> f64 {
        100.0 * (1.0 - self.computing / self.seconds).max(0.0)
    }
}

/// Runs a command to its end, and gives what it printed.
pub(crate) fn run(command: &mut Command) -> (Taken, String) {
    let begun = Instant::now();
    let output = tempfile::NamedTempFile::new().expect("a file");
    let errors = tempfile::NamedTempFile::new().expect("a file");
    let (out, err) = (output.reopen().expect("a file"), errors.reopen().expect("a file"));
    let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().expect("it starts");
    let folder = format!("/proc/{}", child.id());
    let mut peak = 0;
    let computing = loop {
        let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).map_or(0, |kib| kib << 10);
        peak = peak.max(now);
        // What ended and was not waited for yet still says how long it computed.
        if status.contains("State:\tZ") {
            break computed(&folder);
        }
        sleep(Duration::from_millis(1));
    };
    let seconds = begun.elapsed().as_secs_f64();
    let status = child.wait().expect("a status");
    let read = |file: &tempfile::NamedTempFile| fs::read_to_string(file.path()).expect("text");
    assert!(status.success(), "{command:?}: {status}\n{}{}", read(&output), read(&errors));
    (Taken { seconds, computing, peak }, read(&output))
}

fn computed(folder: &str) -> f64 {
    let stat = fs::read_to_string(format!("{folder}/stat")).expect("its figures");
    // Behind the name, which may have blanks in it, the state is the first word.
    let (_, behind) = stat.rsplit_once(") ").expect("a name");
    let ticks = behind.split(' ').skip(11).take(2).map(|word| word.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS
}

/// The middle of some measurements, by time.
pub(crate) fn median(mut taken: Vec<Taken>) -> Taken {
    taken.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    taken[taken.len() / 2]
}
