//! Basic authentication with a cache of recent results.
//!
//! A bcrypt comparison takes a processor for tens of milliseconds. One comparison runs at a time, a few wait, and further
//! ones are refused; the share of one address is limited. Results are cached without passwords: the key is a keyed hash
//! with a secret of this process. Right and wrong logins have caches of their own, so that guesses evict no right login.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac_sha256::HMAC;

use super::password::Users;
use crate::serve::request::Origin;
use crate::serve::request::Peer;

/// Maximum number of cached results of each kind.
const CACHED_MAX: usize = 50;

/// Maximum number of running or waiting comparisons, each with a thread.
const COMPARISONS_MAX: usize = 8;

/// Maximum number of comparisons of one origin: an attacker leaves room for others.
const COMPARISONS_PER_ORIGIN_MAX: usize = 2;

/// Result of a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// A user with the right password.
    Right,
    /// An unknown user, a wrong password, or a malformed header.
    Wrong,
    /// Too many comparisons are running or waiting.
    Busy,
}

/// Result of a login, as far as it is known without a comparison.
#[derive(Debug)]
pub(super) enum LoginCheck {
    /// A cached or trivial result.
    Known(Verdict),
    /// A comparison is needed, which is slow.
    Compare(Comparison),
}

/// A login to compare. It occupies one of [`COMPARISONS_MAX`] slots until it is dropped.
pub(super) struct Comparison {
    logins: Arc<Logins>,
    origin: Origin,
    key: Key,
    user: Vec<u8>,
    password: Vec<u8>,
}

impl std::fmt::Debug for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Comparison")
    }
}

type Key = [u8; 32];

/// Checks logins against users.
#[derive(Debug)]
pub(super) struct Logins {
    users: Users,
    shared: Arc<SharedState>,
}

/// State that survives a reload of the users. Keys depend on the user's hash: cached results stay valid for users with an
/// unchanged hash, and are never found for changed ones.
#[derive(Debug)]
struct SharedState {
    secret: Key,
    verdicts: Mutex<VerdictCache>,
    comparing: Mutex<()>,
    /// Origins of the comparisons that run or wait.
    waiting: Mutex<Vec<Origin>>,
}

#[derive(Default)]
struct VerdictCache {
    right: VecDeque<Key>,
    wrong: VecDeque<Key>,
}

impl std::fmt::Debug for VerdictCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} right, {} wrong", self.right.len(), self.wrong.len())
    }
}

impl VerdictCache {
    fn find(&self, key: &Key) -> Option<Verdict> {
        if self.right.contains(key) {
            return Some(Verdict::Right);
        }
        self.wrong.contains(key).then_some(Verdict::Wrong)
    }

    fn keep(&mut self, key: Key, is_right: bool) {
        let keys = if is_right { &mut self.right } else { &mut self.wrong };
        if keys.len() == CACHED_MAX {
            keys.pop_front();
        }
        keys.push_back(key);
    }
}

impl Logins {
    pub(super) fn new(users: Users) -> Self {
        let shared = SharedState {
            secret: secret(),
            verdicts: Mutex::default(),
            comparing: Mutex::default(),
            waiting: Mutex::default(),
        };
        Self { users, shared: Arc::new(shared) }
    }

    /// Logins of other users with the caches of these.
    pub(super) fn with(&self, users: Users) -> Self {
        Self { users, shared: Arc::clone(&self.shared) }
    }

