//! `channel-partners`: which customer of a sales channel is which partner.

use apptsync_model::{ChannelPartner, MasterData};
use apptsync_store::{MasterKind, Store};
use clap::{Args, Subcommand};

use crate::context::{Context, Exit, UsageError};
use crate::position::nearest;

const EXAMPLES: &str = "\
Examples:
  apptsync channel-partners add B2B C00017 --partner C00017
  apptsync channel-partners list --channel B2B";

/// What to do with sales channel partners.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum ChannelPartnersCommand {
    /// Show all sales channel partners
    List {
        /// Of this sales channel only
        #[arg(long, value_name = "ID")]
        channel: Option<String>,
    },
    /// Show a sales channel partner
    Show(Key),
    /// Connect a customer of a channel with a partner
    Add {
        /// Which
        #[command(flatten)]
        key: Key,
        /// The partner
        #[arg(long, value_name = "ID")]
        partner: String,
    },
    /// Connect a customer of a channel with another partner
    Set {
        /// Which
        #[command(flatten)]
        key: Key,
        /// The partner
        #[arg(long, value_name = "ID")]
        partner: String,
    },
    /// Take the connection away; the partner stays
    Remove(Key),
}

/// What tells sales channel partners apart.
#[derive(Debug, Args)]
pub struct Key {
    /// The sales channel
    channel: String,
    /// The customer's id in the feed
    external_id: String,
}

const HEADINGS: [&str; 3] = ["Sales channel", "External id", "Partner"];

fn row(connection: &ChannelPartner) -> Vec<String> {
    vec![connection.channel.clone(), connection.external_id.clone(), connection.partner.clone()]
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: ChannelPartnersCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = &context.workspace()?.store()?;
    match command {
        ChannelPartnersCommand::List { channel } => {
            let mut connections = store.master_data()?.channel_partner;
            connections.retain(|connection| channel.as_ref().is_none_or(|channel| *channel == connection.channel));
            if context.is_json() {
                context.print_json(&connections)?;
            } else {
                context.print_table(&HEADINGS, connections.iter().map(row).collect())?;
            }
            Ok(Exit::Done)
        }
        ChannelPartnersCommand::Show(key) => {
            let connection = find(store, &key)?;
            if context.is_json() {
                context.print_json(&connection)?;
            } else {
                let fields = HEADINGS.iter().zip(row(&connection));
                let rows = fields.map(|(label, value)| vec![(*label).to_owned(), value]).collect();
                context.print_table(&["Field", "Value"], rows)?;
            }
            Ok(Exit::Done)
        }
        ChannelPartnersCommand::Add { key, partner } => {
            if let Some(present) = lookup(&store.master_data()?, &key) {
                let Key { channel, external_id } = &key;
                let message = format!(
                    "customer `{external_id}` of channel `{channel}` is connected with partner `{}` already: change it with `apptsync channel-partners set {channel} {external_id}`",
                    present.partner
                );
                return Err(UsageError(message).into());
            }
            put(context, store, key, partner)
        }
        ChannelPartnersCommand::Set { key, partner } => {
            find(store, &key)?;
            put(context, store, key, partner)
        }
        ChannelPartnersCommand::Remove(key) => {
            let connection = find(store, &key)?;
            store.remove(MasterKind::ChannelPartner, &connection.external_id, Some(&connection.channel))?;
            super::report_removed(context, &about(&connection))
        }
    }
}

fn about(connection: &ChannelPartner) -> String {
    format!("sales channel partner {} {}", connection.channel, connection.external_id)
}

fn lookup<'a>(data: &'a MasterData, key: &Key) -> Option<&'a ChannelPartner> {
    let is_meant = |entry: &&ChannelPartner| entry.channel == key.channel && entry.external_id == key.external_id;
    data.channel_partner.iter().find(is_meant)
}

fn find(store: &dyn Store, key: &Key) -> anyhow::Result<ChannelPartner> {
    let data = store.master_data()?;
    if let Some(found) = lookup(&data, key) {
        return Ok(found.clone());
    }
    let of_channel = data.channel_partner.iter().filter(|entry| entry.channel == key.channel);
    let near = nearest(&key.external_id, of_channel.map(|entry| entry.external_id.as_str()));
    let name = format!("sales channel partner of channel `{}` with the external id", key.channel.escape_debug());
    Err(UsageError(super::unknown(&name, "channel-partners", &key.external_id, near)).into())
}

fn put(context: &Context, store: &dyn Store, key: Key, partner: String) -> anyhow::Result<Exit> {
    let connection = ChannelPartner { channel: key.channel, partner, external_id: key.external_id };
    let about = about(&connection);
    let data = MasterData { channel_partner: vec![connection], ..MasterData::default() };
    super::report(context, &about, store.load(&data)?)
}
