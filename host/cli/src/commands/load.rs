//! `load`: master data from a TOML file, all or nothing.

use std::path::PathBuf;

use anyhow::Context as _;
use apptsync_model::MasterData;
use apptsync_store::Store;
use clap::Args;

use super::master::Counts;
use super::master::organizations::zone_advice;
use crate::context::{Context, Exit, UsageError};
use crate::position::{Document, FileError, shown};

const EXAMPLES: &str = "\
The file has arrays of tables, each of which may be missing:
  [[organization]]     id, name, time_zone
  [[partner]]          id, name, street, postcode, city, country, email, phone, blocked, deletion_mark
  [[employee]]         id, name, email, organization, manager, user, active, blocked, deletion_mark,
                       sales_representative, profile (employee, manager or administrator)
  [[channel]]          id, description, organization, active
  [[channel_partner]]  channel, partner, external_id

Example:
  apptsync load master-data.toml

What is there already as given stays as it is. A file with an error changes nothing.";

/// What to load.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LoadArguments {
    /// The file
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// It could not do what was asked; then nothing was changed.
pub fn run(arguments: &LoadArguments, context: &Context) -> anyhow::Result<Exit> {
    let store = context.workspace()?.store()?;
    let file = shown(&arguments.file);
    let bytes =
        std::fs::read(&arguments.file).map_err(|error| UsageError(format!("{file} cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| UsageError(format!("{file} is not UTF-8: {error}")))?;
    let data = parse(file.clone(), &text).map_err(UsageError::from)?;
    let counts = store.load(&data).with_context(|| format!("{file}: nothing was loaded"))?;
    if context.is_json() {
        context.print_json(&Counts::from(counts))?;
        return Ok(Exit::Done);
    }
    let kinds = [
        ("organizations", data.organization.len()),
        ("partners", data.partner.len()),
        ("employees", data.employee.len()),
        ("sales channels", data.channel.len()),
        ("sales channel partners", data.channel_partner.len()),
    ];
    let found: Vec<_> = kinds.iter().filter(|(_, count)| *count > 0).map(|(kind, n)| format!("{kind}: {n}")).collect();
    let found = if found.is_empty() { "no entries".to_owned() } else { found.join(", ") };
    context.print_line(&format!("{file}: {found}"))?;
    let (created, updated, unchanged) = (counts.created, counts.updated, counts.unchanged);
    context.print_line(&format!("{created} added, {updated} changed, {unchanged} unchanged"))?;
    Ok(Exit::Done)
}

fn parse(file: String, text: &str) -> Result<MasterData, FileError> {
    let document = Document { file, text };
    toml::from_str(text).map_err(|error| {
        let mut error = document.toml_error(&error);
        let zone = error.message.strip_prefix("failed to parse timezone: '").and_then(|rest| rest.strip_suffix('\''));
        if let Some(zone) = zone {
            error.message = format!("`{zone}` is no IANA time zone: {}", zone_advice(zone));
        }
        error
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn error(text: &str) -> String {
        parse("data.toml".into(), text).expect_err("an error").to_string()
    }

    #[test]
    fn errors_name_the_place_and_the_nearest_key() {
        let text = "[[partner]]\nid = \"C1\"\nnaem = \"Krakus\"\n";
        assert_eq!(error(text), "data.toml:3:1: unknown key `naem`: did you mean `name`?");
        assert_eq!(error("[[partner]]\nid = \"C1\"\n"), "data.toml:1:1: missing field `name`");
        assert_eq!(
            error("[[channels]]\nid = \"C1\"\n"),
            "data.toml:1:3: unknown key `channels`: did you mean `channel`?"
        );
        let text = "[[employee]]\nid = \"B\"\nname = \"B\"\norganization = \"O1\"\nprofile = \"boss\"\n";
        assert!(error(text).starts_with("data.toml:5:11: unknown value `boss`: use one of employee, manager"));
    }

    #[test]
    fn a_time_zone_gets_the_nearest_name() {
        let text = "[[organization]]\nid = \"O1\"\nname = \"X\"\ntime_zone = \"Europe/Warsav\"\n";
        let expected = "data.toml:4:13: `Europe/Warsav` is no IANA time zone: did you mean Europe/Warsaw?";
        assert_eq!(error(text), expected);
    }
}