    /// Checks the values of the header `Authorization`, of which exactly one is expected. Returns without a comparison.
    pub(super) fn check<'a>(self: Arc<Self>, peer: Peer, headers: impl IntoIterator<Item = &'a str>) -> LoginCheck {
        if self.users.is_empty() {
            return LoginCheck::Known(Verdict::Right);
        }
        let mut headers = headers.into_iter();
        let (Some(header), None) = (headers.next(), headers.next()) else { return LoginCheck::Known(Verdict::Wrong) };
        let Some((user, password)) = credentials(header.as_bytes()) else { return LoginCheck::Known(Verdict::Wrong) };
        let key = self.key(&user, &password);
        if let Some(verdict) = self.find(&key) {
            return LoginCheck::Known(verdict);
        }
        let origin = Origin::of(peer);
        if !self.shared.enter(origin) {
            return LoginCheck::Known(Verdict::Busy);
        }
        LoginCheck::Compare(Comparison { logins: self, origin, key, user, password })
    }

    fn find(&self, key: &Key) -> Option<Verdict> {
        self.shared.verdicts.lock().unwrap_or_else(PoisonError::into_inner).find(key)
    }

    /// The cache key of a login: a keyed hash, from which the password cannot be guessed without the secret.
    fn key(&self, user: &[u8], password: &[u8]) -> Key {
        let mut mac = HMAC::new(self.shared.secret);
        for part in [user, self.users.find(user).map_or(&[][..], |hash| hash.bytes()), password] {
            mac.update((part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize()
    }
}

impl SharedState {
    /// Reserves a slot for a comparison of this origin. Returns whether one was free.
    fn enter(&self, origin: Origin) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_origin = waiting.iter().filter(|other| **other == origin).count();
        let has_room = waiting.len() < COMPARISONS_MAX && of_origin < COMPARISONS_PER_ORIGIN_MAX;
        if has_room {
            waiting.push(origin);
        }
        has_room
    }

    fn leave(&self, origin: Origin) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = waiting.iter().position(|other| *other == origin) {
            waiting.swap_remove(at);
        }
    }
}

impl Comparison {
    /// Waits until no other comparison runs, and compares.
    pub(super) fn run(self) -> Verdict {
        let logins = &self.logins;
        let turn = logins.shared.comparing.lock().unwrap_or_else(PoisonError::into_inner);
        // The comparison before may have been of the same login.
        if let Some(verdict) = logins.find(&self.key) {
            return verdict;
        }
        let is_right = logins.users.is_right(&self.user, &self.password);
        logins.shared.verdicts.lock().unwrap_or_else(PoisonError::into_inner).keep(self.key, is_right);
        drop(turn);
        if is_right { Verdict::Right } else { Verdict::Wrong }
    }
}

impl Drop for Comparison {
    fn drop(&mut self) {
        self.logins.shared.leave(self.origin);
    }
}

/// A random key. The hashers of the standard library are seeded by the system's random number generator.
fn secret() -> Key {
    let mut mac = HMAC::new([0; 32]);
    (0_u8..4).for_each(|part| mac.update(RandomState::new().hash_one(part).to_le_bytes()));
    mac.finalize()
}

/// User and password of a header's value.
fn credentials(header: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (scheme, rest) = header.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let decoded = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (user, password) = (decoded.get(..colon)?, decoded.get(colon + 1..)?);
    Some((user.to_vec(), password.to_vec()))
}

#[cfg(test)]
#[cfg(feature = "tls")]
mod tests {
    use super::super::password::Hash;
    use super::super::password::bcrypt_hash::htpasswd;
    use super::*;

    fn logins() -> Arc<Logins> {
        let mut users = Users::default();
        users.add("alice", Hash::parse(&htpasswd(4, "a:b")).unwrap());
        Arc::new(Logins::new(users))
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
    }

    fn peer(last: u8) -> Peer {
        Peer::Internet(([192, 0, 2, last], 9).into())
    }

    fn verdict(logins: &Arc<Logins>, headers: &[&str]) -> Verdict {
        match Arc::clone(logins).check(peer(9), headers.iter().copied()) {
            LoginCheck::Known(verdict) => verdict,
            LoginCheck::Compare(comparison) => comparison.run(),
        }
    }

