//! The checks, from the workspace to the feed. One that fails does not keep the others from being made.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use apptsync_model::{APPOINTMENT_SYNCHRONIZE, ActivityFilter, MasterData};
use apptsync_pipeline::definition_plugin;
use apptsync_runtime::{Plugin, RunClock, Runtime};
use apptsync_store::{SqliteStore, Store, StoreError, StoredDefinition};
use bytesize::ByteSize;

use super::Findings;
use crate::configuration::{Configuration, PluginReference, StageConfiguration};
use crate::context::{Context, Workspace};
use crate::position::shown;
use crate::report::short_digest;
use crate::workspace::{open_cache, start_runtime};

/// Makes every check.
pub(super) fn all(context: &Context, findings: &mut Findings) {
    if let Some(workspace) = workspace(context, findings) {
        let store = database(&workspace, findings);
        let definition = store.as_ref().and_then(|store| self::definition(store, findings));
        if let Some(store) = &store {
            master_data(store, &workspace, findings);
            scheduled_jobs(store, findings);
        }
        match start_runtime() {
            Ok(runtime) => plugins(context, &runtime, &workspace, definition.as_ref(), findings),
            Err(error) => findings.error("plugins", format!("{error:#}")),
        }
        feed(&workspace, findings);
    }
    cache(findings);
}

fn workspace(context: &Context, findings: &mut Findings) -> Option<Workspace> {
    match context.configuration_file() {
        Ok(file) => findings.ok("workspace", shown(file.parent().unwrap_or(&file))),
        Err(error) => {
            findings.error("workspace", error.to_string());
            return None;
        }
    }
    match context.workspace() {
        Ok(workspace) => {
            findings.ok("configuration", shown(&workspace.configuration.file));
            Some(workspace)
        }
        Err(error) => {
            findings.error("configuration", error.to_string());
            None
        }
    }
}

fn database(workspace: &Workspace, findings: &mut Findings) -> Option<SqliteStore> {
    let check = "database";
    let store = match workspace.store() {
        Ok(store) => store,
        Err(error) => {
            findings.error(check, format!("{error:#}"));
            return None;
        }
    };
    let path = shown(&workspace.configuration.database);
    match store.check() {
        Ok(problems) if problems.is_empty() => match store.count_activities(&ActivityFilter::default()) {
            Ok(count) => findings.ok(check, format!("{path}, activities: {count}")),
            Err(error) => findings.error(check, error.to_string()),
        },
        Ok(problems) => findings.error(check, format!("{path}: {}; restore it from a copy", problems.join("; "))),
        Err(error) => findings.error(check, error.to_string()),
    }
    match store.try_lock_runs() {
        Ok(Some(_)) => {}
        Ok(None) => findings.ok("runs", "a run is under way"),
        Err(error @ StoreError::ReadOnly) => findings.error("runs", error.to_string()),
        Err(error) => findings.warning("runs", error.to_string()),
    }
    Some(store)
}

fn definition(store: &SqliteStore, findings: &mut Findings) -> Option<StoredDefinition> {
    let check = "definition";
    let definitions = match store.definitions() {
        Ok(definitions) => definitions,
        Err(error) => {
            findings.error(check, error.to_string());
            return None;
        }
    };
    let found = definitions.into_iter().find(|definition| definition.settings.name == APPOINTMENT_SYNCHRONIZE);
    match &found {
        Some(definition) if definition.active => findings.ok(check, format!("{APPOINTMENT_SYNCHRONIZE} is active")),
        Some(_) => findings.warning(
            check,
            format!(
                "{APPOINTMENT_SYNCHRONIZE} is inactive, no activities are imported: `apptsync definitions activate`"
            ),
        ),
        None => findings.error(
            check,
            format!("{APPOINTMENT_SYNCHRONIZE} is not in the database: make the workspace with `apptsync init`"),
        ),
    }
    found
}

fn master_data(store: &SqliteStore, workspace: &Workspace, findings: &mut Findings) {
    let check = "master data";
    let data = match store.master_data() {
        Ok(data) => data,
        Err(error) => return findings.error(check, error.to_string()),
    };
    let before = findings.0.len();
    if !data.channel.iter().any(|channel| channel.active) {
        findings.warning(check, "no sales channel is active: `apptsync channels add`, or `apptsync load FILE.toml`");
    }
    if !data.employee.iter().any(|employee| employee.is_eligible()) {
        findings.warning(
            check,
            "no employee is an active user with Sales representative: `apptsync employees set ID --user true --sales-representative true`",
        );
    }
    if let Some(user) = &workspace.configuration.batch.user {
        running_user(&data, user, findings);
    }
    if findings.0.len() == before {
        let MasterData { partner, employee, channel, .. } = &data;
        let (partners, employees, channels) = (partner.len(), employee.len(), channel.len());
        findings.ok(check, format!("sales channels: {channels}, employees: {employees}, partners: {partners}"));
    }
}

