//! Activity definitions (domain 6).

use serde::{Deserialize, Serialize};

use crate::Priority;

/// Name of the definition that comes with the adapter.
pub const APPOINTMENT_SYNCHRONIZE: &str = "ibus.AppointmentSynchronize";

/// What an activity definition lays down for its activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionSettings {
    /// Name of the definition.
    pub name: String,
    /// Kind of the activities.
    pub kind: String,
    /// Priority of the activities, whatever the appointment's.
    pub priority: Priority,
    /// Template of the subject.
    pub subject: String,
    /// Template of the description.
    pub description: String,
}

/// A variable that templates may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Name without braces.
    pub name: String,
    /// What it stands for.
    pub meaning: String,
}

/// What a definition plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinitionDescription {
    /// Delivered defaults.
    pub settings: DefinitionSettings,
    /// Variables of the templates.
    pub variables: Vec<Variable>,
}
