//! Recurrence rules (RFC 5545 3.3.10), walked in local time and with bounded work.

use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{Month, NaiveDateTime, TimeZone, Weekday};
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Tz};

use crate::Effort;
use crate::error::Unreadable;
use crate::value::{self, Written};

/// The most entries of one list in a rule: each second of a minute, and one more.
const LONGEST_LIST: usize = 64;

/// The most that a rule may put into one range: far more than the contract lets a series have.
const MOST_STARTS: usize = 20_000;

/// Days or occurrences that one step of effort makes.
const STEP: usize = 128;

/// A rule as it is written.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    frequency: Frequency,
    interval: u16,
    count: Option<u32>,
    /// In the zone of the series once [`Rule::starts`] is told so.
    pub(crate) until: Option<Written>,
    /// The most occurrences that one step of its frequency makes, days and times of day.
    step: usize,
    parts: RRule<rrule::Unvalidated>,
}

impl Rule {
    /// Reads `FREQ=WEEKLY;BYDAY=MO,TH;UNTIL=20271231T225959Z`; none where something in it is not known or not sane.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<(String, &str)> = text
            .split(';')
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.split_once('=').map(|(key, value)| (key.trim().to_ascii_uppercase(), value.trim())))
            .collect::<Option<_>>()?;
        let frequency = parts.iter().find(|(key, _)| key == "FREQ").and_then(|(_, value)| frequency(value))?;
        let mut rule = Self { frequency, interval: 1, count: None, until: None, step: 1, parts: RRule::new(frequency) };
        if !is_bounded(frequency, &parts) {
            return None;
        }
        // How many times of day, so that one step of a rule does not become millions.
        let (mut hours, mut minutes, mut seconds) = (1, 1, 1);
        for (key, value) in &parts {
            let parts = rule.parts.clone();
            rule.parts = match key.as_str() {
                "INTERVAL" => {
                    rule.interval = value.parse().ok().filter(|interval| *interval > 0)?;
                    parts.interval(rule.interval)
                }
                "COUNT" => {
                    rule.count = Some(value.parse().ok().filter(|count| *count > 0)?);
                    parts
                }
                "UNTIL" => {
                    rule.until = Some(value::date_or_time(value)?);
                    parts
                }
                "WKST" => parts.week_start(weekday(value)?),
                "BYDAY" => parts.by_weekday(list(value, numbered_weekday)?),
                "BYMONTH" => parts.by_month(&list(value, |month| Month::try_from(month.parse::<u8>().ok()?).ok())?),
                "BYMONTHDAY" => parts.by_month_day(numbers(value)?),
                "BYYEARDAY" => parts.by_year_day(numbers(value)?),
                "BYWEEKNO" => parts.by_week_no(numbers(value)?),
                "BYSETPOS" => parts.by_set_pos(numbers(value)?),
                "BYHOUR" => parts.by_hour(counted(numbers(value)?, &mut hours)),
                "BYMINUTE" => parts.by_minute(counted(numbers(value)?, &mut minutes)),
                "BYSECOND" => parts.by_second(counted(numbers(value)?, &mut seconds)),
                "FREQ" => parts,
                extension if extension.starts_with("X-") => parts,
                _ => return None,
            };
        }
        rule.step = hours * minutes * seconds * days(frequency);
        (rule.step <= Effort::SERIES as usize).then_some(rule)
    }

    /// Whether it comes to an end by itself.
    pub(crate) fn ends(&self) -> bool {
        self.count.is_some() || self.until.is_some()
    }

    /// The local times in a range at which the rule puts something that first happens at `start`.
    ///
    /// `until` is the rule's own end in the same local time. An endless rule is not walked from its beginning but from
    /// shortly before the range, as far as it has no count.
    pub(crate) fn starts(
        &self,
        start: NaiveDateTime,
        until: Option<NaiveDateTime>,
        range: &RangeInclusive<NaiveDateTime>,
        effort: &mut Effort,
    ) -> Result<Vec<NaiveDateTime>, Unreadable> {
        if effort.is_spent() {
            return Err(Unreadable::Endless);
        }
        let last = until.map_or(*range.end(), |until| until.min(*range.end()));
        let mut found = Vec::new();
        if last < *range.start() || last < start {
            return Ok(found);
        }
        // Time zones do not enter here: local time goes in and comes out as if it were UTC.
        let skipped = self.skip(start, *range.start());
        let from = Tz::UTC.from_utc_datetime(&skipped);
        let rule = self.parts.clone().validate(from).map_err(|_| Unreadable::Value("RRULE"))?;
        let rules = RRuleSet::new(from).limit().rrule(rule);
        effort.spend(u32::try_from(self.step / STEP).unwrap_or(u32::MAX));
        let mut before = skipped;
        for (steps, moment) in (0..).zip(&rules) {
            let local = moment.naive_utc();
            effort.spend(self.cost(before, local));
            before = local;
            if self.count.is_some_and(|count| steps >= count) || local > last {
                return Ok(found);
            }
            if local >= *range.start() {
                found.push(local);
            }
            if effort.is_spent() || found.len() > MOST_STARTS {
                return Err(Unreadable::Endless);
            }
        }
        // The rule was given up, since it came to nothing for very long.
        effort.spend(u32::MAX);
        Err(Unreadable::Endless)
    }

    /// What it costs to come from one occurrence to the next: every step of the frequency between them is walked.
    fn cost(&self, before: NaiveDateTime, after: NaiveDateTime) -> u32 {
        let interval = self.unit() * i64::from(self.interval);
        let steps = u32::try_from((after - before).num_seconds() / interval).unwrap_or(u32::MAX);
        let weight = u32::try_from(days(self.frequency).div_ceil(STEP)).unwrap_or(u32::MAX);
        steps.saturating_mul(weight).max(1)
    }

    /// The seconds of a step of its frequency; of months and years, which are not of one length, the shortest.
    fn unit(&self) -> i64 {
        match self.frequency {
            Frequency::Yearly => 365 * 86_400,
            Frequency::Monthly => 28 * 86_400,
            Frequency::Weekly => 604_800,
            Frequency::Daily => 86_400,
            Frequency::Hourly => 3_600,
            Frequency::Minutely => 60,
            Frequency::Secondly => 1,
        }
    }

    /// A start of the same rule that lies at least one interval before the range; the start itself where there is none.
    fn skip(&self, start: NaiveDateTime, range_start: NaiveDateTime) -> NaiveDateTime {
        // Months and years are not of one length, and there are few of them.
        if matches!(self.frequency, Frequency::Monthly | Frequency::Yearly) {
            return start;
        }
        let interval = self.unit() * i64::from(self.interval);
        let intervals = (range_start - start).num_seconds() / interval - 1;
        if self.count.is_some() || intervals <= 0 {
            return start;
        }
        value::shifted(start, intervals * interval).unwrap_or(start)
    }
}

