//! A running exporter and an HTTP client for it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

/// A running exporter; it is killed on drop.
pub(crate) struct Exporter {
    pub(crate) child: Child,
    pub(crate) log: BufReader<ChildStderr>,
    /// Its log until it listened.
    pub(crate) start: String,
    address: String,
}

impl Exporter {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::launch(&mut Command::new(env!("CARGO_BIN_EXE_node_exporter")), arguments)
    }

    /// Starts it through a command that receives the exporter's arguments.
    pub(crate) fn launch(command: &mut Command, arguments: &[&str]) -> Self {
        command.arg("--web.listen-address=127.0.0.1:0").args(arguments);
        let mut child = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut exporter = Self { child, log, start: String::new(), address: String::new() };
        while exporter.address.is_empty() {
            let before = exporter.start.len();
            let length = exporter.log.read_line(&mut exporter.start).unwrap();
            assert_ne!(length, 0, "it ended after {}", exporter.start);
            if let Some((_, address)) = exporter.start[before..].split_once("msg=\"Listening on\" address=") {
                exporter.address = address.trim().to_owned();
            }
        }
        exporter
    }

    /// Serves a simulated host; this machine's if the simulator is not compiled in.
    pub(crate) fn simulated(arguments: &[&str]) -> Self {
        let simulate: &[&str] = if cfg!(feature = "simulator") { &["--simulate"] } else { &[] };
        Self::start(&[simulate, arguments].concat())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address.parse().unwrap()
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::new(TcpStream::connect(self.address()).unwrap())
    }

    pub(crate) fn get(&self, url: &str) -> Answer {
        self.connect().ask("GET", url)
    }

    #[track_caller]
    pub(crate) fn check(&self, url: &str, status: u16, expected: &str) {
        let answer = self.get(url);
        assert_eq!(answer.status, status, "{url}: {}", answer.body);
        assert!(answer.body.contains(expected), "{expected}\nis not in\n{}", answer.body);
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection over which requests follow each other, over TCP or any other stream.
pub(crate) struct Connection<S: Read + Write = TcpStream>(BufReader<S>);

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self::over(stream)
    }
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, method: &str, url: &str) {
        self.send_with(method, url, "");
    }

    /// Sends a request with these lines of headers.
    pub(crate) fn send_with(&mut self, method: &str, url: &str, headers: &str) {
        self.try_send(method, url, headers).unwrap();
    }

    pub(crate) fn try_send(&mut self, method: &str, url: &str, headers: &str) -> io::Result<()> {
        let request = format!("{method} {url} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        self.0.get_mut().write_all(request.as_bytes())?;
        self.0.get_mut().flush()
    }

    #[track_caller]
    pub(crate) fn receive(&mut self, method: &str) -> Answer {
        self.try_receive(method).unwrap()
    }

    pub(crate) fn try_receive(&mut self, method: &str) -> io::Result<Answer> {
        let (status, head, body) = self.receive_bytes(method)?;
        Ok(Answer { status, head, body: String::from_utf8(body).unwrap() })
    }

    /// Receives a response in any coding: status, head and body.
    pub(crate) fn receive_bytes(&mut self, method: &str) -> io::Result<(u16, String, Vec<u8>)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                let problem = format!("the connection ended after {head:?}");
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
            }
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = Vec::new();
        match length.map(|length| length.parse().unwrap()) {
            Some(_) if method == "HEAD" => {}
            Some(length) => {
                body.resize(length, 0);
                self.0.read_exact(&mut body)?;
            }
            None => {
                self.0.read_to_end(&mut body)?;
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Ok((status, head, body))
    }

    pub(crate) fn ask(&mut self, method: &str, url: &str) -> Answer {
        self.send(method, url);
        self.receive(method)
    }
}
