//! Profiles: kinds of hosts. One file per profile, and the table of all.

mod absurd1152;
mod epyc256;
mod ib_hpc;
mod jbod60;
mod k8s_dense;
mod kit;
mod laptop;
mod pi4;
mod s390x;
mod setting;
pub(crate) mod vm;

use std::fmt;

use collectors::kit::nearest;

pub use setting::{ProfileError, Setting, Takes};

pub(crate) use kit::identity::uuid;
pub(crate) use kit::links::{INSIDE, OUTSIDE};
pub(crate) use setting::Settings;

use crate::machine::Machine;
use crate::seed::Seed;

/// Kind of host.
pub struct Profile {
    /// Name.
    pub name: &'static str,
    /// One-line description.
    pub summary: &'static str,
    /// Settings.
    pub settings: &'static [Setting],
    /// Overrides that make the host small but keep its characteristic parts, for exhaustive tests.
    pub small: &'static [(&'static str, &'static str)],
    make: fn(Seed, &Settings) -> Machine,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profile({})", self.name)
    }
}

/// Every profile, small ones first.
static PROFILES: [Profile; 9] = [
    vm::PROFILE,
    laptop::PROFILE,
    pi4::PROFILE,
    s390x::PROFILE,
    epyc256::PROFILE,
    k8s_dense::PROFILE,
    ib_hpc::PROFILE,
    jbod60::PROFILE,
    absurd1152::PROFILE,
];

/// Every profile.
pub fn profiles() -> &'static [Profile] {
    &PROFILES
}

/// Finds a profile by name; the error suggests the nearest.
pub(crate) fn find(name: &str) -> Result<&'static Profile, ProfileError> {
    let known = || PROFILES.iter().map(|profile| profile.name);
    PROFILES
        .iter()
        .find(|profile| profile.name == name)
        .ok_or_else(|| ProfileError::UnknownProfile { name: name.to_owned(), nearest: nearest::among(name, known()) })
}

impl Profile {
    /// Machine of a profile with settings changed from their defaults.
    pub fn machine(&'static self, seed: u64, overrides: &[(&str, &str)]) -> Result<Machine, ProfileError> {
        Ok(self.made(Seed::new(seed), &Settings::with(self, overrides)?))
    }

    /// Machine for complete settings, with the buses of its devices.
    pub(crate) fn made(&self, seed: Seed, settings: &Settings) -> Machine {
        kit::pci::with_buses((self.make)(seed, settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuse(profile: &str, overrides: &[(&str, &str)], expected: &str) {
        match Machine::of(profile, 1, overrides) {
            Err(error) => assert_eq!(error.to_string(), expected),
            Ok(machine) => panic!("{profile} with {overrides:?} gave {}", machine.system.hostname),
        }
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_is() {
        refuse("epyc-256", &[], "no profile is called `epyc-256`; did you mean `epyc256`?");
        let all = PROFILES.iter().map(|profile| profile.name).collect::<Vec<_>>().join(", ");
        refuse("mainframe", &[], &format!("no profile is called `mainframe`; there are {all}"));
        refuse("vm", &[("cpu", "8")], "profile vm has no setting `cpu`; did you mean `cpus`?");
        let error = Machine::of("vm", 1, &[("elephants", "8")]).unwrap_err().to_string();
        assert!(error.starts_with("profile vm has no setting `elephants`; there are cpus, "), "{error}");
        refuse("vm", &[("cpus", "many")], "profile vm: cpus: expected a whole number from 1 to 256, found `many`");
        let words = "3.10, 4.18, 5.14, 6.12";
        let error = Machine::of("vm", 1, &[("kernel", "7.0")]).unwrap_err().to_string();
        assert!(error.starts_with("profile vm: kernel: expected one of ") && error.ends_with("found `7.0`"), "{error}");
        assert!(words.split(", ").all(|word| error.contains(word)), "{error}");
    }

    #[test]
    fn every_setting_takes_what_it_says_and_nothing_beyond() {
        for profile in profiles() {
            for setting in profile.settings {
                let make = |value: &str| Machine::of(profile.name, 1, &[(setting.key, value)]).map(drop);
                match setting.takes {
                    Takes::Number { least, most, .. } => {
                        for value in [least, most] {
                            assert_eq!(make(&value.to_string()), Ok(()), "{} {}", profile.name, setting.key);
                        }
                        let below = least.checked_sub(1).map_or("-1".to_owned(), |below| below.to_string());
                        for value in [below, (most + 1).to_string()] {
                            assert!(make(&value).is_err(), "{} {} {value}", profile.name, setting.key);
                        }
                    }
                    Takes::Word(words) => {
                        assert!(words.iter().all(|word| make(word).is_ok()), "{} {}", profile.name, setting.key);
                        assert!(make("").is_err());
                    }
                    Takes::Name => panic!("{}: a profile names nothing of the host", profile.name),
                }
                assert!(setting.doc.ends_with('.'), "{} {}", profile.name, setting.key);
            }
        }
    }

    #[test]
    fn names_and_keys_are_there_once() {
        let is_once = |names: Vec<&str>| names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len();
        assert!(is_once(profiles().iter().map(|profile| profile.name).collect()));
        for profile in profiles() {
            assert!(is_once(profile.settings.iter().map(|setting| setting.key).collect()), "{}", profile.name);
            assert!(profile.summary.ends_with('.') && !profile.summary.contains('\n'));
        }
    }
}
