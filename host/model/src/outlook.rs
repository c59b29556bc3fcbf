//! Outlook's side: what a calendar system holds, and what a profile says about its synchronisation (domain 8).

mod fields;
mod item;
mod link;
mod profile;

pub use fields::{Field, Projection, Value, content, normalised, projection, shared, with_own};
pub use item::{
    Account, Connection, ConnectorFailure, Contact, Content, Entry, FieldSet, Identity, ItemKind, Occurrence, Push,
    Pushed, RemoteChange, RemoteCollection, RemoteItem, RemotePage, RemoteVersions, Target, Window,
};
pub use link::{Base, HeadquartersId, Link, LinkId, LinkState, Origin, SyncCursor, SyncRunId};
pub use profile::{
    Criteria, DeletionPolicy, EntryScope, GuardSettings, Moment, OverrideScope, Profile, SettingsLevel, SyncSettings,
    TextPriority,
};
