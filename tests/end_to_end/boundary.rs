//! What is no plugin, or not the one that was meant: said before anything is run, in words that say what to do.

mod binary;
mod bombs;
#[cfg(unix)]
mod cache;
mod load;
