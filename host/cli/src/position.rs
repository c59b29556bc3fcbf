//! Places in files that people write, and the nearest right name.

use std::fmt;
use std::ops::Range;
use std::path::Path;

/// What is wrong in a file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The file as people know it.
    pub file: String,
    /// Line and column, both from 1, or none when the file as a whole is wrong.
    pub place: Option<(usize, usize)>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(formatter, ":{line}:{column}")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl std::error::Error for FileError {}

/// A text file that is being read, for errors with a place.
#[derive(Debug, Clone)]
pub struct Document<'a> {
    /// The file as people know it.
    pub file: String,
    /// Its content.
    pub text: &'a str,
}

impl Document<'_> {
    /// An error at a range of bytes.
    #[must_use]
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> FileError {
        FileError { file: self.file.clone(), place: Some(place(self.text, span.start)), message: message.into() }
    }

    /// What the TOML reader says, on one line and with the nearest right name for an unknown key.
    #[must_use]
    pub fn toml_error(&self, error: &toml::de::Error) -> FileError {
        let message = error.message().trim().replace('\n', ", ");
        let message = with_suggestion(&message).unwrap_or(message);
        let place = error.span().map(|span| place(self.text, span.start));
        FileError { file: self.file.clone(), place, message }
    }
}

/// Line and column of a byte, both from 1; columns count characters.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    (line, column)
}

/// A path as people know it: below the current folder without that folder.
#[must_use]
pub fn shown(path: &Path) -> String {
    let current = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&current) {
        Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
        below => below.unwrap_or(path).display().to_string(),
    }
}

/// The candidate that was most likely meant, if one is near.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let far = |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
    let best = candidates.into_iter().map(|candidate| (far(candidate), candidate)).min_by_key(|(far, _)| *far)?;
    let length = word.chars().count();
    // A word of which nothing is left was not meant.
    let is_near = best.0 < length && best.0 <= length.max(best.1.chars().count()).div_ceil(3);
    is_near.then_some(best.1)
}

/// `: did you mean …?`, or else the names there are.
#[must_use]
pub fn suggestion(word: &str, candidates: &[&str]) -> String {
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!(": did you mean `{near}`?"),
        None if candidates.is_empty() => ": there is none".to_owned(),
        None => format!(": use one of {}", candidates.join(", ")),
    }
}

/// Rewrites what the TOML reader says about an unknown key or value: "unknown field `naem`, expected one of `id`, `name`".
fn with_suggestion(message: &str) -> Option<String> {
    let (what, rest) = [("unknown field `", "key"), ("unknown variant `", "value")]
        .iter()
        .find_map(|(start, what)| Some((*what, message.strip_prefix(start)?)))?;
    let (word, expected) = rest.split_once('`')?;
    let candidates: Vec<_> = expected.split('`').skip(1).step_by(2).collect();
    Some(format!("unknown {what} `{word}`{}", suggestion(word, &candidates)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let document = Document { file: "a.toml".into(), text: "x = 1\nżółć = 2\n" };
        let error = document.error(14..15, "what");
        assert_eq!(error.to_string(), "a.toml:2:5: what");
    }

    #[test]
    fn an_unknown_key_gets_the_nearest_name() {
        let message = "unknown field `naem`, expected one of `id`, `name`, `street`";
        assert_eq!(with_suggestion(message).as_deref(), Some("unknown key `naem`: did you mean `name`?"));
        let message = "unknown field `colour`, expected `id` or `name`";
        assert_eq!(with_suggestion(message).as_deref(), Some("unknown key `colour`: use one of id, name"));
        assert_eq!(with_suggestion("missing field `id`"), None);
    }
}