/// The days among which one step of a frequency looks for its occurrences.
fn days(frequency: Frequency) -> usize {
    match frequency {
        Frequency::Yearly => 366,
        Frequency::Monthly => 31,
        Frequency::Weekly => 7,
        _ => 1,
    }
}

/// Whether walking a rule cannot take very long between two occurrences. Of what recurs within a day every step is tried,
/// so it may only be restricted by what comes again soon: weekdays, months and, but for seconds, times of day.
fn is_bounded(frequency: Frequency, parts: &[(String, &str)]) -> bool {
    let allowed: &[&str] = match frequency {
        Frequency::Secondly => &[],
        Frequency::Minutely | Frequency::Hourly => &["BYDAY", "BYMONTH", "BYHOUR", "BYMINUTE", "BYSECOND"],
        _ => return true,
    };
    parts.iter().all(|(key, _)| !key.starts_with("BY") || allowed.contains(&key.as_str()))
}

fn counted(values: Vec<u8>, count: &mut usize) -> Vec<u8> {
    *count = values.len().max(1);
    values
}

fn list<T>(value: &str, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let list: Option<Vec<T>> = value.split(',').take(LONGEST_LIST + 1).map(|entry| read(entry.trim())).collect();
    list.filter(|list| list.len() <= LONGEST_LIST)
}

