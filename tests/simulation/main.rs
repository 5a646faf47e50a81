//! The exporter on a virtual clock: thousands of schedules of slow, broken, impatient and honest clients, with faults in
//! files, a blocked log, a lack of threads, and the end. Every honest client gets a complete page or an honest error by
//! its deadline.
//!
//! Virtual are the clock, the order of threads, the files, the log's reader, signals and the clients. Real are the server
//! (listeners, reactor, connections, threads, batches, handler, log), the scraper and the sockets, which are Unix sockets
//! that are polled without waiting. One thread runs at a time; threads switch where they wait, and where a file is slow.
//!
//! `SIMULATIONS=10000 cargo test --test simulation` runs more. `SIMULATION="SEED CLIENTS FAULTS"` runs one, of which the
//! masks keep clients and faults; a failing one is shrunk and printed in this form, for [`KEPT`].
#![cfg(unix)]

mod clients;
mod files;
mod world;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clients::{Client, Conditions, Conduct, Running, Tally};
use collectors::host::kernel::canned::Canned;
use collectors::host::schedule::{self, Event, Schedule as _};
use collectors::kit::declare::Registration;
use collectors::kit::options::FlagValues;
use collectors::kit::scraper::Scraper;
use files::{COLLECTORS, Fault, Files, Kind};
use node_exporter::instruments::Instruments;
use node_exporter::log::{Format, Level, Log};
use node_exporter::serve::front::Front;
use node_exporter::serve::handler::Handler;
use node_exporter::serve::handler::answer::Handle;
use node_exporter::serve::listen;
use world::{Random, START, UNBLOCKED, World, Worlds};

/// Schedules of a normal run.
const SIMULATIONS: u64 = 300;

/// Schedules that failed once: seed, and masks of clients and faults.
const KEPT: &[(u64, u64, u64)] = &[
    // The client of the last request of a stopped server is gone: no event ended the server's wait.
    (103, 256, 65_279),
];

/// Time limit of the end.
const END_TIME: Duration = Duration::from_secs(8);

/// Delay of a file that may outlast the end.
const LONG: Duration = Duration::from_secs(2);

/// The clients, faults and end of a simulation.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    clients: Vec<Client>,
    faults: Vec<Fault>,
    requests_max: usize,
    /// The log is not read until then.
    log_blocked: Duration,
    /// No thread can be created in this time.
    threads_refused: Option<(Duration, Duration)>,
    stops: Duration,
}

/// Elements of the list whose bit is set.
fn masked<T>(all: Vec<T>, mask: u64) -> Vec<T> {
    let is_kept = |number: usize| (mask >> number) & 1 == 1;
    all.into_iter().enumerate().filter(|(number, _)| is_kept(*number)).map(|(_, element)| element).collect()
}

impl Plan {
    fn new((seed, clients_mask, faults_mask): (u64, u64, u64)) -> Self {
        let mut random = Random::new(seed);
        let clients = (0..2 + random.below(9)).map(|_| Client::random(&mut random, START)).collect();
        let fault = |random: &mut Random| {
            let kind = match random.below(6) {
                0 | 1 => Kind::Slow(random.milliseconds(1, 60)),
                2 => Kind::Slow(random.milliseconds(60, 3_000)),
                3 | 4 => Kind::Blocked,
                _ => random.pick(&[Kind::Error, Kind::Garbage]),
            };
            let from = START + random.milliseconds(0, 3_000);
            let collector = usize::try_from(random.below(5)).expect("an index");
            Fault { collector, kind, from, to: from + random.milliseconds(1, 30_000) }
        };
        let faults = (0..random.below(4)).map(|_| fault(&mut random)).collect();
        let requests_max = if random.one_in(5) { 1 + usize::try_from(random.below(3)).expect("a count") } else { 0 };
        let log_blocked = if random.one_in(3) { START + random.milliseconds(0, 20_000) } else { START };
        let refused_from = START + random.milliseconds(0, 3_000);
        let refused = (refused_from, refused_from + random.milliseconds(1, 5_000));
        let threads_refused = random.one_in(6).then_some(refused);
        let stops = START + if random.one_in(3) { random.milliseconds(0, 4_000) } else { Duration::from_secs(60) };
        Self {
            seed,
            clients: masked(clients, clients_mask),
            faults: masked(faults, faults_mask),
            requests_max,
            log_blocked,
            threads_refused,
            stops,
        }
    }

