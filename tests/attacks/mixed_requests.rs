//! Clients with every mix of filters, deadlines and codings, beside one whose pages have to stay as they are.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::alone;
use crate::deadlines::{HEADERS, IMPATIENT, PATIENT, TIME, success};
use crate::exporter::{Connection, Exporter};

/// Pages are much smaller.
const PAGE_MAX_BYTES: usize = 1 << 20;

/// Requests: path, and headers besides the one with the deadline.
const KINDS: [(&str, &str); 6] = [
    ("/metrics", ""),
    ("/metrics", "Accept-Encoding: gzip\r\n"),
    ("/metrics", "Accept: application/openmetrics-text\r\nAccept-Encoding: zstd\r\n"),
    ("/metrics?collect[]=loadavg&collect[]=time", ""),
    ("/metrics?collect[]=time", "Accept-Encoding: gzip;q=1, identity;q=0\r\n"),
    ("/metrics?exclude[]=loadavg", "Accept-Encoding: zstd, gzip;q=0.5\r\n"),
];

/// A body without its coding.
fn decoded(head: &str, body: Vec<u8>) -> Vec<u8> {
    let mut page = vec![0; PAGE_MAX_BYTES];
    let length = if head.contains("gzip") {
        libdeflater::Decompressor::new().gzip_decompress(&body, &mut page).unwrap()
    } else if head.contains("zstd") {
        zstd_safe::decompress(page.as_mut_slice(), &body).unwrap()
    } else {
        return body;
    };
    page.truncate(length);
    page
}

/// The success lines of a page, and its headers without length.
fn shape(connection: &mut Connection, (path, headers): (&str, &str), deadline: &str) -> (Vec<String>, String) {
    connection.send_with("GET", path, &format!("{headers}{deadline}"));
    let (status, head, body) = connection.receive_bytes("GET").unwrap();
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
    let lines = head.lines().filter(|line| !line.starts_with("Content-Length") && !line.starts_with("Date"));
    let head = lines.collect::<Vec<_>>().join("\n");
    let page = String::from_utf8(decoded(&head, body)).unwrap();
    (success(&page).into_iter().map(str::to_owned).collect(), head)
}

#[test]
fn no_mix_of_filters_deadlines_and_codings_changes_the_page_of_another_client() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slow.toml");
    std::fs::write(&file, "profile = 'vm'\nfaults = '''\nproc/loadavg slow=30ms\nproc/stat slow=5ms\n'''\n").unwrap();
    let scenario = format!("--simulate.scenario={}", file.display());
    let exporter = Exporter::start(&[&scenario, "--web.max-requests=0", "--web.enable-openmetrics"]);
    let mut connection = exporter.connect();
    let expected = KINDS.map(|kind| shape(&mut connection, kind, PATIENT));
    // Filters are not ignored, and codings are those that were asked for.
    assert_eq!([3, 4].map(|kind: usize| expected[kind].0.len()), [2, 1]);
    assert_eq!(expected[5].0.len() + 1, expected[0].0.len());
    let codings = |(_, head): &(Vec<String>, String)| (head.contains("gzip"), head.contains("zstd"));
    assert_eq!(
        expected.each_ref().map(codings),
        [(false, false), (true, false), (false, true), (false, false), (true, false), (false, true)]
    );
    let is_over = AtomicBool::new(false);
    let (mut pages, mut damaged) = (0, Vec::new());
    thread::scope(|scope| {
        for number in 0..IMPATIENT {
            let (exporter, is_over) = (&exporter, &is_over);
            scope.spawn(move || {
                let mut connection = exporter.connect();
                for turn in number.. {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    // Only the deadline of these is used; the kinds are those of the other client.
                    let deadline = HEADERS[turn % HEADERS.len()].split("\r\n").next().unwrap();
                    let (path, headers) = KINDS[turn % KINDS.len()];
                    connection.send_with("GET", path, &format!("{headers}{deadline}\r\n"));
                    // A deadline of milliseconds may pass before the scrape begins.
                    let (status, _, _) = connection.receive_bytes("GET").unwrap();
                    assert!(matches!(status, 200 | 503), "{path}: {status}");
                }
            });
        }
        let begin = Instant::now();
        while begin.elapsed() < TIME {
            let kind = pages % KINDS.len();
            let found = shape(&mut connection, KINDS[kind], PATIENT);
            pages += 1;
            if found != expected[kind] {
                damaged.push((KINDS[kind], found));
            }
        }
        is_over.store(true, Ordering::SeqCst);
    });
    println!("{pages} pages of {} kinds beside {IMPATIENT} impatient clients: {} damaged", KINDS.len(), damaged.len());
    assert!(pages > 10 && damaged.is_empty(), "{damaged:?}");
}
