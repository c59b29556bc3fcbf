//! What plugins see of HTTP: `wasi:http/outgoing-handler`.
//!
//! A guest's body is collected before its request is sent, and an answer is received whole before the guest sees its head:
//! so a request can be tried a second time, and a credential that comes back can be taken out.
//!
//! What a guest sees of failures: `HTTP-request-denied` for what is not granted, `destination-IP-prohibited` for a name
//! that resolves to a refused address, `connection-limit-reached` for too many requests, an answer 401 where the credential
//! is worth nothing, `destination-unavailable` where whoever gives it cannot be asked. The words stay with the host.

use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{timeout, timeout_at};
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi_http::p2::body::HostOutgoingBody;
use wasmtime_wasi_http::{Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpHooks};

use super::client::{HttpClient, is_for_the_host};
use super::error::HttpError;
use super::grant::{HttpGrant, NoAuthorization};
use super::origin::Origin;
use crate::guest::{GuestState, SharedLog};
use crate::limits::{self, HttpLimits};

/// The HTTP of one instance.
pub(crate) struct Outgoing {
    client: HttpClient,
    grants: Arc<[HttpGrant]>,
    log: SharedLog,
    plugin: Arc<str>,
    slots: Arc<Semaphore>,
    /// A permit for each byte of bodies.
    held: Arc<Semaphore>,
    under_way: Arc<AtomicUsize>,
    /// Why there was no credential in this call.
    no_authorization: Arc<Mutex<Option<NoAuthorization>>>,
    /// Requests of this call, and those of them that were sent.
    asked: u64,
    sent: Arc<AtomicU64>,
    patience_ends: Instant,
}

/// An answer with what must be kept for it.
type Answer = (Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>);

impl Outgoing {
    pub(crate) fn new(client: HttpClient, grants: Arc<[HttpGrant]>, plugin: Arc<str>, log: SharedLog) -> Self {
        Self {
            client,
            grants,
            log,
            plugin,
            slots: Arc::new(Semaphore::new(limits::MAX_HTTP_IN_FLIGHT)),
            held: Arc::new(Semaphore::new(limits::MAX_HTTP_HELD)),
            under_way: Arc::default(),
            no_authorization: Arc::default(),
            asked: 0,
            sent: Arc::default(),
            patience_ends: Instant::now(),
        }
    }

    /// Begins a call, whose requests are answered or given up by then.
    pub(crate) fn begin_call(&mut self, patience_ends: Instant) {
        self.asked = 0;
        self.sent = Arc::default();
        self.no_authorization = Arc::default();
        self.patience_ends = patience_ends;
    }

    /// Why there was no credential in this call, if there was none.
    pub(crate) fn no_authorization(&self) -> Option<NoAuthorization> {
        self.no_authorization.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Requests sent in this call.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// True while the guest waits for a server when it waits.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    /// The grant for a request.
    fn admit(&mut self, request: &Request<WasiBody>) -> Result<HttpGrant, Error> {
        self.asked += 1;
        if self.asked > limits::MAX_HTTP_REQUESTS {
            self.say(&format!("made more than {} requests in one call", limits::MAX_HTTP_REQUESTS));
            return Err(Error::ConnectionLimitReached);
        }
        let uri = request.uri();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let origin = Origin::of(uri.scheme_str().unwrap_or_default(), authority);
        let grant = origin.ok().and_then(|origin| self.grants.iter().find(|grant| grant.origin == origin));
        grant.cloned().ok_or_else(|| {
            let asked = authority.rsplit('@').next().unwrap_or_default();
            self.say(&format!("asked {}://{asked}, which is not granted", uri.scheme_str().unwrap_or_default()));
            Error::HttpRequestDenied
        })
    }

    /// Puts a warning into the plugin's log, which is bounded.
    fn say(&self, words: &str) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(&self.plugin, tracing::Level::WARN, "", words);
    }
}

impl WasiHttpHooks for Outgoing {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        // The length may be said; it is checked against the body.
        Arc::new(|name: &HeaderName| is_for_the_host(name) && *name != http::header::CONTENT_LENGTH)
    }

    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        limits::HTTP_BODY_CHUNK
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Result<Answer, Error>> + Send> {
        let grant = self.admit(&request);
        let (client, slots, held, sent) =
            (self.client.clone(), self.slots.clone(), self.held.clone(), self.sent.clone());
        let (log, plugin, no_authorization) = (self.log.clone(), self.plugin.clone(), self.no_authorization.clone());
        let patience_ends = self.patience_ends.into();
        let under_way = UnderWay::new(&self.under_way);
        Box::new(async move {
            let _under_way = under_way;
            let grant = grant?;
            let limits = with_options(options);
            let exchange = async {
                let (parts, body) = request.into_parts();
                let body = timeout(limits.total, collect(body, &limits, &held));
                let (body, _held) = body.await.map_err(|_| Error::HttpResponseTimeout)??;
                let _slot = slots.acquire().await.map_err(|_| Error::InternalError(None))?;
                sent.fetch_add(1, Ordering::Relaxed);
                let mut answer = client.exchange(Request::from_parts(parts, body), &grant, &limits).await;
                let mut problem = answer.as_ref().err().cloned();
                if let Ok(answer) = &mut answer {
                    problem = answer.extensions_mut().remove::<NoAuthorization>().map(HttpError::from);
                }
                if let Some(problem) = problem {
                    // What the failure of the call will say need not be said twice.
                    let level = if answer.is_ok() { tracing::Level::INFO } else { tracing::Level::WARN };
                    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                    log.write(&plugin, level, "", &format!("{}: {problem}", grant.origin));
                    if let HttpError::Authorization(why) = problem {
                        *no_authorization.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
                    }
                }
                answer.or_else(|error| without_answer(&error))
            };
            let response = timeout_at(patience_ends, exchange).await.map_err(|_| Error::HttpResponseTimeout)??;
            let kept = hold(&held, response.body().len()).ok_or(Error::HttpResponseBodySize(None))?;
            let response = response.map(|bytes| {
                let body = Full::new(bytes).map_frame(move |frame| {
                    let _kept_as_long_as_the_body = &kept;
                    frame
                });
                body.map_err(Error::from).boxed_unsync()
            });
            let nothing: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(std::future::ready(Ok(())));
            Ok((response, nothing))
        })
    }
}

