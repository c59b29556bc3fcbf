//! `$batch`.

use graph_simulator::{Fault, FaultName};
use serde_json::{Value, json};

use crate::client::{ANNA, Client, World, visit};

fn create(id: usize) -> Value {
    json!({"id": id.to_string(), "method": "POST", "url": format!("/users/{ANNA}/events"),
        "headers": {"Content-Type": "application/json"}, "body": visit(&format!("{id}"), 15, 9)})
}

fn send(client: &Client, requests: &[Value]) -> Vec<Value> {
    let answer = client.post("/v1.0/$batch", json!({"requests": requests})).expect(200);
    answer["responses"].as_array().unwrap().clone()
}

fn status(responses: &[Value], id: &str) -> u64 {
    responses.iter().find(|one| one["id"] == id).unwrap()["status"].as_u64().unwrap()
}

#[test]
fn parts_are_answered_in_another_order_and_each_for_itself() {
    let World { simulator, client } = World::new();
    let requests: Vec<Value> = (0..20).map(create).collect();
    let responses = send(&client, &requests);
    let order: Vec<usize> = responses.iter().map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect();
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    assert_ne!(order, sorted);
    assert!(
        responses
            .iter()
            .all(|one| one["status"] == 201 && one["headers"]["ETag"].is_string() && one["body"]["id"].is_string())
    );
    assert_eq!(simulator.user(ANNA).events("Calendar").len(), 20);
    let counters = simulator.counters();
    assert_eq!((counters.total(), counters.of("$batch"), counters.batched_of("POST")), (1, 1, 20));
}

#[test]
fn what_depends_on_a_failure_fails() {
    let World { client, .. } = World::new();
    let mut waiting = create(2);
    waiting["dependsOn"] = json!(["1"]);
    let broken = json!({"id": "1", "method": "GET", "url": format!("/users/{ANNA}/events/none")});
    let responses = send(&client, &[broken, waiting]);
    assert_eq!((status(&responses, "1"), status(&responses, "2")), (400, 424));
}

#[test]
fn what_is_no_batch_is_refused() {
    let World { client, .. } = World::new();
    let refused = |requests: Vec<Value>| client.post("/v1.0/$batch", json!({"requests": requests})).expect(400);
    refused((0..21).map(create).collect());
    refused(vec![create(1), create(1)]);
    let mut untyped = create(1);
    untyped["headers"] = json!({});
    refused(vec![untyped]);
    let mut waiting = create(1);
    waiting["dependsOn"] = json!(["later"]);
    refused(vec![waiting]);
}

/// So many creations, each with what it waits for.
fn waiting(count: usize, waits_for: impl Fn(usize) -> Vec<usize>) -> Vec<Value> {
    let request = |id: usize| {
        let mut request = create(id);
        request["dependsOn"] = waits_for(id).into_iter().map(|id| id.to_string()).collect();
        request
    };
    (0..count).map(request).collect()
}

#[test]
fn a_batch_is_parallel_or_sequential_or_waits_for_its_first() {
    let World { client, .. } = World::new();
    let parallel = waiting(8, |_| Vec::new());
    let sequential = waiting(8, |id| id.checked_sub(1).into_iter().collect());
    let after_the_first = waiting(8, |id| Vec::from(if id == 0 { &[][..] } else { &[0] }));
    for requests in [parallel, sequential, after_the_first] {
        assert!(send(&client, &requests).iter().all(|one| one["status"] == 201));
    }
    let four_chains = waiting(8, |id| id.checked_sub(4).into_iter().collect());
    let one_pair = waiting(8, |id| if id == 7 { vec![6] } else { Vec::new() });
    let of_two = waiting(8, |id| if id > 1 { vec![0, 1] } else { Vec::new() });
    for requests in [four_chains, one_pair, of_two] {
        let answer = client.post("/v1.0/$batch", json!({"requests": requests})).expect(400);
        let message = answer["error"]["message"].as_str().unwrap();
        assert_eq!(message, "Batch should be either fully sequential or fully parallel.");
    }
}

#[test]
fn some_of_those_beyond_four_are_throttled_but_none_of_a_sequence() {
    let World { simulator, client } = World::new();
    let parallel: Vec<Value> = (0..20).map(create).collect();
    assert!(send(&client, &parallel).iter().all(|one| one["status"] == 201));
    simulator.switch_on(Fault::new(FaultName::BatchThrottled).value(7));
    let responses = send(&client, &parallel);
    let throttled: Vec<&Value> = responses.iter().filter(|one| one["status"] == 429).collect();
    assert!((1..16).contains(&throttled.len()), "{}", throttled.len());
    assert!(throttled.iter().all(|one| one["headers"]["Retry-After"] == "7"));
    assert!((0..4).all(|id| status(&responses, &id.to_string()) == 201));
    let sequential = waiting(20, |id| id.checked_sub(1).into_iter().collect());
    assert!(send(&client, &sequential).iter().all(|one| one["status"] == 201));
}

#[test]
fn a_lost_answer_loses_the_whole_batch_after_it_was_done() {
    let World { simulator, client } = World::new();
    simulator.switch_on(Fault::new(FaultName::LostAnswer).on("POST").times(1));
    assert!(client.try_send("POST", "/v1.0/$batch", Some(json!({"requests": [create(1), create(2)]}))).is_err());
    assert_eq!(simulator.user(ANNA).events("Calendar").len(), 2);
}
