//! The connector against the Graph simulator, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod appointments;
mod contacts;
mod faults;
mod support;
mod tasks;
