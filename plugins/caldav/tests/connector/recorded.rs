//! Answers of servers that no real one in the tests gives: refusals, pauses, and attacks.

use apptsync_plugin::types::Failure;

use crate::hosts::{Calendar, Scripted};

const ORIGIN: &str = "https://dav.example.com";
const CALENDAR: &str = "/user/sales/";

fn failure_of(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> Failure {
    let host = Scripted::always(status, headers, body);
    Calendar::new(&host, ORIGIN, CALENDAR).page(None).expect_err("a failure")
}

#[test]
fn refusals_are_what_the_host_can_act_on() {
    assert!(matches!(failure_of(401, &[], ""), Failure::Auth(_)));
    assert!(matches!(failure_of(403, &[], ""), Failure::Auth(_)));
    assert_eq!(failure_of(404, &[], ""), Failure::Gone);
    assert_eq!(failure_of(429, &[("retry-after", "7")], ""), Failure::Throttled(Some(7)));
    assert_eq!(failure_of(503, &[("retry-after", "7")], ""), Failure::Throttled(Some(7)));
    assert!(matches!(failure_of(500, &[], ""), Failure::Transient(_)));
}

#[test]
fn hostile_bodies_are_failures_and_no_panic() {
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY l \"ha\"><!ENTITY m \"&l;&l;&l;&l;&l;&l;&l;&l;\">]>\
        <multistatus xmlns=\"DAV:\"><response><href>&m;</href></response></multistatus>";
    let deep = "<a>".repeat(200_000);
    for body in ["", "no XML", "<multistatus", laughs, &deep, "<other xmlns=\"urn:x\"/>", "\u{0}\u{1}\u{2}"] {
        let failure = failure_of(207, &[("content-type", "application/xml")], body);
        assert!(matches!(failure, Failure::Transient(_) | Failure::Permanent(_)), "{failure:?}");
    }
}
