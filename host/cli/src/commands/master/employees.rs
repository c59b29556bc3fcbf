//! `employees`: who works for the organization, under whom, and who is a sales representative.

use apptsync_model::{Employee, MasterData, Profile};
use apptsync_store::MasterKind;
use clap::{Args, Subcommand};

use super::Entry;
use crate::context::{Context, Exit};

const EXAMPLES: &str = "\
Examples:
  apptsync employees add B --name \"Barbara Nowak\" --organization O1 --manager A --user true
  apptsync employees set C --sales-representative false --manager A";

/// What to do with employees.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum EmployeesCommand {
    /// Show all employees
    List,
    /// Show an employee
    Show {
        /// The id
        id: String,
    },
    /// Add an employee
    Add {
        /// The id, also in Mobile
        id: String,
        /// Name
        #[arg(long)]
        name: String,
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: String,
        /// The other fields
        #[command(flatten)]
        fields: EmployeeFields,
    },
    /// Change an employee
    Set {
        /// The id
        id: String,
        /// Name
        #[arg(long)]
        name: Option<String>,
        /// The organization
        #[arg(long, value_name = "ID")]
        organization: Option<String>,
        /// Take the manager away
        #[arg(long, conflicts_with = "manager")]
        no_manager: bool,
        /// The other fields
        #[command(flatten)]
        fields: EmployeeFields,
    },
    /// Remove an employee that nothing refers to
    Remove {
        /// The id
        id: String,
    },
}

/// The fields that an employee may do without.
#[derive(Debug, Args)]
pub struct EmployeeFields {
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// The manager
    #[arg(long, value_name = "ID")]
    manager: Option<String>,
    /// May log in to the headquarters
    #[arg(long, value_name = "true|false")]
    user: Option<bool>,
    /// The user is active
    #[arg(long, value_name = "true|false")]
    active: Option<bool>,
    /// Sales representative: without it, no appointment is imported
    #[arg(long, value_name = "true|false")]
    sales_representative: Option<bool>,
    /// Profile in Mobile: employee, manager or administrator
    #[arg(long, value_parser = str::parse::<Profile>)]
    profile: Option<Profile>,
    /// Blocked: no appointment is imported
    #[arg(long, value_name = "true|false")]
    blocked: Option<bool>,
    /// Marked for deletion: no appointment is imported
    #[arg(long, value_name = "true|false")]
    deletion_mark: Option<bool>,
}

impl EmployeeFields {
    fn apply(self, employee: &mut Employee) {
        super::set(&mut employee.email, self.email);
        super::set(&mut employee.manager, self.manager.map(Some));
        super::set(&mut employee.user, self.user);
        super::set(&mut employee.active, self.active);
        super::set(&mut employee.sales_representative, self.sales_representative);
        super::set(&mut employee.profile, self.profile);
        super::set(&mut employee.blocked, self.blocked);
        super::set(&mut employee.deletion_mark, self.deletion_mark);
    }
}

impl Entry for Employee {
    const KIND: MasterKind = MasterKind::Employee;
    const NAME: &'static str = "employee";
    const COMMAND: &'static str = "employees";
    const LISTED: &'static [&'static str] =
        &["Employee", "Name", "Organization", "Manager", "User", "Active", "Sales representative", "Profile"];

    fn id(&self) -> &str {
        &self.id
    }

    fn all(data: MasterData) -> Vec<Self> {
        data.employee
    }

    fn alone(self) -> MasterData {
        MasterData { employee: vec![self], ..MasterData::default() }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Employee", self.id.clone()),
            ("Name", self.name.clone()),
            ("E-mail", self.email.clone()),
            ("Organization", self.organization.clone()),
            ("Manager", self.manager.clone().unwrap_or_default()),
            ("User", super::yes_no(self.user)),
            ("Active", super::yes_no(self.active)),
            ("Sales representative", super::yes_no(self.sales_representative)),
            ("Profile", self.profile.to_string()),
            ("Blocked", super::yes_no(self.blocked)),
            ("Deletion mark", super::yes_no(self.deletion_mark)),
            ("Certificates", self.certificates.join(", ")),
        ]
    }
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: EmployeesCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = &context.workspace()?.store()?;
    match command {
        EmployeesCommand::List => super::print_list::<Employee>(context, &super::entries(store)?),
        EmployeesCommand::Show { id } => super::print_entry::<Employee>(context, &super::find(store, &id)?),
        EmployeesCommand::Add { id, name, organization, fields } => {
            let mut employee = Employee {
                id,
                name,
                email: String::new(),
                organization,
                manager: None,
                user: false,
                active: true,
                sales_representative: false,
                profile: Profile::Employee,
                blocked: false,
                deletion_mark: false,
                certificates: Vec::new(),
            };
            fields.apply(&mut employee);
            super::add(context, store, employee)
        }
        EmployeesCommand::Set { id, name, organization, no_manager, fields } => {
            let mut employee: Employee = super::find(store, &id)?;
            super::set(&mut employee.name, name);
            super::set(&mut employee.organization, organization);
            if no_manager {
                employee.manager = None;
            }
            fields.apply(&mut employee);
            super::put(context, store, employee)
        }
        EmployeesCommand::Remove { id } => super::remove::<Employee>(context, store, &id),
    }
}
