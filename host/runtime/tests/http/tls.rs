//! Certificates: the machine's, and those that a grant adds for its origin.

use std::sync::Arc;

use apptsync_runtime::{HttpClient, HttpError, HttpGrant, HttpLimits};
use apptsync_tests::server::{Server, answer};

use crate::support::{Rounds, get, grant};

#[test]
fn a_certificate_that_nobody_trusts_is_refused() {
    let (server, certificate) = Server::start_tls("localhost", |_, out| out.write_all(&answer(200, &[], "")));
    let origin = format!("https://localhost:{}", server.port());
    let client = HttpClient::default();
    let trusting = HttpGrant { certificates: vec![certificate], ..grant(&origin) };
    assert_eq!(client.send(&get(&origin), &trusting, &HttpLimits::default()).unwrap().status, 200);
    // What one grant trusts, another does not: also not by its open connection.
    let error = client.send(&get(&origin), &grant(&origin), &HttpLimits::default()).unwrap_err();
    assert!(matches!(error, HttpError::Certificate(_)), "{error:?}");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (server, certificate) = Server::start_tls("other.example", |_, out| out.write_all(&answer(200, &[], "")));
    let origin = format!("https://calendar.example:{}", server.port());
    let client = HttpClient::with_resolver(Arc::new(Rounds::new(&[&["127.0.0.1"]])));
    let granted = HttpGrant { allow_private: true, certificates: vec![certificate], ..grant(&origin) };
    let error = client.send(&get(&origin), &granted, &HttpLimits::default()).unwrap_err();
    assert!(matches!(error, HttpError::Certificate(_)), "{error:?}");
    assert_eq!(server.received().len(), 0);
}

#[test]
fn a_server_without_tls_gets_no_request() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[], "")));
    let origin = format!("https://localhost:{}", server.port());
    let client = HttpClient::default();
    let (_, certificate) = Server::start_tls("localhost", |_, out| out.write_all(&answer(200, &[], "")));
    let granted = HttpGrant { certificates: vec![certificate], ..grant(&origin) };
    let error = client.send(&get(&origin), &granted, &HttpLimits::default()).unwrap_err();
    assert!(matches!(error, HttpError::Tls(_) | HttpError::Connect(_)), "{error:?}");
    assert!(server.received().iter().all(|request| !request.target.starts_with('/')), "{:?}", server.received());
}

#[test]
fn a_configured_certificate_that_is_none_is_said_to_be_none() {
    let granted = HttpGrant { certificates: vec![b"no certificate".to_vec()], ..grant("https://localhost") };
    let error = HttpClient::default().send(&get("https://localhost"), &granted, &HttpLimits::default()).unwrap_err();
    assert!(error.to_string().contains("the certificate configured for it is none"), "{error}");
}
