//! The connector against the Graph simulator, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod appointments;
mod blocked;
mod contacts;
mod faults;
mod requests;
mod series;
mod shapes;
mod support;
mod tasks;
mod versions;
