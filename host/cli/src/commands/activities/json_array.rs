//! A JSON array written element by element, one a line, so that its length does not matter.

use std::io::{self, BufWriter, StdoutLock, Write};
use std::ops::ControlFlow;

use serde::Serialize;

/// An array under way.
pub(in crate::commands) struct JsonArray<W> {
    out: W,
    is_empty: bool,
    written: io::Result<()>,
}

impl<W: Write> JsonArray<W> {
    /// Begins an array.
    pub(in crate::commands) fn new(mut out: W) -> Self {
        let written = out.write_all(b"[");
        Self { out, is_empty: true, written }
    }

    /// Adds an element; after a failure there is no use in going on.
    pub(in crate::commands) fn add(&mut self, element: &impl Serialize) -> ControlFlow<()> {
        if self.written.is_ok() {
            self.written = self.write(element);
        }
        if self.written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn write(&mut self, element: &impl Serialize) -> io::Result<()> {
        self.out.write_all(if self.is_empty { b"\n  " } else { b",\n  " })?;
        self.is_empty = false;
        // A failed write comes back as it was, whatever it is wrapped in.
        serde_json::to_writer(&mut self.out, element).map_err(io::Error::from)
    }

    /// Ends the array.
    ///
    /// # Errors
    /// The first failure of all that was written.
    pub(in crate::commands) fn finish(mut self) -> io::Result<()> {
        self.written?;
        self.out.write_all(if self.is_empty { b"]\n" } else { b"\n]\n" })?;
        self.out.flush()
    }
}

impl JsonArray<BufWriter<StdoutLock<'static>>> {
    /// Begins an array on standard output.
    pub(in crate::commands) fn printed() -> Self {
        Self::new(BufWriter::with_capacity(1 << 16, io::stdout().lock()))
    }

    /// Ends the array on standard output, where a reader who has seen enough is no error.
    ///
    /// # Errors
    /// It cannot be written.
    pub(in crate::commands) fn finish_printed(self) -> anyhow::Result<()> {
        match self.finish() {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|error| anyhow::anyhow!("the output cannot be written: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(elements: &[i32]) -> String {
        let mut bytes = Vec::new();
        let mut array = JsonArray::new(&mut bytes);
        assert!(elements.iter().try_for_each(|element| array.add(element)).is_continue());
        array.finish().expect("memory takes everything");
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn a_failure_ends_it_and_is_told_at_the_end() {
        let mut room = [0_u8; 4];
        let mut array = JsonArray::new(room.as_mut_slice());
        assert!(array.add(&1).is_break());
        assert!(array.add(&2).is_break());
        assert!(array.finish().is_err());
    }

    #[test]
    fn arrays_of_any_length_are_whole() {
        assert_eq!(array(&[]), "[]\n");
        assert_eq!(array(&[1]), "[\n  1\n]\n");
        assert_eq!(array(&[1, 2]), "[\n  1,\n  2\n]\n");
    }
}
