//! systemd: its manager, its units, and the seats and sessions of its login manager, as their D-Bus interfaces report them.

/// The socket by which systemd is asked.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum SystemdSocket {
    /// The system bus.
    #[default]
    Bus,
    /// systemd's own socket, which root alone may use.
    Private,
}

/// The manager, in reusable buffers. What systemd does not tell is empty.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct SystemdManager {
    /// `252.39-1~deb12u1`.
    pub version: Vec<u8>,
    /// `kvm`; `none` on bare metal, `unknown` where systemd does not tell.
    pub virtualization: Vec<u8>,
    /// `running`, `degraded`, ….
    pub state: Vec<u8>,
}

/// A unit. Details that its type does not have, that were not asked for or that were refused are `None`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Unit<'a> {
    /// `cron.service`.
    pub name: &'a [u8],
    /// `loaded`, `not-found`, ….
    pub load_state: &'a [u8],
    /// `active`, `failed`, ….
    pub active_state: &'a [u8],
    /// The type of a service (`simple`), or of a mounted file system (`ext4`).
    pub kind: Option<&'a [u8]>,
    /// When an active unit became active, in microseconds since 1970.
    pub active_since_micros: Option<u64>,
    /// Automatic restarts of a service.
    pub restarts: Option<u32>,
    /// Tasks of a service; [`u64::MAX`] without accounting.
    pub tasks: Option<u64>,
    /// Maximum tasks of a service; [`u64::MAX`] without a limit.
    pub tasks_max: Option<u64>,
    /// When a timer last elapsed, in microseconds since 1970.
    pub last_trigger_micros: Option<u64>,
    /// Connections that a socket accepted.
    pub accepted: Option<u32>,
    /// Open connections of a socket.
    pub connections: Option<u32>,
    /// Connections that a socket refused.
    pub refused: Option<u32>,
}

/// A detail of a unit.
#[expect(missing_docs, reason = "each variant names the field of `Unit` that it asks for")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitDetail {
    Kind,
    ActiveSince,
    Restarts,
    Tasks,
    TasksMax,
    LastTrigger,
    Accepted,
    Connections,
    Refused,
}

impl UnitDetail {
    /// Every detail.
    pub const ALL: [Self; 9] = [
        Self::Kind,
        Self::ActiveSince,
        Self::Restarts,
        Self::Tasks,
        Self::TasksMax,
        Self::LastTrigger,
        Self::Accepted,
        Self::Connections,
        Self::Refused,
    ];
}

/// Which units, and which of their details. Each detail of each unit costs systemd a call.
#[derive(Clone, Copy)]
pub struct UnitQuery<'q> {
    /// The socket by which systemd is asked.
    pub socket: SystemdSocket,
    /// Whether details of a unit are wanted. Every unit is visited.
    pub selects: &'q dyn Fn(&Unit<'_>) -> bool,
    /// The details that are wanted.
    pub details: &'q [UnitDetail],
}

impl UnitQuery<'static> {
    /// All details of all units.
    pub const ALL: Self = Self { socket: SystemdSocket::Bus, selects: &|_| true, details: &UnitDetail::ALL };
}

impl std::fmt::Debug for UnitQuery<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnitQuery")
            .field("socket", &self.socket)
            .field("details", &self.details)
            .finish_non_exhaustive()
    }
}

/// A seat: a screen and what belongs to it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Seat<'a> {
    /// `seat0`.
    pub name: &'a [u8],
}

/// A session of a user.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct LoginSession<'a> {
    /// `c2`.
    pub name: &'a [u8],
    /// Its seat; empty without one.
    pub seat: &'a [u8],
    /// 1 if the user is at another host, else 0.
    pub remote: u8,
    /// `tty`, `wayland`, ….
    pub kind: &'a [u8],
    /// `user`, `greeter`, ….
    pub class: &'a [u8],
}
