//! HTTP by the raw interface, so that nothing stands between the attempt and the host.

use std::mem;

use apptsync_plugin::bindings::lent::wasi::http::outgoing_handler;
use apptsync_plugin::bindings::lent::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use apptsync_plugin::bindings::lent::wasi::io::streams::StreamError;
use apptsync_plugin::http as sdk;
use apptsync_plugin::types::Failure;

use crate::{number, setting};

/// What a behaviour finds; none when it is not one of HTTP.
pub(crate) fn find(behaviour: &str) -> Option<Vec<String>> {
    Some(match behaviour {
        "ask" => vec![ask()],
        "follow" => follow(),
        "headers" => headers(),
        "send-headers" => vec![send_headers()],
        "side-by-side" => side_by_side(),
        "flood" => flood(),
        "hoard" => hoard(),
        "spin" => spin(),
        "spin-and-poll" => spin_and_poll(),
        "upload" => vec![upload()],
        "body-that-nobody-sends" => vec![body_that_nobody_sends()],
        "body-with-trailers" => vec![body_with_trailers()],
        "body-given-up" => vec![body_given_up()],
        "leave" => leave(),
        "hoard-headers" => vec![hoard_headers()],
        "sdk-failure" => vec![failure_of_sdk()],
        _ => return None,
    })
}

/// The request that the configuration describes: `scheme`, `authority`, `path`, `method`.
fn request(headers: Fields) -> Result<OutgoingRequest, String> {
    let request = OutgoingRequest::new(headers);
    let scheme = match setting("scheme").as_deref() {
        Some("http") => Scheme::Http,
        Some("https") | None => Scheme::Https,
        Some(other) => Scheme::Other(other.to_owned()),
    };
    let method = setting("method").map_or(Method::Get, Method::Other);
    let refused = |what: &'static str| move |()| format!("the {what} is refused");
    request.set_method(&method).map_err(refused("method"))?;
    request.set_scheme(Some(&scheme)).map_err(refused("scheme"))?;
    request.set_authority(setting("authority").as_deref()).map_err(refused("authority"))?;
    request.set_path_with_query(Some(&setting("path").unwrap_or_else(|| "/".to_owned()))).map_err(refused("path"))?;
    Ok(request)
}

/// Sends the request, with the header `client-request-id` where the configuration has one.
fn begin() -> Result<FutureIncomingResponse, String> {
    let headers = Fields::new();
    if let Some(id) = setting("client-request-id") {
        headers.append("client-request-id", id.as_bytes()).map_err(|error| format!("{error:?}"))?;
    }
    outgoing_handler::handle(request(headers)?, None).map_err(name)
}

/// The same by what integrators use.
fn by_sdk() -> Result<sdk::Response, sdk::Failure> {
    let [scheme, authority] = ["scheme", "authority"].map(|key| setting(key).unwrap_or_default());
    sdk::send(&sdk::Request::new("GET", format!("{scheme}://{authority}/")))
}

/// What a connector makes of it, in words of its own.
pub(crate) fn send_by_sdk() -> Failure {
    match by_sdk() {
        Ok(response) if response.status == 401 => Failure::Auth("the plugin's words".to_owned()),
        Ok(response) => Failure::Permanent(response.status.to_string()),
        Err(failure) => Failure::Transient(failure.to_string()),
    }
}

fn failure_of_sdk() -> String {
    match by_sdk() {
        Ok(response) => response.status.to_string(),
        Err(sdk::Failure::NotSent(why)) => format!("not sent: {why}"),
        Err(sdk::Failure::NoAnswer(why)) => format!("no answer: {why}"),
    }
}

/// The name of an error, with words where it has some.
fn name(error: ErrorCode) -> String {
    format!("{error:?}")
}

fn answer(future: &FutureIncomingResponse) -> Result<IncomingResponse, String> {
    loop {
        if let Some(answer) = future.get() {
            return answer.map_err(|()| "taken".to_owned())?.map_err(name);
        }
        future.subscribe().block();
    }
}

/// Status, headers and body.
fn read(response: &IncomingResponse) -> Result<String, String> {
    let headers = response.headers().entries();
    let mut headers: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value))).collect();
    headers.sort();
    let body = response.consume().map_err(|()| "taken")?;
    let stream = body.stream().map_err(|()| "taken")?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(1 << 20) {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(format!("{error:?}")),
        }
    }
    let body =
        if bytes.len() > 500 { format!("{} bytes", bytes.len()) } else { String::from_utf8_lossy(&bytes).into() };
    Ok(format!("{} [{}] {body}", response.status(), headers.join(" ")))
}

fn finding(result: Result<String, String>) -> String {
    result.unwrap_or_else(|error| format!("error {error}"))
}

fn ask() -> String {
    finding(begin().and_then(|future| read(&answer(&future)?)))
}

/// Asks, and asks where the answer leads to.
fn follow() -> Vec<String> {
    let there = || {
        let response = answer(&begin()?)?;
        let location = response.headers().get("location").pop().ok_or("no location")?;
        let location = String::from_utf8_lossy(&location).into_owned();
        let (_, rest) = location.split_once("://").ok_or("no scheme")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let request = request(Fields::new())?;
        request.set_authority(Some(authority)).map_err(|()| "the authority is refused")?;
        request.set_path_with_query(Some(path)).map_err(|()| "the path is refused")?;
        read(&answer(&outgoing_handler::handle(request, None).map_err(name)?)?)
    };
    vec![ask(), finding(there())]
}

