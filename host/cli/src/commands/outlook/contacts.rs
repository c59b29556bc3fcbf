//! `outlook contacts`: Synchronize address books (domain 8).

use std::time::Duration;

use apptsync_pipeline::outlook::{SyncRequest, synchronise_contacts};
use clap::Args;

use super::connect::KeyArguments;
use super::progress::Bar;
use super::sync::{Outcome, exit_of, show, synchronise_all};
use crate::context::{Context, Exit};
use crate::outlook::profile_named;

/// Arguments of `outlook contacts`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook contacts barbara --plan
  apptsync outlook contacts barbara

Partners and sales representatives become contacts, one way: nothing of an address book comes to the headquarters.")]
pub struct ContactsArguments {
    /// Name of the profile
    profile: String,
    /// Show what would be done and why; change nothing
    #[arg(long)]
    plan: bool,
    /// Apply the held plan with this hash
    #[arg(long, value_name = "HASH", conflicts_with = "plan")]
    approve: Option<String>,
    /// How long a run may wait because a server wants a pause, such as 30s
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    patience: Duration,
    /// Where the password of a protected private key comes from
    #[command(flatten)]
    key: KeyArguments,
}

/// Runs the command.
///
/// # Errors
/// The arguments do not fit, or the workspace cannot be used.
pub fn run(arguments: &ContactsArguments, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let stored = profile_named(&workspace.store()?, &arguments.profile)?;
    let bar = Bar::new(context);
    let request = SyncRequest {
        as_of: context.now(),
        plan_only: arguments.plan,
        approve: arguments.approve.clone(),
        patience: arguments.patience,
        progress: Some(bar.clone()),
    };
    let outcomes: anyhow::Result<Vec<Outcome>> = synchronise_all(
        &workspace,
        context,
        std::slice::from_ref(&stored),
        &request,
        &arguments.key,
        synchronise_contacts,
    );
    bar.finish();
    let outcomes = outcomes?;
    show(&outcomes, arguments.plan, context)?;
    Ok(exit_of(&outcomes))
}
