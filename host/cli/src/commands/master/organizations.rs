//! `organizations`: who sells, and in which time zone.

use apptsync_model::{MasterData, Organization};
use apptsync_store::MasterKind;
use chrono_tz::Tz;
use clap::Subcommand;

use super::Entry;
use crate::context::{Context, Exit};
use crate::position::nearest;

const EXAMPLES: &str = "\
Examples:
  apptsync organizations add O1 --name \"Comfort Trade\" --time-zone Europe/Warsaw
  apptsync organizations set O1 --time-zone Europe/Berlin";

/// What to do with organizations.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum OrganizationsCommand {
    /// Show all organizations
    List,
    /// Show an organization
    Show {
        /// Its id
        id: String,
    },
    /// Add an organization
    Add {
        /// Its id
        id: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// Its time zone by its IANA name, such as Europe/Warsaw
        #[arg(long, value_name = "ZONE", value_parser = zone)]
        time_zone: Tz,
    },
    /// Change an organization
    Set {
        /// Its id
        id: String,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// Its time zone by its IANA name, such as Europe/Warsaw
        #[arg(long, value_name = "ZONE", value_parser = zone)]
        time_zone: Option<Tz>,
    },
    /// Remove an organization that nothing refers to
    Remove {
        /// Its id
        id: String,
    },
}

fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| zone_advice(text))
}

/// What to write instead of a name that is no IANA time zone.
pub(in crate::commands) fn zone_advice(text: &str) -> String {
    let near = nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    near.map_or_else(|| "write it as Europe/Warsaw".to_owned(), |near| format!("did you mean {near}?"))
}

impl Entry for Organization {
    const KIND: MasterKind = MasterKind::Organization;
    const NAME: &'static str = "organization";
    const COMMAND: &'static str = "organizations";
    const LISTED: &'static [&'static str] = &["Organization", "Name", "Time zone"];

    fn id(&self) -> &str {
        &self.id
    }

    fn all(data: MasterData) -> Vec<Self> {
        data.organization
    }

    fn alone(self) -> MasterData {
        MasterData { organization: vec![self], ..MasterData::default() }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Organization", self.id.clone()),
            ("Name", self.name.clone()),
            ("Time zone", self.time_zone.name().to_owned()),
        ]
    }
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: OrganizationsCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = &context.workspace()?.store()?;
    match command {
        OrganizationsCommand::List => super::print_list::<Organization>(context, &super::entries(store)?),
        OrganizationsCommand::Show { id } => super::print_entry::<Organization>(context, &super::find(store, &id)?),
        OrganizationsCommand::Add { id, name, time_zone } => {
            super::add(context, store, Organization { id, name, time_zone })
        }
        OrganizationsCommand::Set { id, name, time_zone } => {
            let mut organization: Organization = super::find(store, &id)?;
            super::set(&mut organization.name, name);
            super::set(&mut organization.time_zone, time_zone);
            super::put(context, store, organization)
        }
        OrganizationsCommand::Remove { id } => super::remove::<Organization>(context, store, &id),
    }
}
