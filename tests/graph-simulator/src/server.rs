//! The listeners: http on 127.0.0.1, https on localhost with a certificate made at the start. hyper itself stands here,
//! because a fault must be able to end a connection without an answer.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::http::{Body, Call, Delivery, Reply};
use crate::{Shared, control, graph, identity};

/// The listeners, bound and not yet served.
pub(crate) struct Listeners {
    http: std::net::TcpListener,
    https: std::net::TcpListener,
    tls: Arc<ServerConfig>,
    pub(crate) http_port: u16,
    pub(crate) https_port: u16,
    /// The certificate, for the clients' trust.
    pub(crate) certificate: String,
}

/// Bodies beyond this are refused with 413.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

impl Listeners {
    /// Takes the ports and makes a certificate for `localhost` and 127.0.0.1.
    ///
    /// # Errors
    /// Where a port is taken.
    pub(crate) fn bind(http_port: u16, https_port: u16) -> io::Result<Self> {
        let bind = |port| {
            let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
            listener.set_nonblocking(true)?;
            Ok::<_, io::Error>(listener)
        };
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .map_err(io::Error::other)?;
        let (http, https) = (bind(http_port)?, bind(https_port)?);
        let (http_port, https_port) = (http.local_addr()?.port(), https.local_addr()?.port());
        Ok(Self { http, https, tls: Arc::new(tls), http_port, https_port, certificate: made.cert.pem() })
    }

    /// Serves until the sender of `stop` is gone.
    ///
    /// # Errors
    /// Where the listeners cannot be served.
    pub(crate) fn serve(self, shared: Arc<Shared>, stop: oneshot::Receiver<Infallible>) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let (http, https) = (TcpListener::from_std(self.http)?, TcpListener::from_std(self.https)?);
            let plain = accept(http, None, Arc::clone(&shared));
            let secure = accept(https, Some(TlsAcceptor::from(self.tls)), shared);
            tokio::select! {
                () = plain => {}
                () = secure => {}
                _ = stop => {}
            }
            Ok(())
        })
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file handles, perhaps: others end meanwhile.
            tokio::task::yield_now().await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            match tls {
                None => connection(stream, "http", shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        connection(stream, "https", shared).await;
                    }
                }
            }
        });
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    scheme: &'static str,
    shared: Arc<Shared>,
) {
    let service = service_fn(move |request| answer(request, scheme, Arc::clone(&shared)));
    // A client that goes away is no concern of the server.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The connection is to end without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped by a fault")]
struct Dropped;

async fn answer(
    request: Request<Incoming>,
    scheme: &str,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let (head, body) = request.into_parts();
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut call = Call::new(head.method.as_str(), &format!("{scheme}://{host}"), target);
    call.headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    match Limited::new(body, LARGEST_BODY).collect().await {
        Ok(body) => call.body = body.to_bytes().into(),
        Err(_) => return Ok(response(Reply::text(413, "the body is too large", "text/plain"), false)),
    }
    let reply = match call.path.word(0) {
        "_simulator" => control::answer(&shared, &call),
        "v1.0" => graph::answer(&mut shared.state(), &call),
        _ => identity::answer(&mut shared.state(), &call).unwrap_or_else(|| {
            Reply::text(404, "there is only /v1.0, the token endpoint, and /_simulator", "text/plain")
        }),
    };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    if let Some(address) = &reply.mailbox
        && let Some(under_way) = shared.state().under_way.get_mut(address)
    {
        *under_way = under_way.saturating_sub(1);
    }
    match reply.delivery {
        Delivery::Dropped => Err(Dropped),
        Delivery::Truncated => Ok(response(reply, true)),
        Delivery::Whole => Ok(response(reply, false)),
    }
}

fn response(reply: Reply, truncated: bool) -> Response<Full<Bytes>> {
    let (mut bytes, content_type) = match reply.body {
        Body::Empty => (Vec::new(), None),
        Body::Json(value) => {
            let content_type = "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8";
            (serde_json::to_vec(&value).unwrap_or_default(), Some(content_type))
        }
        Body::Text(text, content_type) => (text.into_bytes(), Some(content_type)),
    };
    if truncated {
        bytes.truncate(bytes.len() / 2);
    }
    let mut response = Response::builder().status(reply.status);
    if let Some(content_type) = content_type {
        response = response.header("content-type", content_type);
    }
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Full::new(Bytes::from(bytes))).unwrap_or_else(|_| {
        let mut broken = Response::new(Full::new(Bytes::from_static(b"a header of the answer is not valid")));
        *broken.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
