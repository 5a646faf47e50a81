//! What of a profile can be set: declared once, checked, told in errors.

use std::fmt;
use std::ops::RangeInclusive;

use collectors::kit::nearest;

use super::Profile;

/// Something of a profile that can be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    /// What it is called in `key=value`.
    pub key: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it is.
    pub doc: &'static str,
}

/// What a setting takes, and what it is if nobody says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Takes {
    /// A whole number.
    Number {
        /// If nobody says.
        default: u64,
        /// The least that makes sense.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// One of these words, the first of them if nobody says.
    Word(&'static [&'static str]),
    /// What something is called. If nobody says, whatever fits; the sentence about the setting says what.
    Name,
}

impl Setting {
    /// A number with its default and its limits.
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

    /// A choice; the first word is the default.
    pub(crate) const fn word(key: &'static str, words: &'static [&'static str], doc: &'static str) -> Self {
        assert!(!words.is_empty(), "there is something to choose from");
        Self { key, takes: Takes::Word(words), doc }
    }

    /// A name of something.
    pub(crate) const fn name(key: &'static str, doc: &'static str) -> Self {
        Self { key, takes: Takes::Name, doc }
    }

    /// The value if nobody says: a number, or the place of a word.
    pub(crate) fn default(&self) -> u64 {
        match self.takes {
            Takes::Number { default, .. } => default,
            Takes::Word(_) | Takes::Name => 0,
        }
    }

    /// The number that a text says, or the place of the word that it is. A name is neither.
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

/// Why there is no such host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProfileError {
    /// No profile has this name.
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The profile has no such setting.
    UnknownSetting {
        /// The profile.
        profile: &'static str,
        /// What was asked for.
        key: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The setting does not take this.
    Refused {
        /// The profile.
        profile: &'static str,
        /// The setting.
        setting: Setting,
        /// What it was given.
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

/// The settings of a profile with their values.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    profile: &'static Profile,
    /// In the order of the profile's settings.
    values: Vec<u64>,
}

impl Settings {
    /// As they are if nobody says.
    pub(crate) fn defaults(profile: &'static Profile) -> Self {
        Self { profile, values: profile.settings.iter().map(Setting::default).collect() }
    }

    /// With some of them changed.
    pub(crate) fn with(profile: &'static Profile, overrides: &[(&str, &str)]) -> Result<Self, ProfileError> {
        let mut settings = Self::defaults(profile);
        for (key, value) in overrides {
            settings.set(key, value)?;
        }
        Ok(settings)
    }

    /// The same with one of them changed; the last change of one counts.
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

    /// The value of a number.
    ///
    /// # Panics
    /// When the profile does not declare the setting, which the tests of all profiles find.
    pub(crate) fn get(&self, setting: &Setting) -> u64 {
        let place = self.profile.settings.iter().position(|known| known.key == setting.key);
        let value = place.and_then(|place| self.values.get(place));
        *value.unwrap_or_else(|| panic!("profile {} declares {}", self.profile.name, setting.key))
    }

    /// The value of a number of things.
    pub(crate) fn count(&self, setting: &Setting) -> usize {
        usize::try_from(self.get(setting)).unwrap_or(usize::MAX)
    }

    /// The word that was chosen.
    pub(crate) fn word(&self, setting: &Setting) -> &'static str {
        let Takes::Word(words) = setting.takes else { return "" };
        words.get(self.count(setting)).copied().unwrap_or_default()
    }
}
