//! The timer that wakes a standby thread. Setting it wakes no thread, so that a scrape in time costs no context switch.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
use collectors::host::schedule;

/// The timer, which wakes one waiting thread.
#[derive(Debug)]
pub(super) enum Alarm {
    #[cfg(target_os = "linux")]
    System(system::Alarm),
    /// On other systems, and in a simulation.
    Portable(portable::Alarm),
}

impl Alarm {
    #[cfg(target_os = "linux")]
    pub(super) fn new() -> io::Result<Self> {
        match schedule::simulated() {
            None => system::Alarm::new().map(Self::System),
            Some(_) => Ok(Self::Portable(portable::Alarm::default())),
        }
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, reason = "fails on Linux only")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self::Portable(portable::Alarm::default()))
    }

    /// Wakes one waiting thread after `time`.
    pub(super) fn set(&self, time: Duration) {
        match self {
            #[cfg(target_os = "linux")]
            Self::System(alarm) => alarm.set(time),
            Self::Portable(alarm) => alarm.set(time),
        }
    }

    /// Cancels the alarm.
    pub(super) fn clear(&self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::System(alarm) => alarm.clear(),
            Self::Portable(alarm) => alarm.clear(),
        }
    }

    /// Wakes every thread that waits now or later.
    pub(super) fn end(&self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::System(alarm) => alarm.end(),
            Self::Portable(alarm) => alarm.end(),
        }
    }

    /// Waits for the alarm.
    pub(super) fn wait(&self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::System(alarm) => alarm.wait(),
            Self::Portable(alarm) => alarm.wait(),
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };

    const OFF: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

    /// Interval of the wake-ups of ending threads.
    const END_INTERVAL: Duration = Duration::from_millis(1);

    #[derive(Debug)]
    pub(in crate::serve::front) struct Alarm(OwnedFd);

    impl Alarm {
        pub(in crate::serve::front) fn new() -> io::Result<Self> {
            Ok(Self(timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?))
        }

        /// Wakes one waiting thread after `time`.
        pub(in crate::serve::front) fn set(&self, time: Duration) {
            self.arm(spec(time), OFF);
        }

        /// Cancels the alarm.
        pub(in crate::serve::front) fn clear(&self) {
            self.arm(OFF, OFF);
        }

        /// Wakes every thread that waits now or later.
        pub(in crate::serve::front) fn end(&self) {
            self.arm(spec(END_INTERVAL), spec(END_INTERVAL));
        }

        fn arm(&self, it_value: Timespec, it_interval: Timespec) {
            // The times are valid, and the descriptor is a timer: this cannot fail.
            let _ = timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &Itimerspec { it_interval, it_value });
        }

        /// Waits for the alarm.
        pub(in crate::serve::front) fn wait(&self) {
            let _ = rustix::io::read(&self.0, &mut [0; 8]);
        }
    }

    fn spec(time: Duration) -> Timespec {
        Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) as _ }
    }
}

mod portable {
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use collectors::host::kernel::clock;
    use collectors::host::schedule::Condvar;

    #[derive(Default, Debug)]
    pub(in crate::serve::front) struct Alarm {
        state: Mutex<State>,
        changed: Condvar,
    }

    #[derive(Default, Debug)]
    struct State {
        rings_at: Option<Duration>,
        has_ended: bool,
    }

    impl Alarm {
        fn lock(&self) -> MutexGuard<'_, State> {
            self.state.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Wakes one waiting thread after `time`.
        pub(in crate::serve::front) fn set(&self, time: Duration) {
            self.lock().rings_at = Some(clock::monotonic() + time);
            self.changed.notify_one();
        }

        /// Cancels the alarm.
        pub(in crate::serve::front) fn clear(&self) {
            self.lock().rings_at = None;
        }

        /// Wakes every thread that waits now or later.
        pub(in crate::serve::front) fn end(&self) {
            self.lock().has_ended = true;
            self.changed.notify_all();
        }

        /// Waits for the alarm.
        pub(in crate::serve::front) fn wait(&self) {
            let mut state = self.lock();
            loop {
                let now = clock::monotonic();
                match state.rings_at {
                    _ if state.has_ended => return,
                    Some(rings_at) if rings_at <= now => {
                        state.rings_at = None;
                        return;
                    }
                    rings_at => {
                        let time = rings_at.map(|rings_at| rings_at.saturating_sub(now));
                        state = self.changed.wait(&self.state, state, time);
                    }
                }
            }
        }
    }
}
