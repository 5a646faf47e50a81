//! Passwords as bcrypt stores them, and whether one is right.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::NO_PAD};
use hmac_sha256::Hash as Sha256;
use subtle::ConstantTimeEq;

const COSTS: std::ops::RangeInclusive<u32> = 4..=31;
/// bcrypt looks no further.
const PASSWORD_MAX_BYTES: usize = 72;
/// Some programs leave bits in a salt's last letter that mean nothing.
const LETTERS: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
const ALPHABET: GeneralPurpose = GeneralPurpose::new(&BCRYPT, LETTERS);

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Hash {
    /// As the file has it.
    Bcrypt { cost: u32, salt: [u8; 16], digest: [u8; 23] },
    /// Of a password that the command line gave in the open.
    Sha256([u8; 32]),
}

/// Hashes are no passwords, but what a password is guessed from.
impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hash of cost {}", self.cost())
    }
}

impl Hash {
    /// Reads `$2y$COST$` with salt and digest, as htpasswd writes it. The error does not repeat the text, which may be a
    /// password that somebody forgot to hash.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        Self::parts(text).ok_or("expected what `htpasswd -nBC 10 USER` prints after the colon: $2y$10$ and 53 letters")
    }

    fn parts(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('$')?.split('$');
        let (version, cost, letters) = (parts.next()?, parts.next()?, parts.next()?);
        let is_cost = cost.len() == 2 && cost.bytes().all(|byte| byte.is_ascii_digit());
        if parts.next().is_some() || !matches!(version, "2a" | "2b" | "2y") || !is_cost {
            return None;
        }
        let cost = cost.parse().ok().filter(|cost| COSTS.contains(cost))?;
        let (salt, digest) = letters.split_at_checked(22)?;
        Some(Self::Bcrypt { cost, salt: decode(salt)?, digest: decode(digest)? })
    }

    /// The hash of a password that is known.
    pub(super) fn of(password: &str) -> Self {
        Self::Sha256(Sha256::hash(password.as_bytes()))
    }

    /// The power of two that says how long it takes to compare.
    pub(super) const fn cost(&self) -> u32 {
        match self {
            Self::Bcrypt { cost, .. } => *cost,
            Self::Sha256(_) => 0,
        }
    }

    /// What identifies it.
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Bcrypt { digest, .. } => digest,
            Self::Sha256(digest) => digest,
        }
    }

    fn is_of(&self, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt { cost, salt, digest } => hashed(*cost, *salt, password).ct_eq(digest).into(),
            Self::Sha256(digest) => Sha256::hash(password).ct_eq(digest).into(),
        }
    }
}

fn decode<const N: usize>(letters: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (ALPHABET.decode_slice(letters, &mut bytes).ok()? == N).then_some(bytes)
}

fn hashed(cost: u32, salt: [u8; 16], password: &[u8]) -> [u8; 23] {
    let mut ended: Vec<u8> = password.iter().copied().take(PASSWORD_MAX_BYTES).collect();
    if ended.len() < PASSWORD_MAX_BYTES {
        ended.push(0);
    }
    let mut digest = [0; 23];
    digest.iter_mut().zip(bcrypt::bcrypt(cost, salt, &ended)).for_each(|(to, from)| *to = from);
    digest
}

/// Who may come in.
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

    /// Whether the password is the user's. A no takes as long for every name, known or not: what the highest cost takes.
    /// Twice the work is one more in cost, so a cost of 10, 10 and 11 together are one of 12.
    pub(super) fn admit(&self, user: &[u8], password: &[u8]) -> bool {
        let hash = self.find(user);
        let is_right = hash.is_some_and(|hash| hash.is_of(password));
        if is_right {
            return true;
        }
        // The work is what is wanted, so that nothing may find out that nobody wants the result.
        let work = |cost| _ = std::hint::black_box(hashed(cost, [0; 16], std::hint::black_box(password)));
        match hash.map_or(0, Hash::cost) {
            0 if self.cost_max > 0 => work(self.cost_max),
            cost => (cost..self.cost_max).for_each(work),
        }
        false
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    /// Makes what htpasswd would.
    pub(in crate::serve) fn htpasswd(cost: u32, password: &str) -> String {
        let salt = *b"salt of a test!!";
        let digest = hashed(cost, salt, password.as_bytes());
        format!("$2y${cost:02}${}{}", ALPHABET.encode(salt), ALPHABET.encode(digest))
    }

    #[track_caller]
    fn check(hash: &str, password: &str, expected: bool) {
        let mut users = Users::default();
        users.add("user", Hash::parse(hash).unwrap());
        assert_eq!(users.admit(b"user", password.as_bytes()), expected, "{password}");
        assert!(!users.admit(b"other", password.as_bytes()));
        assert!(!users.admit(b"\xff", password.as_bytes()));
    }

    #[test]
    fn passwords_are_told_from_others() {
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
    fn what_is_no_hash_is_refused_without_being_repeated() {
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
        assert!(users.admit(b"old", b"secret"));
        assert!(!users.admit(b"old", b"secre") && !users.admit(b"older", b"secret"));
    }

    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]
    fn time_taken(users: &Users, user: &str) -> Duration {
        let begin = Instant::now();
        assert!(!users.admit(user.as_bytes(), b"wrong"));
        begin.elapsed()
    }

    #[test]
    fn a_no_takes_the_same_time_for_every_name() {
        let mut users = Users::default();
        users.add("cheap", Hash::parse(&htpasswd(4, "a")).unwrap());
        users.add("dear", Hash::parse(&htpasswd(8, "b")).unwrap());
        let names = ["unknown", "cheap", "dear"];
        let mut shortest = [Duration::MAX; 3];
        // In turns, for the machine may be busy for a while.
        for _ in 0..40 {
            for (name, shortest) in names.iter().zip(&mut shortest) {
                *shortest = time_taken(&users, name).min(*shortest);
            }
        }
        for (name, known) in names.iter().zip(shortest).skip(1) {
            let ratio = known.as_secs_f64() / shortest[0].as_secs_f64();
            assert!((0.75..1.33).contains(&ratio), "{name} takes {ratio} times as long as an unknown name");
        }
    }
}
