//! Clients that begin a handshake and stop.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::folder::{Folder, TLS};
use crate::processor::time;

const HALF_OPEN: usize = 300;
const ROUNDS: usize = 15;
/// Maximum time of a whole request: TCP, handshake, request, response.
const GOOD_MAX: Duration = Duration::from_millis(100);
/// The front's deadline, with a margin for a busy machine.
const DROPPED_MAX: Duration = Duration::from_secs(20);

/// The beginning of a ClientHello record.
const BEGINNING: &[u8] = &[0x16, 3, 1, 0, 200, 1, 0];

#[test]
fn half_open_handshakes_delay_no_client_and_are_dropped() {
    let folder = Folder::new();
    folder.certify(|_| {});
    let exporter = folder.serve(TLS);
    let (address, client) = (exporter.address(), Client::trusting(&folder.authority));
    let mut half_open: Vec<TcpStream> = (0..HALF_OPEN).map(|_| TcpStream::connect(address).unwrap()).collect();
    for stream in half_open.iter_mut().step_by(2) {
        stream.write_all(BEGINNING).unwrap();
    }
    let good = |_| time(&exporter, || assert_eq!(client.status(address), 200));
    let mut times: Vec<Duration> = (0..ROUNDS).map(good).collect();
    times.sort_unstable();
    let (median, longest) = (times[ROUNDS / 2], times[ROUNDS - 1]);
    println!("beside {HALF_OPEN} half-open handshakes: median {median:?}, longest {longest:?}");
    assert!(longest < GOOD_MAX, "{times:?}");
    let begin = Instant::now();
    for stream in &mut half_open {
        stream.set_read_timeout(Some(DROPPED_MAX)).unwrap();
        let mut rest = Vec::new();
        // Any result is accepted: the connection has ended.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
        assert!(begin.elapsed() < DROPPED_MAX);
    }
    println!("all of them are dropped {:?} later", begin.elapsed());
}
