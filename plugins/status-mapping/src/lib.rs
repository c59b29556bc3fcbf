//! The built-in status mapping: how a status of Mobile becomes a status of the headquarters.
//!
//! Configuration: `late-results` and `grace`, see [`late_results`].

mod decide;
pub mod late_results;

pub use decide::decide;
pub use late_results::LateResults;

use apptsync_plugin::configuration;
use apptsync_plugin::status_mapping::{Decision, Question, StatusMapping};
use apptsync_plugin::types::{Instant, RecordError};

struct Plugin;

impl StatusMapping for Plugin {
    fn decide(now: Instant, batch: Vec<Question>) -> Vec<Result<Decision, RecordError>> {
        match configuration::all().and_then(|pairs| LateResults::from_configuration(&pairs)) {
            Ok(late_results) => decide(late_results, now, batch),
            Err(message) => misconfigured(&message, batch),
        }
    }
}

/// Answers every question with the record error `configuration`.
#[must_use]
pub fn misconfigured(message: &str, batch: Vec<Question>) -> Vec<Result<Decision, RecordError>> {
    let error = |question: Question| RecordError {
        id: question.appointment.id,
        code: "configuration".to_owned(),
        message: message.to_owned(),
    };
    batch.into_iter().map(|question| Err(error(question))).collect()
}

apptsync_plugin::export_status_mapping!(Plugin);
