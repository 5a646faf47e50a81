//! Stored passwords, and comparison with a password of a request.

#[cfg(feature = "tls")]
pub(super) mod bcrypt_hash;

use std::collections::BTreeMap;
use std::ops::Range;

use hmac_sha256::Hash as Sha256;
use subtle::ConstantTimeEq;

use bcrypt_hash::{BcryptHash, work};

/// Substitute for builds without the feature `tls`.
#[cfg(not(feature = "tls"))]
mod bcrypt_hash {
    #[derive(Clone, PartialEq, Eq)]
    pub(in super::super) enum BcryptHash {}

    impl BcryptHash {
        pub(super) fn parse(_: &str) -> Result<Self, &'static str> {
            Err("logins need the feature `tls`, which this build lacks")
        }

        pub(super) const fn cost(&self) -> u32 {
            match *self {}
        }

        pub(super) fn bytes(&self) -> &[u8] {
            match *self {}
        }

        pub(super) fn is_of(&self, _: &[u8]) -> bool {
            match *self {}
        }
    }

    pub(super) const fn work(_: u32, _: &[u8]) {}
}

/// The hash of a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Hash {
    /// A bcrypt hash of the file.
    Bcrypt(BcryptHash),
    /// The digest of a password that the command line gives in plain text.
    Sha256([u8; 32]),
}

/// Prints no hash: a password can be guessed from it.
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash of cost {}", self.cost())
    }
}

impl Hash {
    /// Parses a bcrypt hash of the file.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        BcryptHash::parse(text).map(Self::Bcrypt)
    }

    /// The hash of a password in plain text.
    pub(super) fn of(password: &str) -> Self {
        Self::Sha256(Sha256::hash(password.as_bytes()))
    }

    /// Cost of a comparison, as a power of two.
    pub(super) const fn cost(&self) -> u32 {
        match self {
            Self::Bcrypt(stored) => stored.cost(),
            Self::Sha256(_) => 0,
        }
    }

    /// Bytes that identify the hash.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bcrypt(stored) => stored.bytes(),
            Self::Sha256(digest) => digest,
        }
    }

    fn is_of(&self, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt(stored) => stored.is_of(password),
            Self::Sha256(digest) => Sha256::hash(password).ct_eq(digest).into(),
        }
    }
}

/// Users that are allowed, with the hashes of their passwords.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Users {
    by_name: BTreeMap<String, Hash>,
    cost_max: u32,
}

impl Users {
    pub(super) fn add(&mut self, user: &str, hash: Hash) {
        self.cost_max = self.cost_max.max(hash.cost());
        self.by_name.insert(user.to_owned(), hash);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) fn find(&self, user: &[u8]) -> Option<&Hash> {
        self.by_name.get(std::str::from_utf8(user).ok()?)
    }

    /// Whether the password is the user's. A wrong one takes as long for every name, known or not: the time of the highest
    /// cost. A cost that is higher by one takes twice the time, so that costs of 10, 10 and 11 add up to 12.
    pub(super) fn is_right(&self, user: &[u8], password: &[u8]) -> bool {
        let hash = self.find(user);
        let is_right = hash.is_some_and(|hash| hash.is_of(password));
        if is_right {
            return true;
        }
        self.missing(hash).for_each(|cost| work(cost, password));
        false
    }

    /// Costs of the additional work after a comparison with `hash`.
    fn missing(&self, hash: Option<&Hash>) -> Range<u32> {
        match hash.map_or(0, Hash::cost) {
            0 if self.cost_max > 0 => self.cost_max..self.cost_max + 1,
            cost => cost..self.cost_max,
        }
    }
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use super::bcrypt_hash::{PASSWORD_MAX_BYTES, htpasswd};
    use super::*;

    #[track_caller]
    fn check(hash: &str, password: &str, expected: bool) {
        let mut users = Users::default();
        users.add("user", Hash::parse(hash).unwrap());
        assert_eq!(users.is_right(b"user", password.as_bytes()), expected, "{password}");
        assert!(!users.is_right(b"other", password.as_bytes()));
        assert!(!users.is_right(b"\xff", password.as_bytes()));
    }

    #[test]
    fn only_the_right_password_matches() {
        // From the test vectors of jBCrypt, and one whose salt ends in bits without meaning.
        for hash in [
            "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
            "$2y$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
            "$2b$06$m0CrhHm10qJ3lXRY.5zDGP3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
        ] {
            check(hash, "a", true);
            check(hash, "b", false);
            check(hash, "", false);
            check(hash, "a\0", false);
        }
        check(&htpasswd(4, ""), "", true);
        check(&htpasswd(4, "pässwörd"), "pässwörd", true);
        let longest = "x".repeat(PASSWORD_MAX_BYTES);
        check(&htpasswd(4, &longest), &longest, true);
        check(&htpasswd(4, &longest), &longest[1..], false);
        check(&htpasswd(4, &longest), &format!("{longest}y"), true);
    }

    #[test]
    fn an_invalid_hash_is_refused_and_not_printed() {
        let good = htpasswd(4, "a");
        for bad in [
            "doe",
            "",
            &good[1..],
            &good[..59],
            &format!("{good}."),
            &good.replace("$2y", "$2x"),
            &good.replace("$04", "$03"),
            &good.replace("$04", "$32"),
            &good.replace("$04", "$+4"),
            &good.replace("$04", "$4"),
            &format!("{}!", &good[..59]),
            &format!("{}é", &good[..58]),
        ] {
            let error = Hash::parse(bad).unwrap_err();
            assert!(!error.contains("doe"), "{bad}");
        }
        assert!(!format!("{:?}", Hash::parse(&good)).contains(&good[10..]));
    }

    #[test]
    fn a_password_of_the_command_line_is_compared() {
        let mut users = Users::default();
        users.add("old", Hash::of("secret"));
        assert!(users.is_right(b"old", b"secret"));
        assert!(!users.is_right(b"old", b"secre") && !users.is_right(b"older", b"secret"));
    }

    #[test]
    fn a_wrong_password_takes_the_same_work_for_every_name() {
        let mut users = Users::default();
        for (user, cost) in [("cheap", 4), ("dear", 12), ("middling", 9)] {
            let hash = htpasswd(4, "a").replace("$04", &format!("${cost:02}"));
            users.add(user, Hash::parse(&hash).unwrap());
        }
        for user in ["cheap", "dear", "middling", "unknown"] {
            let hash = users.find(user.as_bytes());
            let compared: u32 = hash.map_or(0, |hash| 1 << hash.cost());
            let work = compared + users.missing(hash).map(|cost| 1 << cost).sum::<u32>();
            assert_eq!(work, 1 << 12, "{user}");
        }
        assert!(Users::default().missing(None).is_empty());
    }
}
