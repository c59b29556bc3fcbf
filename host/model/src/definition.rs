//! Activity definitions (domain 6).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Priority;

/// Name of the definition that comes with the adapter.
pub const APPOINTMENT_SYNCHRONIZE: &str = "ibus.AppointmentSynchronize";

/// What an activity definition lays down for its activities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionSettings {
    /// Name of the definition.
    pub name: String,
    /// Kind of the activities.
    pub kind: String,
    /// Priority of the activities, whatever the appointment's.
    pub priority: Priority,
    /// Template of the subject.
    pub subject: String,
    /// Template of the description.
    pub description: String,
}

/// The content language of a batch job (domain 4): a language, and a country where that matters, such as `de` or `de-AT`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ContentLanguage(String);

impl ContentLanguage {
    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language without its country.
    fn language(&self) -> &str {
        self.0.split_once('-').map_or(&self.0, |(language, _)| language)
    }
}

impl fmt::Display for ContentLanguage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for ContentLanguage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (language, country) =
            text.split_once('-').map_or((text, None), |(language, country)| (language, Some(country)));
        let is_word = |word: &str, lengths: std::ops::RangeInclusive<usize>| {
            lengths.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic())
        };
        if !is_word(language, 2..=3) || country.is_some_and(|country| !is_word(country, 2..=2)) {
            return Err(
                "a content language is two or three letters, with a country where needed: `de`, `de-AT`".to_owned()
            );
        }
        let language = language.to_ascii_lowercase();
        Ok(Self(match country {
            Some(country) => format!("{language}-{}", country.to_ascii_uppercase()),
            None => language,
        }))
    }
}

/// The texts of a definition in one content language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinitionTexts {
    /// Template of the subject.
    pub subject: String,
    /// Template of the description.
    pub description: String,
}

impl DefinitionSettings {
    /// The settings with the texts of a content language: exactly that, or else the language without its country, or else
    /// those the definition has itself.
    #[must_use]
    pub fn in_language(
        &self,
        language: Option<&ContentLanguage>,
        translations: &BTreeMap<ContentLanguage, DefinitionTexts>,
    ) -> Self {
        let texts = language.and_then(|language| {
            let general = || translations.iter().find(|(known, _)| known.as_str() == language.language());
            translations.get(language).or_else(|| general().map(|(_, texts)| texts))
        });
        let Some(DefinitionTexts { subject, description }) = texts.cloned() else { return self.clone() };
        Self { subject, description, ..self.clone() }
    }
}

/// A variable that templates may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Name without braces.
    pub name: String,
    /// What it stands for.
    pub meaning: String,
}

/// What a definition plugin says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DefinitionDescription {
    /// Delivered defaults.
    pub settings: DefinitionSettings,
    /// Variables of the templates.
    pub variables: Vec<Variable>,
}