    fn run(&self) -> Result<Tally, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let path = folder.path().join("socket");
        World::run(self.seed, |world| {
            let result = self.simulate(world, &path);
            result.unwrap_or_else(|problem| {
                world.fail(problem);
                Tally::default()
            })
        })
    }

    fn simulate(&self, world: &Arc<World>, path: &Path) -> Result<Tally, String> {
        let reader = LogReader { world: Arc::clone(world), blocked: self.log_blocked };
        let log = Log::queued(Level::Info, Format::Logfmt, || START, reader).map_err(|error| error.to_string())?;
        let log = Arc::new(log);
        let files = Files::new(world, self.faults.clone());
        let names = COLLECTORS.map(|(name, _)| name);
        let is_used = |registration: &&Registration| names.contains(&registration.declaration.name);
        let registrations: Vec<Registration> = collectors::ALL.iter().filter(is_used).copied().collect();
        let values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        let scraper = Scraper::build(&registrations, &values, files.roots(), Arc::new(Canned::default()))?;
        let instruments = Instruments::new(false).map_err(|error| error.to_string())?;
        let requests_max = NonZeroUsize::new(self.requests_max);
        let handler = Handler::new(Arc::new(scraper), instruments, Arc::clone(&log), "/metrics", requests_max);
        let handler: Arc<dyn Handle> = Arc::new(handler);
        let listener = listen::listen(&format!("unix:{}", path.display())).map_err(|error| error.to_string())?;
        let front = Front::new(vec![listener], None).map_err(|error| error.to_string())?;
        let stopper = front.stopper();
        let serving = front.start(&handler, &log).map_err(|error| error.to_string())?;
        drop(handler);
        // The thread that waits for signals.
        let (has_ended, is_late) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let main = {
            let (world, has_ended, is_late) = (Arc::clone(world), Arc::clone(&has_ended), Arc::clone(&is_late));
            let stops = self.stops;
            move || {
                world.pause(stops.saturating_sub(world.now()));
                stopper.stop();
                is_late.store(!serving.wait(Some(END_TIME)), Ordering::SeqCst);
                has_ended.store(true, Ordering::SeqCst);
            }
        };
        schedule::spawn("main", main).map_err(|error| error.to_string())?;
        let mut tally = Tally::default();
        let refused = self.threads_refused;
        let conditions = Conditions {
            faults: &self.faults,
            may_refuse: self.requests_max > 0 || refused.is_some(),
            stops: self.stops,
        };
        let mut running: Vec<Running> = self.clients.iter().cloned().map(Running::new).collect();
        while !running.iter().all(Running::is_over) || !has_ended.load(Ordering::SeqCst) {
            if let Some(problem) = world.problem() {
                return Err(problem);
            }
            let now = world.now();
            if let Some((from, to)) = refused
                && from <= now
            {
                world.refuse_threads_until(to);
            }
            let mut has_acted = false;
            for client in &mut running {
                has_acted |= client.step(now, path, &conditions, &mut tally)?;
            }
            if has_acted {
                Worlds.notify(Event::Socket);
            }
            let next = running.iter().filter_map(Running::next).chain([now + Duration::from_secs(1)]).min();
            let next = next.map(|next| next.saturating_sub(now).max(Duration::from_micros(1)));
            Worlds.wait(Event::Socket, next);
        }
        // Requests that wait for a file, and pages that are read slowly, may be abandoned.
        let is_long = |fault: &Fault| match fault.kind {
            Kind::Slow(time) => time >= LONG,
            Kind::Blocked => fault.to >= self.stops + LONG,
            Kind::Error | Kind::Garbage => false,
        };
        let is_slow_reader = |client: &Client| matches!(client.conduct, Conduct::SlowReader { .. });
        let may_be_late = self.faults.iter().any(is_long) || self.clients.iter().any(is_slow_reader);
        if is_late.load(Ordering::SeqCst) && !may_be_late {
            return Err("the exporter did not end in time".to_owned());
        }
        drop(running);
        drop(log);
        let ended = world.now() + Duration::from_secs(400);
        while world.threads().0 > 1 {
            if world.now() > ended {
                return Err(format!("{} threads never end", world.threads().0 - 1));
            }
            Worlds.notify(UNBLOCKED);
            world.pause(Duration::from_secs(1));
        }
        Ok(tally)
    }
}

