//! Credentials from the outside: certificates as they come, and tokens from a server that checks what it is sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod certificates;
mod device_code;
mod server;
mod simulator;
mod tokens;
