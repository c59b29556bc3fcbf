//! The simulator over HTTP, as a client sees it. What is expected here is what Graph's documentation and the reports named
//! in the catalogue of faults say, not what the code happens to do.

mod calendars;
mod client;
mod delta;
