//! The protocol of a run.

use std::collections::BTreeMap;

use apptsync_model::{Ledger, Message, Severity, SkipReason};

/// Lines about single records that a protocol has at most; the rest is summed up.
const MAX_RECORD_LINES: u64 = 20;

/// Collects what the operator should know.
#[derive(Debug, Default)]
pub(super) struct Protocol {
    messages: Vec<Message>,
    record_lines: u64,
    not_eligible: BTreeMap<String, u64>,
    /// Records that came again on a later page of a pass, and the first of their ids.
    repeated: u64,
    first_repeated: Option<String>,
    /// Items that came out of the source.
    pub(super) source_items: u64,
    /// Of these: could not be read.
    pub(super) source_broken: u64,
}

impl Protocol {
    pub(super) fn say(&mut self, severity: Severity, text: String) {
        self.messages.push(Message { severity, text });
    }

    /// A line about one record; only the first are shown.
    pub(super) fn say_about_record(&mut self, severity: Severity, text: String) {
        self.record_lines += 1;
        if self.record_lines <= MAX_RECORD_LINES {
            self.say(severity, text);
        }
    }

    /// Counts an appointment whose employee is not eligible.
    pub(super) fn not_eligible(&mut self, employee: &str) {
        if self.not_eligible.len() < 1_000 || self.not_eligible.contains_key(employee) {
            *self.not_eligible.entry(employee.to_owned()).or_default() += 1;
        }
    }

    /// Counts records that came again on a later page of a pass.
    pub(super) fn repeated(&mut self, ids: Vec<String>) {
        self.repeated += ids.len() as u64;
        self.first_repeated = self.first_repeated.take().or_else(|| ids.into_iter().next());
    }

    /// At the end of a pass, the aggregated line about records that came again.
    pub(super) fn say_repeated(&mut self, plugin: &str) {
        let count = std::mem::take(&mut self.repeated);
        if let Some(id) = self.first_repeated.take() {
            let text = format!(
                "plugin `{plugin}` (stage source) broke the contract: {count} record(s) came again on a later page of one pass, such as record `{id}`; the last version counts"
            );
            self.say(Severity::Warning, text);
        }
    }

    /// The aggregated lines about skipped appointments, one a channel and run (domain 4 and 5).
    pub(super) fn skipped(&mut self, channel: &str, ledger: &Ledger) {
        let missing = ledger.skipped_for(SkipReason::CustomerMissing);
        if missing > 0 {
            let text = format!(
                "Sales Channel {channel} – {missing} element(s) of Activities was skipped because connected partner does not exist in CEE system."
            );
            self.say(Severity::Warning, text);
        }
        let refused = ledger.skipped_for(SkipReason::RepNotEligible);
        if refused > 0 {
            let who: Vec<_> = self.not_eligible.iter().take(10).map(|(id, count)| format!("{id}: {count}")).collect();
            let more = if self.not_eligible.len() > 10 { ", …" } else { "" };
            let text = format!(
                "Sales Channel {channel} – {refused} element(s) of Activities was skipped because the employee is no active user with Sales representative ({}{more}).",
                who.join(", ")
            );
            self.say(Severity::Warning, text);
        }
    }

    pub(super) fn has_warnings(&self) -> bool {
        self.messages.iter().any(|message| message.severity > Severity::Info)
    }

    pub(super) fn into_messages(mut self) -> Vec<Message> {
        if self.record_lines > MAX_RECORD_LINES {
            let more = self.record_lines - MAX_RECORD_LINES;
            self.say(
                Severity::Warning,
                format!("{more} more lines about single records; `apptsync jobs show` lists what is quarantined"),
            );
        }
        self.messages
    }
}
