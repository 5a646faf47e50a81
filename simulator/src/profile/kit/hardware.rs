//! Disk models with their udev and bus properties, and the DMI data of firmware.

use super::identity::hexadecimal;
use crate::list::Id;
use crate::machine::{BlockDevice, NvmeController, ScsiDevice};
use crate::seed::Seed;

/// Disk model.
#[derive(Clone, Copy, Debug)]
pub(in crate::profile) struct Hardware {
    pub(in crate::profile) bus: Bus,
    pub(in crate::profile) vendor: &'static str,
    pub(in crate::profile) model: &'static str,
    pub(in crate::profile) revision: &'static str,
    /// Revolutions per minute, 0 for solid state disks.
    pub(in crate::profile) rotations: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::profile) enum Bus {
    Nvme,
    Ata,
    Sas,
}

pub(in crate::profile) const NOTEBOOK_NVME: Hardware =
    Hardware { bus: Bus::Nvme, vendor: "", model: "SKHynix_HFS512GEJ9X115N", revision: "51720C20", rotations: 0 };
pub(in crate::profile) const SERVER_NVME: Hardware =
    Hardware { bus: Bus::Nvme, vendor: "", model: "SAMSUNG MZQL23T8HCLS-00A07", revision: "GDC5602Q", rotations: 0 };
pub(in crate::profile) const PORTABLE_SSD: Hardware =
    Hardware { bus: Bus::Ata, vendor: "ATA", model: "Samsung SSD 870", revision: "1B6Q", rotations: 0 };

pub(in crate::profile) const SERVER_SSD: Hardware =
    Hardware { bus: Bus::Ata, vendor: "ATA", model: "MICRON_5300_MTFDDAK960TDS", revision: "U003", rotations: 0 };
pub(in crate::profile) const SHELF_DISK: Hardware =
    Hardware { bus: Bus::Sas, vendor: "SEAGATE", model: "ST16000NM002G", revision: "E004", rotations: 7_200 };
pub(in crate::profile) const SAN_UNIT: Hardware =
    Hardware { bus: Bus::Sas, vendor: "NETAPP", model: "LUN C-Mode", revision: "9131", rotations: 0 };

impl Hardware {
    fn serial(self, seed: Seed, name: &str) -> String {
        let digits = hexadecimal(seed.of("serial").of(name), 12).to_uppercase();
        match self.bus {
            Bus::Nvme => format!("S6{digits}"),
            Bus::Ata | Bus::Sas => digits.chars().take(8).collect(),
        }
    }
}

impl BlockDevice {
    /// Sets the model.
    pub(in crate::profile) fn with_hardware(mut self, seed: Seed, hardware: Hardware) -> Self {
        let Hardware { bus, vendor, model, revision, rotations } = hardware;
        let serial = hardware.serial(seed, &self.name);
        let underscored = model.replace(' ', "_");
        let identity = hexadecimal(seed.of("wwn").of(&self.name), 9);
        let mut lines = vec![format!("ID_MODEL={underscored}"), format!("ID_REVISION={revision}")];
        let wwid = match bus {
            Bus::Nvme => {
                lines.push(format!("ID_SERIAL={underscored}_{serial}"));
                lines.push(format!("ID_SERIAL_SHORT={serial}"));
                format!("eui.002538{identity}0")
            }
            Bus::Ata => {
                lines.extend(["ID_ATA=1", "ID_ATA_WRITE_CACHE=1", "ID_ATA_WRITE_CACHE_ENABLED=1"].map(str::to_owned));
                lines.push(format!("ID_ATA_ROTATION_RATE_RPM={rotations}"));
                lines.push(format!("ID_SERIAL={underscored}_{serial}"));
                lines.push(format!("ID_SERIAL_SHORT={serial}"));
                format!("0x5002538{identity}")
            }
            Bus::Sas => {
                lines.push("ID_SCSI=1".to_owned());
                lines.push(format!("ID_VENDOR={vendor}"));
                lines.push(format!("ID_SERIAL=35000c50{identity}"));
                lines.push(format!("ID_SERIAL_SHORT=5000c50{identity}"));
                lines.push(format!("SCSI_IDENT_SERIAL={serial}"));
                format!("0x5000c50{identity}")
            }
        };
        lines.push(format!("ID_WWN={wwid}"));
        if bus != Bus::Nvme {
            let wwid = wwid.replacen("0x", "naa.", 1);
            self.scsi = self.path.rsplit_once("/block/").map(|(path, _)| ScsiDevice {
                path: path.to_owned(),
                vendor,
                model,
                revision,
                kind: 0,
                wwid,
                queue_depth: 32,
            });
        }
        self.properties.retain(|property| !property.starts_with("ID_SERIAL="));
        self.properties.extend(lines);
        self
    }
}

/// NVMe controller of a namespace directly below it.
pub(in crate::profile) fn controller(
    seed: Seed,
    number: u32,
    id: Id<BlockDevice>,
    namespace: &BlockDevice,
    hardware: Hardware,
) -> NvmeController {
    let path = namespace.path.rsplit_once('/').map_or("", |(path, _)| path);
    NvmeController {
        number,
        path: path.to_owned(),
        namespace: id,
        model: hardware.model,
        firmware: hardware.revision,
        serial: hardware.serial(seed, &namespace.name),
        controller_id: 6 + number,
        address: path.rsplit('/').nth(2).unwrap_or_default().to_owned(),
        used_permille: seed.of("nuse").of(&namespace.name).between(280, 790),
        access_state: None,
    }
}

/// DMI fields of a profile. Chassis types: 1 other, 10 notebook, 23 rack mount.
pub(in crate::profile) struct Firmware<'a> {
    pub(in crate::profile) vendor: &'a str,
    pub(in crate::profile) product: &'a str,
    pub(in crate::profile) board: &'a str,
    pub(in crate::profile) version: &'a str,
    pub(in crate::profile) date: &'a str,
    pub(in crate::profile) chassis: &'a str,
}

pub(in crate::profile) fn firmware(firmware: &Firmware<'_>) -> Vec<(&'static str, String)> {
    let Firmware { vendor, product, board, version, date, chassis } = *firmware;
    let release = version.split('.').take(2).collect::<Vec<_>>().join(".");
    let words = [
        ("bios_date", date),
        ("bios_release", &release),
        ("bios_vendor", vendor),
        ("bios_version", version),
        ("board_asset_tag", ""),
        ("board_name", board),
        ("board_vendor", vendor),
        ("board_version", "A01"),
        ("chassis_asset_tag", ""),
        ("chassis_type", chassis),
        ("chassis_vendor", vendor),
        ("chassis_version", ""),
        ("product_family", "General"),
        ("product_name", product),
        ("product_sku", ""),
        ("product_version", "3"),
        ("sys_vendor", vendor),
    ];
    words.map(|(name, word)| (name, word.to_owned())).into()
}
