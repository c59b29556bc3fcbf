//! `explain`: why an appointment is as it is in the headquarters, or is not there.

use apptsync_model::{Outcome, local_date_time};
use apptsync_pipeline::{Explanation, ImportError, KeptApart, StageAnswer};
use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::activities::{Row, Zones};
use super::jobs::JobHead;
use crate::context::{Context, Exit, UsageError};
use crate::report::short_digest;

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Shows what the source gave, what became of it in the last run and by which rule, what each stage answers when it is asked \
again as of that run, and what the next run will do; and what the latest jobs quarantined of it.

Examples:
  apptsync explain 17
  apptsync explain a-1
  apptsync explain SA/2026/000001")]
pub struct ExplainArguments {
    /// Id of the activity, id in Mobile, or number
    id: String,
}

/// What is explained, in JSON.
#[derive(Serialize)]
struct ExplanationView<'a> {
    channel: &'a str,
    /// `appointments` or `customers`.
    collection: &'a str,
    source_id: &'a str,
    outcome: &'static str,
    /// Later runs look again.
    pending: bool,
    /// The headquarters has the last version.
    is_current: bool,
    rule: &'a str,
    next_run: &'a str,
    activity: Option<Row<'a>>,
    /// The job that last looked, and the one that saw it first.
    job: Option<JobHead<'a>>,
    first_job: i64,
    source_record: SourceRecord<'a>,
    stages_then: Vec<StageThen<'a>>,
    stages_now: Vec<StageNow<'a>>,
}

/// A quarantined record, in JSON.
#[derive(Serialize)]
struct KeptApartView<'a> {
    source_id: &'a str,
    /// `quarantined`.
    outcome: &'static str,
    /// Where it stands.
    place: &'a str,
    /// Why.
    rule: &'a str,
    job: JobHead<'a>,
}

/// What is known by an id, in JSON: first what was read, then what was quarantined.
#[derive(Serialize)]
#[serde(untagged)]
enum Known<'a> {
    Explained(Box<ExplanationView<'a>>),
    KeptApart(Box<KeptApartView<'a>>),
}

/// A version that the source gave, with the names and in the order that the feed documents.
struct SourceRecord<'a>(&'a Value);

impl SourceRecord<'_> {
    /// Names and values. What the feed leaves out is null.
    fn entries(&self) -> Vec<(&str, Value)> {
        let Value::Object(record) = self.0 else { return Vec::new() };
        let take = |name: &str| record.get(name).cloned().unwrap_or_default();
        // A source keeps start and end together, because one does not go without the other.
        let period = record.get("period").and_then(Value::as_object).and_then(|period| period.iter().next());
        let Some((form, period)) = period else {
            return record.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        };
        let attributes = record.get("attributes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let attributes: Map<String, Value> = attributes
            .iter()
            .filter_map(|pair| Some((pair.get(0)?.as_str()?.to_owned(), pair.get(1)?.clone())))
            .collect();
        vec![
            ("id", take("id")),
            ("channel", take("channel")),
            ("number", take("number")),
            ("name", take("name")),
            ("type", take("visit_type")),
            ("customer", take("customer")),
            ("employee", take("employee")),
            ("start", period.get("start").cloned().unwrap_or_default()),
            ("end", period.get("end").cloned().unwrap_or_default()),
            ("all_day", (form == "all-day").into()),
            ("priority", take("priority")),
            ("status", take("status")),
            ("description", take("description")),
            ("completed_on", take("completed_on")),
            ("completed_by", take("completed_by")),
            ("reason", take("reason")),
            ("changed_at", take("changed_at")),
            ("deleted", take("deleted")),
            ("attributes", Value::Object(attributes)),
        ]
    }
}

impl Serialize for SourceRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries())
    }
}

/// A stage in force at the last run.
#[derive(Serialize)]
struct StageThen<'a> {
    stage: &'a str,
    plugin: &'a str,
    digest: &'a str,
}

