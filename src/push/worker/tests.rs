//! The delivery loop in a virtual world: a network whose answers a schedule decides, two clocks, and a disk that crashes.
//!
//! Schedules follow from a seed. One that fails is shrunk to the events that matter.
#![expect(clippy::disallowed_methods, reason = "the number of schedules is a variable of the environment")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::super::client::{Answer, Client, Outbound};
use super::super::metrics::PushMetrics;
use super::super::queue::disk::{Disk, Random};
use super::super::queue::{QueueOptions, SyncPolicy, segment_bytes};
use super::super::remote_write::Version;
use super::*;
use crate::instruments::Instruments;
use crate::log::{Format, Level};
use crate::target::TargetOptions;

/// Behaviour of the receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Takes,
    /// 2xx without a count, as a receiver of 1.0 answers; it takes nothing from a request of 2.0.
    TakesOldOnly,
    /// 415 to version 2.0.
    RefusesNew,
    /// A count of written samples that is too low, or too high.
    Lies(u64),
    BadRequest,
    /// 429 with `Retry-After`: seconds, a date, or no time.
    Throttles(Asked),
    Unavailable,
    /// No answer until the timeout.
    Silent,
    /// The request is taken, and the answer is lost.
    LosesAnswer,
    /// Closes the connection at once.
    Closes,
    /// Takes the request after this time in milliseconds.
    Slow(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Seconds(u64),
    Date(u64),
    Nonsense,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// A collection, with this number of batches.
    Tick(usize),
    Mode(Mode),
    /// Milliseconds in which the loop delivers.
    Pass(u64),
    /// The wall clock is set, in seconds.
    Step(i64),
    /// The process ends, or the power fails.
    Restart {
        is_power: bool,
    },
}

fn schedule(random: &mut Random) -> Vec<Event> {
    let number = |random: &mut Random, limit: usize| random.below(limit) as u64;
    let event = |random: &mut Random| match random.below(12) {
        0..4 => Event::Tick(1 + random.below(3)),
        4..7 => Event::Pass(number(random, 90_000)),
        7 => Event::Step(i64::try_from(random.below(7_200)).unwrap() - 3_600),
        8 => Event::Restart { is_power: random.one_in(2) },
        _ => Event::Mode(match random.below(12) {
            0 => Mode::TakesOldOnly,
            1 => Mode::RefusesNew,
            2 => Mode::Lies(number(random, 9)),
            3 => Mode::BadRequest,
            4 => Mode::Throttles(Asked::Seconds(number(random, 900))),
            5 => Mode::Throttles(if random.one_in(2) { Asked::Date(number(random, 300)) } else { Asked::Nonsense }),
            6 => Mode::Unavailable,
            7 => Mode::Silent,
            8 => Mode::LosesAnswer,
            9 => Mode::Closes,
            10 => Mode::Slow(number(random, 4_000)),
            _ => Mode::Takes,
        }),
    };
    (0..5 + random.below(40)).map(|_| event(random)).collect()
}

const TIMEOUT: Duration = Duration::from_secs(5);

/// Both clocks, which all parts of a world share.
#[derive(Clone, Debug)]
struct Clocks(Arc<Mutex<(Duration, Duration)>>);

impl Clocks {
    fn pass(&self, time: Duration) {
        let mut clocks = self.0.lock().unwrap();
        clocks.0 += time;
        clocks.1 += time;
    }

    fn step(&self, seconds: i64) {
        let mut clocks = self.0.lock().unwrap();
        let amount = Duration::from_secs(seconds.unsigned_abs());
        clocks.0 = if seconds < 0 { clocks.0.saturating_sub(amount) } else { clocks.0 + amount };
    }
}

