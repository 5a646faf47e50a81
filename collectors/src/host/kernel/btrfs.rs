//! Devices of a btrfs file system.

/// The identity of a file system or of a device.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Uuid(pub [u8; 16]);

/// Length of a UUID as text.
pub const UUID_TEXT_BYTES: usize = 36;

impl Uuid {
    /// The UUID as text with dashes.
    pub fn text(self) -> [u8; UUID_TEXT_BYTES] {
        let mut text = [b'-'; UUID_TEXT_BYTES];
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let places = text.iter_mut().enumerate().filter(|(at, _)| ![8, 13, 18, 23].contains(at));
        for ((_, place), digit) in places.zip(digits) {
            *place = if digit < 10 { b'0' + digit } else { b'a' + digit - 10 };
        }
        text
    }

    /// Reads 32 hexadecimal digits, with dashes or without.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0_u8; 16];
        let mut digits = text.iter().filter(|&&byte| byte != b'-').map(|&byte| char::from(byte).to_digit(16));
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = u8::try_from(high << 4 | low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }
}

/// The kinds of [`BtrfsDevice::errors`], in order.
pub const BTRFS_ERROR_KINDS: [&str; 5] = ["write", "read", "flush", "corruption", "generation"];

/// A device of a mounted btrfs, from `BTRFS_IOC_FS_INFO`, `BTRFS_IOC_DEV_INFO` and `BTRFS_IOC_GET_DEV_STATS`.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct BtrfsDevice<'a> {
    /// The UUID of the file system.
    pub file_system: Uuid,
    /// Its path: `/dev/sda1`.
    pub path: &'a [u8],
    /// The UUID of the device.
    pub uuid: Uuid,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Bytes allocated to block groups.
    pub used_bytes: u64,
    /// Errors since the last reset, by [`BTRFS_ERROR_KINDS`].
    pub errors: [u64; BTRFS_ERROR_KINDS.len()],
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_uuid_has_32_digits() {
        let expected = Some(Uuid([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]));
        for (text, expected) in [
            ("00010203-0405-0607-0809-0a0b0c0d0eff", expected),
            ("000102030405060708090A0B0C0D0EFF", expected),
            ("00010203-0405-0607-0809-0a0b0c0d0ef", None),
            ("00010203-0405-0607-0809-0a0b0c0d0eff0", None),
            ("0001020g-0405-0607-0809-0a0b0c0d0eff", None),
            ("", None),
        ] {
            assert_eq!(Uuid::parse(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(&expected.map(Uuid::text), &Some(*b"00010203-0405-0607-0809-0a0b0c0d0eff"));
    }

    proptest! {
        #[test]
        fn a_uuid_comes_back(bytes: [u8; 16]) {
            prop_assert_eq!(Uuid::parse(&Uuid(bytes).text()), Some(Uuid(bytes)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Uuid::parse(&bytes);
        }
    }
}
