//! Bcrypt hashes.

use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::NO_PAD};
use subtle::ConstantTimeEq;

const COSTS: std::ops::RangeInclusive<u32> = 4..=31;
/// Length at which bcrypt truncates passwords.
pub(super) const PASSWORD_MAX_BYTES: usize = 72;
/// Some programs set unused bits in the last letter of a salt.
const LETTERS: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
const ALPHABET: GeneralPurpose = GeneralPurpose::new(&BCRYPT, LETTERS);

/// A bcrypt hash.
#[derive(Clone, PartialEq, Eq)]
pub(in super::super) struct BcryptHash {
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl BcryptHash {
    /// Parses `$2y$COST$` with salt and digest, as htpasswd writes it. The error does not contain the text, which may be
    /// a password in plain text.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        Self::parts(text).ok_or("expected a bcrypt hash: $2y$10$ and 53 letters, as `htpasswd -nBC 10 USER` prints")
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
        Some(Self { cost, salt: decode(salt)?, digest: decode(digest)? })
    }

    pub(super) const fn cost(&self) -> u32 {
        self.cost
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.digest
    }

    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        digest(self.cost, self.salt, password).ct_eq(&self.digest).into()
    }
}

/// Takes the time of a comparison at this cost. The result is unused, and `black_box` keeps the compiler from removing
/// the work.
pub(super) fn work(cost: u32, password: &[u8]) {
    std::hint::black_box(digest(cost, [0; 16], std::hint::black_box(password)));
}

fn decode<const N: usize>(letters: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (ALPHABET.decode_slice(letters, &mut bytes).ok()? == N).then_some(bytes)
}

fn digest(cost: u32, salt: [u8; 16], password: &[u8]) -> [u8; 23] {
    let mut ended: Vec<u8> = password.iter().copied().take(PASSWORD_MAX_BYTES).collect();
    if ended.len() < PASSWORD_MAX_BYTES {
        ended.push(0);
    }
    let mut digest = [0; 23];
    digest.iter_mut().zip(bcrypt::bcrypt(cost, salt, &ended)).for_each(|(to, from)| *to = from);
    digest
}

/// The hash of a password, in the format of htpasswd.
#[cfg(test)]
pub(in super::super) fn htpasswd(cost: u32, password: &str) -> String {
    let salt = *b"salt of a test!!";
    format!("$2y${cost:02}${}{}", ALPHABET.encode(salt), ALPHABET.encode(digest(cost, salt, password.as_bytes())))
}