impl Time for Clocks {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().0
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

#[derive(Debug)]
struct Network {
    mode: Mode,
    /// Numbers of the batches that were taken.
    taken: BTreeSet<usize>,
    /// Numbers of the batches that were refused for good.
    refused: BTreeSet<usize>,
    /// URL and body by batch and `Content-Type`.
    bodies: BTreeMap<(usize, String), (String, Vec<u8>)>,
    /// Moment before which no request may come.
    not_before: Duration,
    last: usize,
    takes_newest_only: bool,
    problem: Option<String>,
}

/// The date of a moment, as `Retry-After` has it.
fn http_date(time: Duration) -> String {
    let (days, seconds) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    let (mut year, mut rest) = (1970, days);
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while rest >= 365 + u64::from(is_leap(year)) {
        rest -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut month = 0;
    while rest >= lengths[month] {
        rest -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("Mon, {:02} {} {year} {hour:02}:{minute:02}:{second:02} GMT", rest + 1, names[month])
}

impl Network {
    fn answer(&mut self, request: &Outbound<'_>, clocks: &Clocks) -> Result<Answer, String> {
        let content_type =
            request.headers.iter().find(|(name, _)| *name == "Content-Type").map_or("", |(_, value)| value);
        let is_snappy = request.headers.contains(&("Content-Encoding", "snappy"));
        let body = if is_snappy {
            snap::raw::Decoder::new().decompress_vec(request.body).unwrap()
        } else {
            request.body.to_vec()
        };
        let is_2 = content_type == Version::V2.content_type();
        // Field 3 of a request of 1.0.
        let is_metadata = is_snappy && !is_2 && body.first() == Some(&0x1a);
        let text = String::from_utf8_lossy(&body);
        let digits = text.split("tick_").nth(1).unwrap_or_default();
        let number: usize = digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        if clocks.monotonic() < self.not_before && !is_metadata {
            self.problem =
                Some(format!("batch {number} came {:?} too early", self.not_before.saturating_sub(clocks.monotonic())));
        }
        let plain = |status: u16| Answer {
            status,
            retry_after: None,
            tells_written: false,
            samples_written: None,
            body: Vec::new(),
        };
        let counted = |count| Answer { tells_written: true, samples_written: Some(count), ..plain(204) };
        let mut takes = false;
        let answer = match self.mode {
            Mode::Takes => {
                takes = true;
                Ok(counted(1))
            }
            Mode::TakesOldOnly => {
                takes = !is_2;
                Ok(plain(200))
            }
            Mode::RefusesNew if is_2 => Ok(plain(415)),
            Mode::RefusesNew => {
                takes = true;
                Ok(plain(204))
            }
            Mode::Lies(count) => {
                takes = true;
                Ok(counted(count))
            }
            Mode::BadRequest => Ok(plain(400)),
            Mode::Throttles(asked) => {
                let retry_after = match asked {
                    Asked::Seconds(seconds) => seconds.to_string(),
                    Asked::Date(seconds) => http_date(clocks.now() + Duration::from_secs(seconds)),
                    Asked::Nonsense => "soon".to_owned(),
                };
                Ok(Answer { retry_after: Some(retry_after), ..plain(429) })
            }
            Mode::Unavailable => Ok(plain(503)),
            Mode::Silent => {
                clocks.pass(TIMEOUT);
                Err("timeout".to_owned())
            }
            Mode::LosesAnswer => {
                takes = true;
                Err("closed".to_owned())
            }
            Mode::Closes => Err("closed".to_owned()),
            Mode::Slow(time) => {
                clocks.pass(Duration::from_millis(time));
                takes = true;
                Ok(counted(1))
            }
        };
        if is_metadata {
            return answer;
        }
        let is_again = answer.is_err() || matches!(&answer, Ok(answer) if matches!(answer.status, 429 | 503));
        if is_again {
            let asked = match self.mode {
                Mode::Throttles(Asked::Seconds(seconds)) => Duration::from_secs(seconds.min(600)),
                // A date has no fraction of a second.
                Mode::Throttles(Asked::Date(seconds)) => Duration::from_secs(seconds.saturating_sub(1)),
                _ => Duration::ZERO,
            };
            self.not_before = clocks.monotonic() + asked.max(Duration::from_millis(250));
        }
        if self.mode == Mode::BadRequest {
            self.refused.insert(number);
        }
        if takes {
            self.take(number, content_type, request.url, &body);
        }
        answer
    }

    fn take(&mut self, number: usize, content_type: &str, url: &str, body: &[u8]) {
        self.taken.insert(number);
        let known =
            self.bodies.entry((number, content_type.to_owned())).or_insert_with(|| (url.to_owned(), body.to_vec()));
        if (known.0.as_str(), known.1.as_slice()) != (url, body) {
            self.problem = Some(format!("batch {number} came again with another content"));
        }
        let missing = |number: &usize| !self.taken.contains(number) && !self.refused.contains(number);
        if !self.takes_newest_only
            && let Some(missing) = (0..number).find(missing)
        {
            self.problem = Some(format!("batch {number} came before {missing}"));
        }
        if self.takes_newest_only && number < self.last {
            self.problem = Some(format!("page {number} replaced the newer {}", self.last));
        }
        self.last = self.last.max(number);
    }
}

fn lane(kind: &str, disk: &Disk, network: &Arc<Mutex<Network>>, clocks: &Clocks, seed: u64) -> Lane {
    let mut options = TargetOptions::parse(&format!("{kind}=http://receiver")).unwrap();
    options.compression = crate::target::Compression::None;
    let (answering, time) = (Arc::clone(network), clocks.clone());
    let client = Client::answered_by(move |request| answering.lock().unwrap().answer(request, &time));
    let target = Target::new(options, TIMEOUT).unwrap().over(client);
    let queue = (!target.takes_newest_only()).then(|| {
        let max_bytes = 1 << 20;
        let options = QueueOptions { max_bytes, segment_bytes: segment_bytes(max_bytes), sync: SyncPolicy::Always };
        let storage: Box<dyn Storage> = Box::new(disk.clone());
        Queue::open(storage, options, u32::try_from(clocks.monotonic().as_millis() & 0xffff_ffff).unwrap()).unwrap()
    });
    let metrics = PushMetrics::new(&Instruments::new(true).unwrap()).unwrap().of("t");
    let log = Arc::new(Log::new(Level::Error, Format::Logfmt, clock::now, std::io::sink()));
    Lane::new(target, queue, metrics, log, seed)
}

/// Delivers until the monotonic clock is at `end`. `attempt` is the moment of the next attempt.
fn deliver(lane: &Lane, progress: &mut Progress, clocks: &Clocks, attempt: &mut Duration, end: Duration) {
    while *attempt < end {
        clocks.pass(attempt.saturating_sub(clocks.monotonic()));
        let Some(shipment) = lane.poll(&mut lane.lock()).unwrap() else { break };
        let pause = lane.attempt(&shipment, progress, clocks);
        *attempt = clocks.monotonic() + pause;
    }
    clocks.pass(end.saturating_sub(clocks.monotonic()));
}

fn run(kind: &str, seed: u64, events: &[Event]) -> Result<(), String> {
    let mut random = Random::new(seed);
    let clocks = Clocks(Arc::new(Mutex::new((Duration::from_secs(1_700_000_000), Duration::ZERO))));
    let disk = Disk::default();
    let takes_newest_only = kind == "pushgateway";
    let network = Arc::new(Mutex::new(Network {
        mode: Mode::Takes,
        taken: BTreeSet::new(),
        refused: BTreeSet::new(),
        bodies: BTreeMap::new(),
        not_before: Duration::ZERO,
        last: 0,
        takes_newest_only,
        problem: None,
    }));
    let mut current = lane(kind, &disk, &network, &clocks, seed);
    let mut progress = Progress::new(&current);
    let mut attempt = Duration::ZERO;
    let (mut batches, mut newest) = (0, None);
    let identity = Arc::new(Identity { job: "j".to_owned(), instance: "i".to_owned(), is_own: true });
    let last = [Event::Mode(Mode::Takes), Event::Pass(4 * 3_600_000)];
    for event in events.iter().chain(&last) {
        match *event {
            Event::Tick(count) => {
                let timestamp = i64::try_from(clocks.now().as_millis()).unwrap();
                let count = if takes_newest_only { 1 } else { count };
                let batch = |number: usize| {
                    let mut text = String::new();
                    if number.is_multiple_of(2) {
                        _ = writeln!(text, "# HELP tick_{number}_ x\n# TYPE tick_{number}_ gauge");
                    }
                    _ = writeln!(text, "tick_{number}_ {number}");
                    Batch { timestamp, start: 0, text }
                };
                let page = Collected {
                    identity: Arc::clone(&identity),
                    batches: (batches..batches + count).map(batch).collect(),
                };
                batches += count;
                newest = Some(batches - 1);
                current.accept(&Arc::new(vec![page]));
                attempt = attempt.max(clocks.monotonic());
            }
            Event::Mode(mode) => network.lock().unwrap().mode = mode,
            Event::Pass(time) => {
                let end = clocks.monotonic() + Duration::from_millis(time);
                deliver(&current, &mut progress, &clocks, &mut attempt, end);
            }
            Event::Step(seconds) => clocks.step(seconds),
            Event::Restart { is_power } => {
                drop(current);
                if is_power {
                    disk.lose_power(&mut random);
                } else {
                    disk.restart_process();
                }
                network.lock().unwrap().not_before = Duration::ZERO;
                current = lane(kind, &disk, &network, &clocks, seed);
                progress = Progress::new(&current);
                attempt = clocks.monotonic();
                newest = None;
            }
        }
        if let Some(problem) = network.lock().unwrap().problem.take() {
            return Err(problem);
        }
    }
    let network = network.lock().unwrap();
    let is_missing = |number: &usize| !network.taken.contains(number) && !network.refused.contains(number);
    let expected = if takes_newest_only { newest.into_iter().collect() } else { (0..batches).collect::<Vec<_>>() };
    let missing: Vec<_> = expected.into_iter().filter(is_missing).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("of {batches} batches {missing:?} never came")) }
}

/// Leaves out events as long as the schedule still fails.
fn shrunk(mut events: Vec<Event>, fails: impl Fn(&[Event]) -> bool) -> Vec<Event> {
    let mut size = events.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < events.len() {
            let mut fewer = events.clone();
            fewer.drain(start..(start + size).min(events.len()));
            if fails(&fewer) { events = fewer } else { start += size }
        }
        size /= 2;
    }
    events
}

