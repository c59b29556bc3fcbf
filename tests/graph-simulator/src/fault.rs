//! Faults: what the real service was seen to do, switched on one by one. The list, with the place where each was
//! reported, is [`catalogue`].

use serde::{Deserialize, Serialize};

use crate::http::Call;

/// What is known of a kind of fault.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Description {
    /// The fault.
    pub name: FaultName,
    /// Where it was seen: `repository#number` on GitHub (those of Microsoft's documentation are below `microsoftgraph/`), or
    /// a page below learn.microsoft.com/graph.
    pub seen: &'static str,
    /// What happens.
    pub what: &'static str,
    /// What [`Fault::value`] means, with its default; empty where it means nothing.
    pub value: &'static str,
}

macro_rules! faults {
    ($($(#[$attribute:meta])* $name:ident: $seen:literal, $what:literal, $value:literal;)*) => {
        /// The faults by name; in JSON and on the command line with hyphens, such as `gone-mid-round`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum FaultName {
            $($(#[$attribute])* #[doc = $what] $name,)*
        }

        /// All faults, each with the place where it was seen.
        pub fn catalogue() -> &'static [Description] {
            &[$(Description { name: FaultName::$name, seen: $seen, what: $what, value: $value },)*]
        }
    };
}

faults! {
    GoneMidRound: "microsoft-graph-docs#2162, #2839", "a nextLink of a delta round answers 410", "error code (syncStateNotFound)";
    GoneWithLocation: "/delta-query-overview", "a deltaLink answers 410 with a Location that begins a new round", "error code (resyncRequired)";
    GoneFullSync: "odoo (its synchronisation looks for the word)", "a deltaLink answers 410 fullSyncRequired without a Location", "error code (fullSyncRequired)";
    RemovedOutsideWindow: "microsoft-graph-docs#6599, #4659", "delta reports changed events that never were in its window as removed", "";
    UnreportedDeletion: "microsoft-graph-docs#11728, #7036", "delta forgets to report deletions, for good", "";
    ReplayedEntries: "/delta-query-overview (replays)", "delta reports each entry twice, in another order", "";
    EmptyPages: "/delta-query-overview (an empty page with a nextLink)", "an empty page with a nextLink precedes each page of delta", "";
    LateVisibility: "/delta-query-overview (processing delays), wazuh#24323", "delta does not report events and tasks that are younger than some rounds", "rounds (1)";
    FilterLag: "microsoft-graph-docs#15839 (replicas lag behind)", "$filter does not find new events, and a listing new tasks, for some requests", "requests (3)";
    ExtendedPropertyDelta: "microsoft-graph-docs#2270, -contrib#3281", "delta with $expand answers 500 instead of 400", "";
    ForeignNextLink: "attack: a link that would carry the token away", "nextLink and deltaLink lead to another host", "root of the links (https://attacker.example)";
    ForeignRedirect: "attack: a redirect that would carry the token away", "answers 302 to another host", "address (https://attacker.example/collect)";
    Throttled: "/throttling-limits", "429 ApplicationThrottled with Retry-After", "seconds (1)";
    ThrottledWithoutRetryAfter: "/throttling (Retry-After may be missing)", "429 ApplicationThrottled without Retry-After", "";
    BatchThrottled: "microsoft-graph-docs#8760, #4366, #2886, cal.diy#343", "some of the parts of a parallel $batch beyond four answer 429", "seconds (1)";
    MailboxConcurrency: "/throttling-limits (four at a time for app and mailbox)", "a fifth request at a time for one mailbox answers 429; each takes a while", "milliseconds that each takes (25)";
    #[serde(rename = "unknown-error-503")]
    UnknownError503: "davmail#452", "503 UnknownError without Retry-After: throttling in disguise", "";
    ServiceUnavailable: "/errors", "503 ServiceUnavailable with Retry-After", "seconds (1)";
    #[serde(rename = "saved-but-503")]
    SavedBut503: "msgraph-sdk-ruby#38, OGCS#2293", "503 ConcurrentItemSave after the change was saved", "";
    TransactionIdIgnored: "OGCS#2293 (duplicates in spite of transactionId)", "transactionId is not looked at", "";
    LostAnswer: "any network; corso#2490 (a retry of what had been done)", "the request is executed, then the connection closes without an answer", "";
    LostRequest: "any network", "the connection closes before the request is executed", "";
    GatewayTimeout: "/errors", "504 without executing the request", "";
    GatewayTimeoutAfter: "/errors", "504 after executing the request", "";
    ConflictWithoutReason: "microsoft-graph-docs#2256, davmail#491", "412 ErrorIrresolvableConflict although nothing changed, even without If-Match", "";
    EtagDrift: "microsoft-graph-docs#14632", "changeKey and etag of an event change by themselves after a write", "";
    TokenExpired: "python-o365#942, anarlog#7150", "401 InvalidAuthenticationToken in the middle of a run; a new token works", "";
    TokenRefused: "/resolve-auth-errors", "401 InvalidAuthenticationToken for every token", "";
    RefreshTokenDead: "python-o365#942, rdv-service-public#5041", "the token endpoint answers invalid_grant AADSTS700082", "";
    IdentityUnavailable: "/errors", "the token endpoint answers 503", "";
    AccessDenied: "/auth-limit-mailbox-access", "403 ErrorAccessDenied on everything", "";
    MailboxFull: "/errors (507 Insufficient Storage)", "507 ErrorQuotaExceeded on writing", "";
    BandwidthExceeded: "/errors (509 Bandwidth Limit Exceeded)", "509 on everything", "";
    BodyRewritten: "microsoft-graph-docs#8215 (text is turned into HTML after the answer)", "Exchange rewrites a body again after it was saved: another form of HTML, another etag", "";
    ZoneRefused: "OGCS#1918", "every zone but UTC and Windows names is refused with TimeZoneNotSupportedException", "";
    CustomOriginalZone: "davmail#481", "originalStartTimeZone and originalEndTimeZone are tzone://Microsoft/Custom", "";
    DueDateOff: "microsoft-graph-docs#16991, #6982, MS365-ToDo#29", "due dates of tasks come back a day earlier", "";
    CompletedDateOff: "microsoft-graph-docs#8192, -contrib#8663", "completion dates of tasks come back a day earlier", "";
    OccurrenceIdsChange: "a precaution: nothing promises that they last", "occurrences get other ids with each change of their series", "";
    SlowAnswers: "/best-practices-concept", "answers take their time", "milliseconds (200)";
    TruncatedBody: "any network", "the answer's JSON breaks off in the middle", "";
    HtmlErrorPage: "microsoft-graph-docs-contrib#2549", "500 with a page of HTML", "";
    CalendarDeleted: "a user in Outlook", "the calendar that a request names is deleted just before it", "";
    MailboxEmptied: "a mailbox that is restored or replaced", "all events of the mailbox disappear just before a request", "";
    WriteIgnored: "microsoft-graph-docs#12141", "PATCH answers 200 and changes nothing", "";
}

impl FaultName {
    /// The name as written in JSON and on the command line.
    pub fn text(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

/// A fault that is switched on. It looks at the requests that it could strike, and strikes those that its limits allow.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// Which.
    pub name: FaultName,
    /// How many requests it lets pass first.
    #[serde(default)]
    pub after: u64,
    /// How often it strikes; without it, until it is switched off.
    #[serde(default)]
    pub count: Option<u64>,
    /// Strikes only requests whose method and path contain this, such as `POST /v1.0/users/{user}/calendars` or
    /// `delta`: the form that the counters show.
    #[serde(default)]
    pub on: Option<String>,
    /// Strikes only requests for this mailbox.
    #[serde(default)]
    pub mailbox: Option<String>,
    /// What the catalogue says for the fault: seconds, an error code, a host.
    #[serde(default)]
    pub value: Option<String>,
}

impl Fault {
    /// A fault that strikes every request that it can.
    pub fn new(name: FaultName) -> Self {
        Self { name, after: 0, count: None, on: None, mailbox: None, value: None }
    }

    /// Strikes so many times.
    pub fn times(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Lets so many requests pass first.
    pub fn after(mut self, requests: u64) -> Self {
        self.after = requests;
        self
    }

    /// Strikes only requests whose method and path contain the text.
    pub fn on(mut self, text: impl Into<String>) -> Self {
        self.on = Some(text.into());
        self
    }

    /// Strikes only requests for the mailbox.
    pub fn mailbox(mut self, address: impl Into<String>) -> Self {
        self.mailbox = Some(address.into());
        self
    }

    /// Sets what the catalogue calls the fault's value.
    pub fn value(mut self, value: impl ToString) -> Self {
        self.value = Some(value.to_string());
        self
    }
}

/// A fault that is on, with its number and how often it struck.
#[derive(Debug, Clone, Serialize)]
pub struct ActiveFault {
    /// Number for switching it off.
    pub number: u64,
    /// What was asked for.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests that it could have struck.
    pub seen: u64,
    /// Requests that it struck.
    pub struck: u64,
}

/// What a fault needs to know when it strikes.
pub(crate) struct Strike {
    value: Option<String>,
}

impl Strike {
    pub(crate) fn text(&self, default: &str) -> String {
        self.value.clone().unwrap_or_else(|| default.into())
    }

    pub(crate) fn number(&self, default: u64) -> u64 {
        self.value.as_ref().and_then(|value| value.parse().ok()).unwrap_or(default)
    }
}

/// The faults that are on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<ActiveFault>,
    next: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> u64 {
        self.next += 1;
        self.active.push(ActiveFault { number: self.next, fault, seen: 0, struck: 0 });
        self.next
    }

    pub(crate) fn remove(&mut self, number: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.number != number);
        self.active.len() < before
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    pub(crate) fn list(&self) -> &[ActiveFault] {
        &self.active
    }

    /// Whether the fault strikes this request. Asked once a request, it counts.
    pub(crate) fn strikes(&mut self, name: FaultName, call: &Call) -> Option<Strike> {
        if self.active.is_empty() {
            return None;
        }
        let address = || call.path.words.iter().position(|word| word == "users").map(|at| call.path.word(at + 1));
        let target = call.template();
        for active in self.active.iter_mut().filter(|active| active.fault.name == name) {
            let fault = &active.fault;
            if fault.on.as_ref().is_some_and(|on| !target.to_lowercase().contains(&on.to_lowercase())) {
                continue;
            }
            if fault.mailbox.as_ref().is_some_and(|mailbox| address() != Some(&mailbox.to_lowercase())) {
                continue;
            }
            active.seen += 1;
            if active.seen > fault.after && fault.count.is_none_or(|count| active.struck < count) {
                active.struck += 1;
                return Some(Strike { value: fault.value.clone() });
            }
        }
        None
    }
}
