//! `doctor`: checks everything that an import needs, and says what to do.

mod checks;

use std::fmt;

use serde::Serialize;

use crate::context::{Context, Exit};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Health {
    Ok,
    Warning,
    Error,
}

impl fmt::Display for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A line of the report.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    health: Health,
    /// What was found, and what to do about it.
    text: String,
}

/// The report so far.
#[derive(Debug, Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, check: &str, text: impl Into<String>) {
        self.push(check, Health::Ok, text.into());
    }

    fn warning(&mut self, check: &str, text: impl Into<String>) {
        self.push(check, Health::Warning, text.into());
    }

    fn error(&mut self, check: &str, text: impl Into<String>) {
        self.push(check, Health::Error, text.into());
    }

    fn push(&mut self, check: &str, health: Health, text: String) {
        self.0.push(Finding { check: check.to_owned(), health, text });
    }

    fn has(&self, health: Health) -> bool {
        self.0.iter().any(|finding| finding.health == health)
    }
}

/// The report as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    health: Health,
    checks: &'a [Finding],
}

/// Runs the command.
///
/// # Errors
/// The output cannot be written; what is wrong with the workspace is in the report.
pub fn run(context: &Context) -> anyhow::Result<Exit> {
    let mut findings = Findings::default();
    checks::all(context, &mut findings);
    let (health, exit) = if findings.has(Health::Error) {
        (Health::Error, Exit::Failed)
    } else if findings.has(Health::Warning) {
        (Health::Warning, Exit::Warnings)
    } else {
        (Health::Ok, Exit::Done)
    };
    if context.is_json() {
        context.print_json(&Report { health, checks: &findings.0 })?;
        return Ok(exit);
    }
    let row = |finding: &Finding| vec![finding.check.clone(), finding.health.to_string(), finding.text.clone()];
    context.print_table(&["Check", "Health", "Finding"], findings.0.iter().map(row).collect())?;
    Ok(exit)
}
