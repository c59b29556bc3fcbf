//! What a plugin may use.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Limits of one plugin; all are on by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// All memories of an instance together, in bytes.
    pub memory: usize,
    /// Longest time of one call.
    pub deadline: Duration,
    /// Longest time of all calls of a run together.
    pub run: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { memory: 64 << 20, deadline: Duration::from_secs(2), run: Duration::from_secs(30 * 60) }
    }
}

/// Limits of one HTTP request. The defaults are what plugins have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLimits {
    /// Longest body sent, in bytes.
    pub request_body: usize,
    /// Longest body of an answer, in bytes.
    pub response_body: usize,
    /// Longest wait for the head of an answer, with connecting.
    pub first_byte: Duration,
    /// Longest pause within an answer.
    pub between_bytes: Duration,
    /// Longest time of a request with its answer, also where it is tried a second time with a fresh credential.
    pub total: Duration,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            request_body: 8 << 20,
            response_body: 16 << 20,
            first_byte: Duration::from_secs(60),
            between_bytes: Duration::from_secs(60),
            total: Duration::from_secs(120),
        }
    }
}

/// Bytes of the headers of a request or an answer.
pub(crate) const MAX_HTTP_HEADERS: usize = 64 << 10;
/// Bytes of one set of headers as a guest builds it, with what the host needs to hold it.
pub(crate) const MAX_HTTP_FIELDS: usize = 2 * MAX_HTTP_HEADERS;
/// Number of headers of a request or an answer.
pub(crate) const MAX_HTTP_HEADER_FIELDS: usize = 100;
/// Longest time to resolve a name, connect and secure the connection.
pub(crate) const HTTP_CONNECT: Duration = Duration::from_secs(10);
/// Time after which a connection that nobody uses is closed.
pub(crate) const HTTP_IDLE: Duration = Duration::from_secs(30);
/// Requests of one instance that are under way at the same time; further ones wait.
pub(crate) const MAX_HTTP_IN_FLIGHT: usize = 4;
/// Requests of one call.
pub(crate) const MAX_HTTP_REQUESTS: u64 = 2_000;
/// Bytes of bodies that the host holds for one instance: written and not sent, received and not read.
pub(crate) const MAX_HTTP_HELD: usize = 64 << 20;
/// Bytes that a guest writes to a body at once; two such pieces are held before the body's request is handed over.
pub(crate) const HTTP_BODY_CHUNK: usize = 64 << 10;
/// Longest wait of a guest that writes a body which nobody sends.
pub(crate) const HTTP_BODY_PATIENCE: Duration = Duration::from_secs(5);
/// Longest time that all requests of a call are waited for; it does not count for the call's deadline.
pub(crate) const MAX_WAITING: Duration = Duration::from_secs(10 * 60);

/// Bytes of a key of a plugin's state.
pub(crate) const MAX_STATE_KEY: usize = 256;
/// Bytes of a value of a plugin's state.
pub(crate) const MAX_STATE_VALUE: usize = 64 << 10;
/// Keys of a plugin's state.
pub(crate) const MAX_STATE_KEYS: usize = 10_000;
/// Bytes of all keys and values of a plugin's state.
pub(crate) const MAX_STATE: usize = 16 << 20;

/// What may cross the boundary in one call, in bytes of host memory.
pub(crate) const HOSTCALL_FUEL: usize = 16 << 20;
/// Largest component in bytes.
pub(crate) const MAX_COMPONENT: u64 = 64 << 20;
/// Functions of all modules of a component together; CPython with its libraries has 13,000.
pub(crate) const MAX_FUNCTIONS: usize = 100_000;
/// Longest body of a function, in bytes; the longest of CPython has 417 KiB.
pub(crate) const MAX_FUNCTION: usize = 1 << 20;
/// Blocks times variables of a function, each of which may cost the compiler 100 bytes; the most of CPython is 165,000.
pub(crate) const MAX_JOINS_OF_FUNCTION: u64 = 4_000_000;
/// Blocks times variables of all functions; CPython has 3,700,000.
pub(crate) const MAX_JOINS: u64 = 40_000_000;
/// Longest compilation.
pub(crate) const COMPILE_TIME: Duration = Duration::from_secs(180);
/// Handles that a guest may hold.
pub(crate) const MAX_RESOURCES: usize = 1_024;
/// Handles that a guest with HTTP may hold: each may stand for headers of [`MAX_HTTP_FIELDS`] bytes, or for two pieces of
/// a body, in memory of the host that nothing else counts. So it is 32 MiB.
pub(crate) const MAX_RESOURCES_WITH_HTTP: usize = 256;
/// Bytes of randomness a guest may ask for at once.
pub(crate) const MAX_RANDOM: u64 = 64 << 10;
/// Log lines of one call; what is more is dropped and counted.
pub(crate) const MAX_LOG_LINES: usize = 1_000;
/// Lines of one plugin that a run shows; later ones are only counted.
pub(crate) const MAX_LOG_LINES_SHOWN: u64 = 10_000;
/// Log bytes of one call.
pub(crate) const MAX_LOG_BYTES: usize = 256 << 10;

/// Elements of all tables of an instance together.
const MAX_TABLE_ELEMENTS: usize = 200_000;
/// Core instances, memories and tables of a store. A Python component has 38 core instances.
const MAX_INSTANCES: usize = 128;

/// Adds up all memories and tables of a store: a cap for each alone is bypassed by having many.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory_limit: usize,
    memory: usize,
    elements: usize,
    /// Most memory the store ever had, in bytes.
    pub(crate) peak: usize,
    /// The guest asked for more than it may have.
    pub(crate) refused: bool,
}

impl Limiter {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { memory_limit: limits.memory, memory: 0, elements: 0, peak: 0, refused: false }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.memory_limit {
            self.refused = true;
            return Ok(false);
        }
        self.memory = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let total = self.elements.saturating_add(desired.saturating_sub(current));
        if total > MAX_TABLE_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MAX_INSTANCES
    }

    fn tables(&self) -> usize {
        MAX_INSTANCES
    }

    fn memories(&self) -> usize {
        MAX_INSTANCES
    }
}