#[track_caller]
fn check(kind: &str) {
    let schedules = std::env::var("NODELAB_SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000);
    for seed in 0..schedules {
        let events = schedule(&mut Random::new(seed + 1));
        if let Err(problem) = run(kind, seed, &events) {
            let events = shrunk(events, |fewer| run(kind, seed, fewer).is_err());
            panic!("{kind}, seed {seed}: {problem}; shrunk to {events:?}: {:?}", run(kind, seed, &events));
        }
    }
}

#[test]
fn every_batch_of_an_import_arrives_in_order_or_is_refused() {
    check("import");
}

#[test]
fn every_batch_of_remote_write_arrives_in_order_or_is_refused() {
    check("remote-write");
}

#[test]
fn every_batch_of_remote_write_2_arrives_in_order_or_is_refused() {
    check("remote-write-2");
}

#[test]
fn the_newest_page_arrives_and_no_older_one_after_it() {
    check("pushgateway");
}

#[test]
fn a_failing_schedule_is_shrunk_to_what_matters() {
    let events = schedule(&mut Random::new(7));
    let [tick, step] = [Event::Tick(9), Event::Step(9)];
    let events = [&events[..], &[tick], &events, &[step], &events].concat();
    let fails = |events: &[Event]| {
        let find = |wanted| events.iter().position(|event| *event == wanted);
        find(tick).is_some_and(|at| find(step).is_some_and(|step| step > at))
    };
    assert_eq!(shrunk(events, fails), [tick, step]);
}

#[test]
fn a_count_that_is_too_low_is_told() {
    let clocks = Clocks(Arc::new(Mutex::new((Duration::from_secs(1_700_000_000), Duration::ZERO))));
    for (count, dropped) in [(0, 1), (1, 0), (9, 0)] {
        let client = Client::answered_by(move |_| {
            Ok(Answer {
                status: 204,
                retry_after: None,
                tells_written: true,
                samples_written: Some(count),
                body: Vec::new(),
            })
        });
        let options = TargetOptions::parse("remote-write-2=http://receiver").unwrap();
        let target = Target::new(options, TIMEOUT).unwrap().over(client);
        let metrics = PushMetrics::new(&Instruments::new(true).unwrap()).unwrap().of("t");
        let log = Arc::new(Log::new(Level::Error, Format::Logfmt, clock::now, std::io::sink()));
        let lane = Lane::new(target, None, metrics, log, 1);
        let batch = Batch { timestamp: 1_000, start: 0, text: "a 1\n".to_owned() };
        lane.attempt(&Shipment::Batch(1, batch), &mut Progress::new(&lane), &clocks);
        assert_eq!(lane.metrics.dropped_refused.get(), dropped, "{count}");
    }
}
