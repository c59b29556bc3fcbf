//! The bindings of every world in one place, so that all worlds share the types of the contract.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code")]

wasmtime::component::bindgen!({
    inline: "
        package apptsync:host;
        world every-stage {
            import ibus:appointments/types@0.1.0;
            import wasi:logging/logging@0.1.0-draft;
            import wasi:config/store@0.2.0-rc.1;
            import wasi:keyvalue/store@0.2.0-draft;
            export ibus:appointments/source@0.1.0;
            export ibus:appointments/status-mapping@0.1.0;
            export ibus:appointments/activity-definition@0.1.0;
            export ibus:appointments/extension@0.1.0;
            export ibus:appointments/connector@0.1.0;
        }
    ",
    path: "../../wit",
    imports: { "wasi:keyvalue/store": trappable },
    with: { "wasi:keyvalue/store.bucket": crate::state::Bucket },
    ownership: Borrowing { duplicate_if_necessary: true },
});