/// What a stage answers today.
#[derive(Serialize)]
struct StageNow<'a> {
    stage: &'a str,
    plugin: &'a str,
    digest: &'a str,
    answer: &'a str,
    same_plugin_as_then: bool,
}

impl<'a> From<&'a Explanation> for ExplanationView<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let transfer = &explanation.transfer;
        Self {
            channel: &transfer.channel,
            collection: &transfer.collection,
            source_id: &transfer.source_id,
            outcome: transfer.outcome.name(),
            pending: transfer.pending,
            is_current: transfer.is_current,
            rule: &explanation.rule,
            next_run: &explanation.next_run,
            activity: explanation.activity.as_ref().map(Row::whole),
            job: explanation.job.as_ref().map(JobHead::from),
            first_job: transfer.first_job,
            source_record: SourceRecord(&explanation.source_record),
            stages_then: explanation
                .then
                .iter()
                .map(|(stage, plugin, digest)| StageThen { stage, plugin, digest })
                .collect(),
            stages_now: explanation.now.iter().map(StageNow::from).collect(),
        }
    }
}

impl<'a> From<&'a StageAnswer> for StageNow<'a> {
    fn from(stage: &'a StageAnswer) -> Self {
        Self {
            stage: &stage.stage,
            plugin: &stage.plugin,
            digest: &stage.digest,
            answer: &stage.answer,
            same_plugin_as_then: stage.same_plugin_as_then,
        }
    }
}