/// The reader of the log, which may not read.
struct LogReader {
    world: Arc<World>,
    blocked: Duration,
}

impl std::io::Write for LogReader {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.world.pause(self.blocked.saturating_sub(self.world.now()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Removes clients and faults while the simulation fails.
fn shrink((seed, mut clients, mut faults): (u64, u64, u64)) -> ((u64, u64, u64), Plan, String) {
    let mut problem = Plan::new((seed, clients, faults)).run().expect_err("it failed before");
    for bit in 0..16 {
        for (with_clients, with_faults) in [(clients & !(1 << bit), faults), (clients, faults & !(1 << bit))] {
            if (with_clients, with_faults) == (clients, faults) {
                continue;
            }
            if let Err(smaller) = Plan::new((seed, with_clients, with_faults)).run() {
                (clients, faults, problem) = (with_clients, with_faults, smaller);
                break;
            }
        }
    }
    ((seed, clients, faults), Plan::new((seed, clients, faults)), problem)
}

fn check(case: (u64, u64, u64)) -> Result<Tally, String> {
    Plan::new(case).run().map_err(|first| {
        let ((seed, clients, faults), plan, problem) = shrink(case);
        format!("SIMULATION=\"{seed} {clients} {faults}\"\n{plan:#?}\n{problem}\n(at first: {first})")
    })
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the variables choose the schedules")]
fn every_honest_client_gets_a_complete_page_or_an_honest_error_by_its_deadline() {
    const ALL: u64 = 0xffff;
    schedule::simulate_by(&Worlds);
    if let Ok(one) = std::env::var("SIMULATION") {
        let numbers: Vec<u64> = one.split(' ').map(|number| number.parse().expect("three numbers")).collect();
        let case = (numbers[0], numbers[1], numbers[2]);
        println!("{:#?}", Plan::new(case));
        println!("{:?}", Plan::new(case).run());
        return;
    }
    let count = std::env::var("SIMULATIONS").ok().map_or(SIMULATIONS, |count| count.parse().expect("a number"));
    let cases = KEPT.iter().copied().chain((1..=count).map(|seed| (seed, ALL, ALL)));
    let mut sum = Tally::default();
    let mut failures = Vec::new();
    for case in cases {
        match check(case) {
            Ok(tally) => {
                sum.complete += tally.complete;
                sum.partial += tally.partial;
                sum.refused += tally.refused;
                sum.checks += tally.checks;
            }
            Err(problem) => failures.push(problem),
        }
        if failures.len() == 3 {
            break;
        }
    }
    println!("{count} simulations: {sum:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert!(sum.complete > count && sum.partial > 0 && sum.refused > 0 && sum.checks > count, "{sum:?}");
}

#[test]
fn the_same_seed_gives_the_same_simulation() {
    schedule::simulate_by(&Worlds);
    for seed in 1..20 {
        let tally = || format!("{:?}", Plan::new((seed, u64::MAX, u64::MAX)).run());
        assert_eq!(tally(), tally());
    }
}
