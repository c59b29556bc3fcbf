//! Templates: text with variables in braces, `{number} {name}`; `{{` and `}}` stand for the braces themselves.

use apptsync_plugin::activity_definition::Occasion;
use apptsync_plugin::text::{excerpt, nearest};

use crate::Variable;

/// A template that has been read, ready to be filled in many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Line {
    pieces: Vec<Piece>,
    has_variables: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(Variable),
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, one sentence each.
    pub fn parse(source: &str) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let lines = source.lines().map(|line| Line::parse(line, &mut problems)).collect();
        if problems.is_empty() { Ok(Self { lines }) } else { Err(problems) }
    }

    /// Appends the template with its variables filled in. A line whose variables are all empty is left out.
    pub fn push(&self, text: &mut String, occasion: &Occasion) {
        let begin = text.len();
        for line in &self.lines {
            let before = text.len();
            if before > begin {
                text.push('\n');
            }
            if !line.push(text, occasion) {
                text.truncate(before);
            }
        }
    }
}

impl Line {
    fn parse(source: &str, problems: &mut Vec<String>) -> Self {
        let mut line = Self::default();
        let mut text = String::new();
        let mut rest = source;
        while let Some(position) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(position);
            text.push_str(before);
            if let Some(after) = from_brace.strip_prefix("{{") {
                text.push('{');
                rest = after;
            } else if let Some(after) = from_brace.strip_prefix("}}") {
                text.push('}');
                rest = after;
            } else if let Some(after) = from_brace.strip_prefix('}') {
                problems.push(format!(
                    "the `}}` in `{}` closes nothing: write `}}}}` for a brace",
                    excerpt(from_brace, 40)
                ));
                rest = after;
            } else {
                let after = from_brace.strip_prefix('{').unwrap_or_default();
                let end = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}'));
                let Some((name, behind)) = end.and_then(|end| Some((&after[..end], after.get(end + 1..)?))) else {
                    problems.push(format!(
                        "the brace in `{}` is not closed: write `{{{{` for a brace",
                        excerpt(from_brace, 40)
                    ));
                    rest = after;
                    continue;
                };
                match Variable::named(name.trim()) {
                    Some(variable) => line.add_variable(&mut text, variable),
                    None => problems.push(unknown(name)),
                }
                rest = behind;
            }
        }
        text.push_str(rest);
        line.add_text(&mut text);
        line
    }

    fn add_text(&mut self, text: &mut String) {
        if !text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(text)));
        }
    }

    fn add_variable(&mut self, text_before: &mut String, variable: Variable) {
        self.add_text(text_before);
        self.pieces.push(Piece::Variable(variable));
        self.has_variables = true;
    }

    /// False when the line is to be left out.
    fn push(&self, text: &mut String, occasion: &Occasion) -> bool {
        let mut is_filled = !self.has_variables;
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Variable(variable) => {
                    let before = text.len();
                    variable.push(text, occasion);
                    is_filled |= text.len() > before;
                }
            }
        }
        is_filled
    }
}

fn unknown(name: &str) -> String {
    let shown = excerpt(name, 40);
    let names = Variable::ALL.iter().map(|variable| variable.name());
    match nearest(name.trim(), names) {
        Some(near) => format!("`{{{shown}}}` is not a variable: did you mean `{{{near}}}`?"),
        None => {
            let all: Vec<_> = Variable::ALL.iter().map(|variable| variable.name()).collect();
            format!("`{{{shown}}}` is not a variable: the variables are {}", all.join(", "))
        }
    }
}
