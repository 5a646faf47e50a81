//! The signals that stop the exporter: SIGTERM, and SIGINT (Ctrl-C); and SIGHUP, which has the configuration read again.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// Registered signals. After the first one that stops the exporter, a second one ends the process at once.
pub struct Signals {
    waiter: system::Waiter,
    is_stopping: Arc<AtomicBool>,
    is_reload: Arc<AtomicBool>,
}

/// The action that a signal requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signalled {
    /// To stop.
    Stop,
    /// To read the configuration again.
    Reload,
}

impl std::fmt::Debug for Signals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signals")
    }
}

impl Signals {
    /// Registers handlers, so that the first signal no longer ends the process. SIGHUP does, unless `has_reload`.
    pub fn register(has_reload: bool) -> io::Result<Self> {
        let [is_stopping, is_reload] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in this order: the first signal finds the flag unset, and sets it.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&is_stopping))?;
            signal_hook::flag::register(signal, Arc::clone(&is_stopping))?;
        }
        #[cfg(unix)]
        if has_reload {
            signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&is_reload))?;
        }
        let waiter = system::Waiter::register(&is_stopping, has_reload)?;
        Ok(Self { waiter, is_stopping, is_reload })
    }

    /// Waits for a signal. Several of them before the call are one.
    pub fn wait(&mut self) -> Signalled {
        loop {
            if self.is_stopping.load(Ordering::SeqCst) {
                return Signalled::Stop;
            }
            if self.is_reload.swap(false, Ordering::SeqCst) {
                return Signalled::Reload;
            }
            if !self.waiter.wait() {
                return Signalled::Stop;
            }
        }
    }
}

#[cfg(unix)]
mod system {
    use super::{Arc, AtomicBool, SIGINT, SIGTERM, io};
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use signal_hook::consts::SIGHUP;

    /// Signals as bytes in a socket pair.
    pub(super) struct Waiter(UnixStream);

    impl Waiter {
        pub(super) fn register(_: &Arc<AtomicBool>, has_reload: bool) -> io::Result<Self> {
            let (ours, theirs) = UnixStream::pair()?;
            for signal in [SIGINT, SIGTERM].into_iter().chain(has_reload.then_some(SIGHUP)) {
                signal_hook::low_level::pipe::register(signal, theirs.try_clone()?)?;
            }
            Ok(Self(ours))
        }

        /// Waits for the next signal; `false` if none can come.
        pub(super) fn wait(&mut self) -> bool {
            loop {
                match self.0.read(&mut [0]) {
                    Ok(count) => return count > 0,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return false,
                }
            }
        }
    }
}

#[cfg(not(unix))]
mod system {
    use super::{Arc, AtomicBool, Ordering, io};
    use std::time::Duration;

    const POLL_INTERVAL: Duration = Duration::from_millis(100);

    /// Signals as a flag that is polled.
    pub(super) struct Waiter(Arc<AtomicBool>);

    impl Waiter {
        #[expect(clippy::unnecessary_wraps, reason = "fails on Unix only")]
        pub(super) fn register(is_raised: &Arc<AtomicBool>, _: bool) -> io::Result<Self> {
            Ok(Self(Arc::clone(is_raised)))
        }

        pub(super) fn wait(&mut self) -> bool {
            while !self.0.load(Ordering::SeqCst) {
                std::thread::sleep(POLL_INTERVAL);
            }
            true
        }
    }
}
