//! End to end through the binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on must fail")]

mod appointments;
mod background;
mod batch_applications;
mod boundary;
mod changed_files;
mod commands;
#[cfg(unix)]
mod crash;
mod definition;
mod documents;
mod first_import;
mod guests;
mod hostile;
mod ledger;
mod master_data;
mod one_way;
mod outlook;
mod second_reader;
mod status;
mod support;
mod swapped;
mod tabs;
mod walk_throughs;
