//! Basic authentication, headers and the rate limit, over TCP without TLS.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Client, wait_until};
use crate::config_folder::{Folder, USERS, log_of};
use crate::exporter::Exporter;

const ALICE: &str = "alice:wonderland";

fn login(login: &str) -> Client {
    Client::plain().with_login(login)
}

#[test]
fn only_users_are_admitted() {
    let folder = Folder::new();
    let exporter = folder.serve(USERS);
    let address = exporter.address();
    let refused = Client::plain().get(address, "/metrics").unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.head.contains("\r\nWWW-Authenticate: Basic realm=\"node_exporter\""), "{}", refused.head);
    assert_eq!(refused.body, "Unauthorized\n");
    for bad in ["alice:wonder", "bob:wonderland", ":", "alice"] {
        assert_eq!(login(bad).status(address), 401, "{bad}");
        assert_eq!(login(bad).status(address), 401, "{bad}");
    }
    for url in ["/", "/nothing", "/-/healthy"] {
        assert_eq!(Client::plain().get(address, url).unwrap().status, 401, "{url}");
    }
    assert_eq!(login(ALICE).status(address), 200);
    let page = login(ALICE).get(address, "/metrics").unwrap().body;
    assert!(page.contains("\nnode_exporter_web_requests_refused_total{reason=\"login\"} 12\n"), "{page}");
}

#[test]
fn a_wrong_password_takes_as_long_as_an_unknown_user() {
    const ROUNDS: usize = 21;
    let folder = Folder::new();
    let cheap = "  bob: $2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe\n";
    let exporter = folder.serve(&format!("{USERS}{cheap}"));
    let time = |user: &str, round: usize| {
        let client = login(&format!("{user}:{round}"));
        let begin = Instant::now();
        assert_eq!(client.status(exporter.address()), 401);
        begin.elapsed()
    };
    let users = ["alice", "bob", "eve"];
    let mut times = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        for (user, times) in users.iter().zip(&mut times) {
            times.push(time(user, round));
        }
    }
    let [alice, bob, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    println!("medians: cost 8 {alice:?}, cost 6 {bob:?}, unknown {unknown:?}");
    for known in [alice, bob] {
        let ratio = known.as_secs_f64() / unknown.as_secs_f64();
        // Without the constant work, cost 6 would take a quarter of the time of cost 8.
        assert!((0.5..2.0).contains(&ratio), "{ratio} of the time of an unknown user");
    }
}

#[test]
fn guesses_are_queued_briefly_and_delay_no_scraper() {
    const GUESSES: usize = 100;
    const SCRAPES: usize = 20;
    let folder = Folder::new();
    let exporter = folder.serve(USERS);
    let address = exporter.address();
    assert_eq!(login(ALICE).status(address), 200);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let guess = |guess| scope.spawn(move || login(&format!("alice:{guess}")).get(address, "/metrics").unwrap());
        let guessing: Vec<_> = (0..GUESSES).map(guess).collect();
        for _ in 0..SCRAPES {
            assert_eq!(login(ALICE).status(address), 200);
        }
        guessing.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    let (compared, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 401);
    println!("of {GUESSES} concurrent guesses {} were compared, {} refused", compared.len(), refused.len());
    assert!(!compared.is_empty() && compared.len() < GUESSES);
    for answer in refused {
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (503, "Too many logins are being checked, try again later.\n")
        );
        assert!(answer.head.contains("\r\nRetry-After: 1"), "{}", answer.head);
    }
}

#[test]
fn users_are_reloaded() {
    let folder = Folder::new();
    let exporter = folder.serve(USERS);
    let address = exporter.address();
    assert_eq!(login(ALICE).status(address), 200);
    folder.write("web.yml", &USERS.replace("alice", "carol"));
    wait_until("alice refused", || login(ALICE).status(address) == 401);
    assert_eq!(login("carol:wonderland").status(address), 200);
    folder.write("web.yml", "basic_auth_users: {carol: wonderland}\n");
    wait_until("all requests refused", || login("carol:wonderland").status(address) == 500);
    assert_eq!(Client::plain().status(address), 500);
    std::fs::remove_file(folder.path("web.yml")).unwrap();
    assert_eq!(Client::plain().status(address), 500);
    // A file without logins does not disable those that are in force.
    folder.write("web.yml", "");
    wait_until("requests of carol admitted", || login("carol:wonderland").status(address) == 200);
    assert_eq!(Client::plain().status(address), 401);
    folder.write("web.yml", "basic_auth_users: {}\n");
    wait_until("all requests admitted", || Client::plain().status(address) == 200);
    let log = log_of(exporter);
    assert!(log.contains("every request is refused until it is corrected"), "{log}");
    assert!(!log.contains("wonderland"), "{log}");
}

