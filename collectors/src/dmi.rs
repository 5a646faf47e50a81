//! DMI identifiers of the machine from /sys/class/dmi/id.

use crate::declare;
use crate::host::root::{Kind, Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;

/// The dmi collector.
#[derive(Default, Debug)]
pub struct Dmi {
    names: Names,
    values: [Vec<u8>; ATTRIBUTES.len()],
}

declare! {
    Dmi: "dmi", on, "Machine, board, chassis and firmware identifiers from DMI.";
    labels {
        Identity { bios_date, bios_release, bios_vendor, bios_version, board_asset_tag, board_name, board_serial, board_vendor, board_version, chassis_asset_tag, chassis_serial, chassis_vendor, chassis_version, product_family, product_name, product_serial, product_sku, product_uuid, product_version, system_vendor }
    }
    reads {
        CLASS: Directory Sys "class/dmi/id";
        ATTRIBUTE: File Sys "class/dmi/id/*";
    }
    families {
        INFO: Gauge "node_dmi_info" Identity "Machine, board, chassis and firmware identifiers, always 1.";
    }
}

/// The files of the labels, in label order.
const ATTRIBUTES: [&[u8]; 20] = [
    b"bios_date",
    b"bios_release",
    b"bios_vendor",
    b"bios_version",
    b"board_asset_tag",
    b"board_name",
    b"board_serial",
    b"board_vendor",
    b"board_version",
    b"chassis_asset_tag",
    b"chassis_serial",
    b"chassis_vendor",
    b"chassis_version",
    b"product_family",
    b"product_name",
    b"product_serial",
    b"product_sku",
    b"product_uuid",
    b"product_version",
    b"sys_vendor",
];

impl Collect for Dmi {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { names, values } = self;
        cx.files.list(CLASS, [], names).map_err(|error| error.or_no_data(RootError::is_missing))?;
        let mut is_known = [false; ATTRIBUTES.len()];
        for ((attribute, value), is_known) in ATTRIBUTES.into_iter().zip(&mut *values).zip(&mut is_known) {
            if !names.iter_kinds().any(|(name, kind)| name == attribute && kind == Kind::File) {
                continue;
            }
            match cx.files.read(ATTRIBUTE, [attribute]) {
                Ok(text) => {
                    value.clear();
                    value.extend_from_slice(attribute::value(&text));
                    *is_known = true;
                }
                Err(error) if error.error.is_denied() => {}
                // A missing label would make another series.
                Err(error) => return Err(error.into()),
            }
        }
        if !is_known.contains(&true) {
            return Err(Failure::no_data("sys/class/dmi/id: nothing in it can be read"));
        }
        let [
            bios_date,
            bios_release,
            bios_vendor,
            bios_version,
            board_asset_tag,
            board_name,
            board_serial,
            board_vendor,
            board_version,
            chassis_asset_tag,
            chassis_serial,
            chassis_vendor,
            chassis_version,
            product_family,
            product_name,
            product_serial,
            product_sku,
            product_uuid,
            product_version,
            system_vendor,
        ]: [Option<&[u8]>; ATTRIBUTES.len()] = std::array::from_fn(|at| is_known[at].then_some(values[at].as_slice()));
        let labels = Identity {
            bios_date: &bios_date,
            bios_release: &bios_release,
            bios_vendor: &bios_vendor,
            bios_version: &bios_version,
            board_asset_tag: &board_asset_tag,
            board_name: &board_name,
            board_serial: &board_serial,
            board_vendor: &board_vendor,
            board_version: &board_version,
            chassis_asset_tag: &chassis_asset_tag,
            chassis_serial: &chassis_serial,
            chassis_vendor: &chassis_vendor,
            chassis_version: &chassis_version,
            product_family: &product_family,
            product_name: &product_name,
            product_serial: &product_serial,
            product_sku: &product_sku,
            product_uuid: &product_uuid,
            product_version: &product_version,
            system_vendor: &system_vendor,
        };
        cx.page.gauge(INFO, labels, true);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    #[test]
    fn readable_files_are_labels() {
        given("== sys/class/dmi/id/bios_vendor\nACME\n== sys/class/dmi/id/board_serial mode=0200\n7\n== sys/class/dmi/id/chassis_version\n \n\
               == sys/class/dmi/id/chassis_type\n3\n== sys/class/dmi/id/product_name/\n== sys/class/dmi/id/sys_vendor\nA \"B\"\n")
            .emits::<Dmi>("node_dmi_info{bios_vendor=\"ACME\",chassis_version=\"\",system_vendor=\"A \\\"B\\\"\"} 1\n");
    }

    #[test]
    fn a_host_without_firmware_has_no_data() {
        given("").fails::<Dmi>("", "sys/class/dmi/id: no such file");
        given("== sys/class/dmi/id/modalias\nx\n").fails::<Dmi>("", "nothing in it can be read");
        given("== sys/class/dmi/id/board_serial mode=0200\n7\n").fails::<Dmi>("", "nothing in it can be read");
    }

    #[test]
    fn an_unreadable_label_costs_the_sample() {
        given("== sys/class/dmi/id/bios_vendor\nACME\n== sys/class/dmi/id/board_name error=EIO\n")
            .fails::<Dmi>("", "board_name: input/output error");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn values_come_back(value in "[a-zA-Z0-9][a-zA-Z0-9 ./-]{0,40}[a-zA-Z0-9]") {
            let samples = given(&format!("== sys/class/dmi/id/product_name\n{value}\n")).scrape::<Dmi>().samples();
            prop_assert_eq!(samples, format!("node_dmi_info{{product_name=\"{value}\"}} 1\n"));
        }
    }
}
