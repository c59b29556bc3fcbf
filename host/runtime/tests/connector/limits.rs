//! A plugin cannot use up the host, its server, or the time of a run.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use apptsync_model::outlook::ConnectorFailure;
use apptsync_tests::server::{Server, answer, head};

use crate::guest::Guest;

fn honest() -> Server {
    Server::start(|_, out| out.write_all(&answer(200, &[], "")))
}

fn silent() -> Server {
    Server::start(|_, _| {
        loop {
            thread::park();
        }
    })
}

#[track_caller]
fn broken(guest: &Guest, words: &str) {
    match guest.run().0 {
        Err(ConnectorFailure::Broken(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_side_by_side_wait_for_one_of_four_places() {
    #[derive(Default)]
    struct Held {
        arrived: usize,
        now: usize,
        most: usize,
        is_open: bool,
    }
    let held = Arc::new((Mutex::new(Held::default()), Condvar::new()));
    let at_the_server = held.clone();
    let server = Server::start(move |_, out| {
        let (held, changed) = &*at_the_server;
        let mut held = held.lock().unwrap();
        held.arrived += 1;
        held.now += 1;
        held.most = held.most.max(held.now);
        changed.notify_all();
        if held.arrived == 4 {
            // None is answered yet, and 96 others wait: were there no limit, a fifth would come now.
            let a_while = Duration::from_millis(500);
            held = changed.wait_timeout_while(held, a_while, |held| held.arrived < 5).unwrap().0;
            held.is_open = true;
            changed.notify_all();
        }
        held = changed.wait_while(held, |held| !held.is_open).unwrap();
        held.now -= 1;
        drop(held);
        out.write_all(&answer(200, &[], ""))
    });
    let (found, statistics) = Guest::new("side-by-side").asking(&server).with("count", 100).run();
    assert_eq!(found.unwrap(), ["100 answers"]);
    assert_eq!(statistics.requests, 100);
    assert_eq!(held.0.lock().unwrap().most, 4);
    assert_eq!(server.received().len(), 100);
}

#[test]
fn headers_that_are_never_sent_are_kept_up_to_a_limit() {
    let found = Guest::new("hoard-headers").with("count", 200).deadline(Duration::from_secs(60)).finds();
    assert_eq!(found, ["200 kept"]);
    broken(&Guest::new("hoard-headers").with("count", 300).deadline(Duration::from_secs(60)), "in `probe`");
}

#[test]
fn four_requests_are_under_way_at_the_same_time() {
    // Each request is answered only when four of them are there.
    let waiting = Arc::new((Mutex::new(0), Condvar::new()));
    let server = Server::start(move |_, out| {
        let (count, changed) = &*waiting;
        let mut count = count.lock().unwrap();
        *count += 1;
        changed.notify_all();
        drop(changed.wait_while(count, |count| *count < 4).unwrap());
        out.write_all(&answer(200, &[], ""))
    });
    assert_eq!(Guest::new("side-by-side").asking(&server).with("count", 4).finds(), ["4 answers"]);
}

#[test]
fn a_call_makes_so_many_requests_and_no_more() {
    let server = honest();
    let found = Guest::new("flood").asking(&server).with("count", 2_001).deadline(Duration::from_secs(60)).finds();
    assert_eq!(found, ["200", "error ErrorCode::ConnectionLimitReached"]);
    assert_eq!(server.received().len(), 2_000);
}

#[test]
fn answers_that_nobody_reads_are_kept_up_to_a_limit() {
    let body = vec![b'x'; 15 << 20];
    let server = Server::start(move |_, out| out.write_all(&answer(200, &[], &body)));
    let found = Guest::new("hoard").asking(&server).with("count", 10).finds_one();
    assert!(found.starts_with("4 kept, then error ErrorCode::HttpResponseBodySize"), "{found}");
}

#[test]
fn bodies_are_sent_up_to_their_limit() {
    let server = Server::start(|request, out| out.write_all(&answer(200, &[], request.body.len().to_string())));
    let guest = |bytes: usize| Guest::new("upload").asking(&server).with("method", "PUT").with("bytes", bytes);
    assert_eq!(guest(8 << 20).deadline(Duration::from_secs(60)).finds_one(), "200 [content-length=7] 8388608");
    let found = guest((8 << 20) + 1).deadline(Duration::from_secs(60)).finds_one();
    assert!(found.starts_with("error ErrorCode::HttpRequestBodySize"), "{found}");
    assert_eq!(server.received().len(), 1);
}

#[test]
fn a_body_that_nobody_sends_does_not_wait_for_ever() {
    broken(&Guest::new("body-that-nobody-sends").with("authority", "granted.example"), "in `probe`");
}

#[test]
fn a_body_that_is_given_up_or_has_trailers_is_not_sent() {
    let server = honest();
    for behaviour in ["body-given-up", "body-with-trailers"] {
        let found = Guest::new(behaviour).asking(&server).with("method", "PUT").finds_one();
        assert!(found.starts_with("error "), "{behaviour}: {found}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn an_endless_body_and_endless_headers_end() {
    let server = Server::start(|_, out| {
        out.write_all(&head(200, &[]))?;
        loop {
            out.write_all(&[b'x'; 65_536])?;
        }
    });
    let found = Guest::new("ask").asking(&server).finds_one();
    assert!(found.starts_with("error ErrorCode::HttpResponseBodySize"), "{found}");
    let server = Server::start(|_, out| {
        out.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            out.write_all(b"x-bomb: x\r\n")?;
        }
    });
    let found = Guest::new("ask").asking(&server).finds_one();
    assert!(found.starts_with("error ErrorCode::HttpResponseHeaderSectionSize"), "{found}");
}

/// The server answers when the deadline of the call has long passed.
#[test]
fn waiting_for_a_server_does_not_count_for_the_deadline() {
    let deadline = Duration::from_millis(300);
    let server = Server::start(move |_, out| {
        thread::sleep(3 * deadline);
        out.write_all(&answer(200, &[], ""))
    });
    let (found, statistics) = Guest::new("ask").asking(&server).deadline(deadline).run();
    assert_eq!(found.unwrap(), ["200 [content-length=0] "]);
    assert!(statistics.waited > deadline && statistics.time - statistics.waited < statistics.waited, "{statistics:?}");
}

#[test]
fn a_loop_beside_a_request_is_stopped_at_the_deadline() {
    let server = silent();
    for behaviour in ["spin", "spin-and-poll"] {
        let guest = Guest::new(behaviour).asking(&server).deadline(Duration::from_millis(200));
        broken(&guest, "ran longer than its deadline of 200ms in `probe`");
    }
}

#[test]
fn requests_that_are_left_behind_end_with_the_instance() {
    let server = silent();
    assert_eq!(Guest::new("leave").asking(&server).with("count", 8).finds(), ["left"]);
}
