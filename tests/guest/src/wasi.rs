//! WASI without the standard library around it.

#![allow(missing_docs, clippy::all, reason = "generated code")]

wit_bindgen::generate!({
    inline: "
        package test:guest;
        world plain-wasi {
            import wasi:random/random@0.2.0;
            import wasi:clocks/monotonic-clock@0.2.0;
        }
        package wasi:random@0.2.0 {
            interface random {
                get-random-bytes: func(len: u64) -> list<u8>;
                get-random-u64: func() -> u64;
            }
        }
        package wasi:io@0.2.0 {
            interface poll {
                resource pollable {
                    ready: func() -> bool;
                    block: func();
                }
                poll: func(in: list<borrow<pollable>>) -> list<u32>;
            }
        }
        package wasi:clocks@0.2.0 {
            interface monotonic-clock {
                use wasi:io/poll@0.2.0.{pollable};
                type instant = u64;
                type duration = u64;
                now: func() -> instant;
                resolution: func() -> duration;
                subscribe-instant: func(when: instant) -> pollable;
                subscribe-duration: func(when: duration) -> pollable;
            }
        }
    ",
    world: "plain-wasi",
    generate_all,
});

pub use wasi::clocks::monotonic_clock::subscribe_duration;
pub use wasi::random::random::get_random_bytes;
