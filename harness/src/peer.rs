//! Another exporter as a peer: started on loopback for a host, scraped, and killed by its process id.

#![expect(clippy::disallowed_methods, reason = "the harness starts processes and opens sockets here")]

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::exposition::Format;
use crate::fetch::Url;

/// Maximum time until the first answer, for a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running peer; it is killed on drop.
#[derive(Debug)]
pub struct Peer {
    process: Child,
    address: SocketAddr,
}

impl Peer {
    /// Starts a program with node_exporter's flags on a free port of loopback and waits until it answers.
    pub fn start(program: &Path, arguments: &[String]) -> io::Result<Self> {
        let address = free_address()?;
        let mut peer = Self::spawn(program, arguments, address)?;
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = peer.process.try_wait()? {
                return Err(io::Error::other(format!("{} exited at start: {status}", program.display())));
            }
            if begin.elapsed() > START_TIMEOUT {
                return Err(io::Error::other(format!("{} does not listen on {address}", program.display())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(peer)
    }

    /// Starts it on this address without waiting.
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

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Opens a connection without sending a request.
    pub fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.address)
    }

    /// The URL of its page.
    pub fn url(&self) -> Url {
        Url { authority: self.address.to_string(), path: "/metrics".to_owned() }
    }

    /// Requests another path.
    pub fn get(&self, path: &str) -> io::Result<Vec<u8>> {
        Ok(Url { path: path.to_owned(), ..self.url() }.get(Format::Text)?.body)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program with node_exporter's flags, and its self-description.
#[derive(Debug)]
pub struct Program {
    /// Its path.
    pub path: PathBuf,
    /// Its version, digits and dots only.
    pub version: String,
    /// The words of its help text, flags among them.
    words: BTreeSet<String>,
}

impl Program {
    /// Runs it with --version and --help.
    pub fn ask(path: &Path) -> io::Result<Self> {
        let said = said(path, "--version")?;
        let version = said.split_once("version ").map_or("", |(_, rest)| rest);
        let version: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let words: BTreeSet<String> = said_words(&help(path)?);
        if version.is_empty() || !words.iter().any(|word| word.contains("collector.")) {
            let problem = "expected output of --version and --help like node_exporter's";
            return Err(io::Error::other(format!("{}: {problem}", path.display())));
        }
        Ok(Self { path: path.to_owned(), version, words })
    }

    /// Names of its collectors.
    pub fn collectors(&self) -> BTreeSet<&str> {
        let begins = ["--[no-]collector.", "--collector."];
        let names = self.words.iter().filter_map(|word| begins.iter().find_map(|begin| word.strip_prefix(begin)));
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'0'..=b'9');
        names.filter(|name| name.bytes().all(is_letter)).collect()
    }

    /// Whether it has this flag; it would refuse to start with an unknown one.
    pub fn takes(&self, flag: &str) -> bool {
        [format!("--{flag}"), format!("--[no-]{flag}")].iter().any(|form| self.words.contains(form))
    }
}

/// The help text of a program.
pub fn help(program: &Path) -> io::Result<String> {
    said(program, "--help")
}

fn said_words(help: &str) -> BTreeSet<String> {
    // In `--path.procfs="/proc"` the default is not part of the name.
    help.split_whitespace().map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect()
}

fn said(program: &Path, flag: &str) -> io::Result<String> {
    let output = Command::new(program).arg(flag).stdin(Stdio::null()).output();
    let output = output.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// A free address of loopback.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
