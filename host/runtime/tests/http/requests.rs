//! What is sent, to whom, and what never is.

use apptsync_runtime::{HttpClient, HttpError, HttpLimits};
use apptsync_tests::server::{Server, answer};

use crate::support::{get, grant, header, send};

fn honest() -> Server {
    Server::start(|request, out| out.write_all(&answer(200, &[("x-method", &request.method)], &request.body)))
}

#[test]
fn a_request_arrives_as_it_is_and_the_answer_comes_back() {
    let server = honest();
    let mut request = get(&format!("{}/dav/a%20b?x=1&y=%2F#part", server.origin()));
    request.method = "PROPFIND".into();
    request.headers = vec![("Depth".into(), "1".into())];
    request.body = b"<propfind/>".to_vec();
    let response = send(&request, &grant(&server.origin())).unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"<propfind/>"[..]));
    assert_eq!(header(&response, "x-method"), Some("PROPFIND"));
    let received = server.received().remove(0);
    assert_eq!((&*received.method, &*received.target), ("PROPFIND", "/dav/a%20b?x=1&y=%2F"));
    assert_eq!(received.header("depth"), Some("1"));
    assert_eq!(received.header("host"), Some(&*format!("127.0.0.1:{}", server.port())));
    assert_eq!(received.header("accept-encoding"), Some("identity"));
    assert_eq!(received.header("authorization"), None);
    assert!(received.header("user-agent").unwrap().starts_with("apptsync/"));
}

#[test]
fn many_requests_share_a_connection() {
    let server = honest();
    let (client, grant) = (HttpClient::default(), grant(&server.origin()));
    for number in 0..300 {
        let request = get(&format!("{}/{number}", server.origin()));
        assert_eq!(client.send(&request, &grant, &HttpLimits::default()).unwrap().status, 200);
    }
    assert_eq!(server.received().len(), 300);
    // One, and now and then another when a request comes before the connection is back from the last.
    assert!(server.connections() < 30, "{}", server.connections());
}

#[test]
fn another_origin_than_the_granted_one_is_not_asked() {
    let (server, other) = (honest(), honest());
    let grant = grant(&server.origin());
    let port = server.port();
    for url in [
        other.origin(),
        format!("https://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://127.0.0.2:{port}/"),
        format!("http://[::1]:{port}/"),
        "http://127.0.0.1/".to_owned(),
        format!("http://127.0.0.1:{port}0/"),
    ] {
        let error = send(&get(&url), &grant).unwrap_err();
        assert!(matches!(error, HttpError::NotGranted { .. } | HttpError::Url(_)), "{url}: {error:?}");
    }
    assert_eq!((server.connections(), other.connections()), (0, 0));
}

#[test]
fn the_granted_origin_in_another_spelling_is_not_asked() {
    let server = honest();
    let grant = grant(&server.origin());
    let port = server.port();
    for host in [
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.1",
        "127.0.1",
        "127.0.0.1.",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "127.0.0.1@127.0.0.1",
        "anna:word@127.0.0.1",
        "127。0。0。1",
        "127.0.0.1%00",
        "127.0.0.1\\@other",
    ] {
        let url = format!("http://{host}:{port}/");
        assert!(send(&get(&url), &grant).is_err(), "{url}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn headers_that_are_the_hosts_are_refused() {
    let server = honest();
    for name in [
        "Host",
        "Authorization",
        "Connection",
        "Proxy-Authorization",
        "Proxy-Anything",
        "Transfer-Encoding",
        "Keep-Alive",
        "Upgrade",
        "TE",
        "Trailer",
        "Expect",
        "Range",
        "Accept-Encoding",
    ] {
        let mut request = get(&server.origin());
        request.headers = vec![(name.into(), "x".into())];
        let error = send(&request, &grant(&server.origin())).unwrap_err();
        assert_eq!(error, HttpError::Request(format!("only the host sets the header `{}`", name.to_ascii_lowercase())));
    }
    for (name, value) in [("x", "a\r\nHost: b"), ("x\r\nHost", "b"), ("x y", "b"), ("", "b"), ("x", "a\0b")] {
        let mut request = get(&server.origin());
        request.headers = vec![(name.into(), value.into())];
        assert!(matches!(send(&request, &grant(&server.origin())), Err(HttpError::Request(_))), "{name:?}: {value:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_length_that_is_not_that_of_the_body_is_not_sent() {
    let server = honest();
    let mut request = get(&server.origin());
    request.method = "PUT".into();
    request.headers = vec![("Content-Length".into(), "3".into())];
    request.body = b"longer\r\n\r\nDELETE / HTTP/1.1\r\n\r\n".to_vec();
    send(&request, &grant(&server.origin())).unwrap();
    let received = server.received();
    assert_eq!((received.len(), &received[0].body), (1, &request.body));
}

#[test]
fn methods_that_repeat_the_credential_or_lead_elsewhere_are_refused() {
    let server = honest();
    for method in ["TRACE", "CONNECT", "GET / HTTP/1.1\r\nHost: other\r\n\r\n", ""] {
        let request = apptsync_runtime::HttpRequest { method: method.into(), ..get(&server.origin()) };
        assert!(matches!(send(&request, &grant(&server.origin())), Err(HttpError::Request(_))), "{method:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn what_is_too_large_is_not_sent() {
    let server = honest();
    let grant = grant(&server.origin());
    let mut request = get(&server.origin());
    request.body = vec![b'x'; (8 << 20) + 1];
    assert_eq!(send(&request, &grant), Err(HttpError::RequestTooLarge(8 << 20)));
    let mut request = get(&server.origin());
    request.headers = (0..101).map(|number| (format!("x-{number}"), String::new())).collect();
    assert_eq!(send(&request, &grant), Err(HttpError::RequestTooLarge(64 << 10)));
    request.headers = vec![("x".into(), "y".repeat(64 << 10))];
    assert_eq!(send(&request, &grant), Err(HttpError::RequestTooLarge(64 << 10)));
    let long = get(&format!("{}/{}", server.origin(), "x".repeat(64 << 10)));
    assert!(send(&long, &grant).is_err());
    assert_eq!(server.connections(), 0);
}
