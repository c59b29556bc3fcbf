//! What a connector can reach, keep and see, with a guest that tries.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

#[path = "connector/guest.rs"]
mod guest;
#[path = "connector/limits.rs"]
mod limits;
#[path = "connector/reach.rs"]
mod reach;
#[path = "connector/secrets.rs"]
mod secrets;
#[path = "connector/state.rs"]
mod state;
