//! Microsoft Graph's calendars, To Do tasks and contacts as a server of one's own: stateful, deterministic, without a
//! tenant. Another program talks to it over http or https as to the real one; a test starts it as a library, acts as the
//! mailbox's user, counts requests, and switches on [faults](catalogue) that were seen in the real service.
//!
//! ```
//! use graph_simulator::{Fault, FaultName, Options, Simulator};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let simulator = Simulator::start(Options::default())?;
//! let anna = simulator.user("anna@contoso.example");
//! let event = anna.request("POST", "events", serde_json::json!({
//!     "subject": "Visit",
//!     "start": {"dateTime": "2026-04-15T12:00:00", "timeZone": "W. Europe Standard Time"},
//!     "end": {"dateTime": "2026-04-15T13:00:00", "timeZone": "W. Europe Standard Time"},
//! }))?;
//! assert_eq!(event["start"]["dateTime"], "2026-04-15T12:00:00.0000000");
//! simulator.switch_on(Fault::new(FaultName::Throttled).times(3).on("POST"));
//! println!("now run a client against {}/v1.0", simulator.base_url());
//! # Ok(())
//! # }
//! ```
//!
//! What is simulated, and how far, stands in the crate's README. The faults are:
#![doc = include_str!("../faults.md")]

mod body;
pub mod clients;
mod clock;
mod control;
mod delta;
mod error;
mod event;
mod extended;
mod fault;
mod graph;
mod http;
mod identifier;
mod identity;
mod mailbox;
mod moment;
mod options;
mod query;
mod recurrence;
mod render;
mod schema;
mod series;
mod server;
mod simulator;
mod state;
mod view;
mod zone;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use error::GraphError;
pub use event::Mails;
pub use fault::{ActiveFault, Description, Fault, FaultName, catalogue};
pub use options::{Application, MailboxOptions, Options};
pub use simulator::{Simulator, User, fault_table};
pub use state::{Counters, Exchange};

/// What the listeners and the owner of the simulator share.
struct Shared {
    state: Mutex<state::State>,
    http: String,
    https: String,
    certificate: String,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, state::State> {
        // A panic elsewhere must not hide what the state was.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
