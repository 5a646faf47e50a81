//! Devices of mounted file systems, by ioctl, in memory that every scrape reuses.

use std::ops::Range;

use super::{Btrfs, MOUNTS, OWN_MOUNTS};
use crate::filesystem::mounts::{self, Mounts};
use crate::host::errno::Errno;
use crate::host::kernel::KernelError;
use crate::host::kernel::btrfs::{BtrfsDevice, Uuid};
use crate::kit::prelude::*;
use crate::kit::table;

/// The devices of all file systems that support the ioctl.
#[derive(Default, Debug)]
pub(super) struct Devices {
    mounts: Mounts,
    text: Vec<u8>,
    all: Vec<Known>,
    /// Indices, in the mount table, of mounts whose ioctl succeeded.
    asked: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Known {
    numbers: BtrfsDevice<'static>,
    name: Range<usize>,
}

/// One device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Device<'a> {
    /// The name without its directory.
    pub(super) name: &'a [u8],
    pub(super) numbers: &'a BtrfsDevice<'static>,
}

impl Devices {
    /// Queries each file system once, at the first mount point that works. An error that is not
    /// [expected](is_expected) is noted.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_, Btrfs>) {
        let Self { mounts, text, all, asked } = self;
        text.clear();
        all.clear();
        asked.clear();
        if let Err(problem) = read(cx, mounts) {
            return cx.problems.note(problem);
        }
        for at in 0..mounts.len() {
            let Some(mount) = mounts.get(at) else { continue };
            let is_same = |&other: &usize| mounts.get(other).is_some_and(|other| other.device == mount.device);
            if asked.iter().any(is_same) {
                continue;
            }
            let before = all.len();
            let answer = cx.kernel.btrfs(mount.path, &mut |device| {
                let start = text.len();
                let name = memchr::memrchr(b'/', device.path).and_then(|slash| device.path.get(slash + 1..));
                text.extend_from_slice(name.unwrap_or(device.path));
                all.push(Known { numbers: BtrfsDevice { path: b"", ..*device }, name: start..text.len() });
            });
            let (known, new) = all.split_at(before);
            let file_system = new.first().map(|device| device.numbers.file_system);
            let is_known = known.iter().any(|device| Some(device.numbers.file_system) == file_system);
            if let Err(error) = answer
                && !is_expected(error)
            {
                let path = mount.path.escape_ascii();
                cx.problems.note(Failure::error(format_args!("{path}: querying the devices of the btrfs: {error}")));
            }
            if answer.is_err() || is_known {
                all.truncate(before);
            } else {
                asked.push(at);
            }
        }
    }

    /// The devices of a file system; none if its ioctl failed.
    pub(super) fn of(&self, file_system: Uuid) -> impl Iterator<Item = Device<'_>> {
        self.all.iter().filter(move |device| device.numbers.file_system == file_system).map(|device| Device {
            name: self.text.get(device.name.clone()).unwrap_or_default(),
            numbers: &device.numbers,
        })
    }
}

/// Whether the error is expected: the ioctl needs privileges and a real kernel.
fn is_expected(error: KernelError) -> bool {
    use Errno as E;
    matches!(error, KernelError::Unsupported | KernelError::Errno(E::EPERM | E::EACCES | E::ENOTTY | E::EOPNOTSUPP))
}

/// Reads the btrfs mounts of process 1, or of this process if that one is hidden.
fn read(cx: &mut Cx<'_, Btrfs>, mounts: &mut Mounts) -> Result<(), Failure> {
    mounts.clear();
    let text = match cx.files.read_if_present(MOUNTS, [])? {
        Some(text) => text,
        None => cx.files.read(OWN_MOUNTS, [])?,
    };
    for line in table::rows(text, cx.problems) {
        match mounts::parse(line) {
            Ok(parsed) => {
                cx.kernel.with_rootfs(|rootfs| mounts.push(&parsed, rootfs, |_, fs_type| fs_type == b"btrfs"));
            }
            Err(error) => cx.problems.note(error),
        }
    }
    Ok(())
}
