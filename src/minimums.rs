//! Minimum resource limits, checked at the start. Below them the exporter would accept connections without answering, or
//! abort during a scrape.

#[cfg(unix)]
use rustix::process::{Resource, getrlimit};

/// Minimum of open files: the reserve for listeners, roots, logs and scrapes, and a few connections.
#[cfg(unix)]
const DESCRIPTORS_MIN: u64 = crate::serve::front::DESCRIPTORS_MIN as u64;

/// Minimum of the address space: the program, the stacks of its threads and a page.
#[cfg(unix)]
const ADDRESS_SPACE_MIN_BYTES: u64 = 64 << 20;

/// Minimum of threads: the main thread, the log's, the one that serves and its standby.
pub const THREADS_MIN: usize = 4;

/// Checks the limits. The error names the limit, its value and how to raise it.
#[cfg(unix)]
pub fn check() -> Result<(), String> {
    // The soft limit of open files is raised to the hard one.
    check_one(getrlimit(Resource::Nofile).maximum, DESCRIPTORS_MIN, |limit| {
        format!(
            "open files: the limit is {limit}, the exporter needs {DESCRIPTORS_MIN}; raise it (ulimit -n, LimitNOFILE=)"
        )
    })?;
    check_one(getrlimit(Resource::As).current, ADDRESS_SPACE_MIN_BYTES, |limit| {
        let (limit, needed) = (limit >> 20, ADDRESS_SPACE_MIN_BYTES >> 20);
        format!(
            "address space: the limit is {limit} MiB, the exporter needs {needed} MiB; raise it (ulimit -v, LimitAS=)"
        )
    })
}

#[cfg(unix)]
fn check_one(limit: Option<u64>, min: u64, sentence: impl FnOnce(u64) -> String) -> Result<(), String> {
    limit.filter(|limit| *limit < min).map_or(Ok(()), |limit| Err(sentence(limit)))
}

/// Checks nothing: this system has no such limits.
#[cfg(not(unix))]
pub fn check() -> Result<(), String> {
    Ok(())
}

/// The message for a thread that could not be created.
pub fn no_thread(error: &std::io::Error) -> String {
    format!(
        "threads: cannot create one: {error}; the exporter needs {THREADS_MIN}, raise the limit (ulimit -u, TasksMax=)"
    )
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn limits_at_the_minimum_are_accepted() {
        let check = |limit| check_one(limit, 40, |limit| limit.to_string());
        assert_eq!((check(Some(40)), check(None)), (Ok(()), Ok(())));
        assert_eq!(check(Some(39)), Err("39".to_owned()));
    }
}
