//! A plugin: a component, checked against its stage, with what it is granted.

use std::borrow::Cow;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use apptsync_model::Instant;
use sha2::{Digest, Sha256};
use wasmtime::component::{Component, InstancePre};

use crate::compatibility::{self, Grants};
use crate::complexity;
use crate::engine::Runtime;
use crate::failure::LoadError;
use crate::guest::{GuestState, Surroundings};
use crate::http::{HttpClient, HttpGrant};
use crate::limits::{self, Limits};
use crate::state::KeyValue;

/// The world a plugin implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// Where appointments and customers come from.
    Source,
    /// What the activity definition makes of an appointment.
    ActivityDefinition,
    /// How a mobile status becomes a headquarters status.
    StatusMapping,
    /// What a customer adds.
    Extension,
    /// How a calendar system is spoken to.
    Connector,
}

impl World {
    /// Every world.
    pub const ALL: [Self; 5] =
        [Self::Source, Self::ActivityDefinition, Self::StatusMapping, Self::Extension, Self::Connector];

    /// The interface of the contract that it exports.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::ActivityDefinition => "activity-definition",
            Self::StatusMapping => "status-mapping",
            Self::Extension => "extension",
            Self::Connector => "connector",
        }
    }

    /// Its name with the article, for sentences: `an extension-plugin`.
    #[must_use]
    pub fn with_article(self) -> String {
        let article = if self.interface().starts_with(['a', 'e']) { "an" } else { "a" };
        format!("{article} {self}")
    }
}

impl std::fmt::Display for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-plugin", self.interface())
    }
}

/// Where a component comes from.
#[derive(Debug, Clone)]
pub enum PluginOrigin {
    /// A file.
    File(PathBuf),
    /// Built in.
    Embedded(&'static [u8]),
}

/// A plugin as the configuration names it: what it is, and what it is granted.
#[derive(Debug, Clone)]
pub struct PluginSpec {
    /// As configured: the name of a built-in plugin or the path of a file.
    pub name: String,
    /// The stage it stands in, as the protocol names it.
    pub stage: String,
    /// The world it must implement.
    pub world: World,
    /// Where the component comes from.
    pub origin: PluginOrigin,
    /// The digest it must have, in hexadecimal.
    pub sha256: Option<String>,
    /// What it may use.
    pub limits: Limits,
    /// Its configuration.
    pub config: Vec<(String, String)>,
    /// Folders it may read.
    pub read: Vec<PathBuf>,
    /// Folders it may read and write: connectors alone.
    pub write: Vec<PathBuf>,
    /// Origins it may speak to: connectors alone.
    pub http: Vec<HttpGrant>,
    /// Its state, lent to connectors; without it they cannot keep any.
    pub state: Option<Arc<dyn KeyValue>>,
}

/// What a run shows to its plugins as time and randomness. The same instant gives the same run.
#[derive(Debug, Clone)]
pub struct RunClock {
    pub(crate) now: Instant,
    pub(crate) random: Arc<[u8]>,
}

/// Bytes of randomness before they repeat.
const RANDOM_BYTES: usize = 1_024;

impl RunClock {
    /// The clock of a run; its randomness follows from the instant.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let mut random = Vec::with_capacity(RANDOM_BYTES);
        let mut block = 0_u64;
        while random.len() < RANDOM_BYTES {
            let mut hasher = Sha256::new();
            hasher.update(now.0.to_le_bytes());
            hasher.update(block.to_le_bytes());
            random.extend_from_slice(&hasher.finalize());
            block += 1;
        }
        Self { now, random: random.into() }
    }

    pub(crate) fn seed(&self) -> u128 {
        self.random.iter().take(16).fold(0, |seed, byte| seed << 8 | u128::from(*byte))
    }
}

/// A folder granted to a plugin.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) writable: bool,
}

/// What a plugin used in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Calls made.
    pub calls: u64,
    /// Records that went in or came out.
    pub records: u64,
    /// Time spent in calls, with instantiation and conversion.
    pub time: Duration,
    /// The part of it that was spent waiting for servers.
    pub waited: Duration,
    /// Requests to servers.
    pub requests: u64,
    /// Most memory of one instance, in bytes.
    pub memory_peak: u64,
    /// Lines logged.
    pub log_lines: u64,
    /// Lines dropped because a call logged too many.
    pub log_lines_dropped: u64,
}

