//! Bytes of other programs, of the network and of the disk: the push queue, D-Bus, NTP, answers of push targets, patterns
//! and the configuration file.

use std::io;
use std::time::Duration;

use collectors::host::kernel::{dbus, ntp};
use collectors::kit::pattern;
use node_exporter::flags::config;
use node_exporter::push::client;
use node_exporter::push::queue::{Queue, QueueOptions, RECORD_MAX_BYTES, SyncPolicy};
use node_exporter::push::storage::{Memory, Storage};

use super::Target;

pub(super) fn targets() -> Vec<Target> {
    let given = |name: &str, law, attempt: fn(&[u8]), seeds: fn() -> io::Result<Vec<Vec<u8>>>| {
        Target::new(name, law, move || Box::new(attempt), seeds)
    };
    vec![
        given("config", "A configuration file is read or refused without a panic.", config, || Ok(configs())),
        given(
            "dbus",
            "A message of D-Bus is read or refused, and a read one has the size that was foretold.",
            dbus,
            || Ok(bus_messages()),
        ),
        given("ntp", "A reply of NTP is read or refused without a panic.", ntp, || Ok(packets())),
        given("pattern", "A pattern that is translated compiles, or is too large.", pattern, || Ok(patterns())),
        given("push-queue", "A queue opens over any files, and gives back what is appended then.", push_queue, queues),
        given("retry-after", "The pause that a push target asks for is read or refused.", retry_after, || Ok(pauses())),
    ]
}

fn config(input: &[u8]) {
    let _ = config::check(collectors::ALL, &String::from_utf8_lossy(input));
}

fn configs() -> Vec<Vec<u8>> {
    let whole = "app: node\nlabels:\n  site: a\nsandbox: true\nweb:\n  listen-address: [\":9100\", \"unix:/run/x\"]\n  max-requests: 4\n\
                 log:\n  level: debug\npush:\n  interval: 15s\n  queue-dir: /var/lib/queue\n  targets:\n    - name: a\n      \
                 url: http://a.example/api/v1/write\n      kind: remote-write\n      labels: {x: \"${NAME}\"}\n\
                 collectors:\n  cpu:\n    enabled: false\n  textfile:\n    directory: /var/lib/text\n";
    vec![whole.as_bytes().to_vec(), b"collectors: {arp: {enabled: true}}\n".to_vec()]
}

fn dbus(input: &[u8]) {
    let foretold = dbus::message_size(input);
    let Ok(message) = dbus::message(input) else { return };
    if let Ok(Some(size)) = foretold {
        assert_eq!(size, input.len(), "a message of another size than foretold");
    }
    let _ = message.errno();
    let mut body = message.body;
    for kind in message.signature {
        let is_read = match kind {
            b'y' => body.u8().is_ok(),
            b'u' => body.u32().is_ok(),
            b't' => body.u64().is_ok(),
            b'b' => body.bool().is_ok(),
            b's' | b'o' => body.text().is_ok(),
            b'g' => body.signature().is_ok(),
            b'v' => body.variant().is_ok(),
            b'a' => {
                let Ok(mut elements) = body.array(8) else { return };
                while !elements.is_empty() && elements.align(8).is_ok() && elements.variant().is_ok() {}
                true
            }
            b'(' => body.align(8).is_ok(),
            _ => false,
        };
        if !is_read {
            return;
        }
    }
}

fn bus_messages() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let mut message = Vec::new();
    let mut writer = dbus::Writer::reply(&mut message, 2, 1, b":1.7");
    writer.body(b"sutgava(s)");
    writer.text(b"active");
    writer.u32(7);
    writer.u64(9);
    writer.signature(b"as");
    writer.array(8, |elements| {
        for _ in 0..2 {
            elements.align(8);
            elements.signature(b"t");
            elements.u64(3);
        }
    });
    writer.align(8);
    writer.text(b"last");
    writer.end();
    seeds.push(message);
    let mut message = Vec::new();
    dbus::Writer::error(&mut message, 3, 1, b":1.7", "org.freedesktop.DBus.Error.AccessDenied").end();
    seeds.push(message);
    seeds
}

/// Time at which the request of the seeds was sent.
const SENT: Duration = Duration::from_secs(1_700_000_000);
/// Cookie of the request.
const COOKIE: u64 = 0x0123_4567_89ab_cdef;

fn ntp(input: &[u8]) {
    let _ = ntp::reply(input, COOKIE, SENT, SENT + Duration::from_millis(20));
}

