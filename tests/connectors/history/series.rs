//! Series of their owner: each of their occurrences is an activity of its own.

use apptsync_model::outlook::{HeadquartersId, Link, LinkState};
use apptsync_model::{ActivityId, Instant, Period};
use apptsync_store::OutlookStore;
use apptsync_tests::dice::Dice;

use super::History;
use crate::bench::HOUR;
use crate::calendar::{Item, SeriesEdit};

/// How many series a calendar has at most.
const MOST: usize = 2;

/// When something takes place, and what it says.
type Said = (i64, String);

impl History<'_> {
    pub(super) fn happen_to_series(&mut self, dice: &mut Dice) {
        match dice.below(20) {
            0..2 if self.series.len() < MOST => self.add_series(dice),
            _ if self.series.is_empty() => self.add_series(dice),
            0..13 => self.edit_series(dice),
            _ => self.edit_occurrence_here(dice),
        }
    }

    /// All of it lies in the window, and in the future until the end of the history, wherever its occurrences are moved.
    fn add_series(&mut self, dice: &mut Dice) {
        let count = dice.between(2, 5);
        let hours = dice.between(26, if count == 5 { 30 } else { 100 });
        let subject = self.text();
        let handle = self.calendar.add_series(&subject, self.bench.now.0 + hours * HOUR, count as u32);
        self.log.push(format!("series {handle} of {count} from +{hours}h is made: {subject}"));
        self.series_texts.insert(subject.clone());
        self.written.insert(format!("series {handle} "), subject);
        self.series.insert(handle);
    }

    fn series_token(&mut self, place: String) -> String {
        let token = self.token(place);
        self.series_texts.insert(token.clone());
        token
    }

    fn edit_series(&mut self, dice: &mut Dice) {
        let there = self.series.iter().filter_map(|handle| Some((handle.clone(), self.calendar.series(handle)?)));
        let mut there: Vec<_> = there.filter(|(_, series)| !series.occurrences.is_empty()).collect();
        if there.is_empty() {
            return;
        }
        let (handle, series) = there.swap_remove(dice.below(there.len()));
        let at = series.occurrences[dice.below(series.occurrences.len())].original_start;
        let edit = match dice.below(10) {
            0..3 => SeriesEdit::StartOfOne(at, at + dice.between(1, 12) * HOUR),
            3..5 => SeriesEdit::SubjectOfOne(at, self.series_token(format!("series {handle} at {at}"))),
            5..7 if series.occurrences.len() > 1 => {
                self.written.remove(&format!("series {handle} at {at}"));
                SeriesEdit::DeleteOne(at)
            }
            7..9 => SeriesEdit::Subject(self.series_token(format!("series {handle} "))),
            _ => {
                self.written.retain(|place, _| !place.starts_with(&format!("series {handle} ")));
                self.log.push(format!("series {handle} is deleted"));
                self.calendar.delete(&handle);
                return;
            }
        };
        self.log.push(format!("series {handle}: {edit:?}"));
        self.calendar.edit_series(&handle, &edit);
    }

    /// The open activities of occurrences, with their links.
    fn occurrences_here(&self) -> Vec<(ActivityId, Link)> {
        let links = self.bench.store.links(self.bench.profile().id).expect("links");
        let linked = links.into_iter().filter(|link| link.occurrence.is_some() && link.state == LinkState::Linked);
        let of_activity = linked.filter_map(|link| match link.headquarters {
            Some(HeadquartersId::Activity(id)) => Some((id, link)),
            _ => None,
        });
        of_activity.filter(|(id, _)| !self.bench.activity(*id).canceled).collect()
    }

    fn edit_occurrence_here(&mut self, dice: &mut Dice) {
        let mut all = self.occurrences_here();
        if all.is_empty() {
            return;
        }
        let (id, link) = all.swap_remove(dice.below(all.len()));
        let Some(occurrence) = link.occurrence else { return };
        self.changed_here.insert(id);
        match dice.below(10) {
            0..5 => {
                let token = self.series_token(format!("here {id}"));
                self.log.push(format!("activity {id} of an occurrence: {token}"));
                self.bench.edit(id, |fields| fields.subject = token);
            }
            5..9 => {
                let start = occurrence.original_start.0 + dice.between(1, 12) * HOUR;
                let period = Period::Timed { start: Instant(start), end: Instant(start + HOUR) };
                self.log.push(format!("activity {id} of an occurrence is moved to {start}"));
                self.bench.edit(id, |fields| fields.period = period);
            }
            _ => {
                self.log.push(format!("activity {id} of an occurrence is canceled"));
                self.bench.cancel(id);
            }
        }
    }

    /// Everything that a series says or said.
    pub(super) fn texts_of_series(&self) -> impl Iterator<Item = String> {
        let series = self.series.iter().filter_map(|handle| self.calendar.series(handle));
        series.flat_map(|series| {
            let occurrences = series.occurrences.into_iter().map(|occurrence| occurrence.subject);
            occurrences.chain([series.subject])
        })
    }

    /// The open activities that came from series are the occurrences, each once, and what was made anew of those that
    /// were deleted.
    pub(super) fn check_series(&self, items: &[Item]) {
        let series = self.series.iter().filter_map(|handle| self.calendar.series(handle));
        let occurrences = series.flat_map(|series| series.occurrences);
        let mut there: Vec<Said> = occurrences.map(|occurrence| (occurrence.start, occurrence.subject)).collect();
        let alone = items.iter().filter(|item| self.series_texts.contains(&item.subject));
        there.extend(alone.map(|item| (item.start, item.subject.clone())));
        there.sort_unstable();

        let links = self.bench.store.links(self.bench.profile().id).expect("links");
        let is_left_alone = |id: ActivityId| {
            let mut own = links.iter().filter(|link| link.headquarters == Some(HeadquartersId::Activity(id)));
            own.any(|link| link.state == LinkState::Suppressed)
        };
        let mut here: Vec<Said> = Vec::new();
        for activity in self.bench.activities() {
            if activity.canceled || !self.series_texts.contains(&activity.subject) {
                continue;
            }
            if self.held.contains(&format!("activity/{}", activity.id)) || is_left_alone(activity.id) {
                let is_changed = self.changed_here.contains(&activity.id);
                assert!(is_changed, "activity {} is kept although nobody changed it here", activity.id);
                continue;
            }
            here.push((activity.start.0, activity.subject));
        }
        here.sort_unstable();
        assert_eq!(here, there, "what is here of the series is what is there: {links:#?}");
    }
}
