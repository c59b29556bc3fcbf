//! Graph v1.0: who may ask, what strikes the request, and which part of the service answers.

mod batch;
mod calendar_view;
mod calendars;
mod contacts;
mod events;
mod follow;
mod intervention;
mod settings;
mod subscriptions;
mod todo;

use serde_json::{Value, json};

use crate::error::GraphError;
use crate::http::{Answer, Body, Call, Path, Reply};
use crate::identifier::guid;
use crate::state::{Exchange, State};

/// Answers a request of a client: over a connection, or as a part of `$batch`.
pub(crate) fn answer(state: &mut State, call: &Call) -> Reply {
    state.request += 1;
    let request_id = guid(&format!("request {} {}", state.options.seed, state.request));
    let client_request_id = call.header("client-request-id").unwrap_or(&request_id).to_owned();
    let mut call = call.clone();
    let answer = admit(state, &mut call);
    if !call.batched {
        *state.counters.requests.entry(call.template()).or_default() += 1;
    } else {
        *state.counters.batched.entry(call.template()).or_default() += 1;
    }
    let busy = if call.batched { None } else { enter(state, &call) };
    let answer = answer.and_then(|()| intervention::before(state, &call)).and_then(|early| match early {
        Some(reply) => Ok(reply),
        None => dispatch(state, &call).map(|reply| intervention::after(state, &call, reply)),
    });
    let mut reply = answer.unwrap_or_else(|error| {
        let date = state.clock.now().format("%Y-%m-%dT%H:%M:%S").to_string();
        let body = error.body(&date, &request_id, &client_request_id);
        Reply { headers: error.headers, ..Reply::json(error.status, body) }
    });
    intervention::slow(state, &call, &mut reply);
    reply.mailbox = busy;
    *state.counters.statuses.entry(reply.status).or_default() += 1;
    if let Body::Json(body) = &reply.body
        && let Some(etag) = body["@odata.etag"].as_str()
    {
        reply.headers.push(("ETag".into(), etag.into()));
    }
    reply.headers.push(("request-id".into(), request_id));
    reply.headers.push(("client-request-id".into(), client_request_id));
    if state.recording {
        state.exchanges.push(Exchange {
            target: call.template(),
            sent: serde_json::from_slice(&call.body).ok(),
            status: reply.status,
            answered: reply.value().cloned(),
        });
    }
    reply
}

/// Does in a mailbox what its user does in Outlook.
///
/// # Errors
/// As the service would answer.
pub(crate) fn by_hand(state: &mut State, mut call: Call) -> Answer {
    call.by_hand = true;
    dispatch(state, &call)
}

/// Checks the token and its rights, and turns `/me` into the user's path.
fn admit(state: &mut State, call: &mut Call) -> Result<(), GraphError> {
    let caller = state.caller(call)?;
    if call.path.word(1) == "me" {
        let Some(user) = &caller.user else {
            return Err(GraphError::new(
                400,
                "BadRequest",
                "/me request is only valid with delegated authentication flow.",
            ));
        };
        call.path.names.splice(1..2, ["users".to_owned(), user.clone()]);
        call.path.words.splice(1..2, ["users".to_owned(), user.to_lowercase()]);
    }
    if call.path.word(1) != "users" || call.path.names.len() < 3 {
        return Ok(());
    }
    let address = state.mailbox_address(call.path.name(2));
    if let (Some(user), Some(address)) = (&caller.user, &address)
        && !user.eq_ignore_ascii_case(address)
    {
        return Err(GraphError::access_denied());
    }
    let application = state.options.applications.iter().find(|application| application.client_id == caller.client_id);
    let Some(application) = application else { return Ok(()) };
    let allowed = |address: &String| {
        application.mailboxes.as_ref().is_none_or(|list| list.iter().any(|one| one.eq_ignore_ascii_case(address)))
    };
    let (area, in_policy) = match call.path.word(3) {
        "calendar" | "calendars" | "calendarview" | "events" => ("Calendars", true),
        "contacts" | "contactfolders" => ("Contacts", true),
        "todo" => ("Tasks", false),
        "mailboxsettings" => ("MailboxSettings", true),
        _ => return Ok(()),
    };
    if in_policy && address.as_ref().is_some_and(|address| !allowed(address)) {
        return Err(GraphError::new(
            403,
            "ErrorAccessDenied",
            "Access to OData is disabled: the application access policy does not allow this mailbox.",
        ));
    }
    let writes = call.method != "GET";
    let granted = application.permissions.iter().any(|permission| {
        let mut parts = permission.split('.');
        parts.next() == Some(area) && (parts.next() == Some("ReadWrite") || !writes)
    });
    if granted { Ok(()) } else { Err(GraphError::access_denied()) }
}

