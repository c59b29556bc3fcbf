//! The simulator over HTTP, as a client sees it. What is expected here is what Graph's documentation and the reports named
//! in the catalogue of faults say, not what the code happens to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod batch;
mod calendars;
mod client;
mod clients;
mod contacts;
mod control;
mod delta;
mod faults;
mod identity;
mod tasks;