fn numbers<T: FromStr>(value: &str) -> Option<Vec<T>> {
    list(value, |number| number.strip_prefix('+').unwrap_or(number).parse().ok())
}

fn frequency(value: &str) -> Option<Frequency> {
    Some(match value.to_ascii_uppercase().as_str() {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        "HOURLY" => Frequency::Hourly,
        "MINUTELY" => Frequency::Minutely,
        "SECONDLY" => Frequency::Secondly,
        _ => return None,
    })
}

/// `MO`, `2TU`, `-1SU`.
fn numbered_weekday(value: &str) -> Option<NWeekday> {
    let (number, day) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let day = weekday(day)?;
    if number.is_empty() {
        return Some(NWeekday::Every(day));
    }
    let number: i16 = number.strip_prefix('+').unwrap_or(number).parse().ok()?;
    Some(NWeekday::Nth(number, day))
}

fn weekday(value: &str) -> Option<Weekday> {
    Some(match value.to_ascii_uppercase().as_str() {
        "MO" => Weekday::Mon,
        "TU" => Weekday::Tue,
        "WE" => Weekday::Wed,
        "TH" => Weekday::Thu,
        "FR" => Weekday::Fri,
        "SA" => Weekday::Sat,
        "SU" => Weekday::Sun,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn local(text: &str) -> NaiveDateTime {
        match value::date_or_time(text) {
            Some(Written::Local(time)) => time,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn walk(rule: &str, start: &str, from: &str, to: &str) -> Result<Vec<String>, Unreadable> {
        let rule = Rule::parse(rule).ok_or(Unreadable::Value("RRULE"))?;
        let until = rule.until.map(|until| match until {
            Written::Local(time) | Written::Utc(time) => time,
            Written::Date(date) => date.and_hms_opt(23, 59, 59).unwrap(),
        });
        let range = local(from)..=local(to);
        let starts = rule.starts(local(start), until, &range, &mut Effort::new(Effort::SERIES))?;
        Ok(starts.into_iter().map(value::format_local).collect())
    }

    #[test]
    fn rules_put_occurrences_where_the_standard_says() {
        let year = |rule, start| walk(rule, start, "19970101T000000", "19981231T235959").unwrap();
        assert_eq!(
            year("FREQ=DAILY;COUNT=3", "19970902T090000"),
            ["19970902T090000", "19970903T090000", "19970904T090000"]
        );
        assert_eq!(
            year("FREQ=WEEKLY;INTERVAL=2;UNTIL=19971005T000000Z;WKST=SU;BYDAY=MO,WE,FR", "19970901T090000"),
            [
                "19970901T090000",
                "19970903T090000",
                "19970905T090000",
                "19970915T090000",
                "19970917T090000",
                "19970919T090000",
                "19970929T090000",
                "19971001T090000",
                "19971003T090000"
            ]
        );
        assert_eq!(
            year("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "19970922T090000"),
            ["19970922T090000", "19971020T090000", "19971117T090000"]
        );
        assert_eq!(
            year("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T090000"),
            ["19970904T090000", "19971007T090000", "19971106T090000"]
        );
        assert_eq!(
            year("FREQ=MONTHLY;COUNT=4;BYMONTHDAY=15,30", "19980115T090000"),
            ["19980115T090000", "19980130T090000", "19980215T090000", "19980315T090000"]
        );
        assert_eq!(
            year("FREQ=YEARLY;COUNT=2;BYWEEKNO=20;BYDAY=MO", "19970512T090000"),
            ["19970512T090000", "19980511T090000"]
        );
    }

    #[test]
    fn an_endless_rule_is_not_walked_from_its_beginning() {
        let far = walk("FREQ=SECONDLY", "19700101T000000", "20261201T090000", "20261201T090002").unwrap();
        assert_eq!(far, ["20261201T090000", "20261201T090001", "20261201T090002"]);
        let fortnight =
            walk("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=MO", "20200107T080000", "20261201T000000", "20261220T000000")
                .unwrap();
        assert_eq!(fortnight, ["20261201T080000", "20261206T080000", "20261215T080000"]);
    }

    #[test]
    fn what_comes_to_nothing_is_given_up() {
        let never =
            walk("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "20260101T000000", "20260101T000000", "20270101T000000");
        assert_eq!(never, Err(Unreadable::Endless));
        // Each of these walks thousands of steps from one occurrence to the next.
        for rare in [
            "FREQ=HOURLY;COUNT=9999;BYMONTH=2;BYDAY=MO;BYHOUR=9",
            "FREQ=MINUTELY;COUNT=9999;BYHOUR=9;BYMINUTE=0",
            "FREQ=DAILY;COUNT=9999;BYMONTH=2;BYMONTHDAY=29",
        ] {
            let found = walk(rare, "00010101T090000", "20260101T000000", "20270101T000000");
            assert_eq!(found, Err(Unreadable::Endless), "{rare}");
        }
        let many = walk("FREQ=SECONDLY;COUNT=4000000", "20000101T000000", "20260101T000000", "20270101T000000");
        assert_eq!(many, Err(Unreadable::Endless));
    }

    #[test]
    fn a_rule_that_is_not_sane_is_none() {
        for wrong in [
            "",
            "FREQ=OFTEN",
            "BYDAY=MO",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;COUNT=0",
            "FREQ=DAILY;UNTIL=tomorrow",
            "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=WEEKLY;BYDAY=ąó",
            "FREQ=DAILY;BYMONTH=13",
            "FREQ=DAILY;RSCALE=HEBREW",
            "FREQ=DAILY;INTERVAL=70000",
            "no rule",
            "FREQ=SECONDLY;BYHOUR=9",
            "FREQ=MINUTELY;BYMONTHDAY=30;BYMONTH=2",
            "FREQ=HOURLY;BYSETPOS=1",
        ] {
            assert!(Rule::parse(wrong).is_none(), "{wrong}");
        }
        let every = |count: u8| (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
        let bomb = format!("FREQ=YEARLY;BYDAY=MO;BYHOUR={};BYMINUTE={};BYSECOND={}", every(24), every(60), every(60));
        assert!(Rule::parse(&bomb).is_none());
    }

    fn part() -> impl Strategy<Value = String> {
        let number = || -400_i32..400;
        prop_oneof![
            (0_u32..70_000).prop_map(|count| format!("COUNT={count}")),
            (0_u32..70_000).prop_map(|interval| format!("INTERVAL={interval}")),
            prop::sample::select(vec![
                "WKST=SU",
                "BYDAY=MO,-1SU",
                "BYDAY=53TU",
                "BYDAY=SA,SU",
                "UNTIL=20280101T000000Z"
            ])
            .prop_map(str::to_owned),
            (
                prop::sample::select(vec![
                    "BYMONTH",
                    "BYMONTHDAY",
                    "BYYEARDAY",
                    "BYWEEKNO",
                    "BYSETPOS",
                    "BYHOUR",
                    "BYMINUTE",
                    "BYSECOND"
                ]),
                prop::collection::vec(number(), 1..4)
            )
                .prop_map(|(key, values)| format!(
                    "{key}={}",
                    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
                )),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn any_rule_ends_in_order_and_within_the_range(
            frequency in prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"]),
            parts in prop::collection::vec(part(), 0..4),
        ) {
            let text = format!("FREQ={frequency};{}", parts.join(";"));
            if let Ok(starts) = walk(&text, "20240229T233000", "20260101T000000", "20271231T000000") {
                prop_assert!(starts.is_sorted(), "{}: {:?}", text, starts);
                prop_assert!(starts.iter().all(|start| start.as_str() >= "20260101T000000" && start.as_str() <= "20271231T000000"));
            }
        }
    }
}
