//! Replaces properties of a component and leaves every other byte as it is.

use crate::component::{Section, sections};
use crate::line::{LineEnd, is_named, push};

/// What is to be replaced in a component.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patch {
    /// Names, and the whole lines that take their place; none takes a property away.
    lines: Vec<(&'static str, Option<String>)>,
    added: Vec<String>,
    pub(crate) without_alarms: bool,
}

impl Patch {
    /// Replaces all properties of a name by one with this value and these parameters, `;VALUE=DATE`.
    pub(crate) fn set(&mut self, name: &'static str, parameters: &str, value: &str) {
        self.put(name, Some(format!("{name}{parameters}:{value}")));
    }

    /// Takes all properties of a name away.
    pub(crate) fn remove(&mut self, name: &'static str) {
        self.put(name, None);
    }

    /// Adds a property beside those of its name.
    pub(crate) fn add(&mut self, name: &str, parameters: &str, value: &str) {
        self.added.push(format!("{name}{parameters}:{value}"));
    }

    /// What is put last counts.
    fn put(&mut self, name: &'static str, line: Option<String>) {
        self.lines.retain(|(other, _)| *other != name);
        self.lines.push((name, line));
    }

    /// The component with the replacements.
    pub(crate) fn apply(mut self, component: &[u8], end: LineEnd) -> Vec<u8> {
        let mut patched = Vec::with_capacity(component.len() + 256);
        let mut is_open = true;
        for (section, line) in sections(component) {
            if is_open && !matches!(section, Section::Begin | Section::Own) {
                // Properties stand before the components within.
                self.push_rest(&mut patched, end);
                is_open = false;
            }
            if section == Section::Own
                && let Some((_, replacement)) = self.lines.iter_mut().find(|(name, _)| is_named(line, name))
            {
                // The first takes the place, what is left of the name goes.
                if let Some(replacement) = replacement.take() {
                    push(&mut patched, &replacement, end);
                }
            } else if section != Section::Alarm || !self.without_alarms {
                patched.extend_from_slice(line);
            }
        }
        patched
    }

    fn push_rest(&mut self, patched: &mut Vec<u8>, end: LineEnd) {
        let rest = self.lines.iter_mut().filter_map(|(_, line)| line.take());
        rest.chain(self.added.drain(..)).for_each(|line| push(patched, &line, end));
    }
}
