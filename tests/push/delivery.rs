//! Deliveries to targets: pages of other exporters, options of a target, pauses, shutdown.

use std::time::{Duration, Instant};

use crate::exporter::Exporter;
use crate::receiver::{Received, Receiver, Reply};

const COLLECTORS: [&str; 2] = ["--collector.disable-defaults", "--collector.loadavg"];

/// An exporter with a configuration file of these targets, and what else it is told.
fn start(push: &str, arguments: &[&str]) -> (Exporter, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.yml");
    std::fs::write(&file, format!("push:\n  interval: 200ms\n{push}")).unwrap();
    let file = format!("--config.file={}", file.display());
    (Exporter::simulated(&[&COLLECTORS[..], &[&file], arguments].concat()), folder)
}

#[test]
fn a_page_of_another_exporter_is_pushed_with_its_job_and_instance() {
    let page = "# TYPE db_rows gauge\ndb_rows 5\n".to_owned();
    let other = Receiver::start(move |_, _| Reply::Status(200, String::new(), page.clone()));
    let receiver = Receiver::start(|_, _| Reply::status(200));
    let gateway = Receiver::start(|_, _| Reply::status(200));
    let push = format!(
        "  scrape: ['db=http://{}', 'gone=http://127.0.0.1:1/m']\n  targets:\n  - {{to: import, url: 'http://{}', \
         compression: none}}\n  - {{to: pushgateway, url: 'http://{}'}}\n",
        other.address, receiver.address, gateway.address
    );
    let _running = start(&push, &[]);
    let text: String = receiver.wait_for(3).iter().map(Received::text).collect();
    for expected in [
        format!("db_rows{{job=\"db\",instance=\"{}\"}} 5\n", other.address),
        format!("up{{job=\"db\",instance=\"{}\"}} 1\n", other.address),
        "up{job=\"gone\",instance=\"127.0.0.1:1\"} 0\n".to_owned(),
        "node_load1{job=\"node_exporter\",instance=\"".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}\nis not in\n{text}");
    }
    let groups: Vec<String> = gateway.wait_for(3).into_iter().map(|request| request.target).collect();
    assert!(groups[0].starts_with("/metrics/job/node_exporter/instance/"), "{groups:?}");
    assert!(groups[1].starts_with("/metrics/job/db/instance/127.0.0.1:"), "{groups:?}");
}

#[test]
fn an_import_has_extra_labels_and_its_compression() {
    for (compression, magic) in [("gzip", &[0x1f, 0x8b][..]), ("zstd", &[0x28, 0xb5, 0x2f, 0xfd])] {
        let receiver = Receiver::start(|_, _| Reply::status(204));
        let push = format!(
            "  targets:\n  - {{to: import, url: 'http://{}', compression: {compression}, extra-labels: {{zone: 'a b'}}}}\n",
            receiver.address
        );
        let _running = start(&push, &[]);
        let request = receiver.wait_for(1).remove(0);
        assert_eq!(request.header("content-encoding"), Some(compression));
        assert!(request.body.starts_with(magic));
        assert!(request.target.ends_with("&extra_label=zone%3Da%20b"), "{}", request.target);
    }
}

#[test]
fn a_paused_target_gets_nothing() {
    let check = Receiver::start(|number, _| Reply::status(if number < 4 { 503 } else { 200 }));
    let receiver = Receiver::start(|_, _| Reply::status(204));
    let push = format!(
        "  targets:\n  - {{to: import, url: 'http://{}', pause-unless-url: 'http://{}/primary'}}\n",
        receiver.address, check.address
    );
    let _running = start(&push, &[]);
    check.wait_for(4);
    assert_eq!(receiver.received().len(), 0);
    receiver.wait_for(2);
}

