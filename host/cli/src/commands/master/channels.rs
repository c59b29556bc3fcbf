//! `channels`: the sales channels.

use apptsync_model::{Channel, MasterData};
use apptsync_store::MasterKind;
use clap::Subcommand;

use super::Entry;
use super::ibus::IbusCommand;
use crate::context::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  apptsync channels add B2B --organization O1 --description \"Field sales\"
  apptsync channels set B2B --active false";

/// What to do with sales channels.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum ChannelsCommand {
    /// Show all sales channels
    List,
    /// Show a sales channel
    Show {
        /// Its id
        id: String,
    },
    /// Add a sales channel
    Add {
        /// Its id: 1 to 3 letters, digits, or _ . -
        id: String,
        /// The organization that sells through it
        #[arg(long, value_name = "ID")]
        organization: String,
        /// Description
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// Only active channels are imported
        #[arg(long, value_name = "true|false", default_value_t = true, action = clap::ArgAction::Set)]
        active: bool,
    },
    /// Change a sales channel
    Set {
        /// Its id
        id: String,
        /// The organization that sells through it
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// Description
        #[arg(long)]
        description: Option<String>,
        /// Only active channels are imported
        #[arg(long, value_name = "true|false")]
        active: Option<bool>,
    },
    /// IBUS settings of Customizing: how the sales channel reaches the intermediary
    #[command(subcommand)]
    Ibus(IbusCommand),
    /// Remove a sales channel that nothing refers to
    Remove {
        /// Its id
        id: String,
    },
}

impl Entry for Channel {
    const KIND: MasterKind = MasterKind::Channel;
    const NAME: &'static str = "sales channel";
    const COMMAND: &'static str = "channels";
    const LISTED: &'static [&'static str] = &["Sales channel", "Description", "Organization", "Active"];

    fn id(&self) -> &str {
        &self.id
    }

    fn all(data: MasterData) -> Vec<Self> {
        data.channel
    }

    fn alone(self) -> MasterData {
        MasterData { channel: vec![self], ..MasterData::default() }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Sales channel", self.id.clone()),
            ("Description", self.description.clone()),
            ("Organization", self.organization.clone()),
            ("Active", super::yes_no(self.active)),
        ]
    }
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: ChannelsCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = &context.workspace()?.store()?;
    match command {
        ChannelsCommand::List => super::print_list::<Channel>(context, &super::entries(store)?),
        ChannelsCommand::Show { id } => super::print_entry::<Channel>(context, &super::find(store, &id)?),
        ChannelsCommand::Add { id, organization, description, active } => {
            super::add(context, store, Channel { id, description, organization, active })
        }
        ChannelsCommand::Set { id, organization, description, active } => {
            let mut channel: Channel = super::find(store, &id)?;
            super::set(&mut channel.organization, organization);
            super::set(&mut channel.description, description);
            super::set(&mut channel.active, active);
            super::put(context, store, channel)
        }
        ChannelsCommand::Ibus(command) => super::ibus::run(command, context, store),
        ChannelsCommand::Remove { id } => super::remove::<Channel>(context, store, &id),
    }
}
