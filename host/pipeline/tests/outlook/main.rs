//! The reconciliation with Outlook against a server in memory: stories, the decision tables, guards, properties.
#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod check;
mod circumstances;
mod comes_back;
mod history;
mod hostile;
mod properties;
mod server;
mod stories;
mod ten_thousand;
mod values;
mod world;
mod writer;
