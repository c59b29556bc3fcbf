//! One engine, built in one constructor that also starts the ticker of its epochs.

use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Engine};

use crate::cache::CompileCache;
use crate::failure::LoadError;
use crate::guest::GuestState;
use crate::http::HttpClient;

/// Length of an epoch: the precision of deadlines.
pub(crate) const EPOCH: Duration = Duration::from_millis(5);

/// Stack of a guest in bytes; deeper recursion is a trap.
const GUEST_STACK: usize = 1 << 20;

/// What all plugins share: the engine, what the host lends, and the compile cache.
pub struct Runtime {
    pub(crate) engine: Engine,
    pub(crate) linker: Linker<GuestState>,
    pub(crate) cache: Option<CompileCache>,
    pub(crate) http: HttpClient,
}

impl Runtime {
    /// Builds the engine and starts its ticker, which ends with the engine.
    ///
    /// # Errors
    /// This machine cannot run the engine.
    pub fn new(cache: Option<CompileCache>) -> Result<Self, LoadError> {
        let mut config = Config::new();
        config
            .wasm_component_model(true)
            .concurrency_support(false)
            .epoch_interruption(true)
            .max_wasm_stack(GUEST_STACK)
            .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(16))
            .relaxed_simd_deterministic(true)
            .cranelift_nan_canonicalization(true);
        let engine = Engine::new(&config).map_err(LoadError::engine)?;
        let weak = engine.weak();
        std::thread::Builder::new()
            .name("epochs".into())
            .spawn(move || {
                while let Some(engine) = weak.upgrade() {
                    engine.increment_epoch();
                    drop(engine);
                    std::thread::sleep(EPOCH);
                }
            })
            .map_err(|error| LoadError::Engine(error.to_string()))?;
        let linker = crate::guest::linker(&engine).map_err(LoadError::engine)?;
        Ok(Self { engine, linker, cache, http: HttpClient::default() })
    }

    /// Lets plugins send their requests by this client instead of one of their own.
    #[must_use]
    pub fn with_http(self, http: HttpClient) -> Self {
        Self { http, ..self }
    }
}
