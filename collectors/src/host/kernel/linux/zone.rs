//! The time zone of this process, read once: the variable `TZ`, otherwise `/etc/localtime`.
#![expect(clippy::disallowed_methods, reason = "part of the real kernel, and the zone is set by the environment")]

use std::env::{VarError, var};
use std::fmt;

use tz::{TimeZone, TimeZoneRef};

use crate::host::kernel::Zone;

/// The rules of the zone; UTC if they cannot be read.
pub(super) struct Zones(TimeZone);

impl Zones {
    /// Reads the zone of the environment.
    pub(super) fn local() -> Self {
        let variable = var("TZ").or_else(|error| match error {
            VarError::NotPresent => Err(()),
            VarError::NotUnicode(_) => Ok(String::new()),
        });
        let zone = match variable.as_deref() {
            Err(()) => TimeZone::local(),
            Ok(text) => TimeZone::from_posix_tz(text),
        };
        Self(zone.unwrap_or_else(|_| TimeZone::utc()))
    }

    /// The offset and abbreviation in force at a time in seconds since 1970.
    pub(super) fn at(&self, unix_seconds: i64, into: &mut Zone) {
        let zone = self.0.as_ref();
        let found = zone.find_local_time_type(unix_seconds).ok().or_else(|| last_type(&zone));
        let utc = tz::LocalTimeType::utc();
        let found = found.unwrap_or(&utc);
        let name = match found.time_zone_designation() {
            "" => "UTC",
            name => name,
        };
        into.name.clear();
        into.name.extend_from_slice(name.as_bytes());
        into.offset_seconds = found.ut_offset();
    }
}

/// Zone files without a rule for the future leave the last change in force.
fn last_type<'a>(zone: &TimeZoneRef<'a>) -> Option<&'a tz::LocalTimeType> {
    zone.local_time_types().get(zone.transitions().last()?.local_time_type_index())
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zones(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tz::{LocalTimeType, timezone::Transition};

    #[track_caller]
    fn check(zone: TimeZone, unix_seconds: i64, name: &str, offset_seconds: i32) {
        let mut into = Zone { name: b"old".to_vec(), offset_seconds: 1 };
        Zones(zone).at(unix_seconds, &mut into);
        assert_eq!(into, Zone { name: name.into(), offset_seconds });
    }

    #[test]
    fn summer_and_winter_differ() {
        let zone = TimeZone::from_posix_tz("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        check(zone.clone(), 1_720_000_000, "CEST", 7200);
        check(zone, 1_700_000_000, "CET", 3600);
    }

    #[test]
    fn the_default_zone_is_utc() {
        check(TimeZone::utc(), 0, "UTC", 0);
    }

    #[test]
    fn the_last_change_stays_in_force() {
        let types = vec![LocalTimeType::utc(), LocalTimeType::new(3600, false, Some(b"CET")).unwrap()];
        let zone = TimeZone::new(vec![Transition::new(100, 1)], types, vec![], None).unwrap();
        check(zone.clone(), 99, "UTC", 0);
        check(zone, 101, "CET", 3600);
    }

    #[test]
    fn the_zone_of_this_machine_has_a_name() {
        let mut into = Zone::default();
        Zones::local().at(1_700_000_000, &mut into);
        assert!(!into.name.is_empty() && into.offset_seconds.abs() <= 86_400, "{into:?}");
    }
}
