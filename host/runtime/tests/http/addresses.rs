//! Names are checked after they are resolved, and connected to as they were checked.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apptsync_runtime::{HttpClient, HttpError, HttpGrant, HttpLimits, Resolver};
use apptsync_tests::server::{Server, answer};

use crate::support::{Rounds, get, grant};

fn try_with(resolver: impl Resolver + 'static, grant: &HttpGrant) -> HttpError {
    let client = HttpClient::with_resolver(Arc::new(resolver));
    client.send(&get(&format!("{}/", grant.origin)), grant, &HttpLimits::default()).unwrap_err()
}

#[test]
fn a_name_that_resolves_to_a_private_address_is_refused() {
    for address in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.0.1",
        "100.64.0.1",
        "::1",
        "fd00::1",
        "fe80::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "192.0.0.192",
        "100.100.100.200",
        "fd00:ec2::254",
    ] {
        let error = try_with(Rounds::new(&[&[address]]), &grant("https://calendar.example"));
        assert!(matches!(error, HttpError::AddressRefused { .. }), "{address}: {error:?}");
    }
}

#[test]
fn one_private_address_among_public_ones_is_enough_to_refuse() {
    let error = try_with(Rounds::new(&[&["1.1.1.1", "10.0.0.1"]]), &grant("https://calendar.example"));
    assert_eq!(error.to_string(), "https://calendar.example lies at 10.0.0.1, a private network, which is not granted");
}

#[test]
fn a_metadata_service_is_refused_also_where_private_addresses_are_granted() {
    for address in ["169.254.169.254", "192.0.0.192", "100.100.100.200", "fd00:ec2::254", "::ffff:169.254.169.254"] {
        let granted = HttpGrant { allow_private: true, ..grant("https://calendar.example") };
        let error = try_with(Rounds::new(&[&[address]]), &granted);
        assert!(matches!(error, HttpError::AddressRefused { .. }), "{address}: {error:?}");
    }
}

#[test]
fn a_granted_private_address_is_connected_to() {
    let (server, certificate) =
        Server::start_tls("calendar.example", |_, out| out.write_all(&answer(200, &[], "here")));
    let origin = format!("https://calendar.example:{}", server.port());
    let granted = HttpGrant { allow_private: true, certificates: vec![certificate], ..grant(&origin) };
    let client = HttpClient::with_resolver(Arc::new(Rounds::new(&[&["127.0.0.1"]])));
    let response = client.send(&get(&origin), &granted, &HttpLimits::default()).unwrap();
    assert_eq!(response.body, b"here");
    // The connection of a grant that may is not there for one that may not.
    let strict = HttpGrant { allow_private: false, ..granted };
    let error = client.send(&get(&origin), &strict, &HttpLimits::default()).unwrap_err();
    assert!(matches!(error, HttpError::AddressRefused { .. }), "{error:?}");
    assert_eq!(server.received().len(), 1);
}

/// Counts how often it is asked.
struct Counting(Arc<AtomicUsize>, Rounds);

impl Resolver for Counting {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.resolve(host)
    }
}

/// DNS rebinding: what was checked is what is connected to, so a second answer of the name server is never looked at.
#[test]
fn a_name_is_resolved_once_for_a_connection() {
    let (server, certificate) =
        Server::start_tls("calendar.example", |_, out| out.write_all(&answer(200, &[], "here")));
    let origin = format!("https://calendar.example:{}", server.port());
    let granted = HttpGrant { allow_private: true, certificates: vec![certificate], ..grant(&origin) };
    let asked = Arc::new(AtomicUsize::new(0));
    let resolver = Counting(asked.clone(), Rounds::new(&[&["127.0.0.1"], &["169.254.169.254"]]));
    let client = HttpClient::with_resolver(Arc::new(resolver));
    client.send(&get(&origin), &granted, &HttpLimits::default()).unwrap();
    assert_eq!((asked.load(Ordering::SeqCst), server.connections()), (1, 1));
}

#[test]
fn a_name_that_changes_its_address_is_checked_for_each_connection() {
    let (server, certificate) =
        Server::start_tls("calendar.example", |_, out| out.write_all(&answer(200, &[("connection", "close")], "here")));
    let origin = format!("https://calendar.example:{}", server.port());
    let granted = HttpGrant { allow_private: true, certificates: vec![certificate], ..grant(&origin) };
    let resolver = Rounds::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let client = HttpClient::with_resolver(Arc::new(resolver));
    client.send(&get(&origin), &granted, &HttpLimits::default()).unwrap();
    let error = client.send(&get(&origin), &granted, &HttpLimits::default()).unwrap_err();
    assert!(matches!(error, HttpError::AddressRefused { .. }), "{error:?}");
}

#[test]
fn localhost_is_this_machine_whatever_the_name_server_says() {
    let server = Server::start(|_, out| out.write_all(&answer(200, &[], "here")));
    let origin = format!("http://localhost:{}", server.port());
    let client = HttpClient::with_resolver(Arc::new(Rounds::new(&[&["192.0.2.1"]])));
    assert_eq!(client.send(&get(&origin), &grant(&origin), &HttpLimits::default()).unwrap().status, 200);
    assert_eq!(server.received()[0].header("host"), Some(&*format!("localhost:{}", server.port())));
}

/// Knows no name.
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::Error::other("no such host is known"))
    }
}

#[test]
fn a_name_that_nobody_knows_is_said_to_be_unknown() {
    let error = try_with(Nowhere, &grant("https://calendar.example"));
    assert_eq!(error.to_string(), "the name of https://calendar.example cannot be resolved: no such host is known");
    let error = try_with(Rounds::new(&[&[]]), &grant("https://calendar.example"));
    assert_eq!(error.to_string(), "the name of https://calendar.example cannot be resolved: it has no address");
}
