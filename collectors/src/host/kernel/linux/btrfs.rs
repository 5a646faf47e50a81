//! The devices of a mounted btrfs, by ioctl.

#![expect(
    unsafe_code,
    reason = "sysfs has no stable form of errors by device, and no crate has a safe call for these ioctls"
)]

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{Mode, OFlags, open};
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

use crate::host::errno::Errno;
use crate::host::kernel::btrfs::{BTRFS_ERROR_KINDS, BtrfsDevice, Uuid};

/// `BTRFS_IOCTL_MAGIC`.
const MAGIC: u8 = 0x94;

/// `struct btrfs_ioctl_fs_info_args`, `…_dev_info_args` and `…_get_dev_stats`, in words of 64 bits.
type FileSystemInfo = [u64; 128];
type DeviceInfo = [u64; 512];
type DeviceStatistics = [u64; 129];

const FILE_SYSTEM_INFO: Opcode = opcode::read::<FileSystemInfo>(MAGIC, 31);
const DEVICE_INFO: Opcode = opcode::read_write::<DeviceInfo>(MAGIC, 30);
const DEVICE_STATISTICS: Opcode = opcode::read_write::<DeviceStatistics>(MAGIC, 52);

/// Bits of an opcode with the size of its argument, on every architecture.
const SIZE_MASK: usize = 0x1fff;
const SIZE_SHIFT: u32 = 16;

/// Offset and maximum length of the path of a device.
const PATH_WORD: usize = 384;
const PATH_BYTES: usize = 1024;

/// Visits every device of the file system mounted at `path`.
pub(super) fn devices(path: &CStr, visit: &mut dyn FnMut(&BtrfsDevice<'_>)) -> Result<(), Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = open(path, flags, Mode::empty()).map_err(super::errno)?;
    let mut info: FileSystemInfo = [0; 128];
    ask::<FILE_SYSTEM_INFO, 128>(root.as_fd(), &mut info)?;
    let [highest_id, count, ..] = info;
    let mut found = 0;
    // Device numbers have gaps. They begin at 1, except while a device is being replaced.
    for id in 0..=highest_id {
        if found == count {
            break;
        }
        let mut device: DeviceInfo = [0; 512];
        device[0] = id;
        match ask::<DEVICE_INFO, 512>(root.as_fd(), &mut device) {
            Ok(()) => {}
            Err(Errno::ENODEV) => continue,
            Err(error) => return Err(error),
        }
        let mut statistics: DeviceStatistics = [0; 129];
        statistics[0] = id;
        statistics[1] = BTRFS_ERROR_KINDS.len() as u64;
        ask::<DEVICE_STATISTICS, 129>(root.as_fd(), &mut statistics)?;
        found += 1;
        visit(&told(&info, &device, &statistics, &mut [0; PATH_BYTES]));
    }
    Ok(())
}

/// Converts the kernel's structures. The kernel ends the path with a NUL.
fn told<'a>(
    info: &FileSystemInfo,
    device: &DeviceInfo,
    statistics: &DeviceStatistics,
    path: &'a mut [u8; PATH_BYTES],
) -> BtrfsDevice<'a> {
    for (place, word) in path.chunks_exact_mut(8).zip(&device[PATH_WORD..]) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    let end = path.iter().position(|&byte| byte == 0).unwrap_or(PATH_BYTES);
    let mut errors = [0; BTRFS_ERROR_KINDS.len()];
    errors.copy_from_slice(&statistics[3..3 + BTRFS_ERROR_KINDS.len()]);
    BtrfsDevice {
        file_system: uuid(info[2], info[3]),
        path: &path[..end],
        uuid: uuid(device[1], device[2]),
        size_bytes: device[4],
        used_bytes: device[3],
        errors,
    }
}

fn uuid(first: u64, second: u64) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&first.to_ne_bytes());
    bytes[8..].copy_from_slice(&second.to_ne_bytes());
    Uuid(bytes)
}

fn ask<const OPCODE: Opcode, const WORDS: usize>(
    root: BorrowedFd<'_>,
    argument: &mut [u64; WORDS],
) -> Result<(), Errno> {
    const { assert!((OPCODE as usize >> SIZE_SHIFT) & SIZE_MASK == size_of::<[u64; WORDS]>()) }
    // SAFETY: the kernel reads and writes the number of bytes in the opcode, which is checked above to be the size of the
    // array. Every bit pattern is a valid array of numbers. The kernel does not keep the pointer.
    let answer = unsafe { ioctl(root, Updater::<OPCODE, [u64; WORDS]>::new(argument)) };
    answer.map_err(super::errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_file_systems_do_not_support_the_ioctls() {
        let mut count = 0;
        assert_eq!(devices(c"/proc", &mut |_| count += 1), Err(Errno::ENOTTY));
        assert_eq!(devices(c"/proc/nowhere", &mut |_| count += 1), Err(Errno::ENOENT));
        assert_eq!(devices(c"/proc/version", &mut |_| count += 1), Err(Errno::ENOTDIR));
        assert_eq!(count, 0);
    }

    #[test]
    fn opcodes_are_those_of_the_kernel_header() {
        // Architectures whose ioctl directions have three bits have other opcodes.
        if cfg!(any(target_arch = "x86_64", target_arch = "aarch64")) {
            assert_eq!([FILE_SYSTEM_INFO, DEVICE_INFO, DEVICE_STATISTICS], [0x8400_941f, 0xd000_941e, 0xc408_9434]);
        }
    }

    #[test]
    fn structures_are_converted() {
        let word = |text: &[u8; 8]| u64::from_ne_bytes(*text);
        let mut info = [0; 128];
        info[2..4].copy_from_slice(&[word(b"abcdefgh"), word(b"ijklmnop")]);
        let mut device = [0; 512];
        device[1..5].copy_from_slice(&[word(b"ABCDEFGH"), word(b"IJKLMNOP"), 3, 4]);
        device[PATH_WORD..PATH_WORD + 2].copy_from_slice(&[word(b"/dev/sda"), word(b"1\0sdb\0\0\0")]);
        let mut statistics = [0; 129];
        statistics[3..8].copy_from_slice(&[5, 6, 7, 8, 9]);
        let mut path = [0; PATH_BYTES];
        let found = told(&info, &device, &statistics, &mut path);
        let expected = BtrfsDevice {
            file_system: Uuid(*b"abcdefghijklmnop"),
            path: b"/dev/sda1",
            uuid: Uuid(*b"ABCDEFGHIJKLMNOP"),
            size_bytes: 4,
            used_bytes: 3,
            errors: [5, 6, 7, 8, 9],
        };
        assert_eq!(found, expected);
        device[PATH_WORD..].fill(word(b"xxxxxxxx"));
        assert_eq!(told(&info, &device, &statistics, &mut path).path.len(), PATH_BYTES);
    }
}
