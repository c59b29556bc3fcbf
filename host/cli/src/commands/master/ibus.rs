//! `channels ibus`: IBUS settings of Customizing (domain 3). The passwords stand in the credential file.

use apptsync_model::{Channel, IbusSettings};
use apptsync_store::Store;
use clap::{Args, Subcommand};

use crate::context::{Context, Exit, UsageError};

/// What to do with the IBUS settings of a sales channel.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  apptsync channels ibus show B2B
  apptsync channels ibus set B2B --url https://ibus.example --client-id 7 --user mobile --credential ibus-b2b")]
pub enum IbusCommand {
    /// Show the IBUS settings of a sales channel
    Show {
        /// The sales channel
        channel: String,
    },
    /// Change the IBUS settings of a sales channel
    Set {
        /// The sales channel
        channel: String,
        /// The fields that are given
        #[command(flatten)]
        fields: Fields,
    },
}

/// Fields of IBUS settings.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Fields {
    /// Client ID
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// User
    #[arg(long)]
    user: Option<String>,
    /// URL
    #[arg(long)]
    url: Option<String>,
    /// Version
    #[arg(long)]
    version: Option<String>,
    /// Item category for MOS
    #[arg(long, value_name = "CATEGORY")]
    item_category: Option<String>,
    /// Entry of the credential file with Client Password and User Password, of kind ibus
    #[arg(long, value_name = "NAME")]
    credential: Option<String>,
}

/// Runs the command.
pub(super) fn run(command: IbusCommand, context: &Context, store: &dyn Store) -> anyhow::Result<Exit> {
    let settings = |channel: &str| -> anyhow::Result<IbusSettings> {
        let channel: Channel = super::find(store, channel)?;
        Ok(store.ibus_settings(&channel.id)?.unwrap_or_default())
    };
    match command {
        IbusCommand::Show { channel } => show(&settings(&channel)?, context),
        IbusCommand::Set { channel, fields } => {
            let Fields { client_id, user, url, version, item_category, credential } = fields;
            check_url(url.as_deref().unwrap_or_default())?;
            let mut settings = settings(&channel)?;
            super::set(&mut settings.client_id, client_id);
            super::set(&mut settings.user, user);
            super::set(&mut settings.url, url);
            super::set(&mut settings.version, version);
            super::set(&mut settings.item_category, item_category);
            super::set(&mut settings.credential, credential.map(Some));
            store.put_ibus_settings(&channel, &settings)?;
            show(&settings, context)
        }
    }
}

/// A password has no place in an address: it would be shown wherever the address is.
fn check_url(url: &str) -> Result<(), UsageError> {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?', '#']).next();
    if authority.is_some_and(|authority| authority.contains('@')) {
        let message = "--url has a user or a password in it: give --user, and the passwords with --credential";
        return Err(UsageError(message.into()));
    }
    Ok(())
}

fn show(settings: &IbusSettings, context: &Context) -> anyhow::Result<Exit> {
    if context.is_json() {
        context.print_json(settings)?;
        return Ok(Exit::Done);
    }
    let rows = [
        ("Client ID", &*settings.client_id),
        ("User", &settings.user),
        ("URL", &settings.url),
        ("Version", &settings.version),
        ("Item category for MOS", &settings.item_category),
        ("Credential", settings.credential.as_deref().unwrap_or_default()),
    ];
    let rows = rows.iter().map(|(label, value)| vec![(*label).to_owned(), (*value).to_owned()]).collect();
    context.print_table(&["Field", "Value"], rows)?;
    Ok(Exit::Done)
}
