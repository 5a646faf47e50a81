//! Clients of the simulated exporter, and what each must get.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::files::{COLLECTORS, Fault, Kind};
use crate::world::Random;

/// A client: when it begins, and what it does.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub begins: Duration,
    pub conduct: Conduct,
}

#[derive(Clone, Debug)]
pub(crate) enum Conduct {
    /// Scrapes with this timeout some times in a row on one connection, and reads the pages at once.
    Honest { path: &'static str, timeout: Duration, interval: Duration, scrapes: u64 },
    /// Asks for liveness, which no scrape may delay.
    Check { interval: Duration, checks: u64 },
    /// Scrapes with a timeout of milliseconds, and leaves after `stays`.
    Impatient { path: &'static str, stays: Duration },
    /// Sends a byte of its request at each step.
    SlowSender { step: Duration },
    /// Sends many requests at once, and reads little or nothing.
    SlowReader { requests: u64, step: Duration },
    /// Sends these bytes, and leaves.
    Broken { bytes: &'static [u8] },
}

/// Paths of scrapes.
const PATHS: [&str; 4] = [
    "/metrics",
    "/metrics?collect[]=loadavg&collect[]=vmstat",
    "/metrics?exclude[]=entropy",
    "/metrics?collect[]=softnet&collect[]=loadavg",
];

impl Client {
    pub(crate) fn random(random: &mut Random, from: Duration) -> Self {
        let begins = from + random.milliseconds(0, 3_000);
        let conduct = match random.below(10) {
            0..4 => Conduct::Honest {
                path: random.pick(&PATHS),
                timeout: Duration::from_millis(random.pick(&[500, 2_000, 3_000, 10_000])),
                interval: random.milliseconds(1, 900),
                scrapes: 1 + random.below(4),
            },
            4 => Conduct::Check { interval: random.milliseconds(1, 300), checks: 1 + random.below(20) },
            5 | 6 => Conduct::Impatient { path: random.pick(&PATHS), stays: random.milliseconds(0, 200) },
            7 => Conduct::SlowSender { step: random.milliseconds(1, 400) },
            8 => Conduct::SlowReader { requests: 1 + random.below(120), step: random.milliseconds(1, 400) },
            _ => Conduct::Broken {
                bytes: random.pick(&[
                    b"\r\n\r\n\0\0".as_slice(),
                    b"GET /metrics HTTP/1.1\r\nHost: x\r\n",
                    b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /metr",
                    b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nabc",
                    b"",
                ]),
            },
        };
        Self { begins, conduct }
    }
}

/// Conditions under which a page may be incomplete.
pub(crate) struct Conditions<'a> {
    pub faults: &'a [Fault],
    /// Scrapes may be refused: there is a limit of them, or threads cannot be created.
    pub may_refuse: bool,
    /// From then on the exporter ends.
    pub stops: Duration,
}

/// A client that runs.
pub(crate) struct Running {
    plan: Client,
    socket: Option<UnixStream>,
    unsent: Vec<u8>,
    received: Vec<u8>,
    /// Start of the request.
    asked: Duration,
    /// Time of the next step.
    next: Option<Duration>,
    done: u64,
}

/// Pages that a simulation's honest clients got.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    pub complete: u64,
    pub partial: u64,
    pub refused: u64,
    pub checks: u64,
}

impl Running {
    pub(crate) fn new(plan: Client) -> Self {
        let next = Some(plan.begins);
        let (unsent, received) = (Vec::new(), Vec::new());
        Self { plan, socket: None, unsent, received, asked: Duration::ZERO, next, done: 0 }
    }

    /// When [`Running::step`] has to be called, even if its socket is not ready.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.next
    }

    pub(crate) fn is_over(&self) -> bool {
        self.next.is_none()
    }

    fn leave(&mut self) -> bool {
        self.next = None;
        self.socket.take().is_some()
    }

