//! `outlook resolve`: a person's word on an item that waits for one.

use apptsync_pipeline::outlook::{Resolved, resolve};
use apptsync_store::{OutlookStore, Side, Store};
use clap::Args;
use serde_json::json;

use crate::context::{Context, Exit, UsageError};
use crate::outlook::{settings_of, without_server};

/// Arguments of `outlook resolve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  apptsync outlook resolve 4711 --keep headquarters
  apptsync outlook resolve 4711

Items that wait for a decision, those in quarantine and those that are left out of Outlook stand in `apptsync outlook status` \
and in what `outlook sync` says. The next run follows the decision: what is in quarantine is tried again, what is left out is \
made in Outlook again.")]
pub struct ResolveArguments {
    /// The number of an activity, or the remote id of an item
    id: String,
    /// Whose version counts: headquarters or outlook; an item in quarantine, or one that is left out, needs none
    #[arg(long, value_name = "SIDE")]
    keep: Option<Side>,
}

/// Runs the command.
///
/// # Errors
/// Nothing waits for a decision there, or the database cannot be used.
pub fn run(arguments: &ResolveArguments, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    let master = store.master_data()?;
    let id = &arguments.id;
    for stored in store.profiles()? {
        let Some(settings) = settings_of(&store, &stored.profile.employee)? else { continue };
        let Some(_lock) = store.try_lock_profile(stored.id)? else {
            anyhow::bail!("another process is synchronising profile `{}`: try again", stored.profile.name);
        };
        let with = without_server(&store, &master, &stored, &settings);
        let Some(resolved) = resolve(&with, id, arguments.keep, context.now())? else { continue };
        let name = &stored.profile.name;
        if context.is_json() {
            let keep = match resolved {
                Resolved::Answered(side) => Some(side),
                Resolved::Released | Resolved::BroughtBack => None,
            };
            let released = resolved == Resolved::Released;
            let brought_back = resolved == Resolved::BroughtBack;
            let view = json!({
                "profile": name, "id": id, "keep": keep, "released": released, "brought_back": brought_back,
            });
            context.print_json(&view)?;
            return Ok(Exit::Done);
        }
        context.print_line(&match resolved {
            Resolved::Answered(side) => {
                format!("{name}: the next run takes the version of {side} of `{id}`")
            }
            Resolved::BroughtBack => {
                format!("{name}: `{id}` is no longer left out: the next run makes it in Outlook again, where it lies in the window and meets the criteria")
            }
            Resolved::Released => format!("{name}: `{id}` is out of quarantine: the next run tries it again"),
        })?;
        return Ok(Exit::Done);
    }
    let message = format!(
        "`{}` is no activity or item of a profile: `apptsync outlook status` shows what waits",
        id.escape_debug()
    );
    Err(UsageError(message).into())
}
