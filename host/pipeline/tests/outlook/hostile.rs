//! Broken and hostile connectors and servers: guards and invariants keep what is there.
