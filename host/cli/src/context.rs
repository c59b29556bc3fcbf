//! What every command gets: the global flags, the clock, the workspace, and the ways to print.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use apptsync_model::{Instant, text};
use chrono::Utc;
use clap::ValueEnum;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

pub use crate::workspace::Workspace;

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Tables and sentences for people.
    #[default]
    Table,
    /// JSON for programs; the documented fields are stable.
    Json,
}

/// How a command ended when nothing went wrong with the command itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done: exit code 0.
    Done,
    /// What was asked for was not done, and the output says why: exit code 1.
    Failed,
    /// Done, but something needs a look: exit code 3.
    Warnings,
}

/// Wrong usage or configuration: exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The global flags, and what all commands share.
#[derive(Debug, Default)]
pub struct Context {
    config: Option<PathBuf>,
    output: Output,
    quiet: bool,
    as_of: Option<Instant>,
    is_output_closed: Cell<bool>,
}

impl Context {
    /// The context of one command.
    #[must_use]
    pub fn new(config: Option<PathBuf>, output: Output, quiet: bool, as_of: Option<Instant>) -> Self {
        Self { config, output, quiet, as_of, is_output_closed: Cell::new(false) }
    }

    /// The instant that counts as now: `--as-of`, or else the machine's clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.as_of.unwrap_or_else(|| Utc::now().into())
    }

    /// `--as-of`, where it was given.
    #[must_use]
    pub fn as_of(&self) -> Option<Instant> {
        self.as_of
    }

    /// The same at another instant.
    #[must_use]
    pub fn with_as_of(&self, as_of: Instant) -> Self {
        Self::new(self.config.clone(), self.output, self.quiet, Some(as_of))
    }

    /// True for `--output json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// True where a progress bar may be drawn: stderr is a terminal, and nobody asked for quiet.
    #[must_use]
    pub fn shows_progress(&self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }

    /// Finds the workspace, from the current folder upwards or by `--config`, and reads its configuration.
    ///
    /// # Errors
    /// There is none, or its `apptsync.toml` is wrong: a [`UsageError`].
    pub fn workspace(&self) -> anyhow::Result<Workspace> {
        Workspace::find(self.config.as_deref())
    }

    /// Finds the workspace without reading its configuration: its `apptsync.toml`.
    ///
    /// # Errors
    /// There is none: a [`UsageError`].
    pub fn configuration_file(&self) -> anyhow::Result<PathBuf> {
        crate::workspace::find_file(self.config.as_deref())
    }

    /// The same flags for the workspace of another configuration file.
    #[must_use]
    pub fn with_config(&self, config: PathBuf) -> Self {
        Self::new(Some(config), self.output, self.quiet, self.as_of)
    }

    /// Prints a result as indented JSON.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print_json(&self, value: &impl serde::Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        self.print(&text)
    }

    /// Prints a table for people; nothing with `--output json`. On a terminal it has borders and fits the width, elsewhere
    /// it is plain columns.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print_table(&self, headings: &[&str], rows: Vec<Vec<String>>) -> anyhow::Result<()> {
        if self.is_json() {
            return Ok(());
        }
        let mut table = Table::new();
        table.set_header(headings.iter().copied());
        let is_number = |column: usize| rows.iter().all(|row| row.get(column).is_some_and(|cell| is_number(cell)));
        let numbers: Vec<_> = (0..headings.len()).map(is_number).collect();
        // Cells may hold what others wrote: nothing in them may steer the terminal.
        table.add_rows(rows.into_iter().map(|row| row.into_iter().map(text::lines).collect::<Vec<_>>()));
        if io::stdout().is_terminal() {
            table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
            table.column_iter_mut().for_each(|column| {
                column.set_padding((0, 2));
            });
        }
        table.column_iter_mut().zip(numbers).filter(|(_, is_number)| *is_number).for_each(|(column, _)| {
            column.set_cell_alignment(CellAlignment::Right);
        });
        let mut text = table.trim_fmt();
        text.push('\n');
        self.print(&text)
    }

    /// Prints a line for people; nothing with `--output json`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print_line(&self, line: &str) -> anyhow::Result<()> {
        if self.is_json() {
            return Ok(());
        }
        let mut line = text::lines(line.to_owned());
        line.push('\n');
        self.print(&line)
    }

    /// Asks a person on the terminal whether to go on. Elsewhere nobody could answer, and `--yes` has to say it.
    ///
    /// # Errors
    /// Nobody can be asked: a [`UsageError`].
    pub fn confirm(&self, question: &str) -> anyhow::Result<bool> {
        if !io::stdin().is_terminal() {
            return Err(UsageError(format!("{question} Say --yes to do it")).into());
        }
        write!(io::stderr(), "{} [y/N] ", text::lines(question.to_owned()))?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    /// Tells people on stderr what they may want to know or do next; nothing with `--quiet`.
    pub fn hint(&self, line: &str) {
        if !self.quiet {
            to_stderr(line);
        }
    }

    /// Warns people on stderr, with `--quiet` too.
    pub fn warn(&self, line: &str) {
        to_stderr(&format!("warning: {line}"));
    }

    fn print(&self, text: &str) -> anyhow::Result<()> {
        if self.is_output_closed.get() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            // Whoever read has seen enough: `apptsync jobs list | head -1`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_output_closed.set(true);
                Ok(())
            }
            written => written.map_err(|error| anyhow::anyhow!("the output cannot be written: {error}")),
        }
    }
}

fn is_number(cell: &str) -> bool {
    !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit())
}

/// Writes a line to stderr. Where stderr is closed there is nobody to tell.
pub fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", text::lines(line.to_owned()));
}
