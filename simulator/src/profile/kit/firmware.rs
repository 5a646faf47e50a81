//! DMI data of firmware.

/// DMI fields of a profile. Chassis types: 1 other, 10 notebook, 23 rack mount.
pub(in crate::profile) struct Firmware<'a> {
    pub(in crate::profile) vendor: &'a str,
    pub(in crate::profile) product: &'a str,
    pub(in crate::profile) board: &'a str,
    pub(in crate::profile) version: &'a str,
    pub(in crate::profile) date: &'a str,
    pub(in crate::profile) chassis: &'a str,
}

pub(in crate::profile) fn words(firmware: &Firmware<'_>) -> Vec<(&'static str, String)> {
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
