//! A small HTTP server on this machine that answers as a test says, also in ways that no decent server has.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Received {
    /// `GET` …
    pub method: String,
    /// What stands behind the method: path and query.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Received {
    /// The first header of this name, in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// A server that lives as long as the test process.
pub struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A connection, encrypted or not.
trait Connection: Read + Write {}
impl<T: Read + Write> Connection for T {}

impl Server {
    /// Starts a server. The answer is whatever is written, byte by byte; an error closes the connection.
    ///
    /// # Panics
    /// There is no port.
    #[must_use]
    pub fn start(answer: impl Fn(&Received, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::serve(answer, |stream| Some(Box::new(stream)))
    }

    /// Starts a server with TLS, and gives the certificate that it made for this name, in DER.
    ///
    /// # Panics
    /// There is no port, or no certificate can be made.
    #[must_use]
    pub fn start_tls(
        name: &str,
        answer: impl Fn(&Received, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> (Self, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("protocols")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a configuration");
        let config = Arc::new(config);
        let server = Self::serve(answer, move |stream| {
            let connection = ServerConnection::new(config.clone()).ok()?;
            Some(Box::new(StreamOwned::new(connection, stream)))
        });
        (server, made.cert.der().to_vec())
    }

    fn serve(
        answer: impl Fn(&Received, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
        secure: impl Fn(TcpStream) -> Option<Box<dyn Connection>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            connections: Arc::default(),
            received: Arc::default(),
        };
        let (connections, received) = (server.connections.clone(), server.received.clone());
        let (answer, secure) = (Arc::new(answer), Arc::new(secure));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (answer, secure, received) = (answer.clone(), secure.clone(), received.clone());
                thread::spawn(move || {
                    let Some(connection) = secure(stream) else { return };
                    let mut connection = BufReader::new(connection);
                    while let Ok(Some(request)) = read(&mut connection) {
                        received.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
                        if answer(&request, connection.get_mut()).and_then(|()| connection.get_mut().flush()).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        server
    }

    /// The port it listens on, at 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Its origin.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections that were made.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// The requests so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A whole answer with the length of its body.
#[must_use]
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut answer = head(status, headers);
    answer.truncate(answer.len() - 2);
    answer.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    answer.extend_from_slice(body);
    answer
}

/// The head of an answer.
#[must_use]
pub fn head(status: u16, headers: &[(&str, &str)]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("HTTP/1.1 {status} Status\r\n{headers}\r\n").into_bytes()
}

fn read(connection: &mut BufReader<Box<dyn Connection>>) -> io::Result<Option<Received>> {
    let mut line = String::new();
    if connection.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Received {
        method: words.next().unwrap_or_default(),
        target: words.next().unwrap_or_default(),
        ..Received::default()
    };
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    connection.read_exact(&mut request.body)?;
    Ok(Some(request))
}
