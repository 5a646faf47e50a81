//! A real exporter as a peer: started on loopback over a folder, asked for its page, ended by its process id.

#![expect(clippy::disallowed_methods, reason = "the harness' room of processes, sockets and waiting")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A peer has this long to answer for the first time.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer has this long to arrive.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// A running peer; dropping it ends it.
#[derive(Debug)]
pub struct Peer {
    process: Child,
    address: SocketAddr,
}

impl Peer {
    /// Starts a program that takes node_exporter's flags, on a free port of loopback, and waits until it answers.
    pub fn start(program: &Path, arguments: &[String]) -> io::Result<Self> {
        let address = free_address()?;
        let mut peer = Self::spawn(program, arguments, address)?;
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = peer.process.try_wait()? {
                return Err(io::Error::other(format!("{} ended at once: {status}", program.display())));
            }
            if begin.elapsed() > START_TIMEOUT {
                return Err(io::Error::other(format!("{} does not listen on {address}", program.display())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(peer)
    }

    /// Starts it on this address and waits for nothing.
    pub fn spawn(program: &Path, arguments: &[String], address: SocketAddr) -> io::Result<Self> {
        let process = Command::new(program)
            .args(arguments)
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A connection on which nothing is asked.
    pub fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.address)
    }

    /// The page below a path such as `/metrics`.
    pub fn get(&self, path: &str) -> io::Result<Vec<u8>> {
        get(self.address, path)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the program says of itself when it is asked for help.
pub fn help(program: &Path) -> io::Result<String> {
    let output = Command::new(program).arg("--help").stdin(Stdio::null()).output()?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// An address of loopback that nobody listens on.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// The body of `http://address/path`, asked for without keep-alive, chunks or compression.
fn get(address: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let head = head.ok_or_else(|| io::Error::other("the answer has no end of its head"))?;
    let status = answer.split(|&byte| byte == b'\r').next().unwrap_or_default();
    if !status.windows(5).any(|window| window == b" 200 ") {
        return Err(io::Error::other(String::from_utf8_lossy(status).into_owned()));
    }
    Ok(answer.split_off(head + 4))
}
