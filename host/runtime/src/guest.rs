//! What a guest finds around it: a log, its configuration, and a WASI world that is there but virtual. Clocks show the
//! instant of the run, time spent waiting passes at once, randomness repeats from run to run, there is no environment.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apptsync_model::{Instant, text};
use bytes::Bytes;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::bindings::sync::io::poll;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{FsPerms, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::wasi::config::store as wasi_config;
use crate::bindings::wasi::keyvalue::store as wasi_keyvalue;
use crate::bindings::wasi::logging::logging as wasi_logging;
use crate::deadline::Deadline;
use crate::http::outgoing::{self, Outgoing};
use crate::http::{HttpClient, HttpGrant};
use crate::limits::{self, Limiter, Limits};
use crate::plugin::{Folder, RunClock};
use crate::state::KeyValue;

/// Lines kept for reports: what a plugin said last before it failed.
const LAST_WORDS: usize = 5;

/// The log of one instance.
#[derive(Debug, Default)]
pub(crate) struct PluginLog {
    lines: usize,
    bytes: usize,
    dropped: u64,
    last: VecDeque<String>,
    /// The run has shown enough of this plugin.
    is_muted: bool,
}

impl PluginLog {
    pub(crate) fn write(&mut self, plugin: &str, level: tracing::Level, about: &str, message: &str) {
        if self.lines >= limits::MAX_LOG_LINES || self.bytes + message.len() > limits::MAX_LOG_BYTES {
            self.dropped += 1;
            return;
        }
        self.lines += 1;
        self.bytes += message.len();
        let (about, message) = (text::quoted(about), text::quoted(message));
        // The macros want their level at compile time.
        match level {
            _ if self.is_muted => {}
            tracing::Level::ERROR => tracing::error!(target: "plugin", plugin, about, "{message}"),
            tracing::Level::WARN => tracing::warn!(target: "plugin", plugin, about, "{message}"),
            tracing::Level::INFO => tracing::info!(target: "plugin", plugin, about, "{message}"),
            tracing::Level::DEBUG => tracing::debug!(target: "plugin", plugin, about, "{message}"),
            tracing::Level::TRACE => tracing::trace!(target: "plugin", plugin, about, "{message}"),
        }
        if self.last.len() == LAST_WORDS {
            self.last.pop_front();
        }
        self.last.push_back(message);
    }

    /// The last lines.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    /// Lines written, and lines dropped because there were too many.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.lines as u64, self.dropped)
    }

    /// Begins anew for the next call: the limits on lines and bytes are those of a call.
    fn reset(&mut self) {
        *self = Self { is_muted: self.is_muted, ..Self::default() };
    }
}

/// A log that the guest's streams and its logging interface share.
pub(crate) type SharedLog = Arc<Mutex<PluginLog>>;

/// What belongs to one instance.
pub(crate) struct GuestState {
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    pub(crate) table: ResourceTable,
    pub(crate) http: Outgoing,
    pub(crate) key_value: Option<Arc<dyn KeyValue>>,
    pub(crate) deadline: Deadline,
    pub(crate) limiter: Limiter,
    pub(crate) log: SharedLog,
    plugin: Arc<str>,
    config: Arc<Vec<(String, String)>>,
    monotonic: u64,
}

/// What a fresh instance gets.
pub(crate) struct Surroundings<'a> {
    pub(crate) plugin: &'a Arc<str>,
    pub(crate) limits: &'a Limits,
    pub(crate) clock: &'a RunClock,
    pub(crate) config: &'a Arc<Vec<(String, String)>>,
    pub(crate) folders: &'a [Folder],
    pub(crate) client: &'a HttpClient,
    pub(crate) http: &'a Arc<[HttpGrant]>,
    pub(crate) state: Option<&'a Arc<dyn KeyValue>>,
    /// Lines that the plugin has logged in this run.
    pub(crate) log_lines: u64,
}

impl GuestState {
    pub(crate) fn new(surroundings: &Surroundings<'_>) -> wasmtime::Result<Self> {
        let is_muted = surroundings.log_lines >= limits::MAX_LOG_LINES_SHOWN;
        let log = Arc::new(Mutex::new(PluginLog { is_muted, ..PluginLog::default() }));
        let stream = LogStream { log: log.clone(), plugin: surroundings.plugin.clone(), line: Vec::new() };
        let mut builder = WasiCtxBuilder::new();
        let random = || wasmtime_wasi::random::Deterministic::new(surroundings.clock.random.to_vec());
        builder
            .stdout(stream.clone())
            .stderr(stream)
            .wall_clock(Frozen(surroundings.clock.now))
            .monotonic_clock(Frozen(surroundings.clock.now))
            .secure_random(random())
            .insecure_random(random())
            .insecure_random_seed(surroundings.clock.seed())
            .max_random_size(limits::MAX_RANDOM)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .allow_blocking_current_thread(true);
        for folder in surroundings.folders {
            let permissions = if folder.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
            builder.preopened_dir(&folder.host, &folder.guest, permissions)?;
        }
        let mut table = ResourceTable::new();
        let has_http = !surroundings.http.is_empty();
        table.set_max_capacity(if has_http { limits::MAX_RESOURCES_WITH_HTTP } else { limits::MAX_RESOURCES });
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(limits::MAX_HTTP_FIELDS);
        let (client, grants, plugin) = (surroundings.client, surroundings.http, surroundings.plugin);
        Ok(Self {
            wasi: builder.build(),
            wasi_http,
            table,
            http: Outgoing::new(client.clone(), grants.clone(), plugin.clone(), log.clone()),
            key_value: surroundings.state.cloned(),
            deadline: Deadline::new(Duration::ZERO),
            limiter: Limiter::new(surroundings.limits),
            log,
            plugin: surroundings.plugin.clone(),
            config: surroundings.config.clone(),
            monotonic: 0,
        })
    }
}

