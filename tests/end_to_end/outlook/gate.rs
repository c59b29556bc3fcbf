//! The only way from the program to a server: it counts requests, and stops where a test wants to look or to kill.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Where a request is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The server has not heard of this one.
    Before(u64),
    /// The server has done it, and its answer is on the way.
    After(u64),
}

/// How long a run may take until it comes to the gate or ends: none hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What is known of the gate.
#[derive(Debug, Default)]
struct Inner {
    stop: Option<Stop>,
    requests: u64,
    is_reached: bool,
    /// What was held goes on, instead of being cut off.
    goes_on: bool,
    /// What was held has gone on.
    has_gone_on: bool,
}

#[derive(Default)]
struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// A gate before a server; it lets everything pass until it is told to stop.
pub(crate) struct Gate {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a request for as long as the gate is to stop there; true when it is to be cut off.
    fn holds(&self, here: Stop) -> bool {
        let mut inner = self.lock();
        if inner.stop != Some(here) {
            return false;
        }
        inner.is_reached = true;
        self.changed.notify_all();
        while inner.stop == Some(here) {
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        !inner.goes_on
    }

    /// Something was passed on.
    fn passed(&self) {
        let mut inner = self.lock();
        if inner.goes_on {
            inner.has_gone_on = true;
            self.changed.notify_all();
        }
    }
}

impl Gate {
    /// A gate before the server at `http://HOST:PORT`.
    pub(crate) fn before(origin: &str) -> Self {
        let server: SocketAddr = origin.trim_start_matches("http://").parse().expect("an address");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let inside = shared.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                carry(client, server, &inside);
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:port`
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Counts from here on, and stops there.
    pub(crate) fn stop(&self, stop: Stop) {
        *self.shared.lock() = Inner { stop: Some(stop), ..Inner::default() };
    }

    /// Waits until the gate holds a request, or the process ends; true when it holds one.
    ///
    /// # Panics
    /// Neither happens.
    pub(crate) fn wait(&self, child: &mut Child) -> bool {
        let begin = Instant::now();
        let mut inner = self.shared.lock();
        while !inner.is_reached {
            assert!(begin.elapsed() < PATIENCE, "the run hangs");
            if child.try_wait().expect("a status").is_some() {
                return false;
            }
            // The end of a process wakes nobody: it is looked for from time to time.
            let waited = self.shared.changed.wait_timeout(inner, Duration::from_millis(20));
            inner = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Lets what is held go on, and waits until it has.
    pub(crate) fn deliver(&self) {
        let mut inner = self.shared.lock();
        *inner = Inner { goes_on: true, ..Inner::default() };
        self.shared.changed.notify_all();
        while !inner.has_gone_on {
            let (locked, waited) =
                self.shared.changed.wait_timeout(inner, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            assert!(!waited.timed_out(), "what is held does not go on");
            inner = locked;
        }
    }

    /// Lets everything pass again; a request that is held is cut off.
    pub(crate) fn open(&self) {
        *self.shared.lock() = Inner::default();
        self.shared.changed.notify_all();
    }
}

/// Carries what is said between the two. On a connection, a request begins when something is said after an answer.
fn carry(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    let is_answered = Arc::new(AtomicBool::new(true));
    let number = Arc::new(AtomicU64::new(0));
    let clone = |stream: &TcpStream| stream.try_clone().expect("a stream");
    let (to, from) = ((clone(&client), clone(&server)), (server, client));
    {
        let (shared, is_answered, number) = (shared.clone(), is_answered.clone(), number.clone());
        thread::spawn(move || {
            let may_pass = || {
                if !is_answered.swap(false, Ordering::SeqCst) {
                    return true;
                }
                let requests = {
                    let mut inner = shared.lock();
                    inner.requests += 1;
                    inner.requests
                };
                number.store(requests, Ordering::SeqCst);
                !shared.holds(Stop::Before(requests))
            };
            pass(to.0, to.1, may_pass, || {});
        });
    }
    let shared = shared.clone();
    thread::spawn(move || {
        let may_pass = || {
            is_answered.store(true, Ordering::SeqCst);
            !shared.holds(Stop::After(number.load(Ordering::SeqCst)))
        };
        pass(from.0, from.1, may_pass, || shared.passed());
    });
}

/// Passes on what comes, until one side ends or it may not pass.
fn pass(mut from: TcpStream, mut to: TcpStream, mut may_pass: impl FnMut() -> bool, passed: impl Fn()) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !may_pass() || to.write_all(&buffer[..length]).is_err() {
            break;
        }
        passed();
    }
    for stream in [&from, &to] {
        // Whoever was faster has closed it already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
