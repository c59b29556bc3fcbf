//! `users`: the employees who may log in to the headquarters.

use apptsync_model::Employee;
use clap::Subcommand;

use super::Entry;
use crate::context::{Context, Exit, UsageError};

const EXAMPLES: &str = "\
Examples:
  apptsync users add C
  apptsync users set C --active false
  apptsync users set A --certificate anna-2026";

/// What to do with users.
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum UsersCommand {
    /// Show all users
    List,
    /// Show a user
    Show {
        /// The employee's id
        id: String,
    },
    /// Make an active user of an employee
    Add {
        /// The employee's id
        id: String,
    },
    /// Change a user
    Set {
        /// The employee's id
        id: String,
        /// The user is active
        #[arg(long, value_name = "true|false", required_unless_present_any = ["certificate", "no_certificates"])]
        active: Option<bool>,
        /// The user's certificates: names of entries of the credential file, instead of those before
        #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
        certificate: Vec<String>,
        /// Take the certificates away
        #[arg(long, conflicts_with = "certificate")]
        no_certificates: bool,
    },
    /// Take the user away from an employee, who stays
    Remove {
        /// The employee's id
        id: String,
    },
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked.
pub fn run(command: UsersCommand, context: &Context) -> anyhow::Result<Exit> {
    let store = &context.workspace()?.store()?;
    let user = |id: &str| -> anyhow::Result<Employee> {
        let employee: Employee = super::find(store, id)?;
        if employee.user {
            return Ok(employee);
        }
        let message = format!("the employee `{id}` is no user: make one with `apptsync users add {id}`");
        Err(UsageError(message).into())
    };
    match command {
        UsersCommand::List => {
            let users: Vec<_> = super::entries::<Employee>(store)?.into_iter().filter(|entry| entry.user).collect();
            super::print_list(context, &users)
        }
        UsersCommand::Show { id } => super::print_entry(context, &user(&id)?),
        UsersCommand::Add { id } => {
            let mut employee: Employee = super::find(store, &id)?;
            if employee.user {
                let message = format!("the employee `{}` is a user already", employee.id());
                return Err(UsageError(message).into());
            }
            (employee.user, employee.active) = (true, true);
            super::put(context, store, employee)
        }
        UsersCommand::Set { id, active, certificate, no_certificates } => {
            let mut employee = user(&id)?;
            super::set(&mut employee.active, active);
            if no_certificates || !certificate.is_empty() {
                employee.certificates = certificate;
            }
            super::put(context, store, employee)
        }
        UsersCommand::Remove { id } => super::put(context, store, Employee { user: false, ..user(&id)? }),
    }
}
