//! The macros that make a component of a crate.
//!
//! The exported functions have names that only WebAssembly allows, so a native build (for tests and benches) leaves them out
//! and only checks that the trait is implemented.

/// Makes the crate a `source` plugin: the type implements [`Source`](crate::source::Source).
#[macro_export]
macro_rules! export_source {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::source::export!($plugin with_types_in $crate::bindings::source);
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn implements<Plugin: $crate::source::Source>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes the crate an `activity-definition` plugin: the type implements
/// [`ActivityDefinition`](crate::activity_definition::ActivityDefinition).
#[macro_export]
macro_rules! export_activity_definition {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::activity_definition::export!($plugin with_types_in $crate::bindings::activity_definition);
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn implements<Plugin: $crate::activity_definition::ActivityDefinition>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes the crate a `status-mapping` plugin: the type implements
/// [`StatusMapping`](crate::status_mapping::StatusMapping).
#[macro_export]
macro_rules! export_status_mapping {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::status_mapping::export!($plugin with_types_in $crate::bindings::status_mapping);
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn implements<Plugin: $crate::status_mapping::StatusMapping>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes the crate an `extension` plugin: the type implements [`Extension`](crate::extension::Extension).
#[macro_export]
macro_rules! export_extension {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::extension::export!($plugin with_types_in $crate::bindings::extension);
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn implements<Plugin: $crate::extension::Extension>() {}
            implements::<$plugin>();
        };
    };
}

/// Makes the crate a `connector` plugin: the type implements [`Connector`](crate::connector::Connector).
#[macro_export]
macro_rules! export_connector {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::connector::export!($plugin with_types_in $crate::bindings::connector);
        #[cfg(not(target_family = "wasm"))]
        const _: () = {
            const fn implements<Plugin: $crate::connector::Connector>() {}
            implements::<$plugin>();
        };
    };
}
