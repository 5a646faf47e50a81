//! The front: a plain HTTP server before a handler that knows nothing of sockets.

pub mod answer;
pub mod handler;
mod landing;
pub mod listen;
mod query;
pub mod request;
pub mod signals;
pub mod stream;

use std::io::{self, Cursor};
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use answer::{Answer, Handle, Response};
use request::{Method, Peer, Request};

use crate::log::{Field, Log};

/// When no connection can be accepted, mostly because the process has too many files open, this is waited.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// A server that listens.
pub struct Front {
    listener: TcpListener,
    server: std::sync::Mutex<Arc<tiny_http::Server>>,
    address: SocketAddr,
    is_stopping: AtomicBool,
}

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Front").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Front {
    /// Serves what arrives at this listener, once [`Front::run`] is called.
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let server = std::sync::Mutex::new(accept_from(&listener)?);
        Ok(Self { listener, server, address, is_stopping: AtomicBool::new(false) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until [`Front::stop`]; then what was asked before is answered still, and this returns.
    pub fn run(&self, handler: &Arc<dyn Handle>, log: &Log) {
        thread::scope(|scope| {
            while !self.is_stopping.load(Ordering::SeqCst) {
                let server = self.server();
                match server.recv() {
                    Ok(request) => answer(scope, handler, request),
                    Err(_) if self.is_stopping.load(Ordering::SeqCst) => break,
                    Err(error) => self.recover(&error, log),
                }
            }
            while let Ok(Some(request)) = self.server().try_recv() {
                answer(scope, handler, request);
            }
        });
    }

    /// Ends [`Front::run`].
    pub fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        self.server().unblock();
    }

    fn server(&self) -> Arc<tiny_http::Server> {
        Arc::clone(&self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The server's own loop ends at the first connection that it fails to accept; another takes its place.
    fn recover(&self, error: &io::Error, log: &Log) {
        log.error("accepting connections failed, trying again", &[("err", Field::Text(error))]);
        thread::sleep(ACCEPT_PAUSE);
        match accept_from(&self.listener) {
            Ok(server) => *self.server.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = server,
            Err(error) => log.error("listening failed", &[("err", Field::Text(&error))]),
        }
    }
}

fn accept_from(listener: &TcpListener) -> io::Result<Arc<tiny_http::Server>> {
    tiny_http::Server::from_listener(listener.try_clone()?, None).map(Arc::new).map_err(io::Error::other)
}

/// Answers at once what is known at once; a job has a thread of its own. Their number has the limit that scrapes have.
fn answer<'scope>(
    scope: &'scope thread::Scope<'scope, '_>,
    handler: &'scope Arc<dyn Handle>,
    request: tiny_http::Request,
) {
    let Some(head) = head(&request) else {
        let mut response = Response::plain(405, format!("{} does nothing here; use GET.", request.method()));
        response.headers.push(("Allow", "GET, HEAD".to_owned()));
        return respond(request, response);
    };
    match Arc::clone(handler).answer(head) {
        Answer::Ready(response) => respond(request, response),
        Answer::Job(job) => {
            // Where there is no thread to be had, the request is dropped, which answers it with status 500.
            let _ = thread::Builder::new().name("scrape".to_owned()).spawn_scoped(scope, move || {
                respond(request, job());
            });
        }
    }
}

fn head(request: &tiny_http::Request) -> Option<Request> {
    let method = match request.method() {
        tiny_http::Method::Get => Method::Get,
        tiny_http::Method::Head => Method::Head,
        _ => return None,
    };
    let headers = request.headers().iter().map(|header| (header.field.as_str().as_str(), header.value.as_str()));
    let peer = request.remote_addr().map_or(Peer::Unix, |address| Peer::Internet(*address));
    Some(Request::new(method, request.url(), &headers.collect::<Vec<_>>(), peer))
}

/// A client that has gone does not care how; the server's library panics over some of the ways.
fn respond(request: tiny_http::Request, response: Response) {
    let Response { status, headers, body } = response;
    let headers =
        headers.iter().filter_map(|(name, value)| tiny_http::Header::from_bytes(*name, value.as_bytes()).ok());
    let length = body.len();
    let response = tiny_http::Response::new(status.into(), headers.collect(), Cursor::new(body), Some(length), None);
    // The length is known: chunks would only be more to send.
    let response = response.with_chunked_threshold(usize::MAX);
    let _ = catch_unwind(AssertUnwindSafe(|| request.respond(response)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruments::Instruments;
    use crate::log::tests::log;
    use crate::log::{Format, Level};
    use crate::serve::handler::Handler;
    use collectors::kit::kernel::canned::Canned;
    use collectors::kit::options::FlagValues;
    use collectors::kit::root::{Metadata, Names, Root, RootError, Roots};
    use collectors::kit::scraper::Scraper;
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::num::NonZeroUsize;
    use std::sync::{Condvar, Mutex};

    /// A root whose reads wait until they are let go.
    #[derive(Debug, Default)]
    struct Gate {
        state: Mutex<(usize, bool)>,
        change: Condvar,
    }

    impl Gate {
        fn wait(&self) -> RootError {
            let mut state = self.state.lock().unwrap();
            state.0 += 1;
            self.change.notify_all();
            drop(self.change.wait_while(state, |(_, is_open)| !*is_open).unwrap());
            collectors::kit::errno::Errno::ENOENT.into()
        }

        fn until_waited_for(&self) {
            drop(self.change.wait_while(self.state.lock().unwrap(), |(waiting, _)| *waiting == 0).unwrap());
        }

        fn open(&self) {
            self.state.lock().unwrap().1 = true;
            self.change.notify_all();
        }
    }

    impl Root for Gate {
        fn read(&self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), RootError> {
            Err(self.wait())
        }

        fn list(&self, _: &[u8], _: &mut Names) -> Result<(), RootError> {
            Err(self.wait())
        }

        fn read_link(&self, _: &[u8], _: &mut Vec<u8>) -> Result<(), RootError> {
            Err(self.wait())
        }

        fn metadata(&self, _: &[u8]) -> Result<Metadata, RootError> {
            Err(self.wait())
        }
    }

    #[expect(clippy::disallowed_methods, reason = "somebody has to be the client")]
    fn ask(address: SocketAddr, url: &str) -> TcpStream {
        let mut client = TcpStream::connect(address).unwrap();
        write!(client, "GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        client
    }

    fn answer_of(mut client: TcpStream) -> String {
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Serves scrapes that wait at a gate, while `client` asks.
    fn serving(client: impl FnOnce(SocketAddr, &Gate, &Front)) {
        let gate = Arc::new(Gate::default());
        let (log, _) = log(Level::Error, Format::Logfmt);
        let log = Arc::new(log);
        let registrations = [collectors::kit::declare::Registration::of::<collectors::loadavg::Loadavg>()];
        let values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        let roots = Roots::new(|_| -> Arc<dyn Root> { Arc::clone(&gate) as _ });
        let scraper = Scraper::build(&registrations, &values, roots, Arc::new(Canned::default())).unwrap();
        let instruments = Instruments::new(false).unwrap();
        let handler = Handler::new(Arc::new(scraper), instruments, Arc::clone(&log), "/metrics", NonZeroUsize::new(1));
        let handler: Arc<dyn Handle> = Arc::new(handler);
        let front = Front::new(listen::listen("127.0.0.1:0").unwrap()).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| front.run(&handler, &log));
            client(front.address(), &gate, &front);
            gate.open();
            front.stop();
        });
    }

    #[test]
    fn beyond_the_limit_others_are_refused_and_pages_are_served_on() {
        serving(|address, gate, _| {
            let first = ask(address, "/metrics");
            gate.until_waited_for();
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
    fn what_was_asked_before_the_end_is_answered() {
        serving(|address, gate, front| {
            let client = ask(address, "/metrics");
            gate.until_waited_for();
            front.stop();
            gate.open();
            let answer = answer_of(client);
            assert!(answer.contains("node_scrape_collector_success{collector=\"loadavg\"} 0\n"), "{answer}");
        });
    }
}
