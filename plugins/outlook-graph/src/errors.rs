//! What a server's refusal means. Only status and codes are looked at, never the message: it is for people and changes.

use apptsync_plugin::text::excerpt;
use apptsync_plugin::types::Failure;
use serde_json::Value;

/// How deep `innerError` is walked.
const DEEPEST: usize = 8;
const FULL: &str = "the mailbox is full; make room in it";
/// Codes that say that a delta token is of no use any more, whatever the status.
const EXPIRED: [&str; 3] = ["SyncStateNotFound", "resyncRequired", "fullSyncRequired"];

/// An answer other than 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    /// From the outermost to the innermost.
    codes: Vec<String>,
    /// Seconds of `Retry-After`.
    pause: Option<u32>,
}

impl Refusal {
    /// The refusal of a status, the value of `Retry-After`, and a body.
    pub(crate) fn new(status: u16, retry_after: Option<&str>, body: &Value) -> Self {
        let pause = retry_after.and_then(|text| text.trim().parse().ok());
        let mut codes = Vec::new();
        let mut error = &body["error"];
        for _ in 0..DEEPEST {
            if let Some(code) = error["code"].as_str() {
                codes.push(excerpt(code, 64).into_owned());
            }
            error = if error["innerError"].is_object() { &error["innerError"] } else { &error["innererror"] };
        }
        Self { status, codes, pause }
    }

    fn has(&self, code: &str) -> bool {
        self.codes.iter().any(|found| found.eq_ignore_ascii_case(code))
    }

    /// The server says that there is no such item; any other 404 says nothing about an item.
    pub(crate) fn is_missing_item(&self) -> bool {
        self.status == 404 && self.has("ErrorItemNotFound")
    }

    /// The pause that the server wants, in seconds where it says how long; none where it wants none.
    pub(crate) fn wants_pause(&self) -> Option<Option<u32>> {
        (self.is_throttled() || self.is_throttled_in_disguise()).then_some(self.pause)
    }

    fn is_throttled(&self) -> bool {
        self.status == 429 || self.has("ApplicationThrottled")
    }

    /// Exchange often wants a pause by 503 without saying how long. A write may have been done all the same.
    fn is_throttled_in_disguise(&self) -> bool {
        self.status == 503 && (self.pause.is_some() || self.has("UnknownError"))
    }

    /// What it means for a whole call that reads.
    pub(crate) fn of_call(&self) -> Failure {
        if self.status == 410 || self.is_missing_item() || EXPIRED.iter().any(|code| self.has(code)) {
            return Failure::Gone;
        }
        self.of_read()
    }

    /// What it means for one item that was read; never `gone`, see [`Self::is_missing_item`].
    pub(crate) fn of_read(&self) -> Failure {
        if self.is_throttled_in_disguise() {
            return Failure::Throttled(self.pause);
        }
        self.common()
    }

    /// What it means for an operation. `throttled` and `auth` say that it was certainly not done.
    pub(crate) fn of_write(&self) -> Failure {
        if self.is_missing_item() || self.status == 410 {
            return Failure::Gone;
        }
        if self.has("ErrorDuplicateTransactionId") {
            return Failure::Conflict;
        }
        if self.has("ConcurrentItemSave") {
            return Failure::Transient(self.describe());
        }
        self.common()
    }

    /// Why an operation was not done, where that concerns no single item but all that is written there. For what makes
    /// something, what is not there is the place for it.
    pub(crate) fn of_place(&self, creates: bool) -> Option<String> {
        let why = match self.status {
            507 => FULL,
            509 => "the mailbox has used up its bandwidth; run again later",
            404 | 410 if creates => {
                "the calendar, task list or address book to write into is no longer there; connect the profile again"
            }
            _ if self.has("ErrorQuotaExceeded") => FULL,
            _ => return None,
        };
        Some(format!("{}: {why}", self.describe()))
    }

    /// What it means for each request of a batch that was refused as a whole: nothing is known of any item.
    pub(crate) fn of_batch(&self) -> Failure {
        match self.of_write() {
            Failure::Gone | Failure::Conflict => Failure::Permanent(self.describe()),
            failure => failure,
        }
    }

    fn common(&self) -> Failure {
        if self.is_throttled() {
            return Failure::Throttled(self.pause);
        }
        let said = self.describe();
        match self.status {
            401 => Failure::Auth(format!("{said}: the credential is missing, wrong or expired; connect again")),
            403 => Failure::Auth(format!(
                "{said}: the credential has no right to this; grant the application its permissions for this mailbox"
            )),
            409 | 412 => Failure::Conflict,
            // Not carried out, because something before it was not.
            424 => Failure::Throttled(None),
            507 => Failure::Permanent(format!("{said}: {FULL}")),
            509 => Failure::Transient(format!("{said}: the mailbox has used up its bandwidth; try again later")),
            408 | 423 | 500.. => Failure::Transient(said),
            300..=399 => Failure::Permanent(format!("{said}: it sends us elsewhere; correct the server address")),
            _ if self.has("ErrorIrresolvableConflict") => Failure::Conflict,
            _ => Failure::Permanent(said),
        }
    }

