//! State by the raw interface.

use apptsync_plugin::bindings::lent::wasi::keyvalue::store::{self, Bucket, Error};

use crate::{number, setting};

/// What a behaviour finds; none when it is not one of state.
pub(crate) fn find(behaviour: &str) -> Option<Vec<String>> {
    Some(match behaviour {
        "remember" => remember(),
        "open" => setting("names").unwrap_or_default().split(',').map(open).collect(),
        "keys" => keys(),
        "fill" => vec![fill()],
        "large-value" => vec![large_value()],
        _ => return None,
    })
}

/// Changes what is there, and traps where that is the behaviour.
pub(crate) fn keep_before_failing(behaviour: &str) {
    if !behaviour.starts_with("keep-then-") {
        return;
    }
    let bucket = bucket();
    bucket.delete("count").expect("deleted");
    bucket.set("cursor", b"half").expect("set");
    bucket.set("count", b"wrong").expect("set");
    assert_ne!(behaviour, "keep-then-trap");
}

fn say<T>(result: Result<T, Error>, show: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => show(value),
        Err(Error::Other(words)) => format!("error {words}"),
        Err(error) => format!("error {error:?}"),
    }
}

fn bucket() -> Bucket {
    store::open("default").expect("the bucket")
}

/// Counts in state how often it was asked, and shows what is there.
fn remember() -> Vec<String> {
    let bucket = match store::open("default") {
        Ok(bucket) => bucket,
        Err(error) => return vec![format!("error {error:?}")],
    };
    let count = |value: Option<Vec<u8>>| value.map_or(0, |value| value.len());
    let before = bucket.get("count").map(count);
    let set = bucket.set("count", &vec![1; before.as_ref().map_or(0, |count| count + 1)]);
    let gone = bucket.set("gone", b"x").and_then(|()| bucket.delete("gone")).and_then(|()| bucket.exists("gone"));
    let keys = bucket.list_keys(None);
    vec![
        say(before, |count| format!("{count} before")),
        say(set, |()| "set".to_owned()),
        say(gone, |exists| format!("gone: {}", !exists)),
        say(bucket.get("count"), |value| format!("{} after", count(value))),
        say(keys, |response| format!("{:?} {:?}", response.keys, response.cursor)),
    ]
}

fn open(name: &str) -> String {
    say(store::open(name), |_| "opened".to_owned())
}

/// Keys that are none.
fn keys() -> Vec<String> {
    let bucket = bucket();
    let long = "k".repeat(257);
    let keys = ["", "a\nb", "a\0b", &long, "a/../b", "other-plugin:key"];
    keys.iter().map(|key| say(bucket.set(key, b"x"), |()| "set".to_owned())).collect()
}

/// Sets `count` keys, and says how many there were when it ended.
fn fill() -> String {
    let bucket = bucket();
    let value = vec![b'x'; number("bytes")];
    for count in 0..number("count") {
        if let Err(error) = bucket.set(&format!("key-{count}"), &value) {
            return say::<()>(Err(error), |()| String::new()) + &format!(" after {count}");
        }
    }
    "all set".to_owned()
}

fn large_value() -> String {
    say(bucket().set("large", &vec![b'x'; 65_537]), |()| "set".to_owned())
}
