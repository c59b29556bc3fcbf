//! HTTP under the rules of a grant, against servers on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

#[path = "http/addresses.rs"]
mod addresses;
#[path = "http/answers.rs"]
mod answers;
#[path = "http/credentials.rs"]
mod credentials;
#[path = "http/requests.rs"]
mod requests;
#[path = "http/support.rs"]
mod support;
#[path = "http/tls.rs"]
mod tls;
