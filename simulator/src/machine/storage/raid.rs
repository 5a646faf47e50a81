//! Arrays of the md driver.

/// An array.
#[derive(Clone, Debug)]
pub(crate) struct Array {
    /// What it is as a device.
    pub(crate) device: usize,
    pub(crate) level: Level,
    pub(crate) members: Vec<Member>,
    /// What each member gives to it.
    pub(crate) member_sectors: u64,
    pub(crate) uuid: String,
    /// Whether it notes which regions are being written.
    pub(crate) has_bitmap: bool,
    /// When it is read through, to find what does not agree.
    pub(crate) check: Check,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    Raid0,
    Raid1,
    Raid5,
    Raid6,
    Raid10,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) device: usize,
    pub(crate) role: Role,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Active,
    Spare,
    Failed,
    /// It has its place, and not yet its part of the data.
    Recovering,
}

/// A check of the whole array that comes again and again. One that lasts 0 never comes.
#[expect(clippy::struct_field_names, reason = "the unit stands last in every name")]
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Check {
    pub(crate) every_seconds: u64,
    pub(crate) lasts_seconds: u64,
    /// How long before the start of the host the last one had begun.
    pub(crate) offset_seconds: u64,
}

impl Level {
    /// As the kernel names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Raid0 => "raid0",
            Self::Raid1 => "raid1",
            Self::Raid5 => "raid5",
            Self::Raid6 => "raid6",
            Self::Raid10 => "raid10",
        }
    }

    /// How many members' worth of data so many members hold.
    pub(crate) fn data_members(self, members: u64) -> u64 {
        match self {
            Self::Raid0 => members,
            Self::Raid1 => members.min(1),
            Self::Raid5 => members.saturating_sub(1),
            Self::Raid6 => members.saturating_sub(2),
            Self::Raid10 => members / 2,
        }
    }

    /// What of a byte that is written to the array is written to all members, in thousandths: data and what protects it.
    pub(crate) fn written_permille(self, members: u64) -> u64 {
        match self {
            Self::Raid1 => members * 1_000,
            _ => (members * 1_000).checked_div(self.data_members(members)).unwrap_or(1_000),
        }
    }
}

impl Array {
    /// How many members should be active.
    pub(crate) fn width(&self) -> u64 {
        self.members.iter().filter(|member| member.role != Role::Spare).count() as u64
    }

    pub(crate) fn active(&self) -> u64 {
        self.members.iter().filter(|member| member.role == Role::Active).count() as u64
    }
}
