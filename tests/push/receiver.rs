//! A receiver on loopback whose answers a test decides.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    /// Lines of the head, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// Status, further header lines that each end in CRLF, body.
    Status(u16, String, String),
    /// Nothing, until the client gives up.
    Silence,
    /// These bytes, then the connection is closed.
    Bytes(&'static [u8]),
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self::Status(status, String::new(), String::new())
    }
}

/// A running receiver; it ends on drop.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    is_ending: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A stream of a connection.
pub(crate) trait Wire: Read + Write {}

impl<S: Read + Write> Wire for S {}

type Decide = Box<dyn Fn(usize, &Received) -> Reply + Send + Sync>;

impl Receiver {
    /// `decide` gets the number of the request, from 0.
    pub(crate) fn start(decide: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), decide)
    }

    pub(crate) fn start_at(
        address: SocketAddr,
        decide: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_over(address, |stream| Box::new(stream), decide)
    }

    /// `wrap` makes the stream of requests of a connection, such as one by TLS.
    pub(crate) fn start_over(
        address: SocketAddr,
        wrap: impl Fn(TcpStream) -> Box<dyn Wire> + Send + Sync + 'static,
        decide: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let is_ending = Arc::new(AtomicBool::new(false));
        let (list, ending) = (Arc::clone(&received), Arc::clone(&is_ending));
        let decide: Arc<Decide> = Arc::new(Box::new(decide));
        let wrap = Arc::new(wrap);
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if ending.load(Ordering::SeqCst) {
                    return;
                }
                let (list, ending, decide) = (Arc::clone(&list), Arc::clone(&ending), Arc::clone(&decide));
                let wrap = Arc::clone(&wrap);
                stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                std::thread::spawn(move || serve(wrap(stream), &list, &ending, &decide));
            }
        });
        Self { address, received, is_ending, thread: Some(thread) }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until this number of requests came.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        let begin = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(begin.elapsed() < Duration::from_secs(30), "{} of {count} requests came", received.len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.is_ending.store(true, Ordering::SeqCst);
        // The thread that accepts wakes, sees the flag and ends.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

fn serve(stream: Box<dyn Wire>, list: &Mutex<Vec<Received>>, ending: &AtomicBool, decide: &Decide) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = receive(&mut reader) {
        let number = {
            let mut list = list.lock().unwrap();
            list.push(request.clone());
            list.len() - 1
        };
        if ending.load(Ordering::SeqCst) {
            return;
        }
        let written = match decide(number, &request) {
            Reply::Status(status, headers, body) => {
                let head = format!("HTTP/1.1 {status} Reply\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
                // A status without content has none, whatever the header says.
                let body = if status == 204 { "" } else { &body };
                reader.get_mut().write_all((head + body).as_bytes()).and_then(|()| reader.get_mut().flush())
            }
            Reply::Silence => {
                // Until the client closes.
                _ = reader.read(&mut [0]);
                return;
            }
            Reply::Bytes(bytes) => {
                _ = reader.get_mut().write_all(bytes);
                return;
            }
        };
        if written.is_err() {
            return;
        }
    }
}

fn receive(reader: &mut BufReader<Box<dyn Wire>>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let find = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let mut body = Vec::new();
    if find("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let length = usize::from_str_radix(line.trim(), 16).ok()?;
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk).ok()?;
            if length == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..length]);
        }
    } else {
        body.resize(find("content-length").and_then(|length| length.parse().ok()).unwrap_or(0), 0);
        reader.read_exact(&mut body).ok()?;
    }
    Some(Received { method, target, headers, body })
}
