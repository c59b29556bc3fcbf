//! The only place that knows wasmtime: engine, limits, grants, cache, and the conversion between what plugins say and what
//! the model knows.
//!
//! Everything that crosses the boundary crosses in one function, [`boundary::Live::call`]. A raw binding type is never
//! visible outside of `conversion`, `source` and `stages`.

mod bindings;
mod boundary;
mod cache;
mod compatibility;
mod complexity;
mod connector;
mod conversion;
mod deadline;
mod engine;
mod failure;
mod guest;
mod http;
mod limits;
mod plugin;
mod source;
mod stages;
mod state;

pub use cache::CompileCache;
pub use connector::{CONNECTOR_BATCH, Connector, ConnectorPlugin};
pub use engine::Runtime;
pub use failure::{CallFailure, FailureKind, LoadError, SourceFailure, TrapReport};
pub use http::{
    Authorizer, HttpClient, HttpError, HttpGrant, HttpRequest, HttpResponse, NoAuthorization, Origin, OriginError,
    Resolver, SystemResolver,
};
pub use limits::{HttpLimits, Limits};
pub use plugin::{Inspection, Plugin, PluginOrigin, PluginSpec, RunClock, Statistics, World};
pub use secrecy::SecretString;
pub use source::{Collection, Source, SourceReader};
pub use stages::{
    Answers, Definition, DefinitionPlugin, Extension, ExtensionPlugin, StatusMapping, StatusMappingPlugin,
};
pub use state::{KeyValue, MemoryState};