/// Which headers a plugin may set at all: those named in `headers`, separated by commas.
fn headers() -> Vec<String> {
    let names = setting("headers").unwrap_or_default();
    let set = |name: &str| match Fields::new().append(name, b"x") {
        Ok(()) => format!("{name}: set"),
        Err(error) => format!("{name}: {error:?}"),
    };
    names.split(',').map(set).collect()
}

/// Sends a header with a value that would begin another line.
fn send_headers() -> String {
    let fields = Fields::new();
    let set = fields.append("x-one", b"one\r\nauthorization: Bearer mine\r\n\r\nGET /smuggled HTTP/1.1");
    if set.is_err() {
        return "refused".to_owned();
    }
    finding(
        request(fields)
            .and_then(|request| outgoing_handler::handle(request, None).map_err(name))
            .and_then(|future| read(&answer(&future)?)),
    )
}

/// Begins `count` requests before it looks at the first answer.
fn side_by_side() -> Vec<String> {
    let futures: Vec<_> = (0..number("count")).map(|_| begin()).collect();
    let answers = futures.into_iter().map(|future| future.and_then(|future| Ok(answer(&future)?.status())));
    let good = answers.filter(|answer| *answer == Ok(200)).count();
    vec![format!("{good} answers")]
}

/// Makes `count` requests one after the other, and says how the last one ended.
fn flood() -> Vec<String> {
    let mut last = String::new();
    for _ in 1..number("count") {
        last = finding(begin().and_then(|future| Ok(answer(&future)?.status().to_string())));
    }
    vec![last, ask()]
}

/// Receives `count` answers and reads none of them.
fn hoard() -> Vec<String> {
    let mut kept = Vec::new();
    for _ in 0..number("count") {
        match begin().and_then(|future| answer(&future)) {
            Ok(response) => kept.push(response),
            Err(error) => return vec![format!("{} kept, then error {error}", kept.len())],
        }
    }
    vec![format!("{} kept", kept.len())]
}

/// Makes `count` sets of headers of 100 KiB and sends none of them.
fn hoard_headers() -> String {
    let value = vec![b'x'; 100 << 10];
    let make = |_| {
        let fields = Fields::new();
        fields.append("x-large", &value).map(|()| fields)
    };
    let kept: Vec<_> = (0..number("count")).map_while(|number| make(number).ok()).collect();
    format!("{} kept", kept.len())
}

/// Begins a request, and never looks at it.
fn spin() -> Vec<String> {
    let future = begin();
    loop {
        std::hint::black_box(&future);
    }
}

/// Begins a request, and looks at it again and again without waiting.
fn spin_and_poll() -> Vec<String> {
    let future = begin();
    loop {
        if let Ok(future) = &future {
            std::hint::black_box(future.subscribe().ready());
        }
    }
}

/// Sends `bytes` bytes.
fn upload() -> String {
    let send = || {
        let request = request(Fields::new())?;
        let body = request.body().map_err(|()| "no body")?;
        let stream = body.write().map_err(|()| "no stream")?;
        let future = outgoing_handler::handle(request, None).map_err(name)?;
        let mut left = number("bytes");
        while left > 0 {
            let chunk = left.min(4_096);
            if stream.blocking_write_and_flush(&vec![b'x'; chunk]).is_err() {
                break;
            }
            left -= chunk;
        }
        drop(stream);
        let _ = OutgoingBody::finish(body, None);
        read(&answer(&future)?)
    };
    finding(send())
}

/// Writes a body whose request is never handed over.
fn body_that_nobody_sends() -> String {
    let write = || {
        let request = request(Fields::new())?;
        let body = request.body().map_err(|()| "no body")?;
        let stream = body.write().map_err(|()| "no stream")?;
        loop {
            stream.blocking_write_and_flush(&[b'x'; 4_096]).map_err(|error| format!("{error:?}"))?;
        }
    };
    finding(write())
}

fn body_with_trailers() -> String {
    let send = || {
        let request = request(Fields::new())?;
        let body = request.body().map_err(|()| "no body")?;
        let future = outgoing_handler::handle(request, None).map_err(name)?;
        let trailers = Fields::new();
        trailers.append("x-trailer", b"x").map_err(|error| format!("{error:?}"))?;
        OutgoingBody::finish(body, Some(trailers)).map_err(name)?;
        read(&answer(&future)?)
    };
    finding(send())
}

/// Begins a body and gives it up in the middle.
fn body_given_up() -> String {
    let send = || {
        let request = request(Fields::new())?;
        let body = request.body().map_err(|()| "no body")?;
        let stream = body.write().map_err(|()| "no stream")?;
        let future = outgoing_handler::handle(request, None).map_err(name)?;
        stream.blocking_write_and_flush(b"half").map_err(|error| format!("{error:?}"))?;
        drop(stream);
        drop(body);
        read(&answer(&future)?)
    };
    finding(send())
}

/// Begins `count` requests and forgets them.
fn leave() -> Vec<String> {
    for _ in 0..number("count") {
        mem::forget(begin());
    }
    vec!["left".to_owned()]
}