/// A plugin that is ready for a run.
pub struct Plugin {
    pub(crate) name: Arc<str>,
    pub(crate) stage: String,
    pub(crate) instance: InstancePre<GuestState>,
    pub(crate) limits: Limits,
    pub(crate) config: Arc<Vec<(String, String)>>,
    pub(crate) folders: Vec<Folder>,
    client: HttpClient,
    http: Arc<[HttpGrant]>,
    state: Option<Arc<dyn KeyValue>>,
    pub(crate) clock: RunClock,
    pub(crate) statistics: Mutex<Statistics>,
    digest: String,
}

impl Plugin {
    /// Reads, checks and compiles a plugin (or takes what it was compiled to from the cache).
    ///
    /// # Errors
    /// It cannot be read, has another digest, is no component, does not fit its stage, or wants what is not granted.
    pub fn load(runtime: &Runtime, spec: &PluginSpec, clock: RunClock) -> Result<Self, LoadError> {
        let bytes = read(&spec.name, &spec.origin)?;
        let (component, digest) = compiled(runtime, &spec.name, bytes, spec.sha256.as_deref())?;
        let unfit = |reason: String| LoadError::Unfit { plugin: spec.name.clone(), reason };
        let grants = Grants { http: !spec.http.is_empty() };
        compatibility::check(&component, &runtime.engine, spec.world, grants).map_err(unfit)?;
        let instance = runtime.linker.instantiate_pre(&component).map_err(|error| {
            unfit(format!("does not have the shape that {} publishes: {error:#}", compatibility::OFFERED))
        })?;
        let folders = folders(spec)?;
        let mut config = spec.config.clone();
        if !folders.is_empty() {
            let names: Vec<_> = folders.iter().map(|folder| format!("\"{}\"", folder.guest.escape_default())).collect();
            config.push(("folders".into(), format!("[{}]", names.join(","))));
        }
        Ok(Self {
            name: spec.name.as_str().into(),
            stage: spec.stage.clone(),
            instance,
            limits: spec.limits.clone(),
            config: Arc::new(config),
            folders,
            client: runtime.http.clone(),
            http: spec.http.as_slice().into(),
            state: spec.state.clone(),
            clock,
            statistics: Mutex::default(),
            digest,
        })
    }

    /// As configured.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stage it stands in.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// SHA-256 of the component, in hexadecimal.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &[(String, String)] {
        &self.config
    }

    /// What it used since it was loaded.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        *self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it keeps.
    pub(crate) fn state(&self) -> Option<&dyn KeyValue> {
        self.state.as_deref()
    }

    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            plugin: &self.name,
            limits: &self.limits,
            clock: &self.clock,
            config: &self.config,
            folders: &self.folders,
            client: &self.client,
            http: &self.http,
            state: self.state.as_ref(),
            log_lines: self.statistics().log_lines,
        }
    }
}

fn folders(spec: &PluginSpec) -> Result<Vec<Folder>, LoadError> {
    let open = |(host, writable): (&PathBuf, bool)| {
        let failed = |reason: String| LoadError::Folder { plugin: spec.name.clone(), folder: host.clone(), reason };
        let metadata = fs::metadata(host).map_err(|error| failed(format!("{error}: make it, or change `read`")))?;
        if !metadata.is_dir() {
            return Err(failed("it is not a folder".into()));
        }
        let guest = host.file_name().map_or_else(|| "feed".into(), |name| name.to_string_lossy().into_owned());
        Ok(Folder { host: host.clone(), guest, writable })
    };
    let read = spec.read.iter().map(|folder| (folder, false));
    let folders = read.chain(spec.write.iter().map(|folder| (folder, true)));
    let folders = folders.map(open).collect::<Result<Vec<_>, _>>()?;
    for (position, folder) in folders.iter().enumerate() {
        if folders[..position].iter().any(|earlier| earlier.guest == folder.guest) {
            let reason = "another folder of `read` has the same last name: a plugin sees folders by it".to_owned();
            return Err(LoadError::Folder { plugin: spec.name.clone(), folder: folder.host.clone(), reason });
        }
    }
    Ok(folders)
}