/// Jobs that wait while nobody runs: the process in the background was ended.
fn scheduled_jobs(store: &SqliteStore, findings: &mut Findings) {
    let check = "scheduled jobs";
    let waiting = match store.scheduled_jobs() {
        Ok(waiting) => waiting,
        Err(error) => return findings.error(check, error.to_string()),
    };
    let queues: BTreeSet<_> = waiting.iter().filter_map(|job| Some(&job.schedule.as_ref()?.queue)).collect();
    if !queues.is_empty() && matches!(store.try_lock_runs(), Ok(Some(_))) {
        for queue in queues {
            findings.warning(
                check,
                format!("nothing works on queue {queue}: `apptsync jobs process --queue {queue}` carries its jobs out"),
            );
        }
    }
}

fn running_user(data: &MasterData, user: &str, findings: &mut Findings) {
    let check = "running user";
    match data.employee.iter().find(|employee| employee.id == user) {
        None => findings.warning(check, format!("there is no employee `{user}`: correct `user` of [batch] in apptsync.toml")),
        Some(employee) if !employee.is_eligible() => findings.warning(
            check,
            format!("{user} is no active user with Sales representative, runs are refused: `apptsync employees set {user} --user true --sales-representative true`"),
        ),
        Some(employee) => findings.ok(check, format!("{user} {}", employee.name)),
    }
}

fn plugins(
    context: &Context,
    runtime: &Runtime,
    workspace: &Workspace,
    stored: Option<&StoredDefinition>,
    findings: &mut Findings,
) {
    let Configuration { source, extensions, status, definition, .. } = &workspace.configuration;
    for stage in std::iter::once(source).chain(extensions).chain([status, definition]) {
        plugin(context, runtime, stage, findings);
    }
    // Settings that the plugin in force does not take would make every record fail.
    let Some(stored) = stored else { return };
    let Ok(plugin) = definition_plugin(runtime, &definition.stage_spec(), context.now()) else { return };
    let check = "definition";
    match plugin.check(&stored.settings) {
        Ok(problems) if problems.is_empty() => {}
        Ok(problems) => findings.error(
            check,
            format!(
                "{} does not take its settings: {}; change them with `apptsync definitions set`",
                definition.name,
                problems.join("; ")
            ),
        ),
        Err(error) => findings.error(check, error.to_string()),
    }
}

fn plugin(context: &Context, runtime: &Runtime, stage: &StageConfiguration, findings: &mut Findings) {
    let check = format!("plugin of {}", stage.stage);
    if let Err(error) = stage.check_files() {
        return findings.error(&check, error.to_string());
    }
    match Plugin::load(runtime, &stage.plugin_spec(), RunClock::new(context.now())) {
        Ok(plugin) => findings.ok(&check, format!("{}, {}", plugin.name(), short_digest(plugin.digest()))),
        Err(error) => findings.error(&check, error.to_string()),
    }
}

fn feed(workspace: &Workspace, findings: &mut Findings) {
    let source = &workspace.configuration.source;
    // What another source does with its folders is its own affair.
    if !matches!(source.plugin, PluginReference::BuiltIn(_)) {
        return;
    }
    for folder in &source.read {
        feed_folder(&folder.path, findings);
    }
    if source.read.is_empty() {
        findings.error("feed", "the source may read no folder: add `read = [\"feed\"]` to it in apptsync.toml");
    }
}

fn feed_folder(folder: &Path, findings: &mut Findings) {
    let check = "feed";
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => return findings.error(check, format!("{}: {error}", shown(folder))),
    };
    let names: Vec<_> = entries.iter().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let of = |start: &str| names.iter().filter(|name| name.starts_with(start) && name.ends_with(".jsonl")).count();
    let (appointments, customers) = (of("appointments"), of("customers"));
    for entry in &entries {
        let name = entry.file_name();
        if name.to_string_lossy().ends_with(".jsonl")
            && let Err(error) = fs::File::open(entry.path())
        {
            findings.error(check, format!("{}: {error}", shown(&entry.path())));
        }
    }
    let text = format!("{}, appointments*.jsonl: {appointments}, customers*.jsonl: {customers}", shown(folder));
    if appointments + customers == 0 {
        findings.warning(check, format!("{text}: put the files there"));
    } else {
        findings.ok(check, text);
    }
}

fn cache(findings: &mut Findings) {
    let check = "compile cache";
    match open_cache().and_then(|cache| {
        let (entries, bytes) = cache.usage().map_err(|error| format!("{}: {error}", cache.folder().display()))?;
        Ok(format!("{}, plugins: {entries}, {}", cache.folder().display(), ByteSize::b(bytes).display().iec()))
    }) {
        Ok(text) => findings.ok(check, text),
        Err(reason) => findings.warning(check, format!("{reason}; plugins are compiled anew each time")),
    }
}
