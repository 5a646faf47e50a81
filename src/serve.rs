//! The HTTP server: listeners, connections, requests and responses.

mod compress;
pub mod deadline;
pub mod front;
pub mod handler;
mod history;
pub mod listen;
mod negotiate;
mod query;
pub mod replaceable;
pub mod request;
pub mod signals;
pub mod status;
pub mod stream;
pub mod untrusted;
pub mod web_config;

#[cfg(test)]
mod tests {
    use super::deadline::Deadlines;
    use super::front::{Front, Stopper};
    use super::handler::Handler;
    use super::handler::answer::Handle;
    use super::listen;
    use crate::instruments::Instruments;
    use crate::log::tests::log;
    use crate::log::{Format, Level};
    use collectors::host::kernel::canned::Canned;
    use collectors::host::kernel::clock;
    use collectors::host::root::tree::Tree;
    use collectors::kit::declare::Registration;
    use collectors::kit::options::FlagValues;
    use collectors::kit::scraper::Scraper;
    use collectors::kit::testing::gate::Gate;
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpStream};
    use std::num::NonZeroUsize;
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    /// Timeout of the client.
    const TIMEOUT: Duration = Duration::from_secs(4);
    /// Time before the timeout at which the page is sent.
    const OFFSET: Duration = Duration::from_secs(3);

    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    fn ask(address: SocketAddr, url: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).unwrap();
        write!(client, "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        client
    }

    /// Sends a request with the timeout header of Prometheus.
    #[expect(clippy::disallowed_methods, reason = "the test is the client")]
    fn ask_in_time(address: SocketAddr) -> TcpStream {
        let mut client = TcpStream::connect(address).unwrap();
        let seconds = TIMEOUT.as_secs();
        let lines = format!("Connection: close\r\nX-Prometheus-Scrape-Timeout-Seconds: {seconds}\r\n");
        write!(client, "GET /metrics HTTP/1.1\r\nHost: x\r\n{lines}\r\n").unwrap();
        client
    }

    fn answer_of(mut client: TcpStream) -> String {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Serves scrapes of a gated root while `client` runs.
    fn serving(client: impl FnOnce(SocketAddr, &Gate, &Stopper)) {
        serving_with(&["loadavg"], client);
    }

    /// Serves scrapes that block on these files, while `client` sends requests.
    fn serving_with(blocked: &'static [&'static str], client: impl FnOnce(SocketAddr, &Gate, &Stopper)) {
        let (gate, roots) = Gate::before_each(blocked, Tree::new().with_file("proc/vmstat", "pgpgin 7\n"));
        let (log, _) = log(Level::Error, Format::Logfmt);
        let log = Arc::new(log);
        let registrations =
            [Registration::of::<collectors::loadavg::Loadavg>(), Registration::of::<collectors::vmstat::Vmstat>()];
        let values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        let scraper = Scraper::build(&registrations, &values, roots, Arc::new(Canned::default())).unwrap();
        let instruments = Instruments::new(false).unwrap();
        let handler = Handler::new(Arc::new(scraper), instruments, Arc::clone(&log), "/metrics", NonZeroUsize::new(1));
        let deadlines = Deadlines { offset: OFFSET, ..Deadlines::default() };
        let handler: Arc<dyn Handle> = Arc::new(handler.with_deadlines(deadlines));
        let listener = listen::listen("127.0.0.1:0").unwrap();
        let address = listener.to_string().parse().unwrap();
        let front = Front::new(vec![listener], None).unwrap();
        let stopper = front.stopper();
        thread::scope(|scope| {
            scope.spawn(move || front.run(&handler, &log).unwrap());
            client(address, &gate, &stopper);
            gate.open();
            stopper.stop();
        });
    }

    #[test]
    fn scrapes_beyond_the_limit_are_refused_and_other_pages_are_served() {
        serving(|address, gate, _| {
            let first = ask(address, "/metrics");
            gate.wait_for_reader();
            let refused = answer_of(ask(address, "/metrics?collect[]=loadavg"));
            assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
            assert!(
                refused.ends_with("\r\n\r\nLimit of concurrent requests reached (1), try again later.\n"),
                "{refused}"
            );
            assert!(answer_of(ask(address, "/")).starts_with("HTTP/1.1 200 "));
            gate.open();
            assert!(answer_of(first).starts_with("HTTP/1.1 200 "));
        });
    }

    #[test]
    fn a_limit_of_one_serves_one_of_a_hundred_concurrent_scrapes() {
        serving(|address, gate, _| {
            let first = ask(address, "/metrics?collect[]=loadavg");
            gate.wait_for_reader();
            let url = |number: usize| if number.is_multiple_of(2) { "/metrics" } else { "/metrics?collect[]=loadavg" };
            let others: Vec<_> = (1..100).map(|number| ask(address, url(number))).collect();
            for other in others {
                let refused = answer_of(other);
                assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
                assert!(refused.contains("Limit of concurrent requests reached (1)"), "{refused}");
            }
            gate.open();
            assert!(answer_of(first).starts_with("HTTP/1.1 200 "));
        });
    }

    #[test]
    fn a_blocked_file_fails_its_collector_and_delays_no_scrape() {
        const SCRAPES: usize = 100;
        serving(|address, gate, _| {
            for number in 0..SCRAPES {
                let begin = clock::monotonic();
                let answer = answer_of(ask_in_time(address));
                let took = clock::monotonic().saturating_sub(begin);
                assert!(took < TIMEOUT, "scrape {number} took {took:?}");
                for expected in [
                    "\nnode_vmstat_pgpgin 7\n",
                    "success{collector=\"loadavg\"} 0\n",
                    "success{collector=\"vmstat\"} 1\n",
                ] {
                    assert!(answer.contains(expected), "{expected} is not in {answer}");
                }
            }
            assert_eq!(gate.waiting(), 1, "a second thread was risked on the blocked file");
        });
    }

    #[test]
    fn requests_sent_before_the_stop_are_answered() {
        serving(|address, gate, stopper| {
            let client = ask(address, "/metrics");
            gate.wait_for_reader();
            stopper.stop();
            gate.open();
            let answer = answer_of(client);
            assert!(answer.contains("node_scrape_collector_success{collector=\"loadavg\"} 0\n"), "{answer}");
        });
    }

    /// Waits until /-/ready has this status.
    #[track_caller]
    fn until_ready_is(address: SocketAddr, status: u16) {
        let deadline = clock::monotonic() + Duration::from_secs(20);
        let expected = format!("HTTP/1.1 {status} ");
        while !answer_of(ask(address, "/-/ready")).starts_with(&expected) {
            assert!(clock::monotonic() < deadline, "not {status}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn readiness_recovers_by_itself_after_every_scrape_was_refused() {
        serving(|address, gate, _| {
            let first = ask(address, "/metrics");
            gate.wait_for_reader();
            assert!(answer_of(ask(address, "/metrics")).starts_with("HTTP/1.1 503 "));
            until_ready_is(address, 503);
            gate.open();
            assert!(answer_of(first).starts_with("HTTP/1.1 200 "));
            until_ready_is(address, 200);
        });
    }

    #[test]
    fn readiness_recovers_by_itself_after_every_collector_was_stuck() {
        serving_with(&["loadavg", "vmstat"], |address, gate, _| {
            let page = answer_of(ask_in_time(address));
            assert!(page.contains("success{collector=\"vmstat\"} 0\n"), "{page}");
            until_ready_is(address, 503);
            gate.open();
            until_ready_is(address, 200);
            // A page of one collector, which no client waits for, changes nothing.
            assert!(answer_of(ask(address, "/metrics?collect[]=vmstat")).contains("node_vmstat_pgpgin 7"));
            until_ready_is(address, 200);
        });
    }

    #[test]
    fn a_page_of_one_stuck_collector_leaves_the_exporter_ready() {
        serving(|address, gate, _| {
            let page = answer_of(ask(address, "/metrics?collect[]=loadavg"));
            assert!(page.contains("success{collector=\"loadavg\"} 0\n"), "{page}");
            until_ready_is(address, 200);
            gate.open();
        });
    }
}
