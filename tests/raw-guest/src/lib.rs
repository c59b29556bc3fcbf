//! An extension for the tests that is written below the bindings: its allocator, its results and its start function are its
//! own, so they can be what no toolchain would make of them.
//!
//! It imports nothing, so no configuration tells it what to do: a test writes the name of a behaviour over `BEHAVIOUR` in the
//! compiled component.

/// For the description of the world, which goes into the component with it; nothing of this is called.
#[allow(dead_code, missing_docs, unsafe_code, unreachable_pub, clippy::all, reason = "generated code is as it is")]
mod world {
    wit_bindgen::generate!({ path: "../../wit", world: "extension-plugin", generate_all });
}

#[cfg(target_arch = "wasm32")]
#[allow(
    unsafe_code,
    reason = "exports and start functions have names and places that only unsafe attributes give them"
)]
mod raw {
    use std::hint::black_box;

    /// How it behaves: the name behind the colon.
    static BEHAVIOUR: [u8; 32] = *b"behaviour:none                  ";

    /// Bytes of a page of memory.
    const PAGE: usize = 1 << 16;

    fn behaves(name: &str) -> bool {
        let behaviour = black_box(&BEHAVIOUR);
        behaviour.get(10..).is_some_and(|found| found.trim_ascii_end() == name.as_bytes())
    }

    fn end_of_memory() -> usize {
        core::arch::wasm32::memory_size(0) * PAGE
    }

    fn run_for_ever() -> ! {
        loop {
            black_box(());
        }
    }

    /// Asked for room by the host, for each argument.
    #[unsafe(export_name = "cabi_realloc")]
    extern "C" fn realloc(_old: usize, _old_size: usize, align: usize, size: usize) -> usize {
        match () {
            () if behaves("room-misaligned") => 1_048_577,
            () if behaves("room-outside") => usize::MAX - 15,
            () if behaves("room-beyond-the-end") => end_of_memory() - align,
            () if behaves("room-for-ever") => run_for_ever(),
            () if behaves("no-room") => core::arch::wasm32::unreachable(),
            () => Vec::leak(vec![0_u64; size / 8 + 1]).as_ptr() as usize,
        }
    }

    /// A list of results: where it begins, and how long it is.
    #[repr(C)]
    struct List(usize, usize);

    /// The function of the contract; gives the address of a list of results.
    #[unsafe(export_name = "ibus:appointments/extension@0.1.0#apply")]
    extern "C" fn apply(_batch: usize, count: usize) -> usize {
        let zeros = Vec::leak(vec![0_u64; 4_096]).as_ptr() as usize;
        let list = match () {
            () if behaves("result-misaligned") => return zeros + 1,
            () if behaves("result-outside") => return usize::MAX - 15,
            () if behaves("list-misaligned") => List(zeros + 1, count),
            () if behaves("list-outside") => List(usize::MAX - 15, count),
            () if behaves("list-without-end") => List(zeros, usize::MAX),
            () if behaves("answers-of-zeros") => List(zeros, count),
            () if behaves("answers-of-no-kind") => List(Vec::leak(vec![u64::MAX; 4_096]).as_ptr() as usize, count),
            () => List(zeros, 0),
        };
        core::ptr::from_ref::<List>(Box::leak(Box::new(list))) as usize
    }

    /// Runs before anything else does.
    extern "C" fn start() {
        match () {
            () if behaves("start-for-ever") => run_for_ever(),
            () if behaves("start-trap") => core::arch::wasm32::unreachable(),
            () if behaves("start-greedy") => _ = black_box(Vec::leak(vec![1_u8; 1 << 30])),
            () => {}
        }
    }

    #[used]
    #[unsafe(link_section = ".init_array")]
    static START: extern "C" fn() = start;
}
