//! Answers that are too long, too slow, broken, or lead elsewhere.

use std::io::{self, Write};
use std::net::TcpListener;
use std::thread;

use apptsync_runtime::{HttpClient, HttpError, HttpLimits, HttpResponse};
use apptsync_tests::server::{Server, answer, head};

use crate::support::{get, grant, header, impatient, send};

fn ask(answer: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> Result<HttpResponse, HttpError> {
    let server = Server::start(move |_, out| answer(out));
    send(&get(&server.origin()), &grant(&server.origin()))
}

fn ask_impatiently(
    answer: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
) -> Result<HttpResponse, HttpError> {
    let server = Server::start(move |_, out| answer(out));
    HttpClient::default().send(&get(&server.origin()), &grant(&server.origin()), &impatient())
}

/// Sends nothing more, and keeps the connection open.
fn fall_silent(out: &mut dyn Write) -> io::Result<()> {
    out.flush()?;
    loop {
        thread::park();
    }
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let other = Server::start(|_, out| out.write_all(&answer(200, &[], "elsewhere")));
    let elsewhere = other.origin();
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{elsewhere}/there");
        let response = ask(move |out| out.write_all(&answer(status, &[("location", &location)], ""))).unwrap();
        assert_eq!(response.status, status);
        assert_eq!(header(&response, "location"), Some(&*format!("{elsewhere}/there")));
    }
    assert_eq!(other.connections(), 0);
}

#[test]
fn an_endless_body_ends_at_its_limit() {
    let endless = ask(|out| {
        out.write_all(&head(200, &[]))?;
        loop {
            out.write_all(&[b'x'; 65_536])?;
        }
    });
    assert_eq!(endless, Err(HttpError::ResponseTooLarge(16 << 20)));
    let chunked = ask(|out| {
        out.write_all(&head(200, &[("transfer-encoding", "chunked")]))?;
        loop {
            out.write_all(b"1000\r\n")?;
            out.write_all(&[b'x'; 4_096])?;
            out.write_all(b"\r\n")?;
        }
    });
    assert_eq!(chunked, Err(HttpError::ResponseTooLarge(16 << 20)));
    let promised = ask(|out| {
        out.write_all(&head(200, &[("content-length", "99999999999")]))?;
        fall_silent(out)
    });
    assert_eq!(promised, Err(HttpError::ResponseTooLarge(16 << 20)));
}

#[test]
fn a_body_that_stops_in_the_middle_is_waited_for_so_long_and_no_longer() {
    let limits = impatient();
    let silent = ask_impatiently(fall_silent);
    assert_eq!(silent, Err(HttpError::Timeout(limits.first_byte)));
    let stopped = ask_impatiently(|out| {
        out.write_all(&head(200, &[("content-length", "10")]))?;
        out.write_all(b"half ")?;
        fall_silent(out)
    });
    assert_eq!(stopped, Err(HttpError::Timeout(limits.between_bytes)));
}

#[test]
fn a_body_that_drips_ends_at_the_time_of_the_whole_request() {
    let server = Server::start(|_, out| {
        out.write_all(&head(200, &[("content-length", "10000000")]))?;
        loop {
            out.write_all(b"x")?;
            out.flush()?;
            thread::yield_now();
        }
    });
    let limits = HttpLimits { total: std::time::Duration::from_millis(200), ..HttpLimits::default() };
    let dripping = HttpClient::default().send(&get(&server.origin()), &grant(&server.origin()), &limits);
    assert_eq!(dripping, Err(HttpError::Timeout(limits.total)));
}

#[test]
fn too_many_or_too_long_headers_are_refused() {
    let many = ask(|out| {
        let headers: Vec<_> = (0..101).map(|number| format!("x-{number}")).collect();
        let headers: Vec<_> = headers.iter().map(|name| (&**name, "x")).collect();
        out.write_all(&answer(200, &headers, ""))
    });
    assert_eq!(many, Err(HttpError::HeadersTooLarge(64 << 10)));
    for length in [64 << 10, 100 << 10, 1 << 20] {
        let long = ask(move |out| out.write_all(&answer(200, &[("x", &"y".repeat(length))], ""))).map(|_| "too much");
        assert_eq!(long, Err(HttpError::HeadersTooLarge(64 << 10)), "{length}");
    }
    let endless = ask(|out| {
        out.write_all(b"HTTP/1.1 200 OK\r\nx: ")?;
        loop {
            out.write_all(&[b'y'; 4_096])?;
        }
    });
    assert_eq!(endless, Err(HttpError::HeadersTooLarge(64 << 10)));
    let hundred = ask(|out| {
        let headers: Vec<_> = (0..99).map(|number| format!("x-{number}")).collect();
        let headers: Vec<_> = headers.iter().map(|name| (&**name, "x")).collect();
        out.write_all(&answer(200, &headers, ""))
    });
    assert_eq!(hundred.unwrap().headers.len(), 100);
}

