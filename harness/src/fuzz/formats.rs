//! Parsers of files, archives, command lines and network input.

use std::ffi::OsString;
use std::io;

use collectors::host::kernel::canned::Canned;
use collectors::host::kernel::netlink::{self, ethtool, fib, generic, nl80211, qdisc, route};
use collectors::host::root::tree::Tree;
use collectors::host::tree_text;
use node_exporter::flags;
use node_exporter::serve::untrusted;
use simulator::recording::archive;

use super::Target;
use crate::{exposition, host, load};

pub(super) fn targets() -> Vec<Target> {
    const REFUSED: &str = "Any bytes are parsed or refused without a panic.";
    let given = |name: &str, law, attempt: fn(&[u8]), seeds: fn() -> io::Result<Vec<Vec<u8>>>| {
        Target::new(name, law, move || Box::new(attempt), seeds)
    };
    vec![
        given("exposition", REFUSED, exposition, pages),
        given("tree", "A parsed tree survives writing and parsing.", tree, trees),
        given("archive", "A host from an archive can be written as a tree.", archive, archives),
        given("kernel", "Parsed answers survive writing and parsing.", kernel, kernels),
        given("flags", REFUSED, flags, || Ok(command_lines())),
        given("address", REFUSED, address, || Ok(addresses())),
        given("request", "The result does not depend on how a request is split.", request, || Ok(requests())),
        given("web-config", REFUSED, web_config, || Ok(web_configs())),
        given("netlink", "Contradictory lengths are refused.", netlink, datagrams),
    ]
}

fn exposition(input: &[u8]) {
    let _ = exposition::parse(input);
}

fn pages() -> io::Result<Vec<Vec<u8>>> {
    let mut pages =
        vec![b"# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 2\nh_sum 3\nh_count 2\n".to_vec()];
    pages
        .push(b"# HELP s A summary.\n# TYPE s summary\ns{quantile=\"0.5\"} 1e-3\ns_sum 1\ns_count 1\n# EOF\n".to_vec());
    for host in load::hosts()? {
        // A few families each, because whole pages are slow to shrink.
        let page = host::golden_page(&host)?;
        pages.extend(page.as_bytes().chunks(4_096).take(8).map(<[u8]>::to_vec));
    }
    Ok(pages)
}

fn tree(input: &[u8]) {
    if let Ok(tree) = tree_text::parse(input) {
        let written = tree_text::write(&tree);
        let again = tree_text::parse(&written).unwrap_or_else(|error| panic!("the written tree is refused: {error}"));
        assert!(again == tree, "the tree changed by writing and parsing:\n{}", String::from_utf8_lossy(&written));
    }
}

fn trees() -> io::Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for host in load::hosts()? {
        // The first line is the header of a tree; every entry is valid after it.
        let text = load::bytes(&load::workspace().join("fixtures/hosts").join(host).with_extension("tree"))?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let (head, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let entries: Vec<&str> = rest.split("\n== ").skip(1).collect();
        seeds.extend(
            entries.chunks(12).take(20).map(|some| format!("{head}\n== {}\n", some.join("\n== ")).into_bytes()),
        );
    }
    Ok(seeds)
}

fn archive(input: &[u8]) {
    if let Ok(tree) = archive::read(input) {
        let written = tree_text::write(&tree);
        assert!(tree_text::parse(&written).is_ok(), "the tree of the archive is refused");
    }
}

fn archives() -> io::Result<Vec<Vec<u8>>> {
    let ttar = "# ttar\nDirectory: proc/net\nMode: 755\n# ttar - - - - -\nPath: proc/net/x\nLines: 2\na\nb\nMode: 644\n\
                # ttar - - - - -\nPath: proc/self\nSymlinkTo: 1\n# ttar - - - - -\nPath: sys/y\nLines: 1\nNULLBYTEEOF\nMode: 444\n";
    let tree = Tree::new().with_file("proc/stat", "cpu 1 2 3\n").with_link("proc/self", "1");
    Ok(vec![ttar.as_bytes().to_vec(), archive::write_tar(&tree)?, tree_text::write(&tree)])
}

/// The first byte selects the entry that the rest is; all other entries are missing.
fn kernel(input: &[u8]) {
    let Some((which, content)) = input.split_first() else { return };
    let chosen = Canned::ENTRIES[usize::from(*which) % Canned::ENTRIES.len()];
    if let Ok(canned) = Canned::parse(|name| (name == chosen).then_some(content)) {
        let entries = canned.entries();
        let find = |name: &str| entries.iter().find(|(found, _)| *found == name).map(|(_, content)| content.as_slice());
        let again = Canned::parse(find).unwrap_or_else(|error| panic!("the written answers are refused: {error}"));
        assert_eq!(again.entries(), entries, "the answers changed by writing and parsing");
    }
}