/// A configuration that is rewritten in place is empty, then half written, for a moment.
#[test]
fn no_anonymous_request_succeeds_while_the_file_is_rewritten() {
    const REWRITES: usize = 15;
    const PAUSE: Duration = Duration::from_millis(120);
    let folder = Folder::new();
    let exporter = folder.serve(USERS);
    let (address, path) = (exporter.address(), folder.path("web.yml"));
    let is_done = AtomicBool::new(false);
    let (requests, successes) = std::thread::scope(|scope| {
        let anonymous = scope.spawn(|| {
            let (mut requests, mut successes) = (0, 0);
            while !is_done.load(Ordering::Relaxed) {
                requests += 1;
                successes += usize::from(Client::plain().status(address) == 200);
                std::thread::sleep(Duration::from_millis(5));
            }
            (requests, successes)
        });
        for _ in 0..REWRITES {
            for content in ["", "basic_auth_users:\n", USERS] {
                std::fs::write(&path, content).unwrap();
                std::thread::sleep(PAUSE);
            }
        }
        is_done.store(true, Ordering::Relaxed);
        anonymous.join().unwrap()
    });
    println!("{successes} of {requests} anonymous requests succeeded");
    assert!(requests > REWRITES, "only {requests} requests");
    assert_eq!(successes, 0, "of {requests} anonymous requests");
    std::fs::write(&path, "").unwrap();
    let ignored = |value: u8| {
        let line = format!("\nnode_exporter_web_config_ignored {value}\n");
        login(ALICE).get(address, "/metrics").unwrap().body.contains(&line)
    };
    wait_until("an empty file is ignored", || ignored(1));
    std::fs::write(&path, USERS).unwrap();
    wait_until("a file with logins is not ignored", || ignored(0));
    let log = log_of(exporter);
    assert!(log.contains("The web configuration is ignored, the previous one stays in force"), "{log}");
}

#[test]
fn every_response_has_the_configured_headers() {
    let folder = Folder::new();
    let headers = "http_server_config:\n  headers:\n    X-Frame-Options: deny\n    X-XSS-Protection: 1\n    X-Content-Type-Options: nosniff\n";
    let exporter = folder.serve(&format!("{USERS}{headers}"));
    for (client, url, status) in [
        (login(ALICE), "/metrics", 200),
        (login(ALICE), "/nothing", 404),
        (Client::plain(), "/", 401),
        (Client::plain(), "no path", 400),
    ] {
        let answer = client.get(exporter.address(), url).unwrap();
        assert_eq!(answer.status, status);
        assert!(answer.head.contains("\r\nX-Frame-Options: deny\r\nX-XSS-Protection: 1\r\n"), "{}", answer.head);
        assert_eq!(answer.head.matches("\r\nX-Content-Type-Options: nosniff\r\n").count(), 1, "{}", answer.head);
    }
}

#[test]
fn the_rate_limit_applies_before_authentication() {
    let folder = Folder::new();
    let exporter = folder.serve(&format!("{USERS}rate_limit: {{interval: 1h, burst: 3}}\n"));
    let address = exporter.address();
    assert_eq!(login(ALICE).status(address), 200);
    assert_eq!([(); 2].map(|()| Client::plain().status(address)), [401; 2]);
    let refused = login(ALICE).get(address, "/metrics").unwrap();
    assert_eq!(refused.status, 429);
    let wait = refused.head.lines().find_map(|line| line.strip_prefix("Retry-After: ")).unwrap();
    assert!((3500..=3600).contains(&wait.parse::<u64>().unwrap()), "{wait}");
    folder.write("web.yml", USERS);
    std::thread::sleep(Duration::from_millis(1));
    wait_until("no limit", || login(ALICE).status(address) == 200);
}

#[test]
fn the_deprecated_flags_admit_one_user() {
    let exporter = Exporter::simulated(&["-auth.user=me", "-auth.pass", "se:cret"]);
    assert!(exporter.start.contains("--auth.user and --auth.pass are deprecated"), "{}", exporter.start);
    assert!(!exporter.start.contains("se:cret"), "{}", exporter.start);
    assert_eq!(login("me:se:cret").status(exporter.address()), 200);
    assert_eq!(login("me:secret").status(exporter.address()), 401);
    assert_eq!(Client::plain().status(exporter.address()), 401);
}
