//! One request and its answer, under the rules of its grant.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use super::connect::{self, Connections, Resolver, SystemResolver};
use super::error::HttpError;
use super::grant::{Authorizer, HttpGrant, NoAuthorization};
use super::hide::{Hider, Place};
use super::origin::Origin;
use crate::limits::{self, HttpLimits};

/// A request of the host itself.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `PROPFIND` …
    pub method: String,
    /// Absolute, at the granted origin.
    pub url: String,
    /// Names and values. What belongs to the connection or to the credential is not among them.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
}

/// Shows neither values nor bodies: they may be secrets.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        write!(formatter, "{} {path} {names:?} and {} bytes", self.method, self.body.len())
    }
}

/// An answer, whatever its status; redirects are not followed.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values; bytes that are no text are replaced.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Shows neither values nor the body: they may be secrets.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(formatter, "{} {names:?} and {} bytes", self.status, self.body.len())
    }
}

/// Sends requests and keeps connections open between them. Clones share the connections.
#[derive(Clone)]
pub struct HttpClient {
    resolver: Arc<dyn Resolver>,
    transports: Arc<Mutex<Vec<Transport>>>,
}

/// The connections of all grants that have the same rules.
struct Transport {
    origin: Origin,
    allow_private: bool,
    certificates: Vec<Vec<u8>>,
    connections: Connections,
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::with_resolver(Arc::new(SystemResolver))
    }
}

/// Headers that only the host sets, because they belong to the connection, to the credential, or change what an answer
/// looks like so that a credential in it would not be recognized: encoded, or in parts.
const HOST_HEADERS: [HeaderName; 14] = [
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    HeaderName::from_static("http2-settings"),
    header::IF_RANGE,
    HeaderName::from_static("keep-alive"),
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Whether only the host sets this header.
pub(super) fn is_for_the_host(name: &HeaderName) -> bool {
    HOST_HEADERS.contains(name) || name.as_str().starts_with("proxy-")
}

/// What requests say of who sends them.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("apptsync/", env!("CARGO_PKG_VERSION")));

impl HttpClient {
    /// A client that finds addresses in a way of its own.
    #[must_use]
    pub fn with_resolver(resolver: Arc<dyn Resolver>) -> Self {
        Self { resolver, transports: Arc::default() }
    }

    /// Sends a request and waits for its whole answer.
    ///
    /// # Errors
    /// There is no answer, or the grant does not allow the request. Any status is an answer.
    pub fn send(
        &self,
        request: &HttpRequest,
        grant: &HttpGrant,
        limits: &HttpLimits,
    ) -> Result<HttpResponse, HttpError> {
        Origin::of_url(&request.url)?;
        let mut builder = Request::builder().method(request.method.as_str()).uri(request.url.as_str());
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = builder
            .body(Bytes::from_owner(Zeroizing::new(request.body.clone())))
            .map_err(|error| HttpError::Request(error.to_string()))?;
        let response = wasmtime_wasi::runtime::in_tokio(self.exchange(request, grant, limits))?;
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(HttpResponse {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: response.into_body().into(),
        })
    }

    /// The same for a request of a plugin, from within the asynchronous runtime.
    pub(super) async fn exchange(
        &self,
        request: Request<Bytes>,
        grant: &HttpGrant,
        limits: &HttpLimits,
    ) -> Result<Response<Bytes>, HttpError> {
        let begun = Instant::now();
        let request = prepare(request, grant, limits)?;
        let (method, origin, path) = (request.method().clone(), &grant.origin, request.uri().path().to_owned());
        let exchange = self.authorized(request, grant, limits);
        let result = timeout(limits.total, exchange).await.unwrap_or(Err(HttpError::Timeout(limits.total)));
        let elapsed = begun.elapsed();
        match &result {
            Ok(response) => {
                let (status, bytes) = (response.status().as_u16(), response.body().len());
                // What a server's own people look a request up by.
                let id = response.headers().get("request-id").map(|id| String::from_utf8_lossy(id.as_bytes()));
                let request_id = id.map(|id| apptsync_model::text::quoted(&id));
                tracing::debug!(target: "http", %method, %origin, path, status, bytes, request_id, ?elapsed);
            }
            Err(error) => tracing::debug!(target: "http", %method, %origin, path, %error, ?elapsed),
        }
        result
    }

    /// Adds the credential. A 401 gets one further try with a fresh one, and none with the same: servers lock accounts
    /// after some wrong passwords.
    async fn authorized(
        &self,
        request: Request<Bytes>,
        grant: &HttpGrant,
        limits: &HttpLimits,
    ) -> Result<Response<Bytes>, HttpError> {
        let Some(authorizer) = &grant.authorizer else {
            return self.once(request, grant, limits).await;
        };
        let first = blocking(authorizer, |authorizer| authorizer.authorization()).await?;
        let mut response = self.once(with(&request, &first)?, grant, limits).await?;
        let mut used = vec![first];
        if response.status() == StatusCode::UNAUTHORIZED {
            let refused = used[0].clone();
            let fresh = move |authorizer: &dyn Authorizer| {
                authorizer.refused(&refused);
                authorizer.authorization()
            };
            match blocking(authorizer, fresh).await {
                Ok(second) if second.expose_secret() != used[0].expose_secret() => {
                    response = self.once(with(&request, &second)?, grant, limits).await?;
                    used.push(second);
                }
                Ok(_) => {}
                // Where there is no fresh credential, the 401 is the answer, and the host knows why.
                Err(why) => drop(response.extensions_mut().insert(why)),
            }
        }
        Ok(without(response, &used, &grant.origin))
    }

    /// Sends a request once.
    async fn once(
        &self,
        request: Request<Bytes>,
        grant: &HttpGrant,
        limits: &HttpLimits,
    ) -> Result<Response<Bytes>, HttpError> {
        let answer = self.connections(grant)?.request(request.map(Full::new));
        let answer = timeout(limits.first_byte, answer).await.map_err(|_| HttpError::Timeout(limits.first_byte))?;
        let (parts, body) = answer.map_err(|error| failure(&error))?.into_parts();
        if parts.status.is_informational() {
            return Err(HttpError::Interrupted("the server wants to speak another protocol".into()));
        }
        if size(&parts.headers) > limits::MAX_HTTP_HEADERS {
            return Err(HttpError::HeadersTooLarge(limits::MAX_HTTP_HEADERS));
        }
        let is_plain = |coding: &&HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"identity");
        let is_whole = |coding: &&HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        let content = parts.headers.get_all(header::CONTENT_ENCODING).iter().find(is_plain);
        let transfer = parts.headers.get_all(header::TRANSFER_ENCODING).iter().find(is_whole);
        if let Some(coding) = content.or(transfer) {
            let coding = apptsync_model::text::quoted(&String::from_utf8_lossy(coding.as_bytes()));
            return Err(HttpError::Encoded(coding));
        }
        Ok(Response::from_parts(parts, read(body, limits).await?))
    }

    fn connections(&self, grant: &HttpGrant) -> Result<Connections, HttpError> {
        let mut transports = self.transports.lock().unwrap_or_else(PoisonError::into_inner);
        let known = transports.iter().find(|transport| {
            transport.origin == grant.origin
                && transport.allow_private == grant.allow_private
                && transport.certificates == grant.certificates
        });
        if let Some(transport) = known {
            return Ok(transport.connections.clone());
        }
        let connections = connect::connections(grant, self.resolver.clone())?;
        transports.push(Transport {
            origin: grant.origin.clone(),
            allow_private: grant.allow_private,
            certificates: grant.certificates.clone(),
            connections: connections.clone(),
        });
        Ok(connections)
    }
}

