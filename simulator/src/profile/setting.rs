//! Settings of profiles and events: declaration, validation and error texts.

use std::fmt;
use std::ops::RangeInclusive;

use collectors::kit::nearest;

use super::Profile;

/// Declaration of a setting.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Key in `key=value`.
    pub key: &'static str,
    /// Accepted values.
    pub takes: Takes,
    /// Description.
    pub doc: &'static str,
}

/// Accepted values of a setting, and its default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// Integer within limits.
    Number {
        /// Default.
        default: u64,
        /// Minimum.
        least: u64,
        /// Maximum.
        most: u64,
    },
    /// One of several words; the first is the default.
    Word(&'static [&'static str]),
    /// Name of a part of the host. The description of the setting says which one is the default.
    Name,
}

impl Setting {
    /// Number with default and limits.
    pub(crate) const fn number(
        key: &'static str,
        default: u64,
        limits: RangeInclusive<u64>,
        doc: &'static str,
    ) -> Self {
        let (least, most) = (*limits.start(), *limits.end());
        assert!(least <= default && default <= most, "the default is within the limits");
        Self { key, takes: Takes::Number { default, least, most }, doc }
    }

    /// Choice; the first word is the default.
    pub(crate) const fn word(key: &'static str, words: &'static [&'static str], doc: &'static str) -> Self {
        assert!(!words.is_empty(), "there is something to choose from");
        Self { key, takes: Takes::Word(words), doc }
    }

    /// Name of a part of the host.
    pub(crate) const fn name(key: &'static str, doc: &'static str) -> Self {
        Self { key, takes: Takes::Name, doc }
    }

    /// Default: number, or index of a word.
    pub(crate) fn default(&self) -> u64 {
        match self.takes {
            Takes::Number { default, .. } => default,
            Takes::Word(_) | Takes::Name => 0,
        }
    }

    /// Parses a number, or the index of a word. Names have neither.
    pub(crate) fn parse(&self, value: &str) -> Option<u64> {
        match self.takes {
            Takes::Number { least, most, .. } => value.parse().ok().filter(|number| (least..=most).contains(number)),
            Takes::Word(words) => words.iter().position(|word| *word == value).map(|place| place as u64),
            Takes::Name => None,
        }
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { least, most, .. } => write!(f, "a whole number from {least} to {most}"),
            Self::Word(words) => write!(f, "one of {}", words.join(", ")),
            Self::Name => f.write_str("a name"),
        }
    }
}

/// Errors of profiles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// Unknown profile.
    UnknownProfile {
        /// Unknown name.
        name: String,
        /// Nearest known name.
        nearest: Option<&'static str>,
    },
    /// Unknown setting.
    UnknownSetting {
        /// Name of the profile.
        profile: &'static str,
        /// Unknown name.
        key: String,
        /// Nearest known name.
        nearest: Option<&'static str>,
    },
    /// Invalid value of a setting.
    Refused {
        /// Name of the profile.
        profile: &'static str,
        /// Name of the setting.
        setting: Setting,
        /// Invalid value.
        value: String,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meant = |f: &mut fmt::Formatter<'_>, nearest: Option<&str>, known: &dyn Fn() -> String| match nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => write!(f, "; there are {}", known()),
        };
        match self {
            Self::UnknownProfile { name, nearest } => {
                write!(f, "no profile is called `{name}`")?;
                meant(f, *nearest, &|| names(super::profiles().iter().map(|profile| profile.name)))
            }
            Self::UnknownSetting { profile, key, nearest } => {
                write!(f, "profile {profile} has no setting `{key}`")?;
                let known = super::find(profile).map_or(&[][..], |profile| profile.settings);
                meant(f, *nearest, &|| names(known.iter().map(|setting| setting.key)))
            }
            Self::Refused { profile, setting, value } => {
                write!(f, "profile {profile}: {}: expected {}, found `{value}`", setting.key, setting.takes)
            }
        }
    }
}

impl std::error::Error for ProfileError {}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Values of all settings of a profile.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    profile: &'static Profile,
    /// Values in the order of the profile's settings.
    values: Vec<u64>,
}

impl Settings {
    /// Default values.
    pub(crate) fn defaults(profile: &'static Profile) -> Self {
        Self { profile, values: profile.settings.iter().map(Setting::default).collect() }
    }

    /// Default values with overrides.
    pub(crate) fn with(profile: &'static Profile, overrides: &[(&str, &str)]) -> Result<Self, ProfileError> {
        let mut settings = Self::defaults(profile);
        for (key, value) in overrides {
            settings.set(key, value)?;
        }
        Ok(settings)
    }

    /// Changes one setting; a later change overrides an earlier one.
    pub(crate) fn set(&mut self, key: &str, value: &str) -> Result<(), ProfileError> {
        let Profile { name: profile, settings, .. } = *self.profile;
        let place = settings.iter().position(|setting| setting.key == key);
        let Some((setting, held)) = place.and_then(|at| Some((settings.get(at)?, self.values.get_mut(at)?))) else {
            let nearest = nearest::among(key, settings.iter().map(|setting| setting.key));
            return Err(ProfileError::UnknownSetting { profile, key: key.to_owned(), nearest });
        };
        let refused = || ProfileError::Refused { profile, setting: *setting, value: value.to_owned() };
        *held = setting.parse(value).ok_or_else(refused)?;
        Ok(())
    }

    /// Value of a number setting.
    ///
    /// # Panics
    /// Panics if the profile does not declare the setting; the tests of all profiles detect that.
    pub(crate) fn get(&self, setting: &Setting) -> u64 {
        let place = self.profile.settings.iter().position(|known| known.key == setting.key);
        let value = place.and_then(|place| self.values.get(place));
        *value.unwrap_or_else(|| panic!("profile {} declares {}", self.profile.name, setting.key))
    }

    /// Value of a number setting as a count.
    pub(crate) fn count(&self, setting: &Setting) -> usize {
        usize::try_from(self.get(setting)).unwrap_or(usize::MAX)
    }

    /// Chosen word of a setting.
    pub(crate) fn word(&self, setting: &Setting) -> &'static str {
        let Takes::Word(words) = setting.takes else { return "" };
        words.get(self.count(setting)).copied().unwrap_or_default()
    }
}
