//! `apptsync` carries sales appointments from a mobile system into the headquarters, every stage a plugin.
//!
//! This is the command line: it parses, calls and prints. The rules are in the rooms below it.

#![expect(unreachable_pub, reason = "nobody uses a binary's items; `pub` says what a module offers to the others")]

use std::io::IsTerminal;
use std::process::ExitCode;

use apptsync_pipeline::ImportError;
use apptsync_pipeline::outlook::SyncError;
use apptsync_runtime::LoadError;
use apptsync_store::StoreError;
use tracing_subscriber::EnvFilter;

mod arguments;
mod built_in;
mod commands;
mod configuration;
mod context;
mod outlook;
mod position;
mod report;
mod workspace;

use crate::arguments::{Arguments, GlobalArguments};
use crate::context::{Exit, UsageError, to_stderr};

const DONE: u8 = 0;
const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;
const WARNINGS: u8 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version come this way too. Where nobody reads, there is nobody to tell.
            let _ = error.print();
            return if error.use_stderr() { WRONG_USAGE.into() } else { DONE.into() };
        }
    };
    start_log(&arguments.global);
    let context = arguments.global.context();
    let code = match commands::run(arguments.command, &context) {
        Ok(Exit::Done) => DONE,
        Ok(Exit::Failed) => FAILED,
        Ok(Exit::Warnings) => WARNINGS,
        Err(error) => {
            to_stderr(&format!("error: {error:#}"));
            if is_wrong_usage(&error) { WRONG_USAGE } else { FAILED }
        }
    };
    code.into()
}

/// True for what somebody has to write differently, in the arguments or in the configuration.
fn is_wrong_usage(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<UsageError>()
            || cause.downcast_ref().is_some_and(is_wrong_import)
            || matches!(cause.downcast_ref(), Some(SyncError::Usage(_)))
            || matches!(
                cause.downcast_ref(),
                Some(StoreError::Missing(_) | StoreError::Reference(_) | StoreError::Invalid(_))
            )
    })
}

/// True for arguments that do not fit, and for a plugin that cannot be used as it is configured.
fn is_wrong_import(error: &ImportError) -> bool {
    match error {
        ImportError::Load(error) => !matches!(error, LoadError::Engine(_)),
        error => matches!(error, ImportError::Usage(_)),
    }
}

/// Sends the log to stderr; `RUST_LOG` says more exactly than the flags what is in it.
fn start_log(global: &GlobalArguments) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(global.log_level()));
    let has_colours =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(has_colours).with_writer(std::io::stderr).finish();
    // A second subscriber cannot be there: this is the first thing the program does.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
