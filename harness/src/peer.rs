//! A real exporter as a peer: started on loopback over a folder, asked for its page, ended by its process id.

#![expect(clippy::disallowed_methods, reason = "the harness' room of processes, sockets and waiting")]

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::exposition::Format;
use crate::fetch::Url;

/// A peer has this long to answer for the first time, on a machine that has much else to do.
const START_TIMEOUT: Duration = Duration::from_secs(60);

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

    /// Where its page is.
    pub fn url(&self) -> Url {
        Url { authority: self.address.to_string(), path: "/metrics".to_owned() }
    }

    /// What it answers below another path.
    pub fn get(&self, path: &str) -> io::Result<Vec<u8>> {
        Ok(Url { path: path.to_owned(), ..self.url() }.get(Format::Text)?.body)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program that takes node_exporter's flags, and what it says of itself.
#[derive(Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, as far as it is numbers and dots.
    pub version: String,
    /// The words of its help, flags among them.
    words: BTreeSet<String>,
}

impl Program {
    /// Asks it.
    pub fn ask(path: &Path) -> io::Result<Self> {
        let said = said(path, "--version")?;
        let version = said.split_once("version ").map_or("", |(_, rest)| rest);
        let version: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let words: BTreeSet<String> = said_words(&help(path)?);
        if version.is_empty() || !words.iter().any(|word| word.contains("collector.")) {
            let problem = "does not answer --version and --help as node_exporter does";
            return Err(io::Error::other(format!("{}: {problem}", path.display())));
        }
        Ok(Self { path: path.to_owned(), version, words })
    }

    /// The names of its collectors.
    pub fn collectors(&self) -> BTreeSet<&str> {
        let begins = ["--[no-]collector.", "--collector."];
        let names = self.words.iter().filter_map(|word| begins.iter().find_map(|begin| word.strip_prefix(begin)));
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'0'..=b'9');
        names.filter(|name| name.bytes().all(is_letter)).collect()
    }

    /// Whether it has a flag of this name, which it would not start with else.
    pub fn takes(&self, flag: &str) -> bool {
        [format!("--{flag}"), format!("--[no-]{flag}")].iter().any(|form| self.words.contains(form))
    }
}

/// What a program tells of its flags.
pub fn help(program: &Path) -> io::Result<String> {
    said(program, "--help")
}

fn said_words(help: &str) -> BTreeSet<String> {
    // Of `--path.procfs="/proc"`, the default is none of the name.
    help.split_whitespace().map(|word| word.split('=').next().unwrap_or_default().to_owned()).collect()
}

fn said(program: &Path, flag: &str) -> io::Result<String> {
    let output = Command::new(program).arg(flag).stdin(Stdio::null()).output();
    let output = output.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
    Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

/// An address of loopback that nobody listens on.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
