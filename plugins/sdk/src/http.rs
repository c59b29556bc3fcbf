//! Requests to the servers that a connector is granted, several side by side.
//!
//! The host adds the credential, follows no redirect and decompresses nothing. Where the credential is worth nothing, the
//! answer is a 401 that the server has not seen. Asks the host, so [`send`] and [`send_all`]
//! work in a component only; what they take and give is plain data, so that the rest of a connector can be tested natively.

use crate::bindings::lent::wasi::http::outgoing_handler;
use crate::bindings::lent::wasi::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    Scheme,
};
use crate::bindings::lent::wasi::io::poll;
use crate::bindings::lent::wasi::io::streams::{InputStream, OutputStream, StreamError};

/// Requests under way at the same time: what servers allow a mailbox.
pub const SIDE_BY_SIDE: usize = 4;

/// Bytes that a stream takes or gives at once.
const CHUNK: usize = 4_096;
const READ_CHUNK: u64 = 65_536;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PROPFIND` …
    pub method: String,
    /// Absolute: `https://host:port/path?query`.
    pub url: String,
    /// Names and values; `Host`, `Authorization` and `Content-Length` are the host's.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self { method: method.to_owned(), url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body and its media type.
    #[must_use]
    pub fn body(self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.header("content-type", media_type) }
    }
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, written in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is not UTF-8 is replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// True for 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The request certainly did not reach the server: refused by the host, no such name, no connection, a certificate that
    /// is not trusted, a token server that cannot be asked.
    NotSent(String),
    /// It may have reached the server.
    NoAnswer(String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotSent(why) | Self::NoAnswer(why) => formatter.write_str(why),
        }
    }
}

/// Sends a request and waits for its answer.
///
/// # Errors
///
/// There is no answer.
pub fn send(request: &Request) -> Result<Response, Failure> {
    begin(request).and_then(finish)
}

/// Sends requests, [`SIDE_BY_SIDE`] at a time, and gives their answers in the order of the requests.
#[must_use]
pub fn send_all(requests: &[Request]) -> Vec<Result<Response, Failure>> {
    let mut answers: Vec<Option<Result<Response, Failure>>> = requests.iter().map(|_| None).collect();
    let mut waiting: Vec<(usize, FutureIncomingResponse)> = Vec::new();
    let mut next = 0;
    while next < requests.len() || !waiting.is_empty() {
        while next < requests.len() && waiting.len() < SIDE_BY_SIDE {
            match begin(&requests[next]) {
                Ok(future) => waiting.push((next, future)),
                Err(failure) => answers[next] = Some(Err(failure)),
            }
            next += 1;
        }
        if waiting.is_empty() {
            continue;
        }
        let pollables: Vec<_> = waiting.iter().map(|(_, future)| future.subscribe()).collect();
        let mut ready = poll::poll(&pollables.iter().collect::<Vec<_>>());
        drop(pollables);
        ready.sort_unstable_by(|left, right| right.cmp(left));
        for position in ready {
            let (index, future) = waiting.remove(position as usize);
            answers[index] = Some(finish(future));
        }
    }
    let missing = || Err(Failure::NotSent("the request was not sent".to_owned()));
    answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect()
}

fn begin(request: &Request) -> Result<FutureIncomingResponse, Failure> {
    let not_sent = |why: &str| Failure::NotSent(format!("{} {}: {why}", request.method, request.url));
    let (scheme, rest) = request.url.split_once("://").ok_or_else(|| not_sent("the address has no scheme"))?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        other => Scheme::Other(other.to_owned()),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).map_err(|error| not_sent(&format!("header {name}: {error:?}")))?;
    }
    if !request.body.is_empty() {
        let length = request.body.len().to_string();
        // Some hosts set it themselves and refuse it here.
        let _ = headers.append("content-length", length.as_bytes());
    }
    let outgoing = OutgoingRequest::new(headers);
    let set = outgoing
        .set_method(&method(&request.method))
        .and_then(|()| outgoing.set_scheme(Some(&scheme)))
        .and_then(|()| outgoing.set_authority(Some(authority)))
        .and_then(|()| outgoing.set_path_with_query(Some(&path)));
    set.map_err(|()| not_sent("the method or the address is not valid"))?;
    let body = outgoing.body().map_err(|()| not_sent("the body was taken already"))?;
    let stream = body.write().map_err(|()| not_sent("the body was taken already"))?;
    let future = outgoing_handler::handle(outgoing, None).map_err(|error| not_sent(&describe(&error)))?;
    let written = write_all(&stream, &request.body);
    drop(stream);
    // Where writing failed, the answer says why better than the stream does.
    if written.is_ok() {
        let _ = OutgoingBody::finish(body, None);
    }
    Ok(future)
}

