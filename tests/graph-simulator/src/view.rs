//! How an answer is to look, by the request's `Prefer` headers and by its method.

use crate::error::GraphError;
use crate::http::{Call, Reply};
use crate::moment::Shown;
use crate::zone::Zone;

/// How an answer looks.
#[derive(Debug, Clone)]
pub(crate) struct View {
    /// `IdType="ImmutableId"`
    pub(crate) immutable: bool,
    pub(crate) shown: Shown,
    /// `outlook.body-content-type="text"`
    pub(crate) text: bool,
    /// `odata.maxpagesize`
    pub(crate) page_size: Option<usize>,
    applied: Vec<String>,
}

impl View {
    /// Reads the preferences. Only reading heeds the zone: a creation answers in the zones that it was sent, an update
    /// in UTC.
    ///
    /// # Errors
    /// 400 for an unknown zone.
    pub(crate) fn of(call: &Call) -> Result<Self, GraphError> {
        let mut applied = Vec::new();
        let immutable = call.preference("idtype").is_some_and(|kind| kind.eq_ignore_ascii_case("ImmutableId"));
        if immutable {
            applied.push("IdType=\"ImmutableId\"".to_owned());
        }
        let text = call.preference("outlook.body-content-type").is_some_and(|kind| kind.eq_ignore_ascii_case("text"));
        if text {
            applied.push("outlook.body-content-type=\"text\"".to_owned());
        }
        let shown = match (call.method.as_str(), call.preference("outlook.timezone")) {
            ("GET", Some(name)) => {
                applied.push(format!("outlook.timezone=\"{name}\""));
                Shown::In(Zone::parse(&name)?)
            }
            ("POST", _) => Shown::AsWritten,
            _ => Shown::Utc,
        };
        let page_size =
            call.preference("odata.maxpagesize").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
        if let Some(size) = page_size {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        Ok(Self { immutable, shown, text, page_size, applied })
    }

    /// Immutable ids, UTC, HTML: how the control interface sees things.
    pub(crate) fn plain() -> Self {
        Self { immutable: true, shown: Shown::Utc, text: false, page_size: None, applied: Vec::new() }
    }

    /// Says which preferences were heeded.
    pub(crate) fn applied(&self, reply: Reply) -> Reply {
        if self.applied.is_empty() { reply } else { reply.with_header("Preference-Applied", self.applied.join(", ")) }
    }
}
