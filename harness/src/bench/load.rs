//! Parallel clients.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use collectors::host::kernel::clock;

use super::client::{Client, Coding};

/// Throughput of parallel clients.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Got {
    /// Pages per second.
    pub(super) pages_per_second: f64,
    /// Requests that were refused or failed.
    pub(super) failed: u64,
}

/// Scrapes with this many clients for this long, each on its own connection.
pub(super) fn crowd(address: SocketAddr, clients: usize, time: Duration) -> io::Result<Got> {
    let begin = clock::monotonic();
    let one = || {
        let (mut pages, mut failed) = (0_u64, 0_u64);
        let mut client = Client::connect(address, Coding::Gzip);
        while clock::monotonic().saturating_sub(begin) < time {
            if client.as_mut().is_ok_and(|client| client.scrape().is_ok()) {
                pages += 1;
                continue;
            }
            failed += 1;
            crate::load::wait(Duration::from_millis(1));
            client = Client::connect(address, Coding::Gzip);
        }
        (pages, failed)
    };
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let passed = clock::monotonic().saturating_sub(begin);
    if counts.len() < clients {
        return Err(io::Error::other("a client thread panicked"));
    }
    let (pages, failed) = counts.iter().fold((0, 0), |(pages, failed), one| (pages + one.0, failed + one.1));
    Ok(Got { pages_per_second: pages as f64 / passed.as_secs_f64(), failed })
}
