//! The built-in activity definition `ibus.AppointmentSynchronize`: what an activity says about an appointment.
//!
//! Subject and description are templates with named variables; kind and priority come from the settings alone.

mod render;
mod settings;
mod template;
mod variable;

pub use render::render;
pub use settings::{check, describe};
pub use template::Template;
pub use variable::Variable;

use apptsync_plugin::activity_definition::{ActivityDefinition, Description, Draft, Occasion, Settings};
use apptsync_plugin::types::RecordError;

struct Plugin;

impl ActivityDefinition for Plugin {
    fn describe() -> Description {
        describe()
    }

    fn check(settings: Settings) -> Vec<String> {
        check(&settings)
    }

    fn render(settings: Settings, batch: Vec<Occasion>) -> Vec<Result<Draft, RecordError>> {
        render(&settings, batch)
    }
}

apptsync_plugin::export_activity_definition!(Plugin);
