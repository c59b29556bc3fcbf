//! `$batch`: up to twenty requests in one, answered in any order, each with its own status.

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
    check(&batch)?;
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut depths: BTreeMap<String, u64> = BTreeMap::new();
    let mut crowd: BTreeMap<(String, u64), u64> = BTreeMap::new();
    let (mut responses, mut delivery) = (Vec::new(), Delivery::Whole);
    for part in &batch.requests {
        let before = part.depends_on.as_deref().unwrap_or_default();
        // Only earlier parts can be waited for, so each has its status already.
        let failed = before.iter().any(|id| statuses.get(id).is_none_or(|status| *status >= 400));
        let depth = before.iter().filter_map(|id| depths.get(id)).max().map_or(0, |depth| depth + 1);
        depths.insert(part.id.clone(), depth);
        let request = call_of(call, part)?;
        let reply = if failed {
            let error = GraphError::new(424, "FailedDependency", "The request depends on a request that failed.");
            Reply::json(424, error.body("", "", ""))
        } else {
            let place = crowd.entry((request.path.word(2).to_owned(), depth)).or_default();
            *place += 1;
            match (*place > AT_A_TIME).then(|| state.strikes(FaultName::BatchThrottled, &request)).flatten() {
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
    shuffle(&mut responses, state.options.seed.wrapping_add(state.request));
    Ok(Reply { delivery, ..Reply::json(200, json!({"responses": responses})) })
}

fn check(batch: &Batch) -> Result<(), GraphError> {
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err(refused(format!("Number of batch request steps must lie between 1 and {MOST}.")));
    }
    let mut seen = BTreeSet::new();
    for part in &batch.requests {
        let waits = part.depends_on.as_deref().unwrap_or_default();
        if let Some(unknown) = waits.iter().find(|id| !seen.contains(id.as_str())) {
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
    Ok(())
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

/// Puts the answers into an order that follows from the seed alone.
fn shuffle(responses: &mut [Value], seed: u64) {
    let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for last in (1..responses.len()).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        responses.swap(last, (random % (last as u64 + 1)) as usize);
    }
}
