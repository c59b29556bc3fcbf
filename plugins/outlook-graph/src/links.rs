//! Our id at a task: a linked resource, because tasks have no extended properties.

use apptsync_plugin::connector::Identity;
use serde_json::{Value, json};

use crate::property;

/// What the link calls its application.
const APPLICATION: &str = "apptsync";

/// The link as it is made.
pub(crate) fn write(our_id: &str) -> Value {
    json!({"applicationName": APPLICATION, "externalId": our_id.to_lowercase(), "displayName": APPLICATION})
}

/// What a task says of its identity; a task without the list of its links says nothing.
pub(crate) fn read(task: &Value) -> Identity {
    if !task["linkedResources"].is_array() {
        return Identity::Unread;
    }
    let found = ours(task).map(|link| property::identity(link["externalId"].as_str().unwrap_or_default()));
    found.into_iter().find(|identity| *identity != Identity::None).unwrap_or(Identity::None)
}

/// The links of a task that are ours.
pub(crate) fn ours(task: &Value) -> impl Iterator<Item = &Value> {
    let links = task["linkedResources"].as_array();
    let is_ours =
        |link: &&Value| link["applicationName"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(APPLICATION));
    links.into_iter().flatten().filter(is_ours)
}
