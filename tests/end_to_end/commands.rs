//! The commands as people use them.

mod activities_edit;
mod cockpit;
mod credentials;
mod credentials_in_use;
mod doctor;
mod explain;
mod export;
mod manners;
mod mobile;
mod plugins;
mod workspaces;
