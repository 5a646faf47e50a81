//! Basic authentication: who asks, and whether that was answered lately.
//!
//! Comparing with bcrypt takes a processor for tens of milliseconds, so one comparison runs at a time, a few wait, and
//! further ones are turned away; no address has more than its share of those that wait. What came out is remembered, but no password: the key is a hash that takes a secret of
//! this process to make. Answers of yes and of no have room of their own, so that whoever guesses pushes nobody out.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac_sha256::HMAC;

use super::password::Users;
use crate::serve::origin::Origin;
use crate::serve::request::Peer;

/// Maximum number of cached results of each kind.
const REMEMBERED_MAX: usize = 50;

/// Maximum number of running or waiting comparisons, each with a thread.
const COMPARISONS_MAX: usize = 8;

/// Maximum number of comparisons of one origin: an attacker leaves room for others.
const COMPARISONS_PER_ORIGIN_MAX: usize = 2;

/// Result of a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    /// A user with the right password.
    Right,
    /// Anything else.
    Wrong,
    /// Too many are being compared.
    Busy,
}

/// Result of a login without a comparison.
#[derive(Debug)]
pub(super) enum Judgement {
    /// Everything.
    Known(Verdict),
    /// That it has to be compared, which takes its time.
    Compare(Comparison),
}

/// A login that is to be compared. It counts among those that wait until it is dropped.
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

/// Compares logins.
#[derive(Debug)]
pub(super) struct Logins {
    users: Users,
    desk: Arc<Desk>,
}

/// What outlasts a change of users: keys depend on the user's hash, so that what is remembered holds for those whose
/// hash is the same, and is out of reach for the others.
#[derive(Debug)]
struct Desk {
    secret: Key,
    memory: Mutex<Memory>,
    comparing: Mutex<()>,
    /// Where those come from that run or wait.
    waiting: Mutex<Vec<Origin>>,
}

#[derive(Default)]
struct Memory {
    right: VecDeque<Key>,
    wrong: VecDeque<Key>,
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} right, {} wrong", self.right.len(), self.wrong.len())
    }
}

impl Memory {
    fn recall(&self, key: &Key) -> Option<Verdict> {
        if self.right.contains(key) {
            return Some(Verdict::Right);
        }
        self.wrong.contains(key).then_some(Verdict::Wrong)
    }

    fn keep(&mut self, key: Key, is_right: bool) {
        let keys = if is_right { &mut self.right } else { &mut self.wrong };
        if keys.len() == REMEMBERED_MAX {
            keys.pop_front();
        }
        keys.push_back(key);
    }
}

impl Logins {
    pub(super) fn new(users: Users) -> Self {
        let desk =
            Desk { secret: secret(), memory: Mutex::default(), comparing: Mutex::default(), waiting: Mutex::default() };
        Self { users, desk: Arc::new(desk) }
    }

    /// The same caches with other users.
    pub(super) fn with(&self, users: Users) -> Self {
        Self { users, desk: Arc::clone(&self.desk) }
    }