/// Notes that the mailbox has one more request under way.
fn enter(state: &mut State, call: &Call) -> Option<String> {
    let address = state.mailbox_address(call.path.name(2)).filter(|_| call.path.word(1) == "users")?;
    let under_way = state.under_way.entry(address.clone()).or_default();
    *under_way += 1;
    state.counters.most_at_a_time = state.counters.most_at_a_time.max(*under_way);
    Some(address)
}

/// Finds who answers a path.
fn dispatch(state: &mut State, call: &Call) -> Answer {
    let words: Vec<&str> = call.path.words.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["$batch"] => batch::answer(state, call),
        ["subscriptions", ..] => subscriptions::answer(state, call),
        ["users"] => settings::users(state, call),
        ["users", _, rest @ ..] => {
            let address = state.mailbox_address(call.path.name(2)).ok_or_else(|| {
                GraphError::new(
                    404,
                    "ErrorInvalidUser",
                    format!("The requested user '{}' is invalid.", call.path.name(2)),
                )
            })?;
            // What follows the user's name begins here.
            let names = call.path.names.get(3..).unwrap_or_default();
            match rest.first().copied() {
                None => settings::user(state, call, &address),
                Some("mailboxsettings") => settings::mailbox_answer(state, call, &address),
                Some("outlook") => settings::outlook(call, rest, names),
                Some("calendar" | "calendars" | "events" | "calendarview") => {
                    calendars::answer(state, call, &address, rest, names)
                }
                Some("todo") => todo::answer(state, call, &address, rest, names),
                Some("contactfolders" | "contacts") => contacts::answer(state, call, &address, rest, names),
                Some(other) => Err(GraphError::unknown_segment(other)),
            }
        }
        [] => Ok(Reply::json(200, json!({"@odata.context": format!("{}/v1.0/$metadata", call.root), "value": []}))),
        [other, ..] => Err(GraphError::unknown_segment(other)),
    }
}

/// `@odata.context` of an answer.
fn context(call: &Call, what: &str) -> String {
    let path: Vec<&str> = call.path.names.iter().skip(1).map(String::as_str).collect();
    format!("{}/v1.0/$metadata#{}{what}", call.root, path.join("/"))
}

/// A single item with its context.
fn item(call: &Call, status: u16, mut item: serde_json::Map<String, Value>) -> Reply {
    item.insert("@odata.context".into(), json!(context(call, "/$entity")));
    Reply::json(status, Value::Object(item))
}

/// A page of a collection, with a nextLink where more follows.
fn page(call: &Call, items: Vec<serde_json::Map<String, Value>>, paging: crate::query::Paging) -> Reply {
    let more = items.len() > paging.skip.saturating_add(paging.size);
    let value: Vec<Value> = items.iter().skip(paging.skip).take(paging.size).cloned().map(Value::Object).collect();
    let mut body = json!({"@odata.context": context(call, ""), "value": value});
    if call.parameter("$count") == Some("true") {
        body["@odata.count"] = json!(items.len());
    }
    if more {
        let kept = call.query.iter().filter(|(name, _)| !name.trim_start_matches('$').eq_ignore_ascii_case("skip"));
        let skip = ("$skip".to_owned(), (paging.skip + paging.size).to_string());
        body["@odata.nextLink"] = json!(link(call, kept.chain([&skip])));
    }
    Reply::json(200, body)
}

/// An absolute link to the same path with another query.
fn link<'a>(call: &Call, query: impl IntoIterator<Item = &'a (String, String)>) -> String {
    format!("{}{}?{}", call.root, path_text(&call.path), query_text(query))
}

fn path_text(path: &Path) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const SEGMENT: &AsciiSet =
        &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'/').add(b'?').add(b'<').add(b'>');
    path.names.iter().map(|name| format!("/{}", utf8_percent_encode(name, SEGMENT))).collect()
}

fn query_text<'a>(query: impl IntoIterator<Item = &'a (String, String)>) -> String {
    let mut serializer = form_urlencoded::Serializer::new(String::new());
    for (name, value) in query {
        serializer.append_pair(name, value);
    }
    // Graph writes its own options with a bare dollar sign.
    serializer.finish().replace("%24", "$")
}

/// Whether `If-Match` allows the write.
///
/// # Errors
/// 412 where it names another version.
fn check_match(call: &Call, etag: &str) -> Result<(), GraphError> {
    let bare = |text: &str| text.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    match call.header("if-match") {
        Some(wanted) if wanted.trim() != "*" && bare(wanted) != bare(etag) => Err(GraphError::conflict()),
        _ => Ok(()),
    }
}

/// All task lists of a mailbox with their tasks.
pub(crate) fn task_lists(mailbox: &crate::mailbox::Mailbox) -> Vec<Value> {
    todo::everything(mailbox)
}

/// All contact folders of a mailbox with their contacts.
pub(crate) fn contact_folders(mailbox: &crate::mailbox::Mailbox) -> Vec<Value> {
    contacts::everything(mailbox)
}
