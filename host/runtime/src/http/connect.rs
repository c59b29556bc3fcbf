//! Connections: a name is resolved once, every address that it has is checked, and only checked addresses are connected to.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper_rustls::{DefaultServerNameResolver, HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use super::address::{self, Reach};
use super::error::HttpError;
use super::grant::HttpGrant;
use super::origin::Origin;
use crate::limits;

/// Finds the addresses of a name.
pub trait Resolver: Send + Sync {
    /// All addresses of a host. It may block.
    ///
    /// # Errors
    /// The name is unknown, or cannot be resolved now.
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Resolves as the system does.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A client whose connections all go to one origin under one set of rules, so that what was connected under laxer ones is
/// never taken for a request under stricter ones.
pub(super) type Connections = Client<Connector, Full<Bytes>>;

/// The connections that a grant allows.
pub(super) fn connections(grant: &HttpGrant, resolver: Arc<dyn Resolver>) -> Result<Connections, HttpError> {
    let is_https = grant.origin.scheme() == "https";
    let roots = if is_https { roots(&grant.certificates)? } else { RootCertStore::empty().into() };
    let tls = ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let resolver = CheckedResolver { resolver, origin: grant.origin.clone(), allow_private: grant.allow_private };
    let mut tcp = HttpConnector::new_with_resolver(resolver);
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector = HttpsConnector::new(tcp, tls, is_https, Arc::new(DefaultServerNameResolver::default()));
    // HTTP/1.1 alone: with four requests at a time there is nothing to win by more.
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(limits::HTTP_IDLE)
        .pool_max_idle_per_host(limits::MAX_HTTP_IN_FLIGHT)
        .http1_max_buf_size(limits::MAX_HTTP_HEADERS)
        .http1_max_headers(limits::MAX_HTTP_HEADER_FIELDS)
        .build(Connector(connector)))
}

/// What the machine trusts, and what the grant adds. The machine's own store is what its administrators keep: it has the
/// certificates of their company, and lacks those that were withdrawn.
fn roots(certificates: &[Vec<u8>]) -> Result<Arc<RootCertStore>, HttpError> {
    static MACHINE: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let machine = MACHINE.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if certificates.is_empty() && machine.is_empty() {
        let advice = "this machine trusts no certificates at all: install its certificates (package ca-certificates)";
        return Err(HttpError::Certificate(advice.into()));
    }
    if certificates.is_empty() {
        return Ok(machine.clone());
    }
    let mut roots = RootCertStore::clone(machine);
    for certificate in certificates {
        let added = roots.add(CertificateDer::from(certificate.as_slice()));
        added.map_err(|error| HttpError::Certificate(format!("the certificate configured for it is none: {error}")))?;
    }
    Ok(roots.into())
}

/// Resolves the name of one origin, whatever it is asked for.
#[derive(Clone)]
pub(super) struct CheckedResolver {
    resolver: Arc<dyn Resolver>,
    origin: Origin,
    allow_private: bool,
}

impl CheckedResolver {
    fn addresses(&self) -> Result<Vec<SocketAddr>, HttpError> {
        if self.origin.is_localhost() {
            let this_machine: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
            return Ok(this_machine.map(|address| SocketAddr::new(address, 0)).to_vec());
        }
        let failed = |reason: String| HttpError::Resolve { origin: self.origin.clone(), reason };
        let found = self.resolver.resolve(self.origin.host()).map_err(|error| failed(error.to_string()))?;
        if found.is_empty() {
            return Err(failed("it has no address".into()));
        }
        found.into_iter().map(|address| self.check(address)).collect()
    }

    fn check(&self, address: IpAddr) -> Result<SocketAddr, HttpError> {
        let refused = |what| HttpError::AddressRefused { origin: self.origin.clone(), address, what };
        match address::reach(address) {
            Reach::Public => {}
            Reach::Private(_) if self.allow_private => {}
            Reach::Private(what) | Reach::Never(what) => return Err(refused(what)),
        }
        Ok(SocketAddr::new(address, 0))
    }
}

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Name) -> Self::Future {
        let resolver = self.clone();
        let addresses = tokio::task::spawn_blocking(move || resolver.addresses());
        Box::pin(async move { Ok(addresses.await??.into_iter()) })
    }
}

/// Resolves, connects and secures a connection within the time for that.
#[derive(Clone)]
pub(super) struct Connector(HttpsConnector<HttpConnector<CheckedResolver>>);

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(limits::HTTP_CONNECT, self.0.call(destination));
        Box::pin(async { connecting.await.map_err(|_| HttpError::ConnectTimeout(limits::HTTP_CONNECT))? })
    }
}
