//! Attacks on the machine: what a call can do besides answering.

use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

use apptsync_plugin::{configuration, log};

use crate::wasi;

/// Does what the behaviour says, if it is an attack; comes back from those that do no harm by themselves.
pub fn commit(behaviour: &str) {
    match behaviour {
        "panic" => panic!("this record is bad"),
        "abort" => std::process::abort(),
        "exit-0" => std::process::exit(0),
        "exit-1" => std::process::exit(1),
        "divide" => _ = black_box(1_u32).checked_div(black_box(0)).expect("a quotient"),
        "wild-pointer" => wild_pointer(),
        "recurse" => _ = black_box(descend(0)),
        "loop" => loop {
            black_box(());
        },
        "loop-host" => loop {
            _ = black_box(configuration::get("behaviour"));
        },
        "loop-log" => loop {
            log::info("", "again");
        },
        "loop-clock" => {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(1 << 30) {}
        }
        "memory-small" => loop {
            black_box(Box::leak(Box::new([1_u8; 512])));
        },
        "memory-huge" => _ = black_box(vec![1_u8; 1 << 30]),
        "random" => _ = black_box(wasi::get_random_bytes(u64::from(u32::MAX))),
        "handles" => {
            let pollables: Vec<_> = (0..100_000).map(wasi::subscribe_duration).collect();
            black_box(pollables);
        }
        "sleep" => std::thread::sleep(Duration::from_secs(3_600)),
        "sleep-for-ages" => std::thread::sleep(Duration::MAX),
        "flood-log" => flood_log(),
        "flood-stdout" => flood(std::io::stdout()),
        "flood-stderr" => flood(std::io::stderr()),
        "no-newline" => no_newline(),
        _ => {}
    }
}

/// Reads where no memory is.
fn wild_pointer() {
    // SAFETY: none. What is undefined in Rust is a trap in WebAssembly: this address lies beyond what an instance has.
    black_box(unsafe { std::ptr::read_volatile(black_box(usize::MAX - 8) as *const u64) });
}

#[expect(unconditional_recursion, reason = "it is meant to use up the stack")]
fn descend(depth: u64) -> u64 {
    black_box(descend(black_box(depth + 1))) + 1
}

/// More lines than the host keeps, some with what does not belong into a log.
fn flood_log() {
    for line in 0..5_000 {
        log::warn("a\u{1b}[31m\nb", &format!("line {line}\r\n\u{1b}[2Jerror: imitated\u{202e}"));
    }
}

/// Many bytes, lines that are no UTF-8 among them. Whether they arrive is none of its concern.
fn flood(mut stream: impl Write) {
    for line in 0..5_000 {
        _ = stream.write_all(format!("line {line} \u{1b}[31m").as_bytes());
        _ = stream.write_all(b"\xff\xfe\n");
    }
}

fn no_newline() {
    let mut stream = std::io::stderr();
    for _ in 0..1_000 {
        _ = stream.write_all(&[b'x'; 1_024]);
    }
}
