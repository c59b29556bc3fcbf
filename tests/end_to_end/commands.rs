//! The commands as people use them.

mod activities_edit;
mod cockpit;
mod credentials;
mod doctor;
mod explain;
mod export;
mod manners;
mod mobile;
mod plugins;
mod workspaces;