    /// Acts as far as it can without waiting. Returns whether the exporter may notice.
    pub(crate) fn step(
        &mut self,
        now: Duration,
        path: &Path,
        conditions: &Conditions<'_>,
        tally: &mut Tally,
    ) -> Result<bool, String> {
        let Some(next) = self.next else { return Ok(false) };
        let is_due = next <= now;
        if !is_due && self.socket.is_none() {
            return Ok(false);
        }
        let mut has_acted = false;
        if self.socket.is_none() {
            match UnixStream::connect(path) {
                Err(_) if now >= conditions.stops => return Ok(self.leave()),
                Err(error) => return Err(format!("connecting failed: {error}")),
                Ok(socket) => {
                    socket.set_nonblocking(true).map_err(|error| error.to_string())?;
                    self.socket = Some(socket);
                }
            }
            has_acted = true;
        }
        let acted = match self.plan.conduct.clone() {
            Conduct::Honest { path, timeout, interval, scrapes } => {
                let seconds = timeout.as_secs_f64();
                let headers = format!("X-Prometheus-Scrape-Timeout-Seconds: {seconds}\r\n");
                self.ask_and_check(now, is_due, (path, &headers), (timeout, interval, scrapes), conditions, tally)?
            }
            Conduct::Check { interval, checks } => {
                let limit = Duration::from_millis(50);
                self.ask_and_check(now, is_due, ("/-/healthy", ""), (limit, interval, checks), conditions, tally)?
            }
            Conduct::Impatient { path, stays } if self.done == 0 => {
                self.done = 1;
                self.next = Some(now + stays);
                let headers = "X-Prometheus-Scrape-Timeout-Seconds: 0.002\r\n";
                self.unsent = request(path, headers);
                self.send()
            }
            Conduct::SlowSender { step } if is_due => {
                let bytes = request("/metrics", "");
                let at = usize::try_from(self.done).unwrap_or(usize::MAX);
                self.done += 1;
                self.next = Some(now + step);
                self.unsent.extend(bytes.get(at));
                let is_closed = self.receive() == Some(0);
                if at >= bytes.len() + 3 || is_closed { self.leave() } else { self.send() }
            }
            Conduct::SlowReader { requests, step } if is_due => {
                if self.done == 0 {
                    for _ in 0..requests {
                        self.unsent.extend(request("/metrics", ""));
                    }
                }
                self.done += 1;
                self.next = Some(now + step);
                let has_sent = self.send();
                let mut little = [0; 100];
                let has_read = self.socket.as_mut().is_some_and(|socket| matches!(socket.read(&mut little), Ok(1..)));
                if self.done > 20 { self.leave() } else { has_sent || has_read }
            }
            Conduct::Broken { bytes } => {
                self.unsent = bytes.to_vec();
                self.send();
                self.leave()
            }
            Conduct::Impatient { .. } if is_due => self.leave(),
            Conduct::Impatient { .. } | Conduct::SlowSender { .. } | Conduct::SlowReader { .. } => false,
        };
        Ok(has_acted || acted)
    }

    /// Sends what fits. Returns whether something was sent.
    fn send(&mut self) -> bool {
        let Some(socket) = &mut self.socket else { return false };
        match socket.write(&self.unsent) {
            Ok(length) => {
                self.unsent.drain(..length);
                length > 0
            }
            Err(_) => false,
        }
    }