/// Explains everything that goes by the id or number.
///
/// # Errors
/// Nothing goes by it, the database cannot be read, or a plugin cannot be used.
pub fn run(arguments: ExplainArguments, context: &Context) -> anyhow::Result<Exit> {
    let workspace = context.workspace()?;
    let store = workspace.store()?;
    let explanations = apptsync_pipeline::explain(
        &store,
        &workspace.runtime()?,
        &workspace.stage_specs()?,
        &arguments.id,
        context.now(),
    )
    .map_err(|error| match error {
        ImportError::Usage(message) => UsageError(message).into(),
        error => anyhow::Error::from(error),
    })?;
    let kept_apart = apptsync_pipeline::kept_apart(&store, &arguments.id)?;
    if explanations.is_empty() && kept_apart.is_empty() {
        return Err(UsageError(format!(
            "no run has read anything with the activity id, the id in Mobile or the number `{}`; it may stand in the feed all the same: look with `apptsync mobile list`, or run an import",
            arguments.id.escape_debug()
        ))
        .into());
    }
    if context.is_json() {
        let explained = explanations.iter().map(|explanation| Known::Explained(Box::new(explanation.into())));
        let kept_apart = kept_apart.iter().map(|kept| {
            Known::KeptApart(Box::new(KeptApartView {
                source_id: &arguments.id,
                outcome: Outcome::Quarantined.name(),
                place: &kept.record.place,
                rule: &kept.record.reason,
                job: JobHead::from(&kept.job),
            }))
        });
        context.print_json(&explained.chain(kept_apart).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    use apptsync_store::Store as _;
    let zones = Zones::new(&store.master_data()?);
    for (position, explanation) in explanations.iter().enumerate() {
        if position > 0 {
            context.print_line("")?;
        }
        print(explanation, &zones, context)?;
    }
    if !kept_apart.is_empty() {
        let gap = if explanations.is_empty() { "" } else { "\n" };
        print_kept_apart(gap, &arguments.id, &kept_apart, context)?;
    }
    Ok(Exit::Done)
}

fn print_kept_apart(gap: &str, id: &str, kept_apart: &[KeptApart], context: &Context) -> anyhow::Result<()> {
    context.print_line(&format!("{gap}Quarantined of {}", id.escape_debug()))?;
    let row = |kept: &KeptApart| vec![kept.job.id.to_string(), kept.record.place.clone(), kept.record.reason.clone()];
    context.print_table(&["Job", "Place", "Reason"], kept_apart.iter().map(row).collect())
}

fn print(explanation: &Explanation, zones: &Zones, context: &Context) -> anyhow::Result<()> {
    let transfer = &explanation.transfer;
    let zone = zones.of_channel(&transfer.channel);
    let what = if transfer.collection == "customers" { "Customer" } else { "Appointment" };
    context.print_line(&format!("{what} {} of sales channel {}", transfer.source_id, transfer.channel))?;
    let field = |name: &str, value: &str| {
        context.print_line(format!("  {name:<14}{}", value.replace('\n', "\n                ")).trim_end())
    };
    match &explanation.activity {
        Some(activity) => field("Activity", &format!("{}, {}: {}", activity.id, activity.status, activity.subject))?,
        None if transfer.collection == "customers" => {}
        None => field("Activity", "none")?,
    }
    let outcome = match transfer.outcome {
        Outcome::Skipped(reason) => format!("skipped: {}", reason.label()),
        outcome => outcome.name().to_owned(),
    };
    field("Outcome", &outcome)?;
    field("Rule", &explanation.rule)?;
    if let Some(job) = &explanation.job {
        let user = job.settings.user.as_ref().map_or_else(String::new, |user| format!(" by {user}"));
        let as_of = job.begin.map_or_else(String::new, |begin| local_date_time(begin.as_of, zone));
        field("Last run", &format!("job {}, {}{user}, as of {as_of} ({zone})", job.id, job.settings.application))?;
    }
    field("First seen", &format!("job {}", transfer.first_job))?;
    let current = if transfer.is_current { "has the last version" } else { "does not have the last version" };
    field("Headquarters", current)?;
    field("Next run", &explanation.next_run)?;

    context.print_line("\nWhat the source gave")?;
    for (name, value) in SourceRecord(&explanation.source_record).entries() {
        match value {
            Value::Null => {}
            Value::Object(attributes) if attributes.is_empty() => {}
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => field(name, &text)?,
            value => field(name, &value.to_string())?,
        }
    }
    print_stages(explanation, context)
}

fn print_stages(explanation: &Explanation, context: &Context) -> anyhow::Result<()> {
    if !explanation.then.is_empty() {
        context.print_line("\nStages of the last run")?;
        let row = |(stage, plugin, digest): &(String, String, String)| {
            vec![stage.clone(), plugin.clone(), short_digest(digest).to_owned()]
        };
        context.print_table(&["Stage", "Plugin", "Digest"], explanation.then.iter().map(row).collect())?;
    }
    if !explanation.now.is_empty() {
        context.print_line("\nWhat the stages of today answer, as of that run")?;
        let row = |stage: &StageAnswer| {
            let same = if stage.same_plugin_as_then { "yes" } else { "no" };
            let digest = short_digest(&stage.digest).to_owned();
            vec![stage.stage.clone(), stage.plugin.clone(), digest, same.to_owned(), stage.answer.clone()]
        };
        let headings = ["Stage", "Plugin", "Digest", "As then", "Answer"];
        context.print_table(&headings, explanation.now.iter().map(row).collect())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_source_record_has_the_names_of_the_feed() {
        let record = json!({
            "id": "a-1", "channel": "B2B", "number": "7", "name": "x", "visit_type": "Visit", "customer": "C1",
            "employee": "B", "period": { "all-day": { "start": "2026-12-01", "end": "2026-12-02" } }, "priority": "low",
            "status": "confirmed", "description": "", "completed_on": null, "completed_by": null, "reason": null,
            "changed_at": "2026-11-23T08:00:00Z", "deleted": false, "attributes": [["region", "south"]],
        });
        assert_eq!(
            serde_json::to_string(&SourceRecord(&record)).expect("json"),
            r#"{"id":"a-1","channel":"B2B","number":"7","name":"x","type":"Visit","customer":"C1","employee":"B","start":"2026-12-01","end":"2026-12-02","all_day":true,"priority":"low","status":"confirmed","description":"","completed_on":null,"completed_by":null,"reason":null,"changed_at":"2026-11-23T08:00:00Z","deleted":false,"attributes":{"region":"south"}}"#
        );
    }
}
