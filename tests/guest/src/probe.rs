//! A look around: what does a plugin see of the machine it runs on?

use std::collections::hash_map::RandomState;
use std::fmt::{Debug, Display, Write};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use crate::{setting, wasi};

/// Calls that this instance has seen.
static CALLS: AtomicU32 = AtomicU32::new(0);

/// How often this instance was called, this call included.
pub fn calls() -> u32 {
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}

/// Everything found, one `what = found` a line.
pub fn everything() -> String {
    let mut text = String::new();
    let mut tell = |what: &str, found: &dyn Display| _ = writeln!(text, "{what} = {found}");
    tell("environment", &std::env::vars_os().count());
    tell("arguments", &std::env::args_os().count());
    tell("input", &seen(read_input()));
    for path in ["/etc/passwd", "/proc/self/environ", "apptsync.toml", "../apptsync.toml"] {
        tell(path, &seen(fs::read(path).map(|bytes| bytes.len())));
    }
    for path in [".", "..", "/"] {
        tell(path, &seen(fs::read_dir(path).map(Iterator::count)));
    }
    tell("write", &seen(fs::write("found.txt", "here")));
    let port = setting("port").unwrap_or_default();
    tell("connect", &seen(TcpStream::connect(format!("127.0.0.1:{port}")).map(|_| "connected")));
    tell("listen", &seen(TcpListener::bind("127.0.0.1:0").map(|_| "listening")));
    tell("udp", &seen(UdpSocket::bind("127.0.0.1:0").map(|_| "bound")));
    tell("resolve", &seen("localhost:80".to_socket_addrs().map(Iterator::count)));
    tell("thread", &seen(std::thread::Builder::new().spawn(|| ()).map(|_| "spawned")));
    tell("process", &seen(std::process::Command::new("true").spawn().map(|_| "spawned")));
    text
}

/// What the clock shows, in seconds since 1970.
pub fn clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

/// Random numbers by two roads.
pub fn randomness() -> String {
    let bytes: String = wasi::get_random_bytes(8).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{bytes} {:016x}", RandomState::new().build_hasher().finish())
}

fn read_input() -> std::io::Result<usize> {
    std::io::stdin().read(&mut [0; 16])
}

fn seen<T: Debug>(result: std::io::Result<T>) -> String {
    match result {
        Ok(found) => format!("{found:?}"),
        Err(_) => "nothing".to_owned(),
    }
}
