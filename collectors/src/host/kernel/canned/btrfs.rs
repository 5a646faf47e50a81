//! Devices of btrfs file systems, as answers and as the text of their entry.

use super::line::{CannedError, Line};
use super::write::Text;
use crate::host::errno::Errno;
use crate::host::kernel::btrfs::{BTRFS_ERROR_KINDS, BtrfsDevice, Uuid};
use crate::kit::parse::FromText;

/// One device of a mount point, or a refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OwnedBtrfs {
    pub(super) mount_point: Vec<u8>,
    /// The path of the device, which `numbers` lacks.
    path: Vec<u8>,
    numbers: Result<BtrfsDevice<'static>, Errno>,
}

impl OwnedBtrfs {
    pub(super) fn new(mount_point: &[u8], answer: Result<BtrfsDevice<'_>, Errno>) -> Self {
        let path = answer.map(|device| device.path.to_vec()).unwrap_or_default();
        let numbers = answer.map(|device| BtrfsDevice { path: b"", ..device });
        Self { mount_point: mount_point.to_vec(), path, numbers }
    }

    pub(super) fn borrow(&self) -> Result<BtrfsDevice<'_>, Errno> {
        self.numbers.map(|device| BtrfsDevice { path: &self.path, ..device })
    }
}

/// Reads `MOUNT-POINT error=EPERM`, or `MOUNT-POINT file_system=UUID device=PATH uuid=UUID …`.
pub(super) fn parse(mut line: Line<'_>) -> Result<OwnedBtrfs, CannedError> {
    let word = line.needed("the mount point", "begin the line with it")?;
    let mount_point = line.unescaped("the mount point", word)?;
    let mut device = BtrfsDevice::default();
    let (mut path, mut error, mut is_alone) = (None, None, true);
    while let Some((key, value)) = line.pair()? {
        match key {
            b"error" => error = Some(super::parse::error(&line, value)?),
            b"file_system" => device.file_system = uuid(&line, "file_system", value)?,
            b"device" => path = Some(line.unescaped("device", value)?),
            b"uuid" => device.uuid = uuid(&line, "uuid", value)?,
            b"size_bytes" => device.size_bytes = line.number(key, value)?,
            b"used_bytes" => device.used_bytes = line.number(key, value)?,
            _ => {
                let kind = key.strip_suffix(b"_errors");
                let kind = BTRFS_ERROR_KINDS.iter().position(|known| kind == Some(known.as_bytes()));
                let count = kind.and_then(|at| device.errors.get_mut(at));
                let advice = "use error alone, or file_system, device, uuid, size_bytes, used_bytes, write_errors, \
                    read_errors, flush_errors, corruption_errors and generation_errors";
                *count.ok_or_else(|| line.error("the key", Some(key), advice))? = line.number(key, value)?;
            }
        }
        is_alone &= key == b"error";
    }
    match error {
        Some(errno) if is_alone => Ok(OwnedBtrfs::new(&mount_point, Err(errno))),
        Some(_) => Err(line.error("error", Some(b"not alone"), "take the device out")),
        None => {
            device.path = path.as_deref().ok_or_else(|| line.error("device", None, "give the device's path"))?;
            Ok(OwnedBtrfs::new(&mount_point, Ok(device)))
        }
    }
}

fn uuid(line: &Line<'_>, field: &'static str, value: &[u8]) -> Result<Uuid, CannedError> {
    Uuid::from_text(value).ok_or_else(|| line.error(field, Some(value), "give 32 hexadecimal digits"))
}

/// Writes what [`parse`] reads.
pub(super) fn write(all: &[OwnedBtrfs]) -> Text {
    let mut text = Text::default();
    for known in all {
        text.escaped(&known.mount_point);
        match known.borrow() {
            Err(errno) if Errno::from_name(errno.name()).is_some() => text.pair("error", errno.name()),
            Err(errno) => text.pair("error", errno.number()),
            Ok(device) => write_device(&mut text, &device),
        };
        text.raw('\n');
    }
    text
}

fn write_device<'a>(text: &'a mut Text, device: &BtrfsDevice<'_>) -> &'a mut Text {
    text.raw(" file_system=").escaped(&device.file_system.text());
    text.raw(" device=").escaped(device.path);
    text.raw(" uuid=").escaped(&device.uuid.text());
    text.pair("size_bytes", device.size_bytes).pair("used_bytes", device.used_bytes);
    for (kind, count) in BTRFS_ERROR_KINDS.iter().zip(device.errors) {
        text.raw(format_args!(" {kind}_errors={count}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, complaint: &str) {
        let line = Line::all("kernel/btrfs", text.as_bytes()).next().expect("a line");
        let error = parse(line).expect_err("a bad line").to_string();
        assert!(error.contains(complaint), "{error}");
    }

    #[test]
    fn bad_lines_are_named() {
        check("/a", "device is missing; give the device's path");
        check("/a error=ENOWAY", "error is `ENOWAY`");
        check("/a error=EPERM device=/dev/a", "error is `not alone`");
        check("/a device=/dev/a error=EPERM", "error is `not alone`");
        check("/a device=/dev/a uuid=12", "uuid is `12`; give 32 hexadecimal digits");
        check("/a device=/dev/a file_system=x", "file_system is `x`");
        check("/a device=/dev/a wrong_errors=1", "the key is `wrong_errors`");
        check("/a device=/dev/a write_errors=-1", "write_errors is `-1`");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_comes_back(
            mount_point in proptest::collection::vec(any::<u8>(), 1..9), path in proptest::collection::vec(any::<u8>(), 0..9),
            ids: [[u8; 16]; 2], numbers: [u64; 2], errors: [u64; 5], errno in proptest::option::of(1_i32..200),
        ) {
            let device = BtrfsDevice {
                file_system: Uuid(ids[0]), path: &path, uuid: Uuid(ids[1]),
                size_bytes: numbers[0], used_bytes: numbers[1], errors,
            };
            let known = OwnedBtrfs::new(&mount_point, errno.map_or(Ok(device), |errno| Err(Errno::from_number(errno))));
            let text = write(std::slice::from_ref(&known)).0;
            let line = Line::all("kernel/btrfs", &text).next().expect("a line");
            prop_assert_eq!(parse(line), Ok(known));
        }
    }
}
