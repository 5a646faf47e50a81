//! The smallest exporter: our collectors behind the server of `tiny_http`, for programs that have one already.
//!
//! It listens on this machine's loopback alone, and must not face a network: one request whose length is a lie ends it.
//! `node_exporter` has a front for that ([`node_exporter::serve`]).
#![expect(clippy::disallowed_methods, reason = "the port is read from the command line")]

use std::net::Ipv4Addr;
use std::sync::Arc;

use collectors::kit::scraper::{Scraper, Selection};
use node_exporter::flags::{self, Command};
use node_exporter::host;
use tiny_http::{Header, Method, Response, Server};

const PORT: u16 = 9100;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let port = std::env::args().nth(1).map_or(Ok(PORT), |port| port.parse())?;
    let scraper = scraper()?;
    let server = Server::http((Ipv4Addr::LOCALHOST, port))?;
    println!("http://{}/metrics", server.server_addr());
    let content_type = Header::from_bytes("Content-Type", "text/plain; version=0.0.4").expect("a sound header");
    let mut page = Vec::new();
    for request in server.incoming_requests() {
        let response = match (request.method(), request.url()) {
            (Method::Get, "/metrics") => {
                page.clear();
                // Collectors that fail are left out; the page says which. The first closure adds families of others, the
                // second is told how each collector fared.
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

/// This host's collectors as `node_exporter` without arguments has them; of a simulated host where there is no Linux.
fn scraper() -> Result<Arc<Scraper>, String> {
    let Command::Serve(settings) = flags::parse(collectors::ALL, [])? else {
        unreachable!("no arguments ask to serve")
    };
    let host = host::open(&settings)?;
    let mut values = settings.values;
    host.prepare(&mut values)?;
    Scraper::build(collectors::ALL, &values, host.roots, host.kernel).map(Arc::new)
}
