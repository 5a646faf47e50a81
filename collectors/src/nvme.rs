//! NVMe controllers and namespaces, from /sys/class/nvme.

pub(crate) mod name;

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;

/// The nvme collector.
#[derive(Default, Debug)]
pub struct Nvme {
    devices: Names,
    entries: Names,
    controller: Vec<u8>,
    firmware: Vec<u8>,
    model: Vec<u8>,
    serial: Vec<u8>,
    state: Vec<u8>,
}

declare! {
    Nvme: "nvme", on, "NVMe controllers and the size of their namespaces.";
    labels {
        InfoLabels { cntlid, device, firmware_revision, model, serial, state }
        NamespaceInfoLabels { ana_state, device, nsid }
        PerNamespace { device, nsid }
    }
    reads {
        CLASS: Directory Sys "class/nvme";
        DEVICE: Directory Sys "class/nvme/*";
        CONTROLLER: File Sys "class/nvme/*/cntlid";
        FIRMWARE: File Sys "class/nvme/*/firmware_rev";
        MODEL: File Sys "class/nvme/*/model";
        SERIAL: File Sys "class/nvme/*/serial";
        STATE: File Sys "class/nvme/*/state";
        ANA_STATE: File Sys "class/nvme/*/*/ana_state";
        BLOCKS_USED: File Sys "class/nvme/*/*/nuse";
        BLOCK_SIZE: File Sys "class/nvme/*/*/queue/logical_block_size";
        BLOCKS: File Sys "class/nvme/*/*/size";
    }
    families {
        INFO: Gauge "node_nvme_info" InfoLabels "Model, serial number, firmware and state of a controller; always 1.";
        NAMESPACE_INFO: Gauge "node_nvme_namespace_info" NamespaceInfoLabels "ANA state of a namespace through this controller; always 1.";
        CAPACITY_BYTES: Gauge "node_nvme_namespace_capacity_bytes" PerNamespace "Capacity of a namespace in bytes. The same value as its size.";
        SIZE_BYTES: Gauge "node_nvme_namespace_size_bytes" PerNamespace "Size of a namespace in bytes.";
        USED_BYTES: Gauge "node_nvme_namespace_used_bytes" PerNamespace "Used space of a namespace in bytes.";
        BLOCK_SIZE_BYTES: Gauge "node_nvme_namespace_logical_block_size_bytes" PerNamespace "Logical block size of a namespace in bytes.";
    }
}

impl Collect for Nvme {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { devices, entries, controller, firmware, model, serial, state } = self;
        cx.files.list(CLASS, [], devices).map_err(|error| error.or_no_data(RootError::is_missing))?;
        for device in devices.iter() {
            let words = [
                (CONTROLLER, &mut *controller),
                (FIRMWARE, firmware),
                (MODEL, model),
                (SERIAL, serial),
                (STATE, state),
            ];
            // A sample with a label missing would be a different series.
            if words.into_iter().all(|(file, word)| attribute::word(cx, file, [device], attribute::never, word)) {
                cx.page.gauge(
                    INFO,
                    InfoLabels {
                        cntlid: controller,
                        device: &device,
                        firmware_revision: firmware,
                        model,
                        serial,
                        state,
                    },
                    true,
                );
            }
            let listed = cx.files.list(DEVICE, [device], entries).map_err(Failure::from);
            let Some(()) = cx.problems.value(listed) else { continue };
            for entry in entries.iter() {
                if let Some(id) = name::namespace_id(entry) {
                    emit_namespace(cx, device, entry, id, state);
                }
            }
        }
        Ok(())
    }
}

/// Emits all samples of a namespace, or none if one of its attributes is bad.
fn emit_namespace(cx: &mut Cx<'_, Nvme>, device: &[u8], entry: &[u8], id: &[u8], state: &mut Vec<u8>) -> Option<()> {
    let names = [device, entry];
    let used: u64 = attribute::number(cx, BLOCKS_USED, names, attribute::never)?;
    let size: u64 = attribute::number(cx, BLOCKS, names, attribute::never)?;
    let block_size_bytes: u64 = attribute::number(cx, BLOCK_SIZE, names, attribute::never)?;
    // Namespaces with a single path have no ANA state.
    if !attribute::word(cx, ANA_STATE, names, |_| true, state) {
        state.extend_from_slice(b"unknown");
    }
    let bytes = |blocks: u64| (u128::from(blocks) * u128::from(block_size_bytes)) as f64;
    cx.page.gauge(NAMESPACE_INFO, NamespaceInfoLabels { ana_state: state, device: &device, nsid: &id }, true);
    cx.page.gauge(CAPACITY_BYTES, PerNamespace { device: &device, nsid: &id }, bytes(size));
    cx.page.gauge(SIZE_BYTES, PerNamespace { device: &device, nsid: &id }, bytes(size));
    cx.page.gauge(USED_BYTES, PerNamespace { device: &device, nsid: &id }, bytes(used));
    cx.page.gauge(BLOCK_SIZE_BYTES, PerNamespace { device: &device, nsid: &id }, block_size_bytes);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    const HOST: &str = "== sys/class/nvme/nvme0/cntlid\n5\n== sys/class/nvme/nvme0/firmware_rev\n2B  \n\
        == sys/class/nvme/nvme0/model\nACME 1TB      \n== sys/class/nvme/nvme0/nvme0c0n1/size\nx\n\
        == sys/class/nvme/nvme0/nvme0n1/nuse\n10\n== sys/class/nvme/nvme0/nvme0n1/queue/logical_block_size\n512\n\
        == sys/class/nvme/nvme0/nvme0n1/size\n40\n== sys/class/nvme/nvme0/serial\nS1\n== sys/class/nvme/nvme0/state\nlive\n";
    const INFO_LINE: &str = "node_nvme_info{cntlid=\"5\",device=\"nvme0\",firmware_revision=\"2B\",model=\"ACME 1TB\",serial=\"S1\",state=\"live\"} 1\n";

    fn namespace(state: &str) -> String {
        let labels = "{device=\"nvme0\",nsid=\"1\"}";
        format!(
            "node_nvme_namespace_capacity_bytes{labels} 20480\n\
             node_nvme_namespace_info{{ana_state=\"{state}\",device=\"nvme0\",nsid=\"1\"}} 1\n\
             node_nvme_namespace_logical_block_size_bytes{labels} 512\n\
             node_nvme_namespace_size_bytes{labels} 20480\nnode_nvme_namespace_used_bytes{labels} 5120\n"
        )
    }

    #[test]
    fn sizes_are_converted_to_bytes() {
        given(HOST).emits::<Nvme>(&(INFO_LINE.to_owned() + &namespace("unknown")));
        given(&format!("{HOST}== sys/class/nvme/nvme0/nvme0n1/ana_state\noptimized\n"))
            .emits::<Nvme>(&(INFO_LINE.to_owned() + &namespace("optimized")));
    }

    #[test]
    fn a_host_without_the_class_has_no_data() {
        given("").fails::<Nvme>("", "sys/class/nvme: no such file");
        given("== sys/class/nvme/\n").emits::<Nvme>("");
    }

    #[test]
    fn a_bad_attribute_costs_its_controller_or_namespace() {
        given(&HOST.replace("serial\nS1\n", "serial error=EIO\n"))
            .fails::<Nvme>(&namespace("unknown"), "nvme0/serial: input/output error");
        for bad in ["-1", "", "x", "18446744073709551616"] {
            given(&HOST.replace("nuse\n10", &format!("nuse\n{bad}"))).fails::<Nvme>(INFO_LINE, "nvme0n1/nuse: value");
        }
    }
}
