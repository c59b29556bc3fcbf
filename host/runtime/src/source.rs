//! A source: readers that pass once over what is new.

use apptsync_model::SourcePage;
use wasmtime::component::ResourceAny;

use crate::bindings::exports::ibus::appointments::source as exports;
use crate::boundary::Live;
use crate::conversion;
use crate::failure::{CallFailure, LoadError, SourceFailure};
use crate::plugin::Plugin;

/// So many pages without an item, one after the other, are taken for a source that will never end.
const MAX_EMPTY_PAGES: u32 = 10_000;

/// What a source is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// Sales appointments.
    Appointments,
    /// Customers.
    Customers,
}

impl Collection {
    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appointments => "appointments",
            Self::Customers => "customers",
        }
    }
}

/// A source in a sandbox.
pub struct Source {
    plugin: Plugin,
    indices: exports::GuestIndices,
}

impl Source {
    /// Takes a plugin that was loaded for this world.
    ///
    /// # Errors
    /// Its exports do not have the published shape.
    pub fn new(plugin: Plugin) -> Result<Self, LoadError> {
        let indices = exports::GuestIndices::new(&plugin.instance).map_err(|error| LoadError::Unfit {
            plugin: plugin.name().to_owned(),
            reason: format!("does not have the published shape: {error:#}"),
        })?;
        Ok(Self { plugin, indices })
    }

    /// The plugin itself.
    #[must_use]
    pub fn plugin(&self) -> &Plugin {
        &self.plugin
    }

    /// Opens a pass over what is new since the cursor, in an instance of its own.
    ///
    /// # Errors
    /// The plugin failed, or the source cannot be read.
    pub fn open(
        &self,
        collection: Collection,
        channel: &str,
        cursor: Option<&str>,
    ) -> Result<SourceReader<'_>, SourceFailure> {
        let what = match collection {
            Collection::Appointments => exports::Collection::Appointments,
            Collection::Customers => exports::Collection::Customers,
        };
        let mut live = Live::new(&self.plugin)?;
        let reader = live.call(&self.plugin, "open", 0, |store, instance| {
            self.indices.load(&mut *store, instance)?.reader().call_open(&mut *store, what, channel, cursor)
        })?;
        let reader = reader.map_err(conversion::failure)?;
        Ok(SourceReader { source: self, live, reader, channel: channel.to_owned(), is_done: false, empty_pages: 0 })
    }
}

/// One pass over a source.
pub struct SourceReader<'a> {
    source: &'a Source,
    live: Live,
    reader: ResourceAny,
    channel: String,
    is_done: bool,
    empty_pages: u32,
}

impl SourceReader<'_> {
    /// The next page with at most so many items; none after the last.
    ///
    /// # Errors
    /// The plugin failed, or the source cannot be read.
    pub fn next(&mut self, at_most: usize) -> Result<Option<SourcePage>, SourceFailure> {
        if self.is_done {
            return Ok(None);
        }
        let page = self.turn(at_most)?.map_err(conversion::failure)?;
        self.is_done = page.done;
        self.empty_pages = if page.items.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MAX_EMPTY_PAGES {
            return Err(SourceFailure::Permanent(format!(
                "plugin `{}` gave {MAX_EMPTY_PAGES} empty pages one after the other and never said that it is done",
                self.source.plugin.name()
            )));
        }
        Ok(Some(page))
    }

    fn turn(&mut self, at_most: usize) -> Result<Result<SourcePage, exports::Failure>, CallFailure> {
        let (source, reader, channel) = (self.source, self.reader, &self.channel);
        let limit = u32::try_from(at_most).unwrap_or(u32::MAX);
        self.live.call(&source.plugin, "next", at_most, |store, instance| {
            let guest = source.indices.load(&mut *store, instance)?;
            match guest.reader().call_next(&mut *store, reader, limit)? {
                Ok(page) => conversion::page(page, channel, at_most).map(Ok),
                Err(failure) => Ok(Err(failure)),
            }
        })
    }
}
