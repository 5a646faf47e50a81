//! Why there is no such event, or none on this host.

use std::fmt;

use crate::profile::Setting;

/// Why there is no such event, or none on this host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventError {
    /// No kind of event has this name.
    UnknownKind {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The event has no such setting.
    UnknownSetting {
        /// The kind of event.
        kind: &'static str,
        /// What was asked for.
        key: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The setting does not take this.
    Refused {
        /// The kind of event.
        kind: &'static str,
        /// The setting.
        setting: Setting,
        /// What it was given.
        value: String,
    },
    /// The host has no such part.
    NoSuch {
        /// The kind of event.
        kind: &'static str,
        /// What it is about: `disk`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// It cannot happen to this host.
    Impossible {
        /// The kind of event.
        kind: &'static str,
        /// Why not.
        why: String,
    },
}

/// A machine may have thousands of devices; so many are named.
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
