//! Time zones: IANA names with us, Windows names at Outlook.

use chrono::{Days, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

const TABLE: &str = include_str!("../data/windows-zones.txt");

/// The zone of the account.
///
/// # Errors
///
/// There is no such zone.
pub(crate) fn account(name: &str) -> Result<Tz, String> {
    name.parse().map_err(|_| format!("`{}` is no IANA time zone", name.escape_debug()))
}

/// The zone that a server names by its Windows or IANA name, seen by an account: several zones share a Windows name, and
/// where the account's is among them, it is meant. None for a name that nobody knows.
pub(crate) fn read(name: &str, account: Tz) -> Option<Tz> {
    match name.trim() {
        "tzone://Microsoft/Utc" => return Some(Tz::UTC),
        // Known to the mailbox alone.
        "tzone://Microsoft/Custom" => return Some(account),
        _ => {}
    }
    let name = name.trim();
    let Some((windows, main)) =
        rows().find(|row| row.windows.eq_ignore_ascii_case(name)).map(|row| (row.windows, row.main))
    else {
        return name.parse().ok();
    };
    match windows_name(account) {
        Some(accounts) if accounts == windows => Some(account),
        _ if windows == "UTC" => Some(Tz::UTC),
        _ => main.parse().ok(),
    }
}

/// The Windows name of a zone; none for the few that Windows does not know.
pub(crate) fn windows_name(zone: Tz) -> Option<&'static str> {
    row(zone).map(|row| row.windows)
}

/// Whether it is UTC, by whatever name.
pub(crate) fn is_utc(zone: Tz) -> bool {
    windows_name(zone) == Some("UTC")
}

/// How a zone is written: its Windows name, and the zone that this name stands for. Local times must be those of the latter,
/// or a zone whose own clocks have left those of its Windows name would move what is written.
pub(crate) fn written(zone: Tz) -> Option<(&'static str, Tz)> {
    let row = row(zone)?;
    Some((row.windows, row.main.parse().ok()?))
}

fn row(zone: Tz) -> Option<Row> {
    let name = zone.name();
    rows().find(|row| row.main == name || row.others.split(' ').any(|other| other == name))
}

/// The instant of a local time. Of two the earlier one; a time that the clocks skip is as much later as they skip.
pub(crate) fn instant(local: NaiveDateTime, zone: Tz) -> i64 {
    let earliest = zone.from_local_datetime(&local).earliest().map(|found| found.timestamp());
    earliest.unwrap_or_else(|| {
        let before = local.checked_sub_days(Days::new(1)).unwrap_or(local);
        let offset = zone.offset_from_utc_datetime(&before).fix().local_minus_utc();
        local.and_utc().timestamp() - i64::from(offset)
    })
}

struct Row {
    windows: &'static str,
    main: &'static str,
    others: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split(';');
        Some(Row { windows: columns.next()?, main: columns.next()?, others: columns.next()? })
    })
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use chrono_tz::TZ_VARIANTS;

    use super::*;

    #[test]
    fn every_zone_but_one_has_a_windows_name() {
        let without: Vec<_> =
            TZ_VARIANTS.into_iter().filter(|zone| windows_name(*zone).is_none()).map(Tz::name).collect();
        assert_eq!(without, ["Antarctica/Troll"]);
    }

    #[test]
    fn newer_names_and_those_that_cldr_leaves_out_are_mapped() {
        for (zone, windows) in [
            (Tz::Europe__Kyiv, "FLE Standard Time"),
            (Tz::Asia__Kolkata, "India Standard Time"),
            (Tz::America__Nuuk, "Greenland Standard Time"),
            (Tz::America__Ciudad_Juarez, "Mountain Standard Time"),
            (Tz::America__Atikokan, "SA Pacific Standard Time"),
            (Tz::Africa__Asmara, "E. Africa Standard Time"),
            (Tz::Pacific__Chuuk, "West Pacific Standard Time"),
            (Tz::Pacific__Pohnpei, "Central Pacific Standard Time"),
            (Tz::EST, "SA Pacific Standard Time"),
            (Tz::MST, "US Mountain Standard Time"),
            (Tz::HST, "Hawaiian Standard Time"),
            (Tz::Europe__Berlin, "W. Europe Standard Time"),
            (Tz::Europe__Warsaw, "Central European Standard Time"),
            (Tz::UTC, "UTC"),
        ] {
            assert_eq!(windows_name(zone), Some(windows), "{zone}");
        }
    }

    #[test]
    fn a_windows_name_stands_for_a_zone_of_the_same_clocks() {
        // Midsummer and midwinter of 2026 and 2030.
        let instants = [1_783_000_000, 1_768_000_000, 1_909_000_000, 1_894_000_000];
        let offsets = |zone: Tz| {
            let utc = |at| DateTime::from_timestamp(at, 0).unwrap().naive_utc();
            instants.map(|at| zone.offset_from_utc_datetime(&utc(at)).fix().local_minus_utc())
        };
        let is_other = |zone: &Tz| {
            let main = windows_name(*zone).and_then(|windows| read(windows, Tz::Antarctica__Troll));
            main.is_some_and(|main| offsets(main) != offsets(*zone))
        };
        let others: Vec<_> = TZ_VARIANTS.into_iter().filter(is_other).map(Tz::name).collect();
        // CLDR gives them the nearest name; see `written`.
        assert_eq!(others, ["America/Scoresbysund", "Antarctica/Casey", "Antarctica/Vostok"]);
    }

    #[test]
    fn names_are_read_as_the_account_sees_them() {
        let read = |name, account| read(name, account).map(|zone| zone.name());
        assert_eq!(read("Central European Standard Time", Tz::UTC), Some("Europe/Warsaw"));
        assert_eq!(read("Central European Standard Time", Tz::Europe__Zagreb), Some("Europe/Zagreb"));
        assert_eq!(read("w. europe standard time", Tz::Europe__Warsaw), Some("Europe/Berlin"));
        assert_eq!(read("America/New_York", Tz::Europe__Warsaw), Some("America/New_York"));
        assert_eq!(read("UTC", Tz::Europe__Warsaw), Some("UTC"));
        assert_eq!(read("tzone://Microsoft/Utc", Tz::Europe__Warsaw), Some("UTC"));
        assert_eq!(read("tzone://Microsoft/Custom", Tz::Europe__Warsaw), Some("Europe/Warsaw"));
        assert_eq!(read("Customized Time Zone", Tz::Europe__Warsaw), None);
        assert_eq!(read("", Tz::Europe__Warsaw), None);
    }

    #[test]
    fn local_times_that_are_skipped_or_come_twice_have_one_instant() {
        let at = |day, hour, minute| {
            NaiveDate::from_ymd_opt(2026, if day == 29 { 3 } else { 10 }, day)
                .unwrap()
                .and_hms_opt(hour, minute, 0)
                .unwrap()
        };
        let warsaw = |local| instant(local, Tz::Europe__Warsaw);
        assert_eq!(warsaw(at(29, 2, 30)), warsaw(at(29, 3, 30)));
        assert_eq!(warsaw(at(25, 3, 30)) - warsaw(at(25, 2, 30)), 7_200);
    }
}
