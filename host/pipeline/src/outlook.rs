//! The reconciliation with Outlook. What decides is pure ([`plan()`], [`held`], [`Work`]); what speaks with connectors and the
//! store stands around it.

mod apply;
mod check;
mod connection;
mod considered;
mod contacts;
mod decide;
mod draft;
mod guard;
mod headquarters;
mod merge;
mod pass;
mod plan;
mod pull;
mod put_back;
mod recover;
mod report;
mod resolve;
mod row;
mod run;
mod snapshot;
mod undo;
mod why;
mod write;

pub use apply::{Work, edited};
pub use connection::{choose, reconnect};
pub use considered::{Considered, Incarnations, Touched, incarnations};
pub use decide::{Action, REVERTS_A_DAY, Rules, Verdict};
pub use draft::plan;
pub use guard::held;
pub use merge::{Direction, FieldChange, Merge, Policy, merge};
pub use plan::{Plan, Step, StepView, key};
pub use report::{HeldItem, Operations, SyncError, SyncProgress, SyncReport, SyncRequest};
pub use resolve::{Resolved, resolve};
pub use row::Row;
pub use run::{Synchronisation, synchronise, synchronise_contacts};
pub use snapshot::{HeadquartersItem, Listing, MARGIN, Place, RemoteState, Snapshot};
pub use undo::{UndoReport, UndoStep, undo};
pub use why::{FieldWhy, Why, Writer, why};
