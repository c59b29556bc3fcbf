//! `partners`: what customers of Mobile are in the headquarters.

use apptsync_model::{MasterData, Partner};
use apptsync_store::MasterKind;
use clap::{Args, Subcommand};

use super::Entry;
use crate::context::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  apptsync partners add C9 --name \"Delikatesy Krakus\" --street \"Długa 1\" --city Kraków --country PL
  apptsync channel-partners add B2B C9 --partner C9
  apptsync partners set C9 --deletion-mark true";

/// What to do with partners.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum PartnersCommand {
    /// Show all partners
    List,
    /// Show a partner
    Show {
        /// Its id
        id: String,
    },
    /// Add a partner
    Add {
        /// Its id
        id: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// The other fields
        #[command(flatten)]
        fields: PartnerFields,
    },
    /// Change a partner
    Set {
        /// Its id
        id: String,
        /// Its name
        #[arg(long)]
        name: Option<String>,
        /// The other fields
        #[command(flatten)]
        fields: PartnerFields,
    },
    /// Remove a partner that nothing refers to
    Remove {
        /// Its id
        id: String,
    },
}

/// The fields that a partner may do without.
#[derive(Debug, Args)]
pub struct PartnerFields {
    /// Street and house number
    #[arg(long)]
    street: Option<String>,
    /// Post code
    #[arg(long)]
    postcode: Option<String>,
    /// City
    #[arg(long)]
    city: Option<String>,
    /// ISO 3166 code of the country, two letters
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// Telephone
    #[arg(long)]
    phone: Option<String>,
    /// No new business; appointments are still imported
    #[arg(long, value_name = "true|false")]
    blocked: Option<bool>,
    /// Marked for deletion: counts as not existing
    #[arg(long, value_name = "true|false")]
    deletion_mark: Option<bool>,
}

impl PartnerFields {
    fn apply(self, partner: &mut Partner) {
        super::set(&mut partner.street, self.street);
        super::set(&mut partner.postcode, self.postcode);
        super::set(&mut partner.city, self.city);
        super::set(&mut partner.country, self.country);
        super::set(&mut partner.email, self.email);
        super::set(&mut partner.phone, self.phone);
        super::set(&mut partner.blocked, self.blocked);
        super::set(&mut partner.deletion_mark, self.deletion_mark);
    }
}

impl Entry for Partner {
    const KIND: MasterKind = MasterKind::Partner;
    const NAME: &'static str = "partner";
    const COMMAND: &'static str = "partners";
    const LISTED: &'static [&'static str] =
        &["Partner", "Name", "Street", "Post code", "City", "Country", "Blocked", "Deletion mark"];

    fn id(&self) -> &str {
        &self.id
    }

    fn all(data: MasterData) -> Vec<Self> {
        data.partner
    }

    fn alone(self) -> MasterData {
        MasterData { partner: vec![self], ..MasterData::default() }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Partner", self.id.clone()),
            ("Name", self.name.clone()),
            ("Street", self.street.clone()),
            ("Post code", self.postcode.clone()),
            ("City", self.city.clone()),
            ("Country", self.country.clone()),
            ("E-mail", self.email.clone()),
            ("Telephone", self.phone.clone()),
            ("Blocked", super::yes_no(self.blocked)),
            ("Deletion mark", super::yes_no(self.deletion_mark)),
        ]
    }
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: PartnersCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = &context.workspace()?.store()?;
    match command {
        PartnersCommand::List => super::print_list::<Partner>(context, &super::entries(store)?),
        PartnersCommand::Show { id } => super::print_entry::<Partner>(context, &super::find(store, &id)?),
        PartnersCommand::Add { id, name, fields } => {
            let mut partner = Partner { id, name, ..Partner::default() };
            fields.apply(&mut partner);
            super::add(context, store, partner)
        }
        PartnersCommand::Set { id, name, fields } => {
            let mut partner: Partner = super::find(store, &id)?;
            super::set(&mut partner.name, name);
            fields.apply(&mut partner);
            super::put(context, store, partner)
        }
        PartnersCommand::Remove { id } => super::remove::<Partner>(context, store, &id),
    }
}
