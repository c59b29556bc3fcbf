//! `completions`: what a shell needs to complete commands and flags.

use std::io::{self, Write};

use clap::Args;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::context::Exit;

const EXAMPLES: &str = "\
Examples:
  apptsync completions bash > ~/.local/share/bash-completion/completions/apptsync
  apptsync completions zsh > \"${fpath[1]}/_apptsync\"
  apptsync completions fish > ~/.config/fish/completions/apptsync.fish";

/// Which completions.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
///
/// # Errors
/// The output cannot be written.
pub fn run(arguments: &CompletionsArguments) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::described(), "apptsync", &mut script);
    match io::stdout().lock().write_all(&script) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}