#[test]
fn a_compressed_answer_is_refused() {
    for coding in ["gzip", "br", "deflate", "identity, gzip"] {
        let bomb = ask(move |out| out.write_all(&answer(200, &[("content-encoding", coding)], [0x1f, 0x8b])));
        assert_eq!(bomb, Err(HttpError::Encoded(coding.to_owned())));
    }
    assert!(ask(|out| out.write_all(&answer(200, &[("content-encoding", "identity")], "x"))).is_ok());
}

#[test]
fn an_answer_that_is_transferred_in_another_way_than_in_chunks_is_refused() {
    for coding in ["gzip, chunked", "gzip", "identity, chunked"] {
        let odd = ask(move |out| {
            out.write_all(&head(200, &[("transfer-encoding", coding)]))?;
            out.write_all(b"1\r\nx\r\n0\r\n\r\n")
        });
        assert!(odd.is_err(), "{coding}: {odd:?}");
    }
    let encoded = ask(|out| {
        out.write_all(&head(200, &[("transfer-encoding", "gzip, chunked")]))?;
        out.write_all(b"1\r\nx\r\n0\r\n\r\n")
    });
    assert_eq!(encoded, Err(HttpError::Encoded("gzip, chunked".into())));
    let chunked = ask(|out| {
        out.write_all(&head(200, &[("transfer-encoding", "Chunked")]))?;
        out.write_all(b"1\r\nx\r\n0\r\n\r\n")
    });
    assert_eq!(chunked.unwrap().body, b"x");
}

#[test]
fn another_protocol_and_endless_interim_answers_are_errors() {
    let switched = ask(|out| {
        out.write_all(&head(101, &[("connection", "upgrade"), ("upgrade", "websocket")]))?;
        fall_silent(out)
    });
    assert!(matches!(switched, Err(HttpError::Interrupted(_))), "{switched:?}");
    for status in [100, 103] {
        let interim = ask(move |out| {
            out.write_all(&head(status, &[]))?;
            out.write_all(&answer(200, &[], "at last"))
        });
        assert_eq!(interim.unwrap().body, b"at last", "{status}");
        let endless = ask_impatiently(move |out| {
            loop {
                out.write_all(&head(status, &[]))?;
                out.flush()?;
            }
        });
        assert_eq!(endless, Err(HttpError::Timeout(impatient().first_byte)), "{status}");
    }
}

#[test]
fn a_broken_answer_is_an_error() {
    let closed = |_: &mut dyn Write| Err(io::Error::other("closed"));
    assert!(matches!(ask(closed), Err(HttpError::Interrupted(_))));
    let cut = ask(|out| {
        out.write_all(&head(200, &[("content-length", "10")]))?;
        out.write_all(b"half ")?;
        Err(io::Error::other("closed"))
    });
    assert!(matches!(cut, Err(HttpError::Interrupted(_))), "{cut:?}");
    for text in [
        "no http\r\n\r\n",
        "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx\r\n\r\n",
        "HTTP/1.1 200 OK\r\n folded\r\n\r\n",
    ] {
        let strange = ask(move |out| out.write_all(text.as_bytes()));
        assert!(matches!(strange, Err(HttpError::Interrupted(_))), "{text:?}: {strange:?}");
    }
    let two_lengths = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxy";
    assert!(ask(move |out| out.write_all(two_lengths.as_bytes())).is_err());
}

#[test]
fn a_port_where_nobody_listens_is_said_to_be_unreachable() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let origin = format!("http://127.0.0.1:{port}");
    assert!(matches!(send(&get(&origin), &grant(&origin)), Err(HttpError::Connect(_))));
}
