//! Errors of events.

use std::fmt;

use crate::profile::Setting;

/// Errors of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventError {
    /// Unknown kind.
    UnknownKind {
        /// Unknown name.
        name: String,
        /// Nearest known name.
        nearest: Option<&'static str>,
    },
    /// Unknown setting.
    UnknownSetting {
        /// Kind of event.
        kind: &'static str,
        /// Unknown name.
        key: String,
        /// Nearest known name.
        nearest: Option<&'static str>,
    },
    /// Invalid value of a setting.
    Refused {
        /// Kind of event.
        kind: &'static str,
        /// Name of the setting.
        setting: Setting,
        /// Invalid value.
        value: String,
    },
    /// Part that the host does not have.
    NoSuch {
        /// Kind of event.
        kind: &'static str,
        /// Kind of part, such as `disk`.
        what: &'static str,
        /// Unknown name.
        name: String,
        /// Nearest known name.
        nearest: Option<String>,
        /// Names of the parts it has.
        known: Vec<String>,
    },
    /// Event that cannot happen to this host.
    Impossible {
        /// Kind of event.
        kind: &'static str,
        /// Reason.
        why: String,
    },
}

/// Maximum number of device names in an error.
const NAMED_MOST: usize = 12;

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKind { name, nearest } => {
                write!(f, "no event is called `{name}`")?;
                meant(f, *nearest, super::KINDS.iter().map(|kind| kind.name))
            }
            Self::UnknownSetting { kind, key, nearest } => {
                write!(f, "event {kind} has no setting `{key}`")?;
                let known = super::KINDS.iter().find(|known| known.name == *kind).map_or(&[][..], |kind| kind.settings);
                meant(f, *nearest, known.iter().map(|setting| setting.key))
            }
            Self::Refused { kind, setting, value } => {
                write!(f, "event {kind}: {}: expected {}, found `{value}`", setting.key, setting.takes)
            }
            Self::NoSuch { kind, what, name, nearest, known } => {
                write!(f, "event {kind}: the host has no {what} `{name}`")?;
                meant(f, nearest.as_deref(), known.iter().map(String::as_str))
            }
            Self::Impossible { kind, why } => write!(f, "event {kind}: {why}"),
        }
    }
}

fn meant<'a>(f: &mut fmt::Formatter<'_>, nearest: Option<&str>, known: impl Iterator<Item = &'a str>) -> fmt::Result {
    let known: Vec<&str> = known.collect();
    match (nearest, known.get(..NAMED_MOST)) {
        (Some(nearest), _) => write!(f, "; did you mean `{nearest}`?"),
        (None, _) if known.is_empty() => write!(f, "; there is none"),
        (None, None) => write!(f, "; there are {}", known.join(", ")),
        (None, Some(first)) => write!(f, "; there are {} and {} more", first.join(", "), known.len() - first.len()),
    }
}

impl std::error::Error for EventError {}
