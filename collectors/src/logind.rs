//! Sessions of systemd's login manager, by D-Bus.

use crate::declare;
use crate::host::kernel::KernelError;
use crate::host::kernel::systemd::LoginSession;
use crate::kit::prelude::*;

/// The logind collector.
#[derive(Debug)]
pub struct Logind {
    /// Seats, the empty one first, and how many sessions of each kind they have. Further ones are memory of former seats.
    seats: Vec<(Vec<u8>, Counts)>,
}

declare! {
    Logind: "logind", off, "Sessions of systemd's login manager, by seat, type and class.";
    labels {
        SessionLabels { class, remote, seat, r#type }
    }
    families {
        SESSIONS: Gauge "node_logind_sessions" SessionLabels "Sessions of the login manager.";
    }
}

const REMOTE: [&str; 2] = ["false", "true"];
/// Types and classes that are shown by their names. Any other one is shown as the first.
const TYPES: [&str; 7] = ["other", "mir", "tty", "unspecified", "wayland", "web", "x11"];
const CLASSES: [&str; 5] = ["other", "background", "greeter", "lock-screen", "user"];

/// Sessions by class, remoteness and type.
type Counts = [[[u64; TYPES.len()]; REMOTE.len()]; CLASSES.len()];

impl Collect for Logind {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { seats: Vec::new() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { seats } = self;
        let Cx { page, kernel, .. } = cx;
        let mut used = 0;
        let mut begin = |seat: &[u8]| {
            if used == seats.len() {
                seats.push((Vec::new(), Counts::default()));
            }
            if let Some((name, counts)) = seats.get_mut(used) {
                name.clear();
                name.extend_from_slice(seat);
                *counts = Counts::default();
            }
            used += 1;
        };
        // Sessions from other hosts have no seat.
        begin(b"");
        kernel.seats(&mut |seat| begin(seat.name)).map_err(|error| failure("seats", error))?;
        let seats = seats.get_mut(..used).unwrap_or_default();
        let answer = kernel.sessions(&mut |session| {
            if let Some((_, counts)) = seats.iter_mut().find(|(seat, _)| seat == session.seat) {
                count(counts, session);
            }
        });
        answer.map_err(|error| failure("sessions", error))?;
        for (seat, counts) in seats {
            for (class, counts) in CLASSES.iter().zip(counts) {
                for (remote, counts) in REMOTE.iter().zip(counts) {
                    for (r#type, count) in TYPES.iter().zip(counts) {
                        page.gauge(SESSIONS, SessionLabels { class, remote, seat, r#type }, *count);
                    }
                }
            }
        }
        Ok(())
    }
}

fn count(counts: &mut Counts, session: &LoginSession<'_>) {
    let known = |names: &[&str], word: &[u8]| names.iter().position(|name| name.as_bytes() == word).unwrap_or(0);
    let of_class = &mut counts[known(&CLASSES, session.class)];
    of_class[usize::from(session.remote != 0)][known(&TYPES, session.kind)] += 1;
}

fn failure(what: &str, error: KernelError) -> Failure {
    match error {
        KernelError::Unsupported => Failure::no_data(format_args!("logind query: {what}: not supported by this host")),
        error @ KernelError::Errno(_) => Failure::error(format_args!("logind query: {what}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const SESSIONS_OF_A_DAY: &str = "== kernel/seats\nseat0\n== kernel/sessions\n1 seat=seat0 remote=0 type=wayland class=user\n\
        2 remote=1 type=tty class=user\n3 remote=1 type=tty class=user\n4 seat=seat9 remote=0 type=tty class=user\n\
        5 seat=seat0 remote=0 type=hologram class=robot\n";

    #[test]
    fn sessions_are_counted_by_seat_type_and_class() {
        let scraped = given(SESSIONS_OF_A_DAY).scrape::<Logind>().samples();
        let some: Vec<&str> = scraped.lines().filter(|line| !line.ends_with(" 0")).collect();
        assert_eq!(
            some,
            [
                r#"node_logind_sessions{class="other",remote="false",seat="seat0",type="other"} 1"#,
                r#"node_logind_sessions{class="user",remote="false",seat="seat0",type="wayland"} 1"#,
                r#"node_logind_sessions{class="user",remote="true",seat="",type="tty"} 2"#,
            ]
        );
        assert_eq!(scraped.lines().count(), 2 * 2 * TYPES.len() * CLASSES.len());
    }

    #[test]
    fn a_host_without_a_login_manager_has_no_data() {
        given("").fails::<Logind>("", "logind query: seats: not supported by this host");
        given("== kernel/seats\nseat0\n").fails::<Logind>("", "logind query: sessions: not supported by this host");
    }
}
