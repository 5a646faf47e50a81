//! udev properties of a device: the `E:` lines of its file in /run/udev/data.

use crate::kit::parse::Text;

macro_rules! properties {
    ($($field:ident $key:literal;)*) => {
        /// The exported properties; a missing one is empty.
        #[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
        pub(super) struct Properties<'a> {
            $(pub(super) $field: &'a [u8],)*
        }

        impl<'a> Properties<'a> {
            /// The field of this key.
            fn field(&mut self, key: &[u8]) -> Option<&mut &'a [u8]> {
                $(if key == $key {
                    return Some(&mut self.$field);
                })*
                None
            }
        }
    };
}

properties! {
    ata b"ID_ATA";
    ata_rotation_rate b"ID_ATA_ROTATION_RATE_RPM";
    ata_write_cache b"ID_ATA_WRITE_CACHE";
    ata_write_cache_enabled b"ID_ATA_WRITE_CACHE_ENABLED";
    dm_lv_layer b"DM_LV_LAYER";
    dm_lv_name b"DM_LV_NAME";
    dm_name b"DM_NAME";
    dm_uuid b"DM_UUID";
    dm_vg_name b"DM_VG_NAME";
    fs_type b"ID_FS_TYPE";
    fs_usage b"ID_FS_USAGE";
    fs_uuid b"ID_FS_UUID";
    fs_version b"ID_FS_VERSION";
    model b"ID_MODEL";
    path b"ID_PATH";
    revision b"ID_REVISION";
    scsi_serial b"SCSI_IDENT_SERIAL";
    serial b"ID_SERIAL";
    serial_short b"ID_SERIAL_SHORT";
    wwn b"ID_WWN";
}

impl<'a> Properties<'a> {
    /// Parses the properties of a udev file; the last of duplicates is used.
    pub(super) fn of(text: Text<'a>) -> Self {
        let mut properties = Self::default();
        for line in text.lines() {
            let Some(property) = line.bytes.strip_prefix(b"E:") else { continue };
            let Some(equals) = memchr::memchr(b'=', property) else { continue };
            let (key, value) = property.split_at(equals);
            if let Some(field) = properties.field(key) {
                *field = value.get(1..).unwrap_or_default();
            }
        }
        properties
    }

    /// The serial number on the label of the disk, or a fallback.
    pub(super) fn serial_number(&self) -> &'a [u8] {
        let known = [self.scsi_serial, self.serial_short, self.serial];
        known.into_iter().find(|serial| !serial.is_empty()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;

    fn of(text: &str) -> Properties<'_> {
        Properties::of(Text::new(Mount::Udev, b"b8:0", text.as_bytes()))
    }

    #[test]
    fn only_property_lines_are_parsed_and_the_last_duplicate_is_used() {
        let found = of("S:disk/x\nE:ID_MODEL=a\nE:ID_MODEL=b=c d\nE:ID_PATH\nE:OTHER=1\nID_WWN=0x1\nE:ID_FS_TYPE=\n");
        assert_eq!(found, Properties { model: b"b=c d", ..Properties::default() });
    }

    #[test]
    fn the_serial_number_falls_back() {
        assert_eq!(of("E:ID_SERIAL=a\n").serial_number(), b"a");
        assert_eq!(of("E:ID_SERIAL=a\nE:ID_SERIAL_SHORT=b\nE:SCSI_IDENT_SERIAL=\n").serial_number(), b"b");
        assert_eq!(of("E:SCSI_IDENT_SERIAL=c\nE:ID_SERIAL=a\nE:ID_SERIAL_SHORT=b\n").serial_number(), b"c");
        assert_eq!(of("").serial_number(), b"");
    }
}
