//! A component for the tests that can stand in every stage. The key `behaviour` of its configuration says how it behaves:
//!
//! | behaviour | module |
//! |---|---|
//! | none | honest: an extension that changes nothing, a mapping and a definition of their own, a source of made-up appointments |
//! | an attack on the machine, when a batch holds a record whose name contains `BAD` | [`attack`] |
//! | wrong answers, likewise | [`tamper`] |
//! | what only one stage can do | [`extension`], [`status`], [`definition`], [`source`] |
//! | a look around: what does a plugin see? | [`probe`] |

use apptsync_plugin::configuration;

mod attack;
mod definition;
mod extension;
mod probe;
mod source;
mod status;
mod tamper;
mod wasi;

/// What stands in every stage.
struct Guest;

apptsync_plugin::export_source!(Guest);
apptsync_plugin::export_extension!(Guest);
apptsync_plugin::export_status_mapping!(Guest);
apptsync_plugin::export_activity_definition!(Guest);

/// A key of the configuration.
fn setting(key: &str) -> Option<String> {
    configuration::get(key).ok().flatten()
}

/// A key of the configuration that is a number.
fn number(key: &str) -> Option<usize> {
    setting(key)?.parse().ok()
}

fn behaviour() -> String {
    setting("behaviour").unwrap_or_default()
}

/// The records whose names contain this are the ones that a behaviour is about.
fn is_bad(name: &str) -> bool {
    name.contains("BAD")
}
