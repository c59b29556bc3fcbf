//! The built-in connector that needs no server: one calendar file for each mailbox, in a folder.
