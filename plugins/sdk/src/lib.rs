//! What a plugin of apptsync written in Rust builds on.
//!
//! A plugin is a crate of type `cdylib` that implements one trait and calls one macro, built for `wasm32-wasip2`:
//!
//! | stage | implement | call |
//! |---|---|---|
//! | where appointments come from | [`source::Source`] and [`source::Reader`] | [`export_source!`] |
//! | what a customer adds | [`extension::Extension`] | [`export_extension!`] |
//! | the status in the headquarters | [`status_mapping::StatusMapping`] | [`export_status_mapping!`] |
//! | the texts of the activity | [`activity_definition::ActivityDefinition`] | [`export_activity_definition!`] |
//! | how a calendar system is spoken to | [`connector::Connector`] | [`export_connector!`] |
//!
//! ```
//! use apptsync_plugin::extension::{Answer, Extension, Verdict};
//! use apptsync_plugin::types::{AppointmentContext, RecordError};
//!
//! struct Plugin;
//!
//! impl Extension for Plugin {
//!     fn apply(batch: Vec<AppointmentContext>) -> Vec<Result<Answer, RecordError>> {
//!         let unchanged = |context: AppointmentContext| Answer { id: context.appointment.id, verdict: Verdict::Unchanged };
//!         batch.into_iter().map(|context| Ok(unchanged(context))).collect()
//!     }
//! }
//!
//! apptsync_plugin::export_extension!(Plugin);
//! ```
//!
//! The types are those of the folder `wit/`; what they mean and every limit stands there. They are the same types in every
//! stage, so that a function on an appointment serves them all. Everything but [`configuration`] and [`log`], which ask the
//! host, also works in a native build: keep the rules of a plugin in functions of their own and test them there.

extern crate self as apptsync_plugin;

pub mod bindings;
pub mod calendar;
pub mod configuration;
mod export;
pub mod http;
pub mod log;
pub mod state;
pub mod text;

pub use bindings::shared::ibus::appointments::types;

/// What a `source` plugin implements.
pub mod source {
    pub use crate::bindings::source::exports::ibus::appointments::source::{
        Broken, Collection, Guest as Source, GuestReader as Reader, Item, Page, Reader as ReaderHandle,
    };
}

/// What an `activity-definition` plugin implements.
pub mod activity_definition {
    pub use crate::bindings::activity_definition::exports::ibus::appointments::activity_definition::{
        Description, Draft, Guest as ActivityDefinition, Occasion, Settings, Texts, Variable,
    };
}

/// What a `status-mapping` plugin implements.
pub mod status_mapping {
    pub use crate::bindings::status_mapping::exports::ibus::appointments::status_mapping::{
        Decision, Guest as StatusMapping, Question,
    };
}

/// What an `extension` plugin implements.
pub mod extension {
    pub use crate::bindings::extension::exports::ibus::appointments::extension::{Answer, Guest as Extension, Verdict};
}

/// What a `connector` plugin implements.
pub mod connector {
    pub use crate::bindings::connector::exports::ibus::appointments::connector::{
        Account, Change, Collection, Connection, Contact, Content, Create, Entry, Fields, Guest as Connector, Identity,
        Item, Kind, Mark, Occurrence, Operation, Outcome, Page, Reference, Series, Target, Update, VersionsPage,
        Window,
    };
}
