//! Batch applications: what runs them, what keeps their ledger, and what explains their results.
//!
//! ```text
//! source ─page─► reader ─queue─► workers: known? eligible? extensions, status mapping, definition ─queue─► writer
//! ```
//!
//! Pages are answered side by side and stored in the order of the source, each in one transaction.

mod error;
mod explain;
mod import;
mod isolation;
pub mod outlook;
mod request;
mod scope;
mod stages;

pub use error::ImportError;
pub use explain::{Explanation, KeptApart, StageAnswer, explain, kept_apart};
pub use import::{import, import_with};
pub use isolation::OnFailure;
pub use request::{Control, ImportRequest, JobReport, Progress, Silent};
pub use stages::{StageSet, StageSpec, StageSpecs, Staged, definition_plugin};
