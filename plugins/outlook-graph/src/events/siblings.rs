//! Occurrences of a series, written one at a time. Each of them has the version of the whole series: writing one makes the
//! version stale that its siblings were looked at in.

use std::collections::HashSet;

use serde_json::Value;

use crate::batch::{Answer, Batches, Part};
use crate::etag;

/// Sends writes; of those that belong to the same series (an empty mark is none), one at a time. What held the version before
/// such a write is sent with the one after it.
pub(crate) fn send(batches: &mut Batches<'_>, mut writes: Vec<(Part, String)>) -> Vec<Answer> {
    let mut answers: Vec<Option<Answer>> = vec![None; writes.len()];
    let mut open: Vec<usize> = (0..writes.len()).collect();
    while !open.is_empty() {
        let mut under_way = HashSet::new();
        let (now, later): (Vec<usize>, Vec<usize>) = open.into_iter().partition(|&place| {
            let series = &writes[place].1;
            series.is_empty() || under_way.insert(series.clone())
        });
        open = later;
        let parts: Vec<Part> = now.iter().map(|&place| writes[place].0.clone()).collect();
        let mut renewals: Vec<(usize, Option<String>)> = Vec::new();
        for (place, answer) in now.into_iter().zip(batches.send(&parts)) {
            if let Answer::Done(entity) = &answer {
                renewals.push((place, version(entity)));
            }
            answers[place] = Some(answer);
        }
        renew(batches, &mut writes, &open, renewals);
    }
    answers.into_iter().flatten().collect()
}

/// Passes the versions after some writes on to the siblings that wait with the ones before. A deletion is answered without
/// one: the next sibling is asked, at once, because what somebody else changes before that is not seen.
fn renew(
    batches: &mut Batches<'_>,
    writes: &mut [(Part, String)],
    open: &[usize],
    renewals: Vec<(usize, Option<String>)>,
) {
    let siblings = |writes: &[(Part, String)], place: usize| -> Vec<usize> {
        let (part, series) = &writes[place];
        let is_sibling = |other: &&usize| {
            let (other, its_series) = &writes[**other];
            !series.is_empty()
                && its_series == series
                && part.if_match().is_some()
                && other.if_match() == part.if_match()
        };
        open.iter().filter(is_sibling).copied().collect()
    };
    let mut waiting: Vec<(Vec<usize>, Option<String>)> = renewals
        .into_iter()
        .map(|(place, version)| (siblings(writes, place), version))
        .filter(|(siblings, _)| !siblings.is_empty())
        .collect();
    let unknown = |(siblings, version): &(Vec<usize>, Option<String>)| version.is_none().then(|| siblings[0]);
    let questions: Vec<Part> = waiting.iter().filter_map(unknown).map(|place| writes[place].0.version()).collect();
    let mut answers = batches.send(&questions).into_iter();
    for (siblings, known) in &mut waiting {
        let found = known.take().or_else(|| match answers.next()? {
            Answer::Done(entity) => version(&entity),
            _ => None,
        });
        for &mut place in siblings {
            if let Some(version) = &found {
                writes[place].0.renew(version);
            }
        }
    }
}

fn version(entity: &Value) -> Option<String> {
    etag::of(entity).ok().map(str::to_owned)
}