#[test]
fn a_target_is_paused_while_its_file_exists() {
    let (paused, other) = (Receiver::start(|_, _| Reply::status(204)), Receiver::start(|_, _| Reply::status(204)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("standby");
    std::fs::write(&file, "").unwrap();
    let push = format!(
        "  targets:\n  - {{to: import, url: 'http://{}', pause-file: '{}'}}\n  - {{to: import, url: 'http://{}'}}\n",
        paused.address,
        file.display(),
        other.address
    );
    let (exporter, _folder) = start(&push, &[]);
    other.wait_for(3);
    assert_eq!(paused.received().len(), 0);
    exporter.check("/", 200, "<td>paused</td>");
    std::fs::remove_file(&file).unwrap();
    paused.wait_for(1);
}

#[cfg(unix)]
#[test]
fn a_stop_deletes_the_group_and_marks_the_series_as_ended() {
    use rustix::process::{Pid, Signal, kill_process};
    let gateway = Receiver::start(|_, _| Reply::status(202));
    let database = Receiver::start(|_, _| Reply::status(204));
    let push = format!(
        "  targets:\n  - {{to: pushgateway, url: 'http://{}', delete-on-stop: true, method: post}}\n  - {{to: remote-write, \
         url: 'http://{}'}}\n",
        gateway.address, database.address
    );
    let (mut exporter, _folder) = start(&push, &[]);
    assert_eq!(gateway.wait_for(1)[0].method, "POST");
    database.wait_for(1);
    kill_process(Pid::from_child(&exporter.child), Signal::TERM).unwrap();
    assert_eq!(exporter.child.wait().unwrap().code(), Some(0));
    assert_eq!(gateway.received().last().unwrap().method, "DELETE");
    let stale = 0x7ff0_0000_0000_0002_u64.to_le_bytes();
    let last = database.received().pop().unwrap();
    let message = snap::raw::Decoder::new().decompress_vec(&last.body).unwrap();
    assert!(message.windows(8).any(|window| window == stale), "no stale marker in the last request");
}

#[test]
fn a_registry_is_pushed_by_the_library() {
    use node_exporter::push::library::RegistryPush;
    let receiver = Receiver::start(|_, _| Reply::status(200));
    let registry = prometheus::Registry::new();
    let counter = prometheus::IntCounter::new("backup_files_total", "Files saved.").unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    counter.inc_by(42);
    let push = RegistryPush::to(&format!("pushgateway=http://{}", receiver.address)).unwrap();
    let push = push.job("backup").instance("db1").grouping("shard", "7").login("bob", "pw");
    push.clone().once(&registry).unwrap();
    let request = receiver.wait_for(1).remove(0);
    assert_eq!(request.target, "/metrics/job/backup/instance/db1/shard/7");
    assert_eq!(request.header("authorization"), Some("Basic Ym9iOnB3"));
    assert_eq!(
        request.text(),
        "# HELP backup_files_total Files saved.\n# TYPE backup_files_total counter\nbackup_files_total 42\n"
    );
    let pusher = push.every(Duration::from_millis(50), &registry).unwrap();
    receiver.wait_for(4);
    pusher.stop();
}

/// The 99th percentile of the times of requests.
fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

#[test]
fn targets_that_hang_do_not_delay_scrapes() {
    /// A scrape that waited for one target would take its timeout of one second. The ratio is printed, not checked: other
    /// tests run beside this one.
    const P99_MAX: Duration = Duration::from_millis(250);
    let silent = Receiver::start(|_, _| Reply::Silence);
    let target = |number| format!("  - {{to: import, url: 'http://{}', name: t{number}}}\n", silent.address);
    let targets = (0..8).map(target).collect::<Vec<_>>().concat();
    let (pushing, _folder) = start(&format!("  timeout: 1s\n  targets:\n{targets}"), &[]);
    let plain = Exporter::simulated(&COLLECTORS);
    silent.wait_for(8);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut connections = [pushing.connect(), plain.connect()];
    for _ in 0..500 {
        for (connection, times) in connections.iter_mut().zip([&mut with, &mut without]) {
            let begin = Instant::now();
            assert_eq!(connection.ask("GET", "/metrics").status, 200);
            times.push(begin.elapsed());
        }
    }
    let (with, without) = (p99(&mut with), p99(&mut without));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    println!("p99 of a scrape: {with:?} beside eight targets that hang, {without:?} without, ratio {ratio:.2}");
    assert!(with < P99_MAX, "{with:?} and {without:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_target_there_is_no_thread_for_push() {
    let names = |exporter: &Exporter| -> Vec<String> {
        exporter.get("/metrics");
        let tasks = std::fs::read_dir(format!("/proc/{}/task", exporter.child.id())).unwrap();
        let name =
            |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.unwrap().path().join("comm"));
        tasks.filter_map(|task| name(task).ok()).map(|name| name.trim().to_owned()).collect()
    };
    let idle = names(&Exporter::simulated(&COLLECTORS));
    assert!(!idle.iter().any(|name| name.starts_with("push")), "{idle:?}");
    let (pushing, _folder) = start("  targets:\n  - {to: import, url: 'http://127.0.0.1:1'}\n", &[]);
    // A thread takes its name after it has begun.
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let found = names(&pushing);
        if found.iter().filter(|name| name.starts_with("push")).count() == 2 {
            break;
        }
        assert!(Instant::now() < end, "{found:?}");
    }
}
