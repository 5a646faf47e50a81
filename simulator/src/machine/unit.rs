//! Units of systemd that every host has, beside those that follow from its mounts, swap areas and control groups.

/// A service with a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServiceUnit {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    /// The name of its main process.
    pub(crate) process: &'static str,
    /// The socket that starts it, if any.
    pub(crate) socket: Option<&'static str>,
}

const fn service(name: &'static str, kind: &'static str, process: &'static str) -> ServiceUnit {
    ServiceUnit { name, kind, process, socket: None }
}

/// Services of the processes that every host has.
pub(crate) static SERVICE_UNITS: [ServiceUnit; 15] = [
    ServiceUnit {
        socket: Some("systemd-journald.socket"),
        ..service("systemd-journald.service", "notify", "systemd-journal")
    },
    ServiceUnit {
        socket: Some("systemd-udevd-control.socket"),
        ..service("systemd-udevd.service", "notify", "systemd-udevd")
    },
    service("systemd-resolved.service", "notify", "systemd-resolve"),
    service("systemd-timesyncd.service", "notify", "systemd-timesyn"),
    ServiceUnit { socket: Some("dbus.socket"), ..service("dbus.service", "notify", "dbus-daemon") },
    service("systemd-logind.service", "notify", "systemd-logind"),
    service("cron.service", "simple", "cron"),
    ServiceUnit { socket: Some("syslog.socket"), ..service("rsyslog.service", "notify", "rsyslogd") },
    service("ssh.service", "notify", "sshd"),
    service("containerd.service", "notify", "containerd"),
    service("web.service", "simple", "web"),
    service("worker.service", "simple", "worker"),
    service("cache.service", "simple", "cache"),
    service("getty@tty1.service", "idle", "agetty"),
    service("prometheus-node-exporter.service", "simple", "node_exporter"),
];

/// Services that ran at the boot and are active without a process.
pub(crate) static FINISHED_UNITS: [&str; 7] = [
    "kmod-static-nodes.service",
    "networking.service",
    "systemd-random-seed.service",
    "systemd-remount-fs.service",
    "systemd-sysctl.service",
    "systemd-tmpfiles-setup.service",
    "systemd-udev-trigger.service",
];

/// A service without a process that a timer starts, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimedUnit {
    pub(crate) service: &'static str,
    pub(crate) timer: &'static str,
    pub(crate) period_seconds: u64,
}

const DAY_SECONDS: u64 = 86_400;

/// Services that timers start.
pub(crate) static TIMED_UNITS: [TimedUnit; 4] = [
    TimedUnit { service: "backup.service", timer: "backup.timer", period_seconds: DAY_SECONDS / 4 },
    TimedUnit { service: "fstrim.service", timer: "fstrim.timer", period_seconds: 7 * DAY_SECONDS },
    TimedUnit { service: "logrotate.service", timer: "logrotate.timer", period_seconds: DAY_SECONDS },
    TimedUnit {
        service: "systemd-tmpfiles-clean.service",
        timer: "systemd-tmpfiles-clean.timer",
        period_seconds: DAY_SECONDS,
    },
];

/// Targets that are reached.
pub(crate) static TARGETS: [&str; 12] = [
    "basic.target",
    "getty.target",
    "local-fs.target",
    "multi-user.target",
    "network.target",
    "network-online.target",
    "paths.target",
    "slices.target",
    "sockets.target",
    "swap.target",
    "sysinit.target",
    "timers.target",
];

/// Units that are loaded and not active.
pub(crate) static INACTIVE_UNITS: [&str; 5] =
    ["emergency.service", "emergency.target", "rescue.target", "shutdown.target", "umount.target"];

/// Slices and scopes of every host.
pub(crate) static GROUP_UNITS: [&str; 5] =
    ["-.slice", "init.scope", "system.slice", "system-getty.slice", "user.slice"];

/// Units that others name and that do not exist.
pub(crate) static MISSING_UNITS: [&str; 3] = ["apparmor.service", "auditd.service", "plymouth-start.service"];
