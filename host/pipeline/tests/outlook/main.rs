//! The reconciliation with Outlook against a server in memory: stories, the decision tables, guards, properties.

mod history;
mod hostile;
mod properties;
mod server;
mod stories;
mod world;
