//! The signals that stop the exporter: SIGTERM, and SIGINT (Ctrl-C).

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};

/// Registered signals. The first one ends [`Signals::wait`], a second one ends the process at once.
pub struct Signals(system::Waiter);

impl std::fmt::Debug for Signals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signals")
    }
}

impl Signals {
    /// Registers handlers, so that the first signal no longer ends the process.
    pub fn register() -> io::Result<Self> {
        let is_second = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in this order: the first signal finds the flag unset, and sets it.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&is_second))?;
            signal_hook::flag::register(signal, Arc::clone(&is_second))?;
        }
        system::Waiter::register(is_second).map(Self)
    }

    /// Waits for the first signal.
    pub fn wait(self) {
        self.0.wait();
    }
}

#[cfg(unix)]
mod system {
    use super::{Arc, AtomicBool, SIGINT, SIGTERM, io};
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    /// Signals as bytes in a socket pair.
    pub(super) struct Waiter(UnixStream);

    impl Waiter {
        pub(super) fn register(_: Arc<AtomicBool>) -> io::Result<Self> {
            let (ours, theirs) = UnixStream::pair()?;
            for signal in [SIGINT, SIGTERM] {
                signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)?;
            }
            Ok(Self(ours))
        }

        pub(super) fn wait(mut self) {
            while let Err(error) = self.0.read(&mut [0]) {
                if error.kind() != io::ErrorKind::Interrupted {
                    break;
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Arc, AtomicBool, io};
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    const POLL_INTERVAL: Duration = Duration::from_millis(100);

    /// Signals as a flag that is polled.
    pub(super) struct Waiter(Arc<AtomicBool>);

    impl Waiter {
        #[expect(clippy::unnecessary_wraps, reason = "fails on Unix only")]
        pub(super) fn register(is_raised: Arc<AtomicBool>) -> io::Result<Self> {
            Ok(Self(is_raised))
        }

        pub(super) fn wait(self) {
            while !self.0.load(Ordering::SeqCst) {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
    }
}