impl GuestState {
    /// Forgets what the call before left behind, where an instance serves several.
    pub(crate) fn begin_call(&mut self, allowed: Duration) {
        self.limiter.refused = false;
        self.deadline = Deadline::new(allowed);
        self.http.begin_call(self.deadline.patience_ends());
        self.log.lock().unwrap_or_else(PoisonError::into_inner).reset();
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.wasi_http, table: &mut self.table, hooks: &mut self.http }
    }
}

/// Links what guests may import. What of it a guest is lent depends on its stage and its grants, see `compatibility`.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    linker.allow_shadowing(true);
    // Waiting on a real clock would block the host where no deadline reaches: virtual time passes at once.
    monotonic_clock::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    poll::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    linker.allow_shadowing(false);
    outgoing::add_to_linker(&mut linker)?;
    wasi_keyvalue::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    wasi_logging::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    wasi_config::add_to_linker::<_, HasSelf<GuestState>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// A clock that stands still at the instant of the run.
struct Frozen(Instant);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.0.0.unsigned_abs())
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

/// Something that is always ready.
struct Ready;

#[async_trait::async_trait]
impl Pollable for Ready {
    async fn ready(&mut self) {}
}

impl monotonic_clock::Host for GuestState {
    fn now(&mut self) -> wasmtime::Result<u64> {
        // Each look moves the clock a little, so that a loop that waits for it to move ends.
        self.monotonic = self.monotonic.saturating_add(1_000);
        Ok(self.monotonic)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1_000)
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.monotonic = self.monotonic.max(when);
        let ready = self.table.push(Ready)?;
        subscribe(&mut self.table, ready)
    }

    fn subscribe_duration(&mut self, duration: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.subscribe_instant(self.monotonic.saturating_add(duration))
    }
}

impl GuestState {
    /// Lets the guest wait. While a request of it is under way, that is the server's time and not its own.
    fn waiting<R>(&mut self, wait: impl FnOnce(&mut ResourceTable) -> R) -> R {
        let is_for_a_server = self.http.is_under_way();
        let begun = std::time::Instant::now();
        let result = wait(&mut self.table);
        if is_for_a_server {
            self.deadline.wait(begun.elapsed());
        }
        result
    }
}

impl poll::Host for GuestState {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        self.waiting(|table| poll::Host::poll(table, pollables))
    }
}

impl poll::HostPollable for GuestState {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        poll::HostPollable::ready(&mut self.table, pollable)
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        self.waiting(|table| poll::HostPollable::block(table, pollable))
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll::HostPollable::drop(&mut self.table, pollable)
    }
}

impl wasi_logging::Host for GuestState {
    fn log(&mut self, level: wasi_logging::Level, context: String, message: String) {
        let level = match level {
            wasi_logging::Level::Trace => tracing::Level::TRACE,
            wasi_logging::Level::Debug => tracing::Level::DEBUG,
            wasi_logging::Level::Info => tracing::Level::INFO,
            wasi_logging::Level::Warn => tracing::Level::WARN,
            wasi_logging::Level::Error | wasi_logging::Level::Critical => tracing::Level::ERROR,
        };
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(&self.plugin, level, &context, &message);
    }
}

impl wasi_config::Host for GuestState {
    fn get(&mut self, key: String) -> Result<Option<String>, wasi_config::Error> {
        Ok(self.config.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone()))
    }

    fn get_all(&mut self) -> Result<Vec<(String, String)>, wasi_config::Error> {
        Ok(self.config.to_vec())
    }
}

/// Standard output and error of a guest: lines of its log.
#[derive(Clone)]
struct LogStream {
    log: SharedLog,
    plugin: Arc<str>,
    line: Vec<u8>,
}

/// Longest line of an output stream; what is longer is broken into several.
const MAX_OUTPUT_LINE: usize = 1_024;

impl LogStream {
    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let message = String::from_utf8_lossy(&self.line).into_owned();
        self.line.clear();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(&self.plugin, tracing::Level::DEBUG, "", &message);
    }
}

impl OutputStream for LogStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        for byte in bytes {
            if byte == b'\n' || self.line.len() >= MAX_OUTPUT_LINE {
                self.end_line();
            }
            if byte != b'\n' {
                self.line.push(byte);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(4_096)
    }
}

#[async_trait::async_trait]
impl Pollable for LogStream {
    async fn ready(&mut self) {}
}

impl Drop for LogStream {
    fn drop(&mut self) {
        self.end_line();
    }
}

impl IsTerminal for LogStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogStream {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}
