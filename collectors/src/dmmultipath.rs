//! Device-mapper multipath devices from /sys/block.

use crate::declare;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;

/// The dmmultipath collector.
#[derive(Default, Debug)]
pub struct Dmmultipath {
    devices: Names,
    paths: Names,
    identity: Vec<u8>,
    name: Vec<u8>,
    state: Vec<u8>,
}

declare! {
    Dmmultipath: "dmmultipath", on, "Device-mapper multipath devices and the state of their paths.";
    labels {
        PerDevice { device, sysfs_name }
        DeviceInfo { device, sysfs_name, uuid }
        PerPath { device, path, state }
    }
    reads {
        BLOCK: Directory Sys "block";
        NAME: File Sys "block/*/dm/name";
        SUSPENDED: File Sys "block/*/dm/suspended";
        IDENTITY: File Sys "block/*/dm/uuid";
        SIZE: File Sys "block/*/size";
        PATHS: Directory Sys "block/*/slaves";
        STATE: File Sys "block/*/device/state";
    }
    families {
        ACTIVE: Gauge "node_dmmultipath_device_active" PerDevice "1 for an active multipath device, 0 for a suspended one.";
        INFO: Gauge "node_dmmultipath_device_info" DeviceInfo "Name and UUID of a multipath device, always 1.";
        PATH_COUNT: Gauge "node_dmmultipath_device_paths" PerDevice "Paths of a multipath device.";
        PATHS_ACTIVE: Gauge "node_dmmultipath_device_paths_active" PerDevice "Paths whose SCSI state is running or NVMe state is live.";
        PATHS_FAILED: Gauge "node_dmmultipath_device_paths_failed" PerDevice "Paths in any other state.";
        SIZE_BYTES: Gauge "node_dmmultipath_device_size_bytes" PerDevice "Size of a multipath device, in bytes.";
        PATH_STATE: Gauge "node_dmmultipath_path_state" PerPath "State of the disk behind a path, always 1.";
    }
}

/// The unit of `size`, whatever the block size of the device.
const SECTOR_BYTES: u32 = 512;

impl Collect for Dmmultipath {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { devices, paths, identity, name, state } = self;
        cx.files.list(BLOCK, [], devices).map_err(|error| error.or_no_data(attribute::is_hidden))?;
        for device in devices.iter().filter(|device| device.starts_with(b"dm-")) {
            let is_identified = attribute::word(cx, IDENTITY, [device], RootError::is_missing, identity);
            if !is_identified || !identity.starts_with(b"mpath-") {
                continue;
            }
            // The name is a label of every sample.
            if !attribute::filled_word(cx, NAME, [device], name) {
                continue;
            }
            cx.page.gauge(INFO, DeviceInfo { device: name, sysfs_name: &device, uuid: identity }, true);
            if let Some(suspended) = attribute::number::<u64, _, 1>(cx, SUSPENDED, [device], attribute::never) {
                cx.page.gauge(ACTIVE, PerDevice { device: name, sysfs_name: &device }, suspended != 1);
            }
            if let Some(sectors) = attribute::number::<u64, _, 1>(cx, SIZE, [device], attribute::never) {
                cx.page.gauge(
                    SIZE_BYTES,
                    PerDevice { device: name, sysfs_name: &device },
                    sectors as f64 * f64::from(SECTOR_BYTES),
                );
            }
            match cx.files.list(PATHS, [device], paths) {
                Ok(()) => {}
                Err(error) if error.is_missing() => paths.clear(),
                Err(error) => {
                    cx.problems.report(error);
                    continue;
                }
            }
            emit_paths(cx, device, name, paths, state);
        }
        Ok(())
    }
}

