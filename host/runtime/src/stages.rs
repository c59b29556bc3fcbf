//! The stages as the pipeline calls them: a whole batch in one typed call, on a fresh instance.

use std::collections::HashSet;
use std::sync::Arc;

use apptsync_model::{
    AppointmentContext, Decision, DefinitionDescription, DefinitionSettings, Draft, Instant, Occasion, Question,
    RecordError, Verdict,
};
use wasmtime::Store;
use wasmtime::component::Instance;

use crate::bindings::exports::ibus::appointments as exports;
use crate::boundary::Live;
use crate::conversion;
use crate::failure::{CallFailure, LoadError};
use crate::guest::GuestState;
use crate::plugin::Plugin;

/// One answer for each record of a batch, in order.
pub type Answers<T> = Result<Vec<Result<T, RecordError>>, CallFailure>;

/// Decides the headquarters status.
pub trait StatusMapping: Send + Sync {
    /// One answer for each question, in order.
    ///
    /// # Errors
    /// The call failed as a whole.
    fn decide(&self, now: Instant, batch: &[Question<'_>]) -> Answers<Decision>;
}

/// Renders an activity.
pub trait Definition: Send + Sync {
    /// One answer for each occasion, in order.
    ///
    /// # Errors
    /// The call failed as a whole.
    fn render(&self, settings: &DefinitionSettings, batch: &[Occasion<'_>]) -> Answers<Draft>;
}

/// Adjusts or vetoes appointments.
pub trait Extension: Send + Sync {
    /// One answer for each appointment, in order.
    ///
    /// # Errors
    /// The call failed as a whole.
    fn apply(&self, batch: &[AppointmentContext<'_>]) -> Answers<Verdict>;
}

/// A plugin for a stage, with the place of its functions looked up once.
macro_rules! stage_plugin {
    ($(#[$meta:meta])* $name:ident, $interface:ident) => {
        $(#[$meta])*
        pub struct $name {
            plugin: Arc<Plugin>,
            indices: exports::$interface::GuestIndices,
        }

        impl $name {
            /// Takes a plugin that was loaded for this world.
            ///
            /// # Errors
            /// Its exports do not have the published shape.
            pub fn new(plugin: Plugin) -> Result<Self, LoadError> {
                let indices = exports::$interface::GuestIndices::new(&plugin.instance).map_err(|error| LoadError::Unfit {
                    plugin: plugin.name().to_owned(),
                    reason: format!("does not have the published shape: {error:#}"),
                })?;
                Ok(Self { plugin: Arc::new(plugin), indices })
            }

            /// The plugin itself.
            #[must_use]
            pub fn plugin(&self) -> &Arc<Plugin> {
                &self.plugin
            }

            fn call<R>(
                &self,
                function: &'static str,
                records: usize,
                body: impl FnOnce(&mut Store<GuestState>, exports::$interface::Guest) -> wasmtime::Result<R>,
            ) -> Result<R, CallFailure> {
                Live::new(&self.plugin)?.call(&self.plugin, function, records, |store, instance: &Instance| {
                    let guest = self.indices.load(&mut *store, instance)?;
                    body(store, guest)
                })
            }
        }
    };
}

stage_plugin! {
    /// A status mapping in a sandbox.
    StatusMappingPlugin, status_mapping
}
stage_plugin! {
    /// An activity definition in a sandbox.
    DefinitionPlugin, activity_definition
}
stage_plugin! {
    /// An extension in a sandbox.
    ExtensionPlugin, extension
}

/// Brings what came back into the order of what was asked: as many answers as records, each with the id asked about.
fn in_order<'a, G, T>(
    ids: impl ExactSizeIterator<Item = &'a str>,
    answers: Vec<G>,
    convert: impl Fn(G) -> (String, Result<T, RecordError>),
) -> wasmtime::Result<Vec<Result<T, RecordError>>> {
    if answers.len() != ids.len() {
        wasmtime::bail!("{} answers came back for {} records", answers.len(), ids.len());
    }
    let mut seen = HashSet::with_capacity(ids.len());
    ids.zip(answers)
        .map(|(asked, answer)| {
            let (id, answer) = convert(answer);
            if id != asked {
                let how =
                    if seen.contains(id.as_str()) { "twice or out of order" } else { "without being asked about it" };
                let id = apptsync_model::text::quoted(&id);
                wasmtime::bail!("the answer for record `{asked}` is about `{id}`, {how}");
            }
            seen.insert(id);
            Ok(answer)
        })
        .collect()
}

impl StatusMapping for StatusMappingPlugin {
    fn decide(&self, now: Instant, batch: &[Question<'_>]) -> Answers<Decision> {
        self.call("decide", batch.len(), |store, guest| {
            let lent = conversion::lend(batch.iter().map(|question| question.appointment));
            let questions: Vec<_> =
                batch.iter().zip(&lent).map(|(question, lent)| conversion::question(question, lent)).collect();
            let answers = guest.call_decide(&mut *store, now.0, &questions)?;
            in_order(batch.iter().map(|question| question.appointment.id.as_str()), answers, |answer| match answer {
                Ok(decision) => conversion::decision(decision),
                Err(error) => conversion::record_error(error),
            })
        })
    }
}

impl DefinitionPlugin {
    /// The delivered defaults and the variables.
    ///
    /// # Errors
    /// The call failed, or what came back breaks the limits of the contract.
    pub fn describe(&self) -> Result<DefinitionDescription, CallFailure> {
        self.call("describe", 0, |store, guest| conversion::description(guest.call_describe(&mut *store)?))
    }

    /// What is wrong with settings, one sentence each.
    ///
    /// # Errors
    /// The call failed.
    pub fn check(&self, settings: &DefinitionSettings) -> Result<Vec<String>, CallFailure> {
        self.call("check", 0, |store, guest| {
            let problems = guest.call_check(&mut *store, conversion::settings(settings))?;
            Ok(conversion::texts(problems))
        })
    }
}

impl Definition for DefinitionPlugin {
    fn render(&self, settings: &DefinitionSettings, batch: &[Occasion<'_>]) -> Answers<Draft> {
        self.call("render", batch.len(), |store, guest| {
            let lent = conversion::lend(batch.iter().map(|occasion| occasion.context.appointment));
            let occasions: Vec<_> =
                batch.iter().zip(&lent).map(|(occasion, lent)| conversion::occasion(occasion, lent)).collect();
            let answers = guest.call_render(&mut *store, conversion::settings(settings), &occasions)?;
            in_order(batch.iter().map(|occasion| occasion.context.appointment.id.as_str()), answers, |answer| {
                match answer {
                    Ok(draft) => conversion::draft(draft),
                    Err(error) => conversion::record_error(error),
                }
            })
        })
    }
}

impl Extension for ExtensionPlugin {
    fn apply(&self, batch: &[AppointmentContext<'_>]) -> Answers<Verdict> {
        self.call("apply", batch.len(), |store, guest| {
            let lent = conversion::lend(batch.iter().map(|context| context.appointment));
            let contexts: Vec<_> =
                batch.iter().zip(&lent).map(|(context, lent)| conversion::context(context, lent)).collect();
            let answers = guest.call_apply(&mut *store, &contexts)?;
            in_order(batch.iter().map(|context| context.appointment.id.as_str()), answers, |answer| match answer {
                Ok(answer) => conversion::verdict(answer),
                Err(error) => conversion::record_error(error),
            })
        })
    }
}
