//! Every sample of a page at a receiver of remote write.

use std::collections::BTreeMap;
use std::process::Command;

use harness::remote_write::{self, CONTENT_TYPE_2, Labels, Written, WrittenSample};
use harness::requirements::Requirement;

use crate::receiver::{Receiver, Reply};

/// A page: value by labels, and type and HELP text by family.
struct Page {
    samples: BTreeMap<Labels, f64>,
    families: BTreeMap<String, (String, String)>,
}

fn unescaped(text: &str) -> String {
    text.replace("\\\\", "\0").replace("\\n", "\n").replace("\\\"", "\"").replace('\0', "\\")
}

/// Reads a page as the text format defines it, with further labels.
fn read_page(text: &str, further: &[(&str, &str)]) -> Page {
    let mut page = Page { samples: BTreeMap::new(), families: BTreeMap::new() };
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            page.families.entry(name.to_owned()).or_default().1 = unescaped(help);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            kind.clone_into(&mut page.families.entry(name.to_owned()).or_default().0);
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, mut rest) = series.split_once('{').unwrap_or((series, "}"));
            let mut labels: Labels = further.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            labels.insert("__name__".to_owned(), name.to_owned());
            while let Some((label, tail)) = rest.split_once("=\"") {
                let mut end = 0;
                while !tail[end..].starts_with('"') {
                    end += if tail[end..].starts_with('\\') { 2 } else { 1 };
                    while !tail.is_char_boundary(end) {
                        end += 1;
                    }
                }
                if end > 0 {
                    labels.insert(label.to_owned(), unescaped(&tail[..end]));
                }
                rest = tail[end + 1..].trim_start_matches(',');
            }
            let value = value.replace("+Inf", "inf").replace("-Inf", "-inf").parse().unwrap();
            assert!(page.samples.insert(labels, value).is_none(), "{line} stands twice");
        }
    }
    page
}

/// Number of a type in 2.0.
fn kind_of(word: &str) -> u64 {
    match word {
        "counter" => 1,
        "gauge" => 2,
        "histogram" => 3,
        "summary" => 5,
        _ => 0,
    }
}

/// The family of a sample: its own name, or that of a histogram or summary.
fn family_of<'a>(name: &'a str, page: &Page) -> &'a str {
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    base.filter(|base| {
        page.families.get(*base).is_some_and(|(kind, _)| matches!(kind.as_str(), "histogram" | "summary"))
    })
    .unwrap_or(name)
}

/// Pushes once to a file and to a receiver that answers each request, checked, as `answer` says. Returns the page and the
/// requests that were taken.
fn push(answer: impl Fn(bool, &Written) -> Reply + Send + Sync + 'static) -> (Page, Vec<(bool, Written)>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.prom");
    let receiver = Receiver::start(move |_, request| {
        let is_2 = request.header("content-type") == Some(CONTENT_TYPE_2);
        match remote_write::decode(|name| request.header(name), &request.body) {
            Ok(written) => answer(is_2, &written),
            Err(error) => Reply::Status(400, String::new(), error),
        }
    });
    let mut command = Command::new(Requirement::Exporter.path());
    command.args(["--simulate=vm", "--push.once", "--push.instance=n1", "--push.label=zone=a b"]);
    command.arg(format!("--push.to=file={}", file.display()));
    command.arg(format!("--push.to=remote-write-2=http://{}", receiver.address));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let labels = [("job", "node_exporter"), ("instance", "n1"), ("zone", "a b")];
    let page = read_page(&std::fs::read_to_string(&file).unwrap(), &labels);
    assert!(page.samples.len() > 500, "{} samples", page.samples.len());
    let decoded = receiver.received().into_iter().map(|request| {
        let is_2 = request.header("content-type") == Some(CONTENT_TYPE_2);
        (is_2, remote_write::decode(|name| request.header(name), &request.body).unwrap())
    });
    (page, decoded.collect())
}

/// Compares each sample with the page: all of them, each once, with labels, value and one time.
fn check(page: &Page, samples: &[WrittenSample]) {
    let mut found: BTreeMap<&Labels, &WrittenSample> = BTreeMap::new();
    for sample in samples {
        assert!(found.insert(&sample.labels, sample).is_none(), "twice: {sample:?}");
        assert_eq!(sample.timestamp, samples[0].timestamp, "{sample:?}");
        let value = page.samples.get(&sample.labels).unwrap_or_else(|| panic!("not on the page: {sample:?}"));
        assert!(
            value.to_bits() == sample.value.to_bits() || value.is_nan() && sample.value.is_nan(),
            "{value} {sample:?}"
        );
    }
    assert_eq!(found.len(), page.samples.len(), "samples are missing");
}

pub(crate) fn by_2() {
    let (page, requests) = push(|_, written| {
        let count = written.samples.len();
        let header = format!(
            "X-Prometheus-Remote-Write-Samples-Written: {count}\r\nX-Prometheus-Remote-Write-Histograms-Written: 0\r\n\
             X-Prometheus-Remote-Write-Exemplars-Written: 0\r\n"
        );
        Reply::Status(204, header, String::new())
    });
    assert!(requests.iter().all(|(is_2, _)| *is_2), "a request of 1.0");
    let samples: Vec<_> = requests.into_iter().flat_map(|(_, written)| written.samples).collect();
    check(&page, &samples);
    let mut starts = 0;
    for sample in &samples {
        let name = &sample.labels["__name__"];
        let (kind, help) = &page.families[family_of(name, &page)];
        assert_eq!((sample.kind, &sample.help), (kind_of(kind), help), "{name}");
        assert!(sample.start == 0 || matches!(sample.kind, 1 | 3 | 5), "{sample:?}");
        starts += usize::from(sample.start > 0);
    }
    assert!(starts > 100, "{starts} samples with a start");
}

/// The samples and the metadata of 1.0 after a request of 2.0 that was not understood.
fn check_fallback(reply: fn() -> Reply) {
    let (page, mut requests) = push(move |is_2, _| if is_2 { reply() } else { Reply::status(204) });
    let (is_2, first) = requests.remove(0);
    assert!(is_2 && requests.iter().all(|(is_2, _)| !is_2), "2.0 was tried again");
    let samples: Vec<_> = requests.iter().flat_map(|(_, written)| written.samples.clone()).collect();
    check(&page, &samples);
    assert_eq!(first.samples[0].timestamp, samples[0].timestamp);
    let metadata: BTreeMap<_, _> = requests
        .into_iter()
        .flat_map(|(_, written)| written.metadata)
        .map(|(family, kind, help)| (family, (kind, help)))
        .collect();
    for (family, (kind, help)) in &page.families {
        assert_eq!(metadata.get(family), Some(&(kind_of(kind), help.clone())), "{family}");
    }
}

pub(crate) fn by_1_after_415() {
    check_fallback(|| Reply::status(415));
}

pub(crate) fn by_1_after_silence() {
    check_fallback(|| Reply::status(204));
}
