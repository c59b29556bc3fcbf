//! The delivered defaults, and what may be set.

use apptsync_plugin::activity_definition::{self as contract, Description, Settings, Texts};
use apptsync_plugin::text::LINE;
use apptsync_plugin::types::Priority;

use crate::{Template, Variable};

const LONGEST_KIND: usize = 128;
const LONGEST_DESCRIPTION_TEMPLATE: usize = 16_384;
const MOST_PROBLEMS: usize = 64;

const SUBJECT: &str = "{number} {name}";
const DESCRIPTION: &str = "Customer: {customer}\nAddress: {address}\nStatus: {status}\n{note}\n{description}";

/// The delivered defaults of `ibus.AppointmentSynchronize` and the variables of its texts.
#[must_use]
pub fn describe() -> Description {
    let variable = |variable: &Variable| contract::Variable {
        name: variable.name().to_owned(),
        meaning: variable.meaning().to_owned(),
    };
    Description {
        settings: Settings {
            name: "ibus.AppointmentSynchronize".to_owned(),
            kind: "Sales appointment".to_owned(),
            priority: Priority::Normal,
            texts: Texts { subject: SUBJECT.to_owned(), description: DESCRIPTION.to_owned() },
        },
        variables: Variable::ALL.iter().map(variable).collect(),
    }
}

/// What is wrong with these settings, one sentence each; empty when all is well.
#[must_use]
pub fn check(settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    check_kind(&settings.kind, &mut problems);
    check_template("subject", &settings.texts.subject, LINE, &mut problems);
    if settings.texts.subject.trim().is_empty() {
        problems.push("subject: it is empty: every activity needs a subject, such as `{number} {name}`".to_owned());
    }
    if settings.texts.subject.chars().any(char::is_control) {
        problems.push("subject: it has line breaks or other control characters: a subject is one line".to_owned());
    }
    check_template("description", &settings.texts.description, LONGEST_DESCRIPTION_TEMPLATE, &mut problems);
    problems.truncate(MOST_PROBLEMS);
    problems
}

fn check_kind(kind: &str, problems: &mut Vec<String>) {
    if kind.trim().is_empty() {
        problems.push("kind: it is empty: every activity needs a kind, such as `Sales appointment`".to_owned());
    }
    if kind.len() > LONGEST_KIND {
        problems.push(format!("kind: it has {} bytes, at most {LONGEST_KIND} are allowed", kind.len()));
    }
    if kind.chars().any(char::is_control) {
        problems.push("kind: it has line breaks or other control characters: a kind is one line".to_owned());
    }
}

fn check_template(what: &str, source: &str, longest: usize, problems: &mut Vec<String>) {
    if source.len() > longest {
        problems.push(format!("{what}: the template has {} bytes, at most {longest} are allowed", source.len()));
    }
    if let Err(found) = Template::parse(source) {
        problems.extend(found.into_iter().map(|problem| format!("{what}: {problem}")));
    }
}