fn emit_paths(cx: &mut Cx<'_, Dmmultipath>, device: &[u8], name: &[u8], paths: &Names, state: &mut Vec<u8>) {
    let (mut active, mut failed) = (0_u64, 0_u64);
    for path in paths.iter() {
        if attribute::filled_word(cx, STATE, [path], state) {
            let count = if matches!(state.as_slice(), b"running" | b"live") { &mut active } else { &mut failed };
            *count += 1;
            cx.page.gauge(PATH_STATE, PerPath { device: &name, path: &path, state }, true);
        }
    }
    let count = paths.len() as u64;
    cx.page.gauge(PATH_COUNT, PerDevice { device: &name, sysfs_name: &device }, count);
    // The numbers need the state of every path.
    if active + failed == count {
        cx.page.gauge(PATHS_ACTIVE, PerDevice { device: &name, sysfs_name: &device }, active);
        cx.page.gauge(PATHS_FAILED, PerDevice { device: &name, sysfs_name: &device }, failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/block/dm-0/dm/uuid\nLVM-abc\n== sys/block/dm-1/size\n8\n\
        == sys/block/dm-7/dm/name\nmpatha\n== sys/block/dm-7/dm/suspended\n0\n\
        == sys/block/dm-7/dm/uuid\nmpath-3600a\n== sys/block/dm-7/size\n2048\n\
        == sys/block/dm-7/slaves/nvme0c1n1 -> ../../nvme0c1n1\n\
        == sys/block/dm-7/slaves/sdc -> ../../sdc\n== sys/block/dm-7/slaves/sdd -> ../../sdd\n\
        == sys/block/nvme0c1n1/device/state\nlive\n\
        == sys/block/sdc/device/state\nrunning\n== sys/block/sdd/device/state\noffline\n\
        == sys/block/sde/dm/uuid\nmpath-none\n";
    const LINES: [&str; 9] = [
        "node_dmmultipath_device_active{device=\"mpatha\",sysfs_name=\"dm-7\"} 1\n",
        "node_dmmultipath_device_info{device=\"mpatha\",sysfs_name=\"dm-7\",uuid=\"mpath-3600a\"} 1\n",
        "node_dmmultipath_device_paths{device=\"mpatha\",sysfs_name=\"dm-7\"} 3\n",
        "node_dmmultipath_device_paths_active{device=\"mpatha\",sysfs_name=\"dm-7\"} 2\n",
        "node_dmmultipath_device_paths_failed{device=\"mpatha\",sysfs_name=\"dm-7\"} 1\n",
        "node_dmmultipath_device_size_bytes{device=\"mpatha\",sysfs_name=\"dm-7\"} 1.048576e+06\n",
        "node_dmmultipath_path_state{device=\"mpatha\",path=\"nvme0c1n1\",state=\"live\"} 1\n",
        "node_dmmultipath_path_state{device=\"mpatha\",path=\"sdc\",state=\"running\"} 1\n",
        "node_dmmultipath_path_state{device=\"mpatha\",path=\"sdd\",state=\"offline\"} 1\n",
    ];

    /// The page without the lines of these numbers.
    fn lines_without(gone: &[usize]) -> String {
        LINES.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, line)| *line).collect()
    }

    #[test]
    fn a_device_counts_its_paths() {
        given(HOST).emits::<Dmmultipath>(&LINES.concat());
    }

    #[test]
    fn suspended_devices_are_exported() {
        let suspended = LINES.concat().replacen("} 1\n", "} 0\n", 1);
        given(&HOST.replace("suspended\n0", "suspended\n1")).emits::<Dmmultipath>(&suspended);
    }

    #[test]
    fn a_device_without_a_folder_of_paths_has_none() {
        let host: Vec<&str> = HOST.split_inclusive('\n').filter(|line| !line.contains("slaves")).collect();
        let expected = lines_without(&[6, 7, 8]);
        let expected = expected.replace("dm-7\"} 3", "dm-7\"} 0").replace("dm-7\"} 2", "dm-7\"} 0");
        let expected = expected.replace(
            "paths_failed{device=\"mpatha\",sysfs_name=\"dm-7\"} 1",
            "paths_failed{device=\"mpatha\",sysfs_name=\"dm-7\"} 0",
        );
        given(&host.concat()).emits::<Dmmultipath>(&expected);
    }

    #[test]
    fn a_host_without_block_devices_or_that_hides_them_has_no_data() {
        given("").fails::<Dmmultipath>("", "sys/block: no such file");
        given("== sys/block/ error=EACCES\n").fails::<Dmmultipath>("", "permission denied");
        given("== sys/block/\n").emits::<Dmmultipath>("");
    }

    #[test]
    fn an_unreadable_file_costs_only_the_samples_that_need_it() {
        for (sound, gone) in
            [("suspended\n0\n", &[0][..]), ("size\n2048\n", &[5]), ("sdd/device/state\noffline\n", &[3, 4, 8])]
        {
            let (file, _) = sound.split_once('\n').expect("a file and its content");
            let broken = HOST.replace(&format!("/{sound}"), &format!("/{file} error=EIO\n"));
            given(&broken).fails::<Dmmultipath>(&lines_without(gone), &format!("{file}: input/output error"));
        }
        for file in ["name\nmpatha\n", "uuid\nmpath-3600a\n"] {
            let (name, _) = file.split_once('\n').expect("a file and its content");
            given(&HOST.replace(file, &format!("{name} error=EIO\n")))
                .fails::<Dmmultipath>("", &format!("dm-7/dm/{name}: input/output error"));
        }
        for bad in ["-1", "", "x", "18446744073709551616"] {
            given(&HOST.replace("size\n2048", &format!("size\n{bad}")))
                .fails::<Dmmultipath>(&lines_without(&[5]), "dm-7/size: value");
        }
    }

    #[test]
    fn an_empty_state_or_name_is_missing() {
        given(&HOST.replace("state\noffline\n", "state\n")).fails::<Dmmultipath>(
            &lines_without(&[3, 4, 8]),
            "sdd/device/state: value: expected a word, found nothing",
        );
        given(&HOST.replace("name\nmpatha\n", "name\n"))
            .fails::<Dmmultipath>("", "dm-7/dm/name: value: expected a word, found nothing");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sizes_come_back(sectors in 0..1_u64 << 43) {
            let host = HOST.replace("size\n2048", &format!("size\n{sectors}"));
            let samples = given(&host).scrape::<Dmmultipath>().samples();
            let line = samples.lines().find(|line| line.contains("size_bytes")).expect("a size");
            let value: f64 = line.rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert_eq!(value.to_bits(), ((sectors * 512) as f64).to_bits());
        }
    }
}