fn packets() -> Vec<Vec<u8>> {
    let mut packet = ntp::request(4, COOKIE).to_vec();
    packet[0] = (4 << 3) | 4;
    packet[1] = 2;
    let (request, reply) = packet.split_at_mut(40);
    request[24..32].copy_from_slice(&COOKIE.to_be_bytes());
    request[32..40].copy_from_slice(&0xe8fe_5f80_8000_0000_u64.to_be_bytes());
    reply.copy_from_slice(&0xe8fe_5f80_9000_0000_u64.to_be_bytes());
    vec![packet, ntp::request(3, COOKIE).to_vec()]
}

/// The first byte selects between the pattern and a repetition of it.
fn pattern(input: &[u8]) {
    /// Longer patterns take long to compile, which tells nothing new.
    const PATTERN_MAX_BYTES: usize = 200;
    let text = String::from_utf8_lossy(input.get(..PATTERN_MAX_BYTES).unwrap_or(input));
    if pattern::translate(&text).is_err() {
        return;
    }
    match pattern::compile(&text) {
        Ok(regex) => drop(regex.is_match("eth0 /run/user/1000 \u{e9}")),
        Err(error) => assert!(error.contains("too large"), "{text:?}: {error}"),
    }
}

fn patterns() -> Vec<Vec<u8>> {
    let all = [
        r"^(ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+$",
        r"(?i:[[:alpha:]&&\pL]{2,5}?\b)|\Qa.b\E(?P<name>[^\x{10FFFF}\D])*",
        r"[[a-z]&&[^b-]]x{,3}\C\z",
    ];
    all.map(|pattern| pattern.as_bytes().to_vec()).to_vec()
}

const QUEUE: QueueOptions = QueueOptions { max_bytes: 1 << 16, segment_bytes: 4_096, sync: SyncPolicy::Always };

/// The two files of the position, and two segments of any content.
fn push_queue(input: &[u8]) {
    const PAYLOAD: &[u8] = b"appended";
    let Some(storage) = stored(input) else { return };
    let Ok(mut queue) = Queue::open(storage, QUEUE, 9) else { return };
    // A full queue drops its oldest records, and one whose numbers are used up refuses.
    let Ok(appended) = queue.append(PAYLOAD) else { return };
    let mut before = None;
    for _ in 0..=QUEUE.max_bytes {
        let Ok(Some(record)) = queue.peek() else { break };
        assert!(before < Some(record.id), "record {} after {before:?}", record.id);
        assert!(record.payload.len() <= RECORD_MAX_BYTES);
        let id = record.id;
        if id == appended {
            assert_eq!(record.payload, PAYLOAD);
        }
        before = Some(id);
        if queue.delivered(id).is_err() {
            return;
        }
    }
    assert_eq!(before, Some(appended), "the last record is not the appended one");
    assert_eq!(queue.position(), appended);
}

/// Files of a queue: for each, the length of its name and content in a byte each, and then both.
fn stored(mut input: &[u8]) -> Option<Memory> {
    let mut storage = Memory::default();
    while let Some((lengths, rest)) = input.split_first_chunk::<2>() {
        let (name, rest) = rest.split_at_checked(usize::from(lengths[0]))?;
        let (content, rest) = rest.split_at_checked(usize::from(lengths[1]).min(rest.len()))?;
        let name = std::str::from_utf8(name).ok()?;
        storage.create(name).and_then(|()| storage.append(name, content)).ok()?;
        input = rest;
    }
    Some(storage)
}

fn queues() -> io::Result<Vec<Vec<u8>>> {
    let mut queue = Queue::open(Memory::default(), QUEUE, 1)?;
    for payload in [b"one".as_slice(), b"two", b"three"] {
        queue.append(payload)?;
    }
    queue.delivered(1)?;
    let mut storage = queue.into_storage();
    let mut seed = Vec::new();
    for (name, length) in storage.list()? {
        let mut content = vec![0; usize::try_from(length).unwrap_or_default()];
        storage.read_at(&name, 0, &mut content)?;
        seed.extend([name.len(), content.len()].map(|length| u8::try_from(length).unwrap_or(u8::MAX)));
        seed.extend(name.as_bytes());
        seed.extend(content);
    }
    Ok(vec![seed])
}

fn retry_after(input: &[u8]) {
    let _ = client::retry_after(&String::from_utf8_lossy(input), SENT);
}

fn pauses() -> Vec<Vec<u8>> {
    ["120", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}