/// What can be said of a component without running it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// SHA-256 in hexadecimal.
    pub digest: String,
    /// Size in bytes.
    pub size: u64,
    /// The worlds it implements, with the versions of the contract it was built for.
    pub worlds: Vec<(String, Option<String>)>,
    /// Everything it imports.
    pub imports: Vec<String>,
    /// Why it does not fit this host, if it does not.
    pub problem: Option<String>,
}

impl Inspection {
    /// Inspects a component.
    ///
    /// # Errors
    /// It cannot be read or is no component.
    pub fn of(runtime: &Runtime, name: &str, origin: &PluginOrigin) -> Result<Self, LoadError> {
        let bytes = read(name, origin)?;
        let size = bytes.len() as u64;
        let (component, digest) = compiled(runtime, name, bytes, None)?;
        let worlds = compatibility::exports(&component, &runtime.engine);
        let fits = |world: &World| compatibility::check(&component, &runtime.engine, *world, Grants::all(*world));
        let world = World::ALL.iter().find(|world| worlds.iter().any(|(name, _)| name == world.interface()));
        let problem = fits(world.unwrap_or(&World::Source)).err();
        Ok(Self { digest, size, imports: compatibility::imports(&component, &runtime.engine), worlds, problem })
    }
}

fn read<'a>(name: &str, origin: &'a PluginOrigin) -> Result<Cow<'a, [u8]>, LoadError> {
    match origin {
        PluginOrigin::Embedded(bytes) => Ok((*bytes).into()),
        PluginOrigin::File(path) => {
            read_file(path).map(Into::into).map_err(|reason| LoadError::Unreadable { plugin: name.to_owned(), reason })
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let describe = |error: std::io::Error| format!("{}: {error}", path.display());
    // Asked before it is opened: opening a pipe waits until somebody writes to it.
    if !fs::metadata(path).map_err(describe)?.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let file = fs::File::open(path).map_err(describe)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that grows while it is read from one that fits.
    file.take(limits::MAX_COMPONENT + 1).read_to_end(&mut bytes).map_err(describe)?;
    if bytes.len() as u64 > limits::MAX_COMPONENT {
        return Err(format!("{} is larger than {} MiB", path.display(), limits::MAX_COMPONENT >> 20));
    }
    Ok(bytes)
}

fn compiled(
    runtime: &Runtime,
    name: &str,
    bytes: Cow<'_, [u8]>,
    expected: Option<&str>,
) -> Result<(Component, String), LoadError> {
    let digest = hexadecimal(&Sha256::digest(&bytes));
    if let Some(expected) = expected.filter(|expected| !expected.eq_ignore_ascii_case(&digest)) {
        return Err(LoadError::Digest { plugin: name.to_owned(), found: digest, expected: expected.to_owned() });
    }
    if let Some(reason) = not_a_component(&bytes) {
        return Err(LoadError::NotAComponent { plugin: name.to_owned(), reason });
    }
    if let Some(component) = runtime.cache.as_ref().and_then(|cache| cache.load(&runtime.engine, &digest)) {
        return Ok((component, digest));
    }
    let component = complexity::check(&bytes)
        .and_then(|()| compile(runtime, bytes.into_owned()))
        .map_err(|reason| LoadError::NotAComponent { plugin: name.to_owned(), reason })?;
    if let Some(cache) = &runtime.cache {
        cache.store(&runtime.engine, &digest, &component);
    }
    Ok((component, digest))
}

fn not_a_component(bytes: &[u8]) -> Option<String> {
    match bytes {
        [0, b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => None,
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Some(
            "is a core module, not a component: build it for wasm32-wasip2, or wrap it with `wasm-tools component new`"
                .into(),
        ),
        _ => Some("is not a WebAssembly component".into()),
    }
}

/// Compiles on a thread of its own, because compilation cannot be interrupted: past its time it is left alone.
fn compile(runtime: &Runtime, bytes: Vec<u8>) -> Result<Component, String> {
    let engine = runtime.engine.clone();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more when the time was over.
        let _ = sender.send(Component::from_binary(&engine, &bytes).map_err(|error| format!("{error:#}")));
    });
    match receiver.recv_timeout(limits::COMPILE_TIME) {
        Ok(result) => {
            result.map_err(|error| format!("is not a valid component: {}", apptsync_model::text::quoted(&error)))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => Err("cannot be compiled: the compiler gave up on it".into()),
        Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("takes longer to compile than {:?}", limits::COMPILE_TIME)),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