    #[track_caller]
    fn check(headers: &[&str], expected: Verdict) {
        let logins = logins();
        for _ in 0..2 {
            assert_eq!(verdict(&logins, headers), expected, "{headers:?}");
        }
        assert!(logins.shared.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn exactly_one_valid_header_is_right() {
        let good = basic("alice", "a:b");
        check(&[&good], Verdict::Right);
        check(&[&good.replace("Basic", "bASIC")], Verdict::Right);
        check(&[], Verdict::Wrong);
        check(&[&good, &good], Verdict::Wrong);
        for bad in [basic("alice", "a"), basic("bob", "a:b"), basic("", "")] {
            check(&[&bad], Verdict::Wrong);
        }
        for bad in ["", "Basic", "Basic ", "Basic !", "Basic YWxpY2U=", "Bearer YWxpY2U6YTpi", "Basic\u{e9}"] {
            check(&[bad], Verdict::Wrong);
        }
    }

    #[test]
    fn without_users_no_login_is_needed() {
        assert_eq!(verdict(&Arc::new(Logins::new(Users::default())), &[]), Verdict::Right);
    }

    #[test]
    fn caches_are_limited_and_guesses_evict_no_right_login() {
        let logins = logins();
        let count = || {
            let verdicts = logins.shared.verdicts.lock().unwrap();
            (verdicts.right.len(), verdicts.wrong.len())
        };
        assert_eq!(verdict(&logins, &[&basic("alice", "a:b")]), Verdict::Right);
        for guess in 0..CACHED_MAX {
            assert_eq!(verdict(&logins, &[&basic("alice", &guess.to_string())]), Verdict::Wrong);
        }
        assert_eq!(count(), (1, CACHED_MAX));
        assert_eq!(verdict(&logins, &[&basic("alice", "one more")]), Verdict::Wrong);
        assert_eq!(count(), (1, CACHED_MAX));
        let key = |password: &str| logins.key(b"alice", password.as_bytes());
        assert_eq!(logins.find(&key("a:b")), Some(Verdict::Right));
        assert_eq!(logins.find(&key("0")), None);
        assert_eq!(logins.find(&key("1")), Some(Verdict::Wrong));
    }

    #[test]
    fn keys_distinguish_users_and_passwords_and_contain_neither() {
        let logins = logins();
        assert_ne!(logins.key(b"a", b"bc"), logins.key(b"ab", b"c"));
        assert_ne!(logins.key(b"alice", b"x"), self::logins().key(b"alice", b"x"));
        assert!(!format!("{logins:?}").contains("a:b"));
    }

    #[test]
    fn at_the_limit_comparisons_are_refused_and_cached_logins_are_not() {
        let logins = logins();
        assert_eq!(verdict(&logins, &[&basic("alice", "a:b")]), Verdict::Right);
        let ask = |last: u8, guess: usize| Arc::clone(&logins).check(peer(last), [&*basic("bob", &guess.to_string())]);
        let is_admitted = |check: &LoginCheck| matches!(check, LoginCheck::Compare(_));
        let mut waiting: Vec<_> = (0..COMPARISONS_PER_ORIGIN_MAX).map(|guess| ask(1, guess)).collect();
        assert!(waiting.iter().all(is_admitted));
        assert!(!is_admitted(&ask(1, 99)), "one address exceeds its share");
        let last = (2..).flat_map(|last| [last; COMPARISONS_PER_ORIGIN_MAX]);
        waiting.extend((waiting.len()..COMPARISONS_MAX).zip(last).map(|(guess, last)| ask(last, guess)));
        assert!(waiting.iter().all(is_admitted));
        assert_eq!(verdict(&logins, &[&basic("bob", "x")]), Verdict::Busy);
        assert_eq!(verdict(&logins, &[&basic("alice", "a:b")]), Verdict::Right);
        drop(waiting);
        assert_eq!(verdict(&logins, &[&basic("bob", "x")]), Verdict::Wrong);
        assert!(logins.shared.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn right_logins_stay_cached_while_the_hash_is_unchanged() {
        let logins = logins();
        let good = basic("alice", "a:b");
        assert_eq!(verdict(&logins, &[&good]), Verdict::Right);
        let is_known = |users: &Users| {
            let check = Arc::new(logins.with(users.clone())).check(peer(1), [&*good]);
            matches!(check, LoginCheck::Known(Verdict::Right))
        };
        let mut users = logins.users.clone();
        users.add("bob", Hash::parse(&htpasswd(4, "x")).unwrap());
        assert!(is_known(&users));
        users.add("alice", Hash::parse(&htpasswd(4, "other")).unwrap());
        assert!(!is_known(&users));
        let mut others = Users::default();
        others.add("bob", Hash::parse(&htpasswd(4, "x")).unwrap());
        assert!(!is_known(&others));
    }
}
