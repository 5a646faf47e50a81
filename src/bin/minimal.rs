//! A minimal exporter: the collectors with the server of `tiny_http`, as an example for programs with their own server.
//!
//! It listens on loopback only and must not be exposed to a network: one request with a false `Content-Length` ends it.
//! `node_exporter` has a server for networks ([`node_exporter::serve`]).
#![expect(
    clippy::disallowed_methods,
    reason = "the port is read from the command line, and the listener is this program's"
)]

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use collectors::kit::scraper::{Scraper, Selection};
use node_exporter::flags::{self, Command};
use node_exporter::host;
use tiny_http::{Header, Method, Response, Server};

const PORT: u16 = 9100;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let port = std::env::args().nth(1).map_or(Ok(PORT), |port| port.parse())?;
    let scraper = scraper()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    // Inherited by accepted connections. With Nagle's algorithm, the second segment of a page waits 40 ms for a delayed ACK.
    rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
    let server = Server::from_listener(listener, None)?;
    println!("http://{}/metrics", server.server_addr());
    let content_type = Header::from_bytes("Content-Type", "text/plain; version=0.0.4").expect("a sound header");
    let mut page = Vec::new();
    for request in server.incoming_requests() {
        let response = match (request.method(), request.url()) {
            (Method::Get, "/metrics") => {
                page.clear();
                // The samples of a failed collector are missing, and its success metric is 0. The first closure can add
                // families, the second one gets the report of each collector.
                scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
                Response::from_data(page.as_slice())
                    .with_header(content_type.clone())
                    .with_chunked_threshold(usize::MAX)
            }
            _ => Response::from_data("The page is at /metrics.\n").with_status_code(404),
        };
        if let Err(error) = request.respond(response) {
            eprintln!("answering: {error}");
        }
    }
    Ok(())
}

/// The default collectors of `node_exporter`, for this host on Linux and for a simulated one elsewhere.
fn scraper() -> Result<Arc<Scraper>, String> {
    let Command::Serve(settings) = flags::parse(collectors::ALL, [])? else {
        unreachable!("no arguments ask to serve")
    };
    let host = host::open(&settings)?;
    let mut values = settings.values;
    host.prepare(&mut values)?;
    Scraper::build(collectors::ALL, &values, host.roots, host.kernel).map(Arc::new)
}
