//! The commands, one topic a file. Each has its arguments and a function `run`.

pub mod activities;
pub mod completions;
pub mod credentials;
pub mod definitions;
pub mod demo;
pub mod doctor;
pub mod explain;
pub mod init;
pub mod jobs;
pub mod load;
pub mod master;
pub mod mobile;
pub mod outlook;
pub mod plugins;
pub mod run;

use crate::arguments::Command;
use crate::context::{Context, Exit};

/// Runs a command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: Command, context: &Context) -> anyhow::Result<Exit> {
    match command {
        Command::Init(arguments) => init::run(&arguments, context),
        Command::Demo(arguments) => demo::run(&arguments, context),
        Command::Load(arguments) => load::run(&arguments, context),
        Command::Organizations(command) => master::organizations::run(command, context),
        Command::Partners(command) => master::partners::run(command, context),
        Command::Employees(command) => master::employees::run(command, context),
        Command::Users(command) => master::users::run(command, context),
        Command::Channels(command) => master::channels::run(command, context),
        Command::ChannelPartners(command) => master::channel_partners::run(command, context),
        Command::Definitions(command) => definitions::run(command, context),
        Command::Run(command) => run::run(command, context),
        Command::Jobs(command) => jobs::run(command, context),
        Command::Activities(command) => activities::run(command, context),
        Command::Mobile(command) => mobile::run(command, context),
        Command::Outlook(command) => outlook::run(command, context),
        Command::Credentials(command) => credentials::run(command, context),
        Command::Explain(arguments) => explain::run(arguments, context),
        Command::Plugins(command) => plugins::run(command, context),
        Command::Doctor => doctor::run(context),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