/// Checks a request against its grant and gives it the shape in which it is sent: to the granted origin as that is
/// written, with no header that is the host's.
fn prepare(request: Request<Bytes>, grant: &HttpGrant, limits: &HttpLimits) -> Result<Request<Bytes>, HttpError> {
    let (mut parts, body) = request.into_parts();
    let asked = parts.uri.clone();
    let (scheme, authority) =
        (asked.scheme_str().unwrap_or_default(), asked.authority().map_or("", |asked| asked.as_str()));
    if Origin::of(scheme, authority).as_ref() != Ok(&grant.origin) {
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let asked = apptsync_model::text::quoted(&format!("{scheme}://{authority}"));
        return Err(HttpError::NotGranted { asked });
    }
    // TRACE repeats the credential, CONNECT leads elsewhere.
    if parts.method == Method::TRACE || parts.method == Method::CONNECT {
        return Err(HttpError::Request(format!("{} is not sent", parts.method)));
    }
    let path = match asked.path_and_query().map_or("/", |path| path.as_str()) {
        path if path.starts_with('/') => path.to_owned(),
        query if query.starts_with('?') => format!("/{query}"),
        _ => return Err(HttpError::Request("its path does not begin with `/`".into())),
    };
    let size = path.len() + size(&parts.headers);
    let uri = Uri::builder().scheme(grant.origin.scheme()).authority(grant.origin.authority()).path_and_query(path);
    parts.uri = uri.build().map_err(|error| HttpError::Request(error.to_string()))?;
    parts.version = http::Version::HTTP_11;
    parts.extensions.clear();
    if let Some(name) = parts.headers.keys().find(|name| is_for_the_host(name) && *name != header::CONTENT_LENGTH) {
        return Err(HttpError::Request(format!("only the host sets the header `{name}`")));
    }
    if size > limits::MAX_HTTP_HEADERS || parts.headers.len() > limits::MAX_HTTP_HEADER_FIELDS {
        return Err(HttpError::RequestTooLarge(limits::MAX_HTTP_HEADERS));
    }
    if body.len() > limits.request_body {
        return Err(HttpError::RequestTooLarge(limits.request_body));
    }
    // The length is that of the body, whatever was said.
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    parts.headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    Ok(Request::from_parts(parts, body))
}

