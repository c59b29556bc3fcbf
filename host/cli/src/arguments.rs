//! The arguments of the command line: the global flags and the commands.

use std::path::PathBuf;

use apptsync_model::Instant;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::activities::ActivitiesCommand;
use crate::commands::completions::CompletionsArguments;
use crate::commands::credentials::CredentialsCommand;
use crate::commands::definitions::DefinitionsCommand;
use crate::commands::demo::DemoArguments;
use crate::commands::explain::ExplainArguments;
use crate::commands::init::InitArguments;
use crate::commands::jobs::JobsCommand;
use crate::commands::load::LoadArguments;
use crate::commands::master::channel_partners::ChannelPartnersCommand;
use crate::commands::master::channels::ChannelsCommand;
use crate::commands::master::employees::EmployeesCommand;
use crate::commands::master::organizations::OrganizationsCommand;
use crate::commands::master::partners::PartnersCommand;
use crate::commands::master::users::UsersCommand;
use crate::commands::mobile::MobileCommand;
use crate::commands::outlook::OutlookCommand;
use crate::commands::plugins::PluginsCommand;
use crate::commands::run::RunCommand;
use crate::context::{Context, Output};

const EXAMPLES: &str = "\
Begin with:
  apptsync demo                     a workspace with sample data, imported and shown
  apptsync init sales               an empty workspace

Every day:
  apptsync run import-data --channel B2B --user A
  apptsync activities list --status planned
  apptsync jobs list
  apptsync explain SA/2026/000001

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with warnings.";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  apptsync doctor
  apptsync doctor --config sales/apptsync.toml --output json

Exit codes: 0 all is well, 1 something is broken, 3 something needs a look.";

/// Carries sales appointments from Comarch Mobile into the headquarters, every stage a plugin.
#[derive(Debug, Parser)]
#[command(name = "apptsync", version, after_help = EXAMPLES, max_term_width = 120, arg_required_else_help = true)]
pub struct Arguments {
    /// The flags that every command takes.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Arguments {
    /// The command line as clap knows it: what belongs to a group of commands, its examples too, is shown with each of them.
    #[must_use]
    pub fn described() -> clap::Command {
        Self::command().mut_subcommands(with_examples)
    }

    /// Reads the arguments of this process.
    ///
    /// # Errors
    /// They are wrong, or ask for help or the version.
    pub fn read() -> Result<Self, clap::Error> {
        let mut command = Self::described();
        let matches = command.try_get_matches_from_mut(std::env::args_os())?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// Hands the examples of a command down to the commands below that have none of their own.
fn with_examples(command: clap::Command) -> clap::Command {
    let examples = command.get_after_help().cloned();
    command.mut_subcommands(|below| {
        let below = match (below.get_after_help(), &examples) {
            (None, Some(examples)) => below.after_help(examples.clone()),
            _ => below,
        };
        with_examples(below)
    })
}

/// The flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of every command")]
pub struct GlobalArguments {
    /// The configuration; without it, apptsync.toml is looked for from the current folder upwards
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
    /// Print results and errors only
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log more to stderr; twice for still more (RUST_LOG says exactly what)
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// The instant that counts as now, such as 2026-12-01T09:00:00Z, for rehearsals
    #[arg(long, global = true, value_name = "INSTANT")]
    pub as_of: Option<Instant>,
}

impl GlobalArguments {
    /// What the commands get.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::new(self.config.clone(), self.output, self.quiet, self.as_of)
    }

    /// The level of the log, where `RUST_LOG` does not say it.
    #[must_use]
    pub fn log_level(&self) -> &'static str {
        match self.verbose {
            0 if self.quiet => "error",
            0 => "warn",
            1 => "info",
            2 => "debug",
            _ => "trace",
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an empty workspace: apptsync.toml with comments, database, feed folder
    Init(InitArguments),
    /// Make a workspace with sample data, import it, and show what came of it
    Demo(DemoArguments),
    /// Load master data from a TOML file, all or nothing
    Load(LoadArguments),
    /// Organizations and their time zones
    #[command(subcommand)]
    Organizations(OrganizationsCommand),
    /// Partners: what customers of Mobile are in the headquarters
    #[command(subcommand)]
    Partners(PartnersCommand),
    /// Employees, their managers and their flag Sales representative
    #[command(subcommand)]
    Employees(EmployeesCommand),
    /// Users: employees who may log in to the headquarters
    #[command(subcommand)]
    Users(UsersCommand),
    /// Sales channels
    #[command(subcommand)]
    Channels(ChannelsCommand),
    /// Sales channel partners: which customer of a channel is which partner
    #[command(subcommand)]
    ChannelPartners(ChannelPartnersCommand),
    /// Activity definitions, such as ibus.AppointmentSynchronize
    #[command(subcommand)]
    Definitions(DefinitionsCommand),
    /// Batch applications: import customers, activities, or both
    #[command(subcommand)]
    Run(RunCommand),
    /// Batch jobs with protocol, ledger and stages
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Cockpit: the activities, one by one or filtered, and their export
    #[command(subcommand)]
    Activities(ActivitiesCommand),
    /// A stand-in for Comarch Mobile that writes the feed
    #[command(subcommand)]
    Mobile(MobileCommand),
    /// Credentials: what opens the servers of connectors, for you alone
    #[command(subcommand)]
    Credentials(CredentialsCommand),
    /// Microsoft Outlook: profiles, settings, synchronisation
    #[command(subcommand)]
    Outlook(OutlookCommand),
    /// Why an appointment is as it is, or is not there
    Explain(ExplainArguments),
    /// Plugins: what is configured and built in, and what a file holds
    #[command(subcommand)]
    Plugins(PluginsCommand),
    /// Check workspace, configuration, database, plugins, cache and feed, and say what to do
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor,
    /// Print the completions for a shell
    Completions(CompletionsArguments),
}

#[cfg(test)]
mod tests {
    use super::Arguments;

    fn without_examples(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands() {
            let path = format!("{path} {}", below.get_name());
            if below.get_after_help().is_none() && !below.has_subcommands() {
                found.push(path.clone());
            }
            without_examples(below, &path, found);
        }
    }

    #[test]
    fn every_command_that_does_something_has_examples() {
        let command = Arguments::described();
        command.clone().debug_assert();
        let mut found = Vec::new();
        without_examples(&command, "apptsync", &mut found);
        assert!(found.is_empty(), "without examples: {}", found.join(", "));
    }
}
