//! The appointments as Mobile has them now: the last version of each.

use std::collections::HashMap;
use std::ops::ControlFlow;

use apptsync_model::MobileStatus;
use clap::Args;

use super::feed::{Feed, Head, Version};
use crate::commands::activities::json_array::JsonArray;
use crate::commands::activities::{TABLE_ROWS, named};
use crate::context::{Context, Exit};

/// Arguments of `mobile list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Status; may be given more than once
    #[arg(long, value_parser = named(MobileStatus::ALL, MobileStatus::name))]
    status: Vec<MobileStatus>,
    /// The employee in charge; may be given more than once
    #[arg(long)]
    employee: Vec<String>,
    /// Sales channel; may be given more than once
    #[arg(long)]
    channel: Vec<String>,
    /// Deleted ones too
    #[arg(long)]
    deleted: bool,
    /// At most so many; tables show 50 unless told, other outputs all
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

impl ListArguments {
    fn takes(&self, head: &Head<'_>) -> bool {
        let any = |wanted: &[String], value: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == value);
        (self.status.is_empty() || self.status.contains(&head.status))
            && any(&self.employee, &head.employee)
            && any(&self.channel, &head.channel)
            && (self.deleted || !head.is_deleted())
    }
}

/// Lists the appointments that the arguments take.
pub(super) fn run(arguments: &ListArguments, context: &Context) -> anyhow::Result<Exit> {
    let feed = Feed::open(&context.workspace()?.feed_folder()?)?;
    if context.is_json() {
        let mut array = JsonArray::printed();
        let mut left = arguments.limit.unwrap_or(u64::MAX);
        current(&feed, arguments, &mut |version| {
            if left > 0 {
                left -= 1;
                array.add(&version)
            } else {
                ControlFlow::Break(())
            }
        })?;
        array.finish_printed()?;
        return Ok(Exit::Done);
    }
    let limit = arguments.limit.unwrap_or(TABLE_ROWS);
    let (mut rows, mut count) = (Vec::new(), 0);
    current(&feed, arguments, &mut |version| {
        if count < limit {
            rows.push(row(&version));
        }
        count += 1;
        ControlFlow::Continue(())
    })?;
    let headings = ["Id", "Channel", "Number", "Name", "Status", "Start", "End", "Customer", "Employee", "Changed at"];
    context.print_table(&headings, rows)?;
    if count == 0 {
        context.hint("no appointments: `apptsync mobile plan` makes one");
    } else if count > limit {
        context.hint(&format!("{limit} of {count} appointments; use --limit"));
    }
    Ok(Exit::Done)
}

fn row(version: &Version) -> Vec<String> {
    let status = version.text("status");
    let status = match status.parse::<MobileStatus>() {
        Ok(_) if version.flag("deleted") => "deleted".to_owned(),
        Ok(status) => status.to_string(),
        Err(_) => status.to_owned(),
    };
    let text = |key| version.text(key).to_owned();
    vec![
        text("id"),
        text("channel"),
        text("number"),
        text("name"),
        status,
        text("start"),
        text("end"),
        text("customer"),
        text("employee"),
        text("changed_at"),
    ]
}

/// Hands out the last versions that are taken, in the order of their lines, until the visitor breaks off. The feed is read twice, so that what is kept of
/// a long one is small.
fn current(
    feed: &Feed,
    arguments: &ListArguments,
    visit: &mut dyn FnMut(Version) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut last: HashMap<(String, String), u64> = HashMap::new();
    let mut line = 0_u64;
    feed.visit(&mut |head, _| {
        last.insert((head.channel.clone().into_owned(), head.id.clone().into_owned()), line);
        line += 1;
        Ok(ControlFlow::Continue(()))
    })?;
    let mut lines: Vec<u64> = last.into_values().collect();
    lines.sort_unstable();
    let mut lines = lines.into_iter().peekable();
    let mut line = 0_u64;
    feed.visit(&mut |head, text| {
        let is_last = lines.next_if_eq(&line).is_some();
        line += 1;
        if is_last && arguments.takes(head) {
            return Ok(visit(Version::new(serde_json::from_str(text)?)));
        }
        Ok(ControlFlow::Continue(()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_last_versions_are_listed_and_filters_look_at_those() {
        let folder = tempfile::tempdir().expect("a folder");
        let line = |id: &str, employee: &str, status: &str, deleted: bool| {
            format!(
                r#"{{"id":"{id}","channel":"B2B","employee":"{employee}","status":"{status}","deleted":{deleted}}}"#
            )
        };
        let lines = [
            line("a-1", "B", "confirmed", false),
            line("a-2", "B", "confirmed", false),
            "broken".into(),
            line("a-1", "C", "pending", false),
            line("a-3", "C", "pending", true),
        ];
        std::fs::write(folder.path().join("appointments.jsonl"), lines.join("\n")).expect("a file");
        let listed = |arguments: ListArguments| {
            let mut ids = Vec::new();
            let feed = Feed::open(folder.path()).expect("a feed");
            current(&feed, &arguments, &mut |version| {
                ids.push(version.text("id").to_owned());
                ControlFlow::Continue(())
            })
            .expect("read");
            ids.join(" ")
        };
        let all = || ListArguments { status: vec![], employee: vec![], channel: vec![], deleted: false, limit: None };
        assert_eq!(listed(all()), "a-2 a-1");
        assert_eq!(listed(ListArguments { deleted: true, ..all() }), "a-2 a-1 a-3");
        assert_eq!(listed(ListArguments { employee: vec!["B".into()], ..all() }), "a-2");
        assert_eq!(listed(ListArguments { status: vec![MobileStatus::Pending], ..all() }), "a-1");
        assert_eq!(listed(ListArguments { channel: vec!["X".into()], ..all() }), "");
    }
}