fn kernels() -> io::Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for host in load::hosts()? {
        let tree = load::host(&host)?;
        for (which, name) in (0_u8..).zip(Canned::ENTRIES) {
            seeds.extend(tree.content(name).map(|content| [&[which], content].concat()));
        }
    }
    Ok(seeds)
}

/// One argument per line.
fn flags(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = flags::parse(collectors::ALL, text.split('\n').map(OsString::from));
}

fn command_lines() -> Vec<Vec<u8>> {
    let every = collectors::ALL.iter().flat_map(|registration| registration.declaration.flags);
    let own: Vec<String> = every.map(|flag| format!("--{}={}", flag.name, flag.default)).collect();
    let usual = "--web.listen-address=127.0.0.1:9100\n--no-collector.arp\n--collector.disable-defaults\n\
                 --collector.textfile.directory\n/var/lib\n--web.max-requests=40\n-collectors.enabled=cpu,meminfo";
    own.chunks(6).map(|some| some.join("\n").into_bytes()).chain([usual.as_bytes().to_vec()]).collect()
}

fn address(input: &[u8]) {
    let _ = untrusted::address(&String::from_utf8_lossy(input));
}

fn addresses() -> Vec<Vec<u8>> {
    let all = ["/metrics?collect[]=cpu&exclude%5B%5D=arp", "http://host:9100/metrics?x=%c3%a9#end", "/%2e%2e/?a=b+c"];
    all.map(|address| address.as_bytes().to_vec()).to_vec()
}

fn request(input: &[u8]) {
    let _ = untrusted::request(input);
}

fn requests() -> Vec<Vec<u8>> {
    let all = [
        "GET /metrics HTTP/1.1\r\nHost: node:9100\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\n\
         Accept-Encoding: gzip, zstd;q=0.8\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n",
        "\r\nHEAD http://node/metrics?collect[]=cpu HTTP/1.0\r\nAuthorization: Basic YTpi\r\nContent-Length: 0\r\n\r\nGET ",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
    ];
    all.map(|request| request.as_bytes().to_vec()).to_vec()
}

fn web_config(input: &[u8]) {
    let _ = untrusted::web_config(&String::from_utf8_lossy(input));
}

fn web_configs() -> Vec<Vec<u8>> {
    let whole = "tls_server_config:\n  cert_file: a.pem\n  key_file: \"b.pem\"\n  client_auth_type: RequireAndVerifyClientCert\n  \
                 client_ca: |\n    -----BEGIN\n  client_allowed_sans: [a.example, 10.0.0.1]\n  min_version: TLS12\n  \
                 cipher_suites:\n    - TLS_AES_128_GCM_SHA256\n  curve_preferences: [X25519]\nhttp_server_config:\n  \
                 http2: true\n  headers:\n    X-Frame-Options: deny\nbasic_auth_users:\n  anna: $2y$10$abc\n\
                 rate_limit:\n  interval: 1s\n  burst: 20\n";
    vec![whole.as_bytes().to_vec(), b"{}\n".to_vec(), b"a: &x [1, *x]\n# end\n--- !!str\n".to_vec()]
}

fn netlink(input: &[u8]) {
    let _ = netlink::progress(input, 1);
    for message in netlink::messages(input).map_while(Result::ok) {
        let payload = message.payload;
        netlink::attributes(payload, 4).for_each(drop);
        let _ = (route::link(payload), route::address(payload), route::neighbour(payload));
        let _ = route::alternative_names(payload, |_| ());
        let _ = (qdisc::qdisc(payload), generic::family_id(payload), ethtool::link_modes(payload));
        let _ = fib::next_hops(payload, |_, _| ());
        let _ = (nl80211::interface(payload), nl80211::network(payload), nl80211::station(payload));
    }
}

fn datagrams() -> io::Result<Vec<Vec<u8>>> {
    let (mut plain, mut nested, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    let built = |into: &mut Vec<u8>, kind, fill: &dyn Fn(&mut netlink::Builder<'_>)| {
        let mut builder = netlink::Builder::new(into, kind, 0, 1);
        builder.body(&[0; 16]);
        fill(&mut builder);
        builder.finish().map_err(|_| io::Error::other("message too long"))
    };
    built(&mut plain, 16, &|builder| builder.attribute(3, b"eth0\0"))?;
    built(&mut nested, 36, &|builder| builder.nested(46, |inner| inner.attribute(7, &[1; 200])))?;
    built(&mut ended, netlink::KIND_DONE, &|_| ())?;
    let all = [plain.as_slice(), &nested, &ended].concat();
    Ok(vec![plain, nested, all])
}
