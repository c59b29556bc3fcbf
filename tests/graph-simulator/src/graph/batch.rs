//! `$batch`: up to twenty requests in one, answered in any order, each with its own status.
//!
//! They are wholly parallel, or wholly sequential, or all wait for the first; any mixture is refused. Of parallel ones the
//! service itself runs four at a time for a mailbox.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::GraphError;
use crate::fault::FaultName;
use crate::http::{Answer, Body, Call, Delivery, Reply};
use crate::state::State;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Option<Vec<String>>,
}

impl Part {
    fn waits_for(&self) -> &[String] {
        self.depends_on.as_deref().unwrap_or_default()
    }
}

/// How the parts of a batch follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// None waits.
    Parallel,
    /// Each waits for the one before it.
    Sequential,
    /// All wait for the first.
    AfterTheFirst,
}

/// As many parts as one batch may have.
const MOST: usize = 20;
/// As many as run at a time for one mailbox.
const AT_A_TIME: u64 = 4;

fn refused(message: impl Into<String>) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}

pub(super) fn answer(state: &mut State, call: &Call) -> Answer {
    if call.method != "POST" {
        return Err(GraphError::not_allowed(&call.method));
    }
    let batch: Batch = serde_json::from_value(Value::Object(call.object()?))
        .map_err(|error| refused(format!("Invalid batch payload format: {error}.")))?;
    let order = check(&batch)?;
    let mut random = Random::new(state.options.seed.wrapping_add(state.request));
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut crowd: BTreeMap<String, u64> = BTreeMap::new();
    let (mut responses, mut delivery) = (Vec::new(), Delivery::Whole);
    for part in &batch.requests {
        // Only earlier parts can be waited for, so each has its status already.
        let failed = part.waits_for().iter().any(|id| statuses.get(id).is_none_or(|status| *status >= 400));
        let request = call_of(call, part)?;
        let reply = if failed {
            let error = GraphError::new(424, "FailedDependency", "The request depends on a request that failed.");
            Reply::json(424, error.body("", "", ""))
        } else {
            let place = crowd.entry(request.path.word(2).to_owned()).or_default();
            *place += 1;
            // Who comes fifth finds a place or does not.
            let is_late = order != Order::Sequential && *place > AT_A_TIME && random.below(2) == 0;
            match is_late.then(|| state.strikes(FaultName::BatchThrottled, &request)).flatten() {
                Some(strike) => {
                    let error = GraphError::new(
                        429,
                        "ApplicationThrottled",
                        "Application is over its MailboxConcurrency limit.",
                    );
                    Reply::json(429, error.body("", "", "")).with_header("Retry-After", strike.number(1).to_string())
                }
                None => super::answer(state, &request),
            }
        };
        // The parts share one connection: what becomes of it becomes of all.
        delivery = delivery.max(reply.delivery);
        statuses.insert(part.id.clone(), reply.status);
        responses.push(response(&part.id, reply));
    }
    random.shuffle(&mut responses);
    Ok(Reply { delivery, ..Reply::json(200, json!({"responses": responses})) })
}

fn check(batch: &Batch) -> Result<Order, GraphError> {
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(refused(format!("Number of batch request steps must lie between 1 and {MOST}.")));
    }
    let mut seen = BTreeSet::new();
    for part in &batch.requests {
        if let Some(unknown) = part.waits_for().iter().find(|id| !seen.contains(id.as_str())) {
            return Err(refused(format!(
                "dependsOn of request '{}' names '{unknown}', which does not come before it.",
                part.id
            )));
        }
        if !seen.insert(part.id.as_str()) {
            return Err(refused(format!("Request Id '{}' is not unique.", part.id)));
        }
        let typed = part.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        if part.body.is_some() && !typed {
            return Err(refused(format!("Request '{}' has a body and no Content-Type header.", part.id)));
        }
        if part.url.contains("$batch") || part.url.contains("://") {
            return Err(refused(format!("Request '{}' has an address that a batch cannot hold.", part.id)));
        }
    }
    order(&batch.requests).ok_or_else(|| refused("Batch should be either fully sequential or fully parallel."))
}

/// The order of the parts; none for a mixture.
fn order(parts: &[Part]) -> Option<Order> {
    let waits_for = |part: &Part, other: &Part| part.waits_for() == std::slice::from_ref(&other.id);
    let (first, others) = parts.split_first()?;
    if parts.iter().all(|part| part.waits_for().is_empty()) {
        Some(Order::Parallel)
    } else if parts.windows(2).all(|pair| waits_for(&pair[1], &pair[0])) {
        Some(Order::Sequential)
    } else if others.iter().all(|part| waits_for(part, first)) {
        Some(Order::AfterTheFirst)
    } else {
        None
    }
}

fn call_of(whole: &Call, part: &Part) -> Result<Call, GraphError> {
    let target = format!("/{}/{}", whole.path.name(0), part.url.trim_start_matches('/'));
    let mut call = Call::new(&part.method, &whole.root, &target);
    call.batched = true;
    call.by_hand = whole.by_hand;
    call.headers = part
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    // The parts act with the token of the batch.
    call.headers.retain(|(name, _)| name != "authorization");
    call.headers.extend(whole.headers.iter().filter(|(name, _)| name == "authorization").cloned());
    if let Some(body) = &part.body {
        call.body = serde_json::to_vec(body).map_err(|error| refused(error.to_string()))?;
    }
    Ok(call)
}

fn response(id: &str, reply: Reply) -> Value {
    let mut headers: Map<String, Value> = reply.headers.into_iter().map(|(name, value)| (name, json!(value))).collect();
    headers.insert("Cache-Control".into(), json!("private"));
    let mut response = json!({"id": id, "status": reply.status});
    match reply.body {
        Body::Json(body) => {
            headers
                .insert("Content-Type".into(), json!("application/json; odata.metadata=minimal; odata.streaming=true"));
            response["body"] = body;
        }
        Body::Text(text, content_type) => {
            headers.insert("Content-Type".into(), json!(content_type));
            response["body"] = json!(text);
        }
        Body::Empty => {}
    }
    response["headers"] = Value::Object(headers);
    response
}

/// What comes in no certain order, and follows from the seed alone.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn shuffle(&mut self, responses: &mut [Value]) {
        for last in (1..responses.len()).rev() {
            responses.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}