    /// `the server answers 403 ErrorAccessDenied`.
    fn describe(&self) -> String {
        let mut text = format!("the server answers {}", self.status);
        for code in &self.codes {
            text.push(' ');
            text.push_str(code);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, code: &str) -> Refusal {
        Refusal::new(
            status,
            None,
            &json!({"error": {"code": code, "message": "ErrorItemNotFound ApplicationThrottled"}}),
        )
    }

    #[test]
    fn only_item_not_found_means_that_there_is_no_such_item() {
        assert!(refusal(404, "ErrorItemNotFound").is_missing_item());
        assert!(refusal(404, "erroritemnotfound").is_missing_item());
        for other in [refusal(404, "ErrorInvalidUser"), refusal(404, ""), refusal(403, "ErrorItemNotFound")] {
            assert!(!other.is_missing_item(), "{other:?}");
            assert_ne!(other.of_call(), Failure::Gone);
            assert_ne!(other.of_write(), Failure::Gone);
        }
    }

    #[test]
    fn tokens_expire_by_status_or_by_code_at_any_depth() {
        assert_eq!(refusal(410, "").of_call(), Failure::Gone);
        assert_eq!(refusal(410, "").of_read(), Failure::Permanent("the server answers 410 ".to_owned()));
        for code in ["SyncStateNotFound", "syncStateNotFound", "resyncRequired", "fullSyncRequired"] {
            assert_eq!(refusal(400, code).of_call(), Failure::Gone, "{code}");
            for spelling in ["innerError", "innererror"] {
                let body = json!({"error": {"code": "a", spelling: {"code": "b", spelling: {"code": code}}}});
                assert_eq!(Refusal::new(400, None, &body).of_call(), Failure::Gone, "{spelling} {code}");
            }
        }
    }

    #[test]
    fn the_table_of_failures() {
        let pause = |status| Refusal::new(status, Some(" 7 "), &Value::Null);
        assert_eq!(pause(429).of_write(), Failure::Throttled(Some(7)));
        assert_eq!(refusal(429, "ApplicationThrottled").of_read(), Failure::Throttled(None));
        assert_eq!(pause(503).of_read(), Failure::Throttled(Some(7)));
        assert_eq!(refusal(503, "UnknownError").of_read(), Failure::Throttled(None));
        assert_eq!(refusal(424, "").of_write(), Failure::Throttled(None));
        assert_eq!(refusal(409, "").of_write(), Failure::Conflict);
        assert_eq!(refusal(400, "ErrorDuplicateTransactionId").of_write(), Failure::Conflict);
        assert_eq!(refusal(412, "ErrorIrresolvableConflict").of_write(), Failure::Conflict);
        assert_eq!(refusal(410, "").of_write(), Failure::Gone);
        for (status, code) in
            [(503, "ConcurrentItemSave"), (503, "UnknownError"), (504, ""), (500, ""), (509, ""), (423, "")]
        {
            assert!(matches!(refusal(status, code).of_write(), Failure::Transient(_)), "{status}");
        }
        for status in [401, 403] {
            assert!(matches!(refusal(status, "").of_write(), Failure::Auth(_)), "{status}");
            assert!(matches!(refusal(status, "").of_call(), Failure::Auth(_)), "{status}");
        }
        for (status, code) in
            [(400, "ErrorInvalidRequest"), (400, "ErrorOccurrenceCrossingBoundary"), (405, ""), (507, ""), (302, "")]
        {
            let Failure::Permanent(text) = refusal(status, code).of_write() else { panic!("{status}") };
            assert!(text.contains(code), "{text}");
        }
    }

    #[test]
    fn what_concerns_all_of_a_push_names_what_to_do() {
        for (refused, creates, word) in [
            (refusal(507, ""), false, "make room"),
            (refusal(400, "ErrorQuotaExceeded"), false, "make room"),
            (refusal(509, ""), false, "bandwidth"),
            (refusal(404, "ErrorItemNotFound"), true, "no longer there"),
            (refusal(404, "ErrorInvalidUser"), true, "no longer there"),
        ] {
            let why = refused.of_place(creates).unwrap();
            assert!(why.contains(word) && why.contains(&refused.describe()), "{why}");
        }
        for (status, creates) in [(404, false), (410, false), (400, true), (403, true), (429, true), (503, true)] {
            assert_eq!(refusal(status, "").of_place(creates), None, "{status}");
        }
    }

    #[test]
    fn a_pause_is_wanted_by_429_and_by_503_in_disguise() {
        let pause = |status| Refusal::new(status, Some("7"), &Value::Null);
        assert_eq!((pause(429).wants_pause(), pause(503).wants_pause()), (Some(Some(7)), Some(Some(7))));
        assert_eq!(refusal(503, "UnknownError").wants_pause(), Some(None));
        for refused in [refusal(503, ""), refusal(424, ""), refusal(507, ""), pause(500)] {
            assert_eq!(refused.wants_pause(), None, "{refused:?}");
        }
    }

    #[test]
    fn hostile_bodies_have_no_codes() {
        for body in [json!(null), json!([]), json!({"error": 7}), json!({"error": {"code": ["x"], "innerError": "y"}})]
        {
            assert!(Refusal::new(500, Some("soon"), &body).codes.is_empty(), "{body}");
        }
    }
}