fn write_all(stream: &OutputStream, mut bytes: &[u8]) -> Result<(), StreamError> {
    while !bytes.is_empty() {
        let (chunk, rest) = bytes.split_at(bytes.len().min(CHUNK));
        stream.blocking_write_and_flush(chunk)?;
        bytes = rest;
    }
    Ok(())
}

fn finish(future: FutureIncomingResponse) -> Result<Response, Failure> {
    let answer = loop {
        if let Some(answer) = future.get() {
            break answer;
        }
        future.subscribe().block();
    };
    let no_answer = |why: &str| Failure::NoAnswer(format!("the answer cannot be read: {why}"));
    let response = match answer {
        Ok(Ok(response)) => response,
        Ok(Err(error)) if was_not_sent(&error) => return Err(Failure::NotSent(describe(&error))),
        Ok(Err(error)) => return Err(Failure::NoAnswer(describe(&error))),
        Err(()) => return Err(no_answer("it was taken already")),
    };
    read(&response).map_err(|why| no_answer(&why))
}

fn read(response: &IncomingResponse) -> Result<Response, String> {
    let entries = response.headers().entries();
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    let headers = entries.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect();
    let incoming = response.consume().map_err(|()| "its body was taken already".to_owned())?;
    let stream = incoming.stream().map_err(|()| "its body was taken already".to_owned())?;
    let body = read_all(&stream)?;
    drop(stream);
    drop(IncomingBody::finish(incoming));
    Ok(Response { status: response.status(), headers, body })
}

fn read_all(stream: &InputStream) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(READ_CHUNK) {
            Ok(chunk) => body.extend_from_slice(&chunk),
            Err(StreamError::Closed) => return Ok(body),
            Err(StreamError::LastOperationFailed(error)) => return Err(error.to_debug_string()),
        }
    }
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "PATCH" => Method::Patch,
        "OPTIONS" => Method::Options,
        other => Method::Other(other.to_owned()),
    }
}

fn was_not_sent(error: &ErrorCode) -> bool {
    use ErrorCode::{
        ConnectionLimitReached, ConnectionRefused, DestinationIpProhibited, DestinationIpUnroutable,
        DestinationNotFound, DestinationUnavailable, DnsError, DnsTimeout, HttpRequestDenied, HttpRequestUriInvalid,
        TlsAlertReceived, TlsCertificateError, TlsProtocolError,
    };
    matches!(
        error,
        DnsTimeout
            | DnsError(_)
            | DestinationNotFound
            | DestinationUnavailable
            | DestinationIpProhibited
            | DestinationIpUnroutable
            | ConnectionRefused
            | ConnectionLimitReached
            | TlsProtocolError
            | TlsCertificateError
            | TlsAlertReceived(_)
            | HttpRequestDenied
            | HttpRequestUriInvalid
    )
}

/// A sentence for people.
fn describe(error: &ErrorCode) -> String {
    match error {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            "the server's name cannot be resolved".to_owned()
        }
        ErrorCode::DestinationIpProhibited => {
            "the server's address lies in a private network, which is not granted".to_owned()
        }
        ErrorCode::HttpRequestDenied => "the host does not grant this address".to_owned(),
        ErrorCode::ConnectionRefused => "the server refuses the connection".to_owned(),
        // The host says no more, because it may not be for a plugin; its log says which of both.
        ErrorCode::DestinationUnavailable => "the server, or the one that lets into it, cannot be reached".to_owned(),
        ErrorCode::ConnectionTimeout | ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            "the server does not answer in time".to_owned()
        }
        ErrorCode::TlsCertificateError => "the server's certificate is not trusted".to_owned(),
        other => format!("{other:?}"),
    }
}
