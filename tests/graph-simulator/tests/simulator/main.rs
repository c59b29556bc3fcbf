//! The simulator over HTTP, as a client sees it. What is expected here is what Graph's documentation and the reports named
//! in the catalogue of faults say, not what the code happens to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod calendars;
mod client;
mod delta;
