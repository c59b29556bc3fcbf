//! A connector for the tests. The key `behaviour` of its configuration says what it tries when it is probed; what it finds
//! comes back as the names of collections, so that a test sees what a plugin sees.
//!
//! | behaviour | module |
//! |---|---|
//! | how HTTP is asked for, used and abused | [`http`] |
//! | what can be kept in state | [`state`] |

#![expect(clippy::expect_used, reason = "a guest that cannot go on must fail")]

use apptsync_plugin::configuration;
use apptsync_plugin::connector::{
    Account, Collection, Connection, Connector, Item, Kind, Operation, Outcome, Page, Target, VersionsPage, Window,
};
use apptsync_plugin::types::Failure;

mod http;
mod state;

struct Guest;

apptsync_plugin::export_connector!(Guest);

impl Connector for Guest {
    fn probe(account: Account) -> Result<Connection, Failure> {
        let behaviour = setting("behaviour").unwrap_or_default();
        if behaviour == "sdk-send" {
            return Err(http::send_by_sdk());
        }
        let findings = http::find(&behaviour).or_else(|| state::find(&behaviour));
        let findings = findings.ok_or_else(|| Failure::Permanent(format!("there is no behaviour `{behaviour}`")))?;
        let collection = |(number, name): (usize, String)| Collection {
            id: number.to_string(),
            name: name.chars().take(1_000).collect(),
            kind: Kind::Appointment,
            writable: false,
            is_default: false,
        };
        let collections = findings.into_iter().enumerate().map(collection).collect();
        Ok(Connection { server: account.server, reads_own_writes: true, collections })
    }

    fn pull(_: Account, _: Target, _: Window, _: Option<String>) -> Result<Page, Failure> {
        state::keep_before_failing(&setting("behaviour").unwrap_or_default());
        Err(Failure::Gone)
    }

    fn versions(_: Account, _: Target, _: Window, _: Option<String>) -> Result<Option<VersionsPage>, Failure> {
        Err(Failure::Gone)
    }

    fn fetch(_: Account, _: Target, _: Vec<String>) -> Result<Vec<Result<Option<Item>, Failure>>, Failure> {
        Err(Failure::Gone)
    }

    fn find(_: Account, _: Target, _: Vec<String>) -> Result<Vec<Vec<Item>>, Failure> {
        Err(Failure::Gone)
    }

    fn push(_: Account, _: Target, _: Vec<Operation>) -> Result<Vec<Outcome>, Failure> {
        Err(Failure::Gone)
    }
}

/// A key of the configuration.
fn setting(key: &str) -> Option<String> {
    configuration::get(key).ok().flatten()
}

/// A key of the configuration that is a number.
fn number(key: &str) -> usize {
    setting(key).and_then(|value| value.parse().ok()).unwrap_or_default()
}
