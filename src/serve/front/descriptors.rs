//! The limit of open files: the number of connections it allows, and a spare descriptor for when it is reached.

/// Maximum number of connections, even if the system allows more: each may hold a head of 16 KiB in memory.
const CONNECTIONS_MAX: usize = 1024;

/// Minimum number of connections.
const CONNECTIONS_MIN: usize = 8;

/// Descriptors reserved for listeners, roots, logs and scrapes.
const RESERVED: usize = 32;

/// Minimum of the limit of open files.
pub const DESCRIPTORS_MIN: usize = RESERVED + CONNECTIONS_MIN;

/// Raises the limit of open files as far as possible. Returns the number of connections it allows.
pub(super) fn connections_max() -> usize {
    connections_of(system::raise_limit())
}

fn connections_of(descriptors: Option<usize>) -> usize {
    let rest = descriptors.map_or(CONNECTIONS_MAX, |descriptors| descriptors.saturating_sub(RESERVED));
    rest.clamp(CONNECTIONS_MIN, CONNECTIONS_MAX)
}

pub(super) use system::{Spare, is_exhaustion};

#[cfg(unix)]
mod system {
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};

    use rustix::io::Errno;
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    /// Maximum that macOS accepts, although it reports no limit.
    const MACOS_MAX: u64 = 10_240;

    pub(super) fn raise_limit() -> Option<usize> {
        let limit = getrlimit(Resource::Nofile);
        let maximum = limit.maximum.unwrap_or(u64::MAX);
        let wanted = if cfg!(target_os = "macos") { maximum.min(MACOS_MAX) } else { maximum };
        let current = limit.current.unwrap_or(u64::MAX);
        let raised = Rlimit { current: Some(wanted), maximum: limit.maximum };
        let is_raised = current < wanted && setrlimit(Resource::Nofile, raised).is_ok();
        usize::try_from(if is_raised { wanted } else { current }).ok()
    }

    /// A reserved descriptor, released when no other is left so that a connection can be accepted and closed.
    #[derive(Debug, Default)]
    pub(in crate::serve::front) struct Spare(Option<OwnedFd>);

    impl Spare {
        /// Reserves a descriptor: a duplicate of `of`.
        pub(in crate::serve::front) fn hold(&mut self, of: &impl AsFd) {
            if self.0.is_none() {
                self.0 = of.as_fd().try_clone_to_owned().ok();
            }
        }

        /// Releases the descriptor. Returns whether there was one.
        pub(in crate::serve::front) fn release(&mut self) -> bool {
            self.0.take().is_some()
        }
    }

    pub(in crate::serve::front) fn is_exhaustion(error: &io::Error) -> bool {
        matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
    }
}

/// Substitute for Windows, which has no limit of open files.
#[cfg(not(unix))]
mod system {
    use std::io;

    pub(super) fn raise_limit() -> Option<usize> {
        None
    }

    #[derive(Debug, Default)]
    pub(in crate::serve::front) struct Spare(());

    impl Spare {
        #[expect(clippy::unused_self, reason = "elsewhere it holds a descriptor")]
        pub(in crate::serve::front) fn hold<T>(&mut self, _: &T) {}

        #[expect(clippy::unused_self, reason = "elsewhere it holds a descriptor")]
        pub(in crate::serve::front) fn release(&mut self) -> bool {
            false
        }
    }

    /// WSAEMFILE and WSAENOBUFS.
    pub(in crate::serve::front) fn is_exhaustion(error: &io::Error) -> bool {
        matches!(error.raw_os_error(), Some(10_024 | 10_055))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_of_descriptors_leaves_some_for_scrapes() {
        for (descriptors, expected) in [
            (None, CONNECTIONS_MAX),
            (Some(1_048_576), CONNECTIONS_MAX),
            (Some(CONNECTIONS_MAX + RESERVED - 1), CONNECTIONS_MAX - 1),
            (Some(64), 32),
            (Some(CONNECTIONS_MIN + RESERVED + 1), CONNECTIONS_MIN + 1),
            (Some(0), CONNECTIONS_MIN),
        ] {
            assert_eq!(connections_of(descriptors), expected, "{descriptors:?}");
        }
    }

    #[test]
    fn the_limit_is_found() {
        assert!((CONNECTIONS_MIN..=CONNECTIONS_MAX).contains(&connections_max()));
    }
}
