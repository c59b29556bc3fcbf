//! `users`: the employees who may log in to the headquarters.

use apptsync_model::Employee;
use clap::Subcommand;

use super::Entry;
use crate::context::{Context, Exit, UsageError};

const EXAMPLES: &str = "\
Examples:
  apptsync users add C
  apptsync users set C --active false";

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
        #[arg(long, value_name = "true|false", action = clap::ArgAction::Set)]
        active: bool,
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
        UsersCommand::Set { id, active } => super::put(context, store, Employee { active, ..user(&id)? }),
        UsersCommand::Remove { id } => super::put(context, store, Employee { user: false, ..user(&id)? }),
    }
}