    /// Receives the bytes that have arrived: `None` if there are none, 0 at the end.
    fn receive(&mut self) -> Option<usize> {
        let socket = self.socket.as_mut()?;
        let mut bytes = [0; 16 << 10];
        match socket.read(&mut bytes) {
            Ok(length) => {
                self.received.extend_from_slice(bytes.get(..length).unwrap_or_default());
                Some(length)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(_) => Some(0),
        }
    }

    /// The client of the invariant: it asks, and gets an answer in its time.
    fn ask_and_check(
        &mut self,
        now: Duration,
        is_due: bool,
        (path, headers): (&str, &str),
        (limit, interval, times): (Duration, Duration, u64),
        conditions: &Conditions<'_>,
        tally: &mut Tally,
    ) -> Result<bool, String> {
        let is_asking = self.asked > Duration::ZERO;
        if !is_asking && is_due {
            if self.done == times || now >= conditions.stops {
                return Ok(self.leave());
            }
            self.unsent = request(path, headers);
            self.received.clear();
            self.asked = now;
            self.next = Some(now + limit);
            return Ok(self.send());
        }
        if !is_asking {
            return Ok(false);
        }
        let mut has_acted = false;
        while let Some(length) = self.receive() {
            has_acted = true;
            if length > 0 {
                continue;
            }
            if now >= conditions.stops {
                return Ok(self.leave());
            }
            let text = String::from_utf8_lossy(&self.received).into_owned();
            return Err(format!("{path} of {:?} was closed at {now:?} after {text:?}", self.asked));
        }
        if let Some((status, body)) = answer(&self.received) {
            self.check(now, path, limit, (status, &body), conditions, tally)?;
            self.asked = Duration::ZERO;
            self.done += 1;
            self.next = Some(now + interval);
            return Ok(true);
        }
        if now > self.asked + limit {
            if self.asked + limit >= conditions.stops {
                return Ok(self.leave());
            }
            return Err(format!("{path} of {:?} has no answer after {limit:?}", self.asked));
        }
        // The answer may arrive in the same moment.
        if now == self.asked + limit {
            self.next = Some(now + Duration::from_millis(2));
        }
        Ok(has_acted)
    }

    fn check(
        &self,
        now: Duration,
        path: &str,
        limit: Duration,
        (status, body): (u16, &str),
        conditions: &Conditions<'_>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let problem = |what: &str| {
            Err(format!("{path} of {:?} with {limit:?} got {status} at {now:?}: {what}\n{body}", self.asked))
        };
        if path == "/-/healthy" {
            tally.checks += 1;
            return if status == 200 { Ok(()) } else { problem("not healthy") };
        }
        if status != 200 {
            tally.refused += 1;
            let is_honest = status == 503 && body.ends_with("try again later.\n");
            let is_allowed = conditions.may_refuse || now >= conditions.stops;
            return if is_honest && is_allowed { Ok(()) } else { problem("an error without a cause") };
        }
        let mut is_complete = true;
        for (idx, (name, _)) in COLLECTORS.iter().enumerate() {
            let is_wanted = if path.contains("collect[]") {
                path.contains(name)
            } else {
                !path.contains(&format!("exclude[]={name}"))
            };
            let line = |success: u8| format!("\nnode_scrape_collector_success{{collector=\"{name}\"}} {success}\n");
            let (is_well, is_ill) = (body.contains(&line(1)), body.contains(&line(0)));
            if is_well == is_ill && is_wanted || !is_wanted && (is_well || is_ill) {
                return problem(&format!("nothing true about {name}"));
            }
            if !is_wanted {
                continue;
            }
            is_complete &= is_well;
            // A short timeout may end while other collectors are slow.
            let is_sound = conditions.faults.iter().all(|fault| fault.collector != idx || fault.from > now);
            let has_time = limit >= Duration::from_secs(2) || conditions.faults.iter().all(|fault| fault.from > now);
            let may_lack = now >= conditions.stops || conditions.may_refuse;
            if is_ill && is_sound && has_time && !may_lack {
                return problem(&format!("{name} is missing"));
            }
        }
        let load = body.lines().find_map(|line| line.strip_prefix("node_load1 ")).and_then(|load| load.parse().ok());
        let (asked, now) = (self.asked.as_secs_f64(), now.as_secs_f64());
        let is_disturbed = |fault: &Fault| COLLECTORS[fault.collector].0 == "loadavg" && fault.kind == Kind::Garbage;
        if let Some(load) = load.filter(|_: &f64| !conditions.faults.iter().any(is_disturbed))
            && !(asked - 0.001..=now + 0.001).contains(&load)
        {
            return problem("a page that is older than its request");
        }
        if is_complete {
            tally.complete += 1;
        } else {
            tally.partial += 1;
        }
        Ok(())
    }
}

fn request(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").into_bytes()
}

/// Status and body of a complete response.
fn answer(received: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(received);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length: usize = head.lines().find_map(|line| line.strip_prefix("Content-Length: "))?.parse().ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    (body.len() == length).then(|| (status, body.to_owned()))
}