/// Counts a request while it lives.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A guest may be less patient than the host, not more. Its time to connect counts as part of that for the first byte.
fn with_options(options: Option<RequestOptions>) -> HttpLimits {
    let (limits, options) = (HttpLimits::default(), options.unwrap_or_default());
    let first_byte =
        options.first_byte_timeout.map(|time| time + options.connect_timeout.unwrap_or(limits::HTTP_CONNECT));
    HttpLimits {
        first_byte: first_byte.map_or(limits.first_byte, |time| time.min(limits.first_byte)),
        between_bytes: options
            .between_bytes_timeout
            .map_or(limits.between_bytes, |time| time.min(limits.between_bytes)),
        ..limits
    }
}

/// Room for so many bytes of bodies, if there is any.
fn hold(held: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    held.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
}

/// The whole body that a guest writes.
async fn collect(
    mut body: WasiBody,
    limits: &HttpLimits,
    held: &Arc<Semaphore>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Error> {
    let mut bytes = BytesMut::new();
    let mut permits: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        let data = frame?.into_data().map_err(|_| Error::HttpRequestTrailerSectionSize(None))?;
        let size = bytes.len() + data.len();
        let too_large = || Error::HttpRequestBodySize(u64::try_from(size).ok());
        let permit = hold(held, data.len()).filter(|_| size <= limits.request_body).ok_or_else(too_large)?;
        match &mut permits {
            Some(permits) => permits.merge(permit),
            None => permits = Some(permit),
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.freeze(), permits))
}

/// What a guest gets in place of an answer.
fn without_answer(error: &HttpError) -> Result<Response<Bytes>, Error> {
    if matches!(error, HttpError::Authorization(NoAuthorization::Refused(_))) {
        let mut unauthorized = Response::new(Bytes::new());
        *unauthorized.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(unauthorized);
    }
    Err(code(error))
}

/// What a guest is told. Texts, which might have anything in them, stay here.
fn code(error: &HttpError) -> Error {
    let size = |bytes: usize| u64::try_from(bytes).ok();
    match error {
        HttpError::Url(_) | HttpError::NotGranted { .. } | HttpError::Request(_) => Error::HttpRequestDenied,
        HttpError::RequestTooLarge(limit) => Error::HttpRequestBodySize(size(*limit)),
        HttpError::Resolve { .. } => Error::DnsError { rcode: None, info_code: None },
        HttpError::AddressRefused { .. } => Error::DestinationIpProhibited,
        HttpError::ConnectTimeout(_) => Error::DestinationUnavailable,
        HttpError::Connect(_) => Error::ConnectionRefused,
        HttpError::Certificate(_) => Error::TlsCertificateError,
        HttpError::Tls(_) => Error::TlsProtocolError,
        HttpError::Timeout(_) => Error::HttpResponseTimeout,
        HttpError::Interrupted(_) => Error::HttpResponseIncomplete,
        HttpError::HeadersTooLarge(limit) => Error::HttpResponseHeaderSectionSize(u32::try_from(*limit).ok()),
        HttpError::ResponseTooLarge(limit) => Error::HttpResponseBodySize(size(*limit)),
        HttpError::Encoded(_) => Error::HttpResponseContentCoding(None),
        HttpError::Authorization(_) => Error::DestinationUnavailable,
    }
}

/// Links `wasi:http`, with bodies that do not let a guest wait for ever.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    linker.instance("wasi:http/types@0.2.12")?.func_wrap(
        "[method]outgoing-body.write",
        |mut store: wasmtime::StoreContextMut<'_, GuestState>, (body,): (Resource<HostOutgoingBody>,)| {
            let table = &mut store.data_mut().table;
            let Some(stream) = table.get_mut(&body)?.take_output_stream() else {
                return Ok((Err(()),));
            };
            let stream: DynOutputStream = Box::new(Impatient { stream, is_given_up: false });
            Ok((Ok::<_, ()>(table.push_child(stream, &body)?),))
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// A body's stream. Who writes more than fits before the request is handed over would wait for a reader that never comes.
struct Impatient {
    stream: Box<dyn OutputStream>,
    is_given_up: bool,
}

impl OutputStream for Impatient {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.is_given_up {
            let words = "a body was written that nobody sends: hand over the request before its body";
            return Err(StreamError::Trap(wasmtime::Error::msg(words)));
        }
        self.stream.check_write()
    }
}

#[async_trait::async_trait]
impl Pollable for Impatient {
    async fn ready(&mut self) {
        self.is_given_up |= timeout(limits::HTTP_BODY_PATIENCE, self.stream.ready()).await.is_err();
    }
}