/// Bytes of all names and values.
fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// Asks an authorizer on a thread that may wait.
async fn blocking(
    authorizer: &Arc<dyn Authorizer>,
    ask: impl FnOnce(&dyn Authorizer) -> Result<SecretString, NoAuthorization> + Send + 'static,
) -> Result<SecretString, NoAuthorization> {
    let authorizer = authorizer.clone();
    let asked = tokio::task::spawn_blocking(move || ask(&*authorizer));
    // A fault in there is one of the credential, not of everything.
    asked.await.unwrap_or_else(|_| Err(NoAuthorization::Refused("the credential cannot be used".into())))
}

/// The request with the credential. One with a token also gets an id of its own, by which Microsoft finds it: a plugin's own
/// randomness repeats.
fn with(request: &Request<Bytes>, authorization: &SecretString) -> Result<Request<Bytes>, HttpError> {
    let wrong = |_| NoAuthorization::Refused("the credential has characters that no header may have".into());
    let mut value = HeaderValue::from_str(authorization.expose_secret()).map_err(wrong)?;
    value.set_sensitive(true);
    let mut request = request.clone();
    request.headers_mut().insert(header::AUTHORIZATION, value);
    if authorization.expose_secret().starts_with("Bearer ") {
        let id = uuid::Uuid::new_v4().to_string();
        let value = HeaderValue::from_str(&id).map_err(|error| HttpError::Request(error.to_string()))?;
        request.headers_mut().insert(HeaderName::from_static("client-request-id"), value);
        tracing::debug!(target: "http", path = request.uri().path(), client_request_id = id);
    }
    Ok(request)
}

/// Takes the credentials out of an answer, and the sessions that a server begins for them: those open it as well.
fn without(response: Response<Bytes>, used: &[SecretString], origin: &Origin) -> Response<Bytes> {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove(header::SET_COOKIE);
    let Some(hider) = Hider::new(used) else {
        parts.headers = HeaderMap::new();
        return Response::from_parts(parts, Bytes::new());
    };
    let mut body = BytesMut::from(body);
    let is_in_headers = hider.hide_in_headers(&mut parts.headers);
    let place = if parts.status.is_success() { Place::Content } else { Place::Message };
    if hider.hide(&mut body, place) || is_in_headers {
        tracing::warn!(target: "http", %origin, "the server repeats the credential in its answer; it was taken out");
    }
    Response::from_parts(parts, body.freeze())
}

async fn read(mut body: Incoming, limits: &HttpLimits) -> Result<Bytes, HttpError> {
    let mut bytes = BytesMut::new();
    let promised = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if promised > limits.response_body {
        return Err(HttpError::ResponseTooLarge(limits.response_body));
    }
    loop {
        let frame = timeout(limits.between_bytes, body.frame());
        let Some(frame) = frame.await.map_err(|_| HttpError::Timeout(limits.between_bytes))? else {
            return Ok(bytes.freeze());
        };
        let frame = frame.map_err(|error| HttpError::Interrupted(error.to_string()))?;
        // Trailers are of no use to anybody here.
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > limits.response_body {
            return Err(HttpError::ResponseTooLarge(limits.response_body));
        }
        bytes.extend_from_slice(&data);
    }
}

/// What failed below, in our words where we know it.
fn failure(error: &(dyn std::error::Error + 'static)) -> HttpError {
    if let Some(known) = find::<HttpError>(error) {
        return known.clone();
    }
    // Once there is a connection, the request may have been done, whatever broke.
    if let Some(hyper) = find::<hyper::Error>(error) {
        return match hyper.is_parse_too_large() {
            true => HttpError::HeadersTooLarge(limits::MAX_HTTP_HEADERS),
            false => HttpError::Interrupted(hyper.to_string()),
        };
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return match tls {
            rustls::Error::InvalidCertificate(_) => HttpError::Certificate(tls.to_string()),
            _ => HttpError::Tls(tls.to_string()),
        };
    }
    match find::<std::io::Error>(error) {
        Some(io) => HttpError::Connect(io.to_string()),
        None => HttpError::Interrupted(error.to_string()),
    }
}

/// The first error of a kind in a chain of causes, also within those of the system.
fn find<'a, E: std::error::Error + 'static>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    None
}
