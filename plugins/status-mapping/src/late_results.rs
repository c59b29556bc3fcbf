//! The setting for late news: results that reach the headquarters after the end of the processing period.
//!
//! | configuration | what was finished … is taken over, what was finished later is Delayed |
//! |---|---|
//! | `late-results = "in-period"` (default) | up to the end of the period |
//! | `late-results = "never"` | and was imported up to the end of the period |
//! | `late-results = "grace"` with `grace = "30m"`, `late-results = "grace 30m"`, or `grace = "30m"` alone | up to so long after the end |

use apptsync_plugin::text::{excerpt, nearest};

/// What is done with results that arrive after the end of the processing period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LateResults {
    /// Taken over if the appointment was finished inside its period.
    #[default]
    InPeriod,
    /// Never taken over: the clock decides.
    Never,
    /// Taken over if the appointment was finished at most so many seconds after the end of its period.
    Grace(i64),
}

const LATE_RESULTS: &str = "late-results";
const GRACE: &str = "grace";
/// Longer graces are slips: an appointment would hardly ever become Delayed.
const LONGEST_GRACE: i64 = 366 * 86_400;

impl LateResults {
    /// Reads the setting from the plugin's configuration.
    ///
    /// # Errors
    ///
    /// A sentence that names the key, the value and what is allowed.
    pub fn from_configuration(pairs: &[(String, String)]) -> Result<Self, String> {
        let value = |key: &str| pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
        if let Some((key, _)) = pairs.iter().find(|(key, _)| key != LATE_RESULTS && key != GRACE) {
            let hint = nearest(key, [LATE_RESULTS, GRACE]).map(|name| format!(", did you mean `{name}`?"));
            let allowed = format!("; the keys are `{LATE_RESULTS}` and `{GRACE}`");
            return Err(format!("unknown key `{}`{}", excerpt(key, 64), hint.unwrap_or(allowed)));
        }
        let grace = value(GRACE).map(|text| duration(text).ok_or_else(|| wrong_grace(text))).transpose()?;
        let Some(setting) = value(LATE_RESULTS) else {
            return Ok(grace.map_or_else(Self::default, Self::Grace));
        };
        match (setting.trim(), grace) {
            ("in-period", None) => Ok(Self::InPeriod),
            ("in-period" | "grace", Some(seconds)) => Ok(Self::Grace(seconds)),
            ("never", None) => Ok(Self::Never),
            ("never", Some(_)) => {
                Err(format!("`{LATE_RESULTS} = \"never\"` and `{GRACE}` contradict each other: leave one of them out"))
            }
            ("grace", None) => Err(format!("`{LATE_RESULTS} = \"grace\"` needs a grace: add `{GRACE} = \"30m\"`")),
            (other, grace) => match (other.strip_prefix(GRACE).and_then(duration), grace) {
                (Some(seconds), None) => Ok(Self::Grace(seconds)),
                (Some(_), Some(_)) => Err(format!(
                    "the grace is given twice, in `{LATE_RESULTS}` and in `{GRACE}`: leave one of them out"
                )),
                (None, _) => Err(format!(
                    "`{LATE_RESULTS} = \"{}\"` is not known: allowed are \"in-period\", \"never\" and \"grace\" with `{GRACE} = \"30m\"`",
                    excerpt(setting, 80)
                )),
            },
        }
    }
}

fn wrong_grace(text: &str) -> String {
    format!(
        "`{GRACE} = \"{}\"` is not a duration: write a whole number and a unit (s, m, h or d), at most 366d, such as \"30m\"",
        excerpt(text, 80)
    )
}

/// Seconds of `30m`; units s, m, h, d. A `=` and quotes around it are tolerated, as in `grace = "30m"`.
fn duration(text: &str) -> Option<i64> {
    let text = text.trim_matches(|character: char| character.is_whitespace() || matches!(character, '=' | '"' | '\''));
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number = text.strip_suffix(unit)?.trim_end();
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let total = number.parse::<i64>().ok()?.checked_mul(seconds)?;
    (total <= LONGEST_GRACE).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<LateResults, String> {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        LateResults::from_configuration(&pairs)
    }

    #[test]
    fn every_documented_spelling_is_read() {
        assert_eq!(read(&[]), Ok(LateResults::InPeriod));
        assert_eq!(read(&[("late-results", "in-period")]), Ok(LateResults::InPeriod));
        assert_eq!(read(&[("late-results", "never")]), Ok(LateResults::Never));
        assert_eq!(read(&[("late-results", "grace"), ("grace", "30m")]), Ok(LateResults::Grace(1_800)));
        assert_eq!(read(&[("late-results", "in-period"), ("grace", "45 s")]), Ok(LateResults::Grace(45)));
        assert_eq!(read(&[("grace", "2h")]), Ok(LateResults::Grace(7_200)));
        for spelling in ["grace 1d", "grace=1d", "grace = \"1d\"", "grace 24h"] {
            assert_eq!(read(&[("late-results", spelling)]), Ok(LateResults::Grace(86_400)), "{spelling}");
        }
    }

    #[test]
    fn a_wrong_value_names_key_value_and_what_is_allowed() {
        let message = read(&[("late-results", "sometimes")]).unwrap_err();
        for part in ["late-results", "sometimes", "in-period", "never", "grace"] {
            assert!(message.contains(part), "{message}");
        }
        let message = read(&[("grace", "30 minutes")]).unwrap_err();
        assert!(message.contains("`grace = \"30 minutes\"`") && message.contains("30m"), "{message}");
        let message = read(&[("late-result", "never")]).unwrap_err();
        assert!(message.contains("did you mean `late-results`?"), "{message}");
        let message = read(&[("colour", "never")]).unwrap_err();
        assert!(message.contains("`colour`") && message.contains("`late-results` and `grace`"), "{message}");
    }

    #[test]
    fn contradictions_and_slips_are_refused() {
        for pairs in [
            &[("late-results", "never"), ("grace", "1m")][..],
            &[("late-results", "grace")],
            &[("late-results", "grace 1m"), ("grace", "1m")],
            &[("grace", "")],
            &[("grace", "m")],
            &[("grace", "-1m")],
            &[("grace", "+1m")],
            &[("grace", "30")],
            &[("grace", "367d")],
            &[("grace", "99999999999999999999d")],
        ] {
            assert!(read(pairs).is_err(), "{pairs:?}");
        }
    }
}
