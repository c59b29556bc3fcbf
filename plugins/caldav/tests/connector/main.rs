//! The connector against real servers, against answers as other servers give them, and against hostile ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod elsewhere;
mod hosts;
mod recorded;
mod servers;
mod tags;
mod validator;
mod writing;
