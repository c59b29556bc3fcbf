//! All that the simulator knows, behind one lock.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::clock::Clock;
use crate::error::GraphError;
use crate::event::Mails;
use crate::fault::{FaultName, Faults, Strike};
use crate::http::Call;
use crate::identity::Identity;
use crate::mailbox::Mailbox;
use crate::options::Options;
use crate::zone::Zone;

/// Requests by method and path (`GET /v1.0/users/{user}/calendars`), and what else is worth counting.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Requests over connections; a `$batch` is one.
    pub requests: BTreeMap<String, u64>,
    /// Requests inside of `$batch`.
    pub batched: BTreeMap<String, u64>,
    /// Requests for tokens, refused ones as well.
    pub tokens: u64,
    /// Answers by status, those inside of `$batch` as well.
    pub statuses: BTreeMap<u16, u64>,
    /// Mail that would have gone to attendees, from all mailboxes.
    pub mails: Mails,
    /// The most requests that were under way for one mailbox at a time.
    pub most_at_a_time: u64,
}

impl Counters {
    /// Requests over connections, all together.
    pub fn total(&self) -> u64 {
        self.requests.values().sum()
    }

    /// Requests over connections whose method and path contain the text.
    pub fn of(&self, text: &str) -> u64 {
        self.requests.iter().filter(|(target, _)| target.contains(text)).map(|(_, count)| count).sum()
    }

    /// Requests inside of `$batch` whose method and path contain the text.
    pub fn batched_of(&self, text: &str) -> u64 {
        self.batched.iter().filter(|(target, _)| target.contains(text)).map(|(_, count)| count).sum()
    }
}

/// A request with its answer, for checks of their shapes.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// Method and path as the counters show them.
    pub target: String,
    /// The request's body, if it was JSON.
    pub sent: Option<Value>,
    /// HTTP status.
    pub status: u16,
    /// The answer's body, if it was JSON.
    pub answered: Option<Value>,
}

pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) clock: Clock,
    pub(crate) identity: Identity,
    /// By address in lower case.
    pub(crate) mailboxes: BTreeMap<String, Mailbox>,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
    /// Requests under way, by mailbox.
    pub(crate) under_way: BTreeMap<String, u64>,
    pub(crate) recording: bool,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) subscriptions: BTreeMap<String, Value>,
    /// Counts requests: ids of requests and the order of batches follow from it.
    pub(crate) request: u64,
}

impl State {
    /// A service with the mailboxes and applications of the options.
    ///
    /// # Errors
    /// Where a mailbox names an unknown zone.
    pub(crate) fn new(options: Options) -> Result<Self, GraphError> {
        let mut state = Self {
            clock: Clock::new(options.now),
            identity: Identity::default(),
            mailboxes: BTreeMap::new(),
            faults: Faults::default(),
            counters: Counters::default(),
            under_way: BTreeMap::new(),
            recording: false,
            exchanges: Vec::new(),
            subscriptions: BTreeMap::new(),
            request: 0,
            options: options.clone(),
        };
        for mailbox in &options.mailboxes {
            state.add_mailbox(&mailbox.address, &mailbox.display_name, &mailbox.time_zone)?;
        }
        Ok(state)
    }

    /// Adds a mailbox, or replaces it by an empty one.
    ///
    /// # Errors
    /// Where the zone is unknown.
    pub(crate) fn add_mailbox(&mut self, address: &str, display_name: &str, zone: &str) -> Result<(), GraphError> {
        let mailbox = Mailbox::new(address, display_name, Zone::parse(zone)?);
        self.mailboxes.insert(address.to_lowercase(), mailbox);
        Ok(())
    }

    /// The mailbox of an address or a user id.
    pub(crate) fn mailbox_address(&self, user: &str) -> Option<String> {
        let lower = user.to_lowercase();
        if self.mailboxes.contains_key(&lower) {
            return Some(lower);
        }
        self.mailboxes.iter().find(|(_, mailbox)| mailbox.user_id == lower).map(|(address, _)| address.clone())
    }

    pub(crate) fn strikes(&mut self, name: FaultName, call: &Call) -> Option<Strike> {
        if call.by_hand { None } else { self.faults.strikes(name, call) }
    }
}