    /// Judges the values of the header `Authorization`, of which there has to be one. Quick, unless it takes a
    /// comparison.
    pub(super) fn judge<'a>(self: Arc<Self>, peer: Peer, headers: impl IntoIterator<Item = &'a str>) -> Judgement {
        if self.users.is_empty() {
            return Judgement::Known(Verdict::Right);
        }
        let mut headers = headers.into_iter();
        let (Some(header), None) = (headers.next(), headers.next()) else { return Judgement::Known(Verdict::Wrong) };
        let Some((user, password)) = credentials(header.as_bytes()) else { return Judgement::Known(Verdict::Wrong) };
        let key = self.key(&user, &password);
        if let Some(verdict) = self.recall(&key) {
            return Judgement::Known(verdict);
        }
        let origin = Origin::of(peer);
        if !self.desk.enter(origin) {
            return Judgement::Known(Verdict::Busy);
        }
        Judgement::Compare(Comparison { logins: self, origin, key, user, password })
    }

    fn recall(&self, key: &Key) -> Option<Verdict> {
        self.desk.memory.lock().unwrap_or_else(PoisonError::into_inner).recall(key)
    }

    /// No password, nor anything that tells one without the secret.
    fn key(&self, user: &[u8], password: &[u8]) -> Key {
        let mut mac = HMAC::new(self.desk.secret);
        for part in [user, self.users.find(user).map_or(&[][..], |hash| hash.bytes()), password] {
            mac.update((part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize()
    }
}

impl Desk {
    /// Whether there is room for one more from there.
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
    /// Waits for its turn, and compares.
    pub(super) fn run(self) -> Verdict {
        let logins = &self.logins;
        let turn = logins.desk.comparing.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever was before may have asked the same.
        if let Some(verdict) = logins.recall(&self.key) {
            return verdict;
        }
        let is_right = logins.users.admit(&self.user, &self.password);
        logins.desk.memory.lock().unwrap_or_else(PoisonError::into_inner).keep(self.key, is_right);
        drop(turn);
        if is_right { Verdict::Right } else { Verdict::Wrong }
    }
}

impl Drop for Comparison {
    fn drop(&mut self) {
        self.logins.desk.leave(self.origin);
    }
}

/// The standard library's hashers begin with what the system knows of chance, which is all that is wanted of it here.
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
    use super::super::password::stored::htpasswd;
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
        match Arc::clone(logins).judge(peer(9), headers.iter().copied()) {
            Judgement::Known(verdict) => verdict,
            Judgement::Compare(comparison) => comparison.run(),
        }
    }

    #[track_caller]
    fn check(headers: &[&str], expected: Verdict) {
        let logins = logins();
        for _ in 0..2 {
            assert_eq!(verdict(&logins, headers), expected, "{headers:?}");
        }
        assert!(logins.desk.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn one_header_with_user_and_password_lets_in() {
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
    fn without_users_everybody_comes_in() {
        assert_eq!(verdict(&Arc::new(Logins::new(Users::default())), &[]), Verdict::Right);
    }

    #[test]
    fn answers_are_remembered_up_to_a_limit_and_guesses_push_nobody_out() {
        let logins = logins();
        let count = || {
            let memory = logins.desk.memory.lock().unwrap();
            (memory.right.len(), memory.wrong.len())
        };
        assert_eq!(verdict(&logins, &[&basic("alice", "a:b")]), Verdict::Right);
        for guess in 0..REMEMBERED_MAX {
            assert_eq!(verdict(&logins, &[&basic("alice", &guess.to_string())]), Verdict::Wrong);
        }
        assert_eq!(count(), (1, REMEMBERED_MAX));
        assert_eq!(verdict(&logins, &[&basic("alice", "one more")]), Verdict::Wrong);
        assert_eq!(count(), (1, REMEMBERED_MAX));
        let key = |password: &str| logins.key(b"alice", password.as_bytes());
        assert_eq!(logins.recall(&key("a:b")), Some(Verdict::Right));
        assert_eq!(logins.recall(&key("0")), None);
        assert_eq!(logins.recall(&key("1")), Some(Verdict::Wrong));
    }

    #[test]
    fn keys_tell_users_and_passwords_apart_and_hold_neither() {
        let logins = logins();
        assert_ne!(logins.key(b"a", b"bc"), logins.key(b"ab", b"c"));
        assert_ne!(logins.key(b"alice", b"x"), self::logins().key(b"alice", b"x"));
        assert!(!format!("{logins:?}").contains("a:b"));
    }

    #[test]
    fn beyond_the_limit_comparisons_are_turned_away_and_what_is_known_is_not() {
        let logins = logins();
        assert_eq!(verdict(&logins, &[&basic("alice", "a:b")]), Verdict::Right);
        let ask = |last: u8, guess: usize| Arc::clone(&logins).judge(peer(last), [&*basic("bob", &guess.to_string())]);
        let is_let_wait = |judgement: &Judgement| matches!(judgement, Judgement::Compare(_));
        let mut waiting: Vec<_> = (0..COMPARISONS_PER_ORIGIN_MAX).map(|guess| ask(1, guess)).collect();
        assert!(waiting.iter().all(is_let_wait));
        assert!(!is_let_wait(&ask(1, 99)), "one address takes the room of others");
        let last = (2..).flat_map(|last| [last; COMPARISONS_PER_ORIGIN_MAX]);
        waiting.extend((waiting.len()..COMPARISONS_MAX).zip(last).map(|(guess, last)| ask(last, guess)));
        assert!(waiting.iter().all(is_let_wait));
        assert_eq!(verdict(&logins, &[&basic("bob", "x")]), Verdict::Busy);
        assert_eq!(verdict(&logins, &[&basic("alice", "a:b")]), Verdict::Right);
        drop(waiting);
        assert_eq!(verdict(&logins, &[&basic("bob", "x")]), Verdict::Wrong);
        assert!(logins.desk.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn right_logins_are_remembered_while_the_hash_is_the_same() {
        let logins = logins();
        let good = basic("alice", "a:b");
        assert_eq!(verdict(&logins, &[&good]), Verdict::Right);
        let is_known = |users: &Users| {
            let judgement = Arc::new(logins.with(users.clone())).judge(peer(1), [&*good]);
            matches!(judgement, Judgement::Known(Verdict::Right))
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
