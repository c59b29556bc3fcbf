//! Generated from `wit/`: one module for each world, all on the types of [`shared`].

#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, reason = "generated code is as it is")]

/// The types that all stages speak of, and what the host lends to every plugin.
pub mod shared {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package apptsync:plugin;
            world shared {
                import ibus:appointments/types@0.1.0;
                import wasi:logging/logging@0.1.0-draft;
                import wasi:config/store@0.2.0-rc.1;
            }
        ",
        world: "apptsync:plugin/shared",
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq],
    });
}

/// The world `source-plugin`.
pub mod source {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "source-plugin",
        with: {
            "ibus:appointments/types@0.1.0": crate::bindings::shared::ibus::appointments::types,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::shared::wasi::logging::logging,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::shared::wasi::config::store,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "apptsync_plugin::bindings::source",
    });
}

/// The world `activity-definition-plugin`.
pub mod activity_definition {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "activity-definition-plugin",
        with: {
            "ibus:appointments/types@0.1.0": crate::bindings::shared::ibus::appointments::types,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::shared::wasi::logging::logging,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::shared::wasi::config::store,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "apptsync_plugin::bindings::activity_definition",
    });
}

/// The world `status-mapping-plugin`.
pub mod status_mapping {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "status-mapping-plugin",
        with: {
            "ibus:appointments/types@0.1.0": crate::bindings::shared::ibus::appointments::types,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::shared::wasi::logging::logging,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::shared::wasi::config::store,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "apptsync_plugin::bindings::status_mapping",
    });
}

/// The world `extension-plugin`.
pub mod extension {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "extension-plugin",
        with: {
            "ibus:appointments/types@0.1.0": crate::bindings::shared::ibus::appointments::types,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::shared::wasi::logging::logging,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::shared::wasi::config::store,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "apptsync_plugin::bindings::extension",
    });
}

/// What only connectors are lent: HTTP and state.
pub mod lent {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "
            package apptsync:plugin;
            world lent {
                import wasi:http/outgoing-handler@0.2.12;
                import wasi:keyvalue/store@0.2.0-draft;
            }
        ",
        world: "apptsync:plugin/lent",
        generate_all,
    });
}

/// The world `connector-plugin`.
pub mod connector {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "connector-plugin",
        with: {
            "ibus:appointments/types@0.1.0": crate::bindings::shared::ibus::appointments::types,
            "wasi:logging/logging@0.1.0-draft": crate::bindings::shared::wasi::logging::logging,
            "wasi:config/store@0.2.0-rc.1": crate::bindings::shared::wasi::config::store,
            "wasi:keyvalue/store@0.2.0-draft": crate::bindings::lent::wasi::keyvalue::store,
            "wasi:http/outgoing-handler@0.2.12": crate::bindings::lent::wasi::http::outgoing_handler,
            "wasi:http/types@0.2.12": crate::bindings::lent::wasi::http::types,
            "wasi:io/error@0.2.12": crate::bindings::lent::wasi::io::error,
            "wasi:io/poll@0.2.12": crate::bindings::lent::wasi::io::poll,
            "wasi:io/streams@0.2.12": crate::bindings::lent::wasi::io::streams,
            "wasi:clocks/monotonic-clock@0.2.12": crate::bindings::lent::wasi::clocks::monotonic_clock,
        },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "apptsync_plugin::bindings::connector",
    });
}
