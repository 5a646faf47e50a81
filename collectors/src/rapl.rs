//! Energy consumption of processors and memory (RAPL), from /sys/class/powercap.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::label::Joined;
use crate::kit::parse::FromText;
use crate::kit::prelude::*;

/// The rapl collector.
#[derive(Debug)]
pub struct Rapl {
    has_zone_label: bool,
    names: Names,
    zone: Vec<u8>,
    metric: Vec<u8>,
    indices: ZoneIndices,
}

declare! {
    Rapl: "rapl", on, "Energy consumption of processors and memory by RAPL zone.";
    labels {
        PerNamedZone { index, path, rapl_zone }
        PerZone { index, path }
    }
    reads {
        CLASS: Directory Sys "class/powercap";
        NAME: File Sys "class/powercap/*/name";
        ENERGY_MICROJOULES: File Sys "class/powercap/*/energy_uj";
    }
    flags {
        ZONE_LABEL: Switch "collector.rapl.enable-zone-label" = "false", "Emit one metric with a zone label instead of a metric for each zone.";
    }
    prefixes {
        ZONE: Counter "node_rapl_" PerZone "Energy consumed by this RAPL zone, in joules.";
        ZONES: Counter "node_rapl_joules_" PerNamedZone "Energy consumed by RAPL zones, in joules.";
    }
}

const MICROJOULES_IN_A_JOULE: f64 = 1e6;

impl Collect for Rapl {
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self {
            has_zone_label: options.get(ZONE_LABEL),
            names: Names::new(),
            zone: Vec::new(),
            metric: Vec::new(),
            indices: ZoneIndices::default(),
        })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { has_zone_label, names, zone, metric, indices } = self;
        cx.files.list(CLASS, [], names).map_err(no_data)?;
        indices.clear();
        for folder in names.iter() {
            // A directory without a name is a control type, not a zone.
            if !attribute::word(cx, NAME, [folder], |_| true, zone) {
                continue;
            }
            let (index, name) = indices.of(zone);
            let energy = match cx.files.read(ENERGY_MICROJOULES, [folder]) {
                Ok(text) => text.number::<u64>("energy").map_err(Failure::from),
                // Recent kernels allow root alone to read energy, for all zones.
                Err(error) if error.error.is_denied() => return Err(no_data(error)),
                Err(error) => Err(error.into()),
            };
            let Some(microjoules) = cx.problems.value(energy) else { continue };
            let joules = microjoules as f64 / MICROJOULES_IN_A_JOULE;
            let path = Joined(&[cx.files.sys_place().as_bytes(), b"/class/powercap/", folder]);
            if *has_zone_label {
                cx.page.named(
                    ZONES,
                    &[b"total"],
                    PerNamedZone { index: &index, path: &path, rapl_zone: &name },
                    joules,
                );
            } else {
                sanitize(name, metric);
                cx.page.named(ZONE, &[metric, b"_joules_total"], PerZone { index: &index, path: &path }, joules);
            }
        }
        Ok(())
    }
}

fn no_data(error: FileError<'_>) -> Failure {
    error.or_no_data(attribute::is_hidden)
}

/// Writes a zone name as part of a metric name to `into`: each run of invalid characters, with the `_` around it, becomes
/// one `_`, as in node_exporter.
fn sanitize(name: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut is_after_invalid = false;
    for &byte in name {
        match byte {
            b'_' if is_after_invalid => {}
            b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                into.push(byte);
                is_after_invalid = false;
            }
            _ => {
                while into.last() == Some(&b'_') {
                    into.pop();
                }
                into.push(b'_');
                is_after_invalid = true;
            }
        }
    }
}

/// Assigns indices to zones of the same name.
#[derive(Default, Debug)]
struct ZoneIndices {
    /// Zone names and the next index of each. Only the first `count` belong to this scrape; the buffers of others are
    /// reused.
    seen: Vec<(Vec<u8>, u64)>,
    count: usize,
}

impl ZoneIndices {
    fn clear(&mut self) {
        self.count = 0;
    }

    /// The index and name of a zone: `package-1` contains both, other zones are counted.
    fn of<'a>(&mut self, zone: &'a [u8]) -> (u64, &'a [u8]) {
        let mut pieces = zone.split(|&byte| byte == b'-');
        let parsed = match (pieces.next(), pieces.next(), pieces.next()) {
            (Some(name), Some(index), None) => {
                let index = i64::from_text(index).and_then(|index| u64::try_from(index).ok());
                index.map(|index| (index, name))
            }
            _ => None,
        };
        let name = parsed.map_or(zone, |(_, name)| name);
        let at = self.position(name);
        let next = &mut self.seen[at].1;
        let index = parsed.map_or(*next, |(index, _)| index);
        *next = index.saturating_add(1);
        (index, name)
    }

    /// The position of the name in `seen`, added if new.
    fn position(&mut self, name: &[u8]) -> usize {
        let known = self.seen.iter().take(self.count).position(|(seen, _)| seen.as_slice() == name);
        known.unwrap_or_else(|| {
            if self.count == self.seen.len() {
                self.seen.push((Vec::new(), 0));
            }
            let (seen, next) = &mut self.seen[self.count];
            seen.clear();
            seen.extend_from_slice(name);
            *next = 0;
            self.count += 1;
            self.count - 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    fn zone(folder: &str, name: &str, energy: &str) -> String {
        format!("== sys/class/powercap/{folder}/energy_uj\n{energy}\n== sys/class/powercap/{folder}/name\n{name}\n")
    }

    fn two() -> String {
        zone("intel-rapl:0", "package-1", "1500000") + &zone("intel-rapl:0:0", "core", "7")
    }

    #[test]
    fn zones_are_metrics_or_labels() {
        given(&two()).emits::<Rapl>(
            "node_rapl_core_joules_total{index=\"0\",path=\"/sys/class/powercap/intel-rapl:0:0\"} 7e-06\n\
             node_rapl_package_joules_total{index=\"1\",path=\"/sys/class/powercap/intel-rapl:0\"} 1.5\n",
        );
        given(&two()).flags(&["--collector.rapl.enable-zone-label"]).emits::<Rapl>(
            "node_rapl_joules_total{index=\"0\",path=\"/sys/class/powercap/intel-rapl:0:0\",rapl_zone=\"core\"} 7e-06\n\
             node_rapl_joules_total{index=\"1\",path=\"/sys/class/powercap/intel-rapl:0\",rapl_zone=\"package\"} 1.5\n",
        );
        given(&two()).sys_place("fixtures/sys/").flags(&["--collector.rapl.enable-zone-label"]).emits::<Rapl>(
            "node_rapl_joules_total{index=\"0\",path=\"fixtures/sys/class/powercap/intel-rapl:0:0\",rapl_zone=\"core\"} 7e-06\n\
             node_rapl_joules_total{index=\"1\",path=\"fixtures/sys/class/powercap/intel-rapl:0\",rapl_zone=\"package\"} 1.5\n",
        );
    }

    #[test]
    fn zones_of_the_same_name_are_numbered() {
        let mut indices = ZoneIndices::default();
        for _ in 0..2 {
            indices.clear();
            let zones = ["core", "core", "dram", "package-4", "package", "x-y", "a-1-2", "core"];
            let found: Vec<_> = zones.iter().map(|zone| indices.of(zone.as_bytes())).collect();
            let names: Vec<_> = found.iter().map(|(index, name)| (*index, str::from_utf8(name).unwrap())).collect();
            let expected = [
                (0, "core"),
                (1, "core"),
                (0, "dram"),
                (4, "package"),
                (5, "package"),
                (0, "x-y"),
                (0, "a-1-2"),
                (2, "core"),
            ];
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn zone_names_become_parts_of_metric_names() {
        let mut found = Vec::new();
        for (name, expected) in [
            ("dram", "dram"),
            ("package--1", "package_1"),
            ("a_-_b", "a_b"),
            ("a__b", "a__b"),
            ("\u{e4}b-\u{e4}", "_b_"),
            ("-", "_"),
            ("", ""),
        ] {
            sanitize(name.as_bytes(), &mut found);
            assert_eq!(String::from_utf8_lossy(&found), expected, "{name}");
        }
        given(&zone("intel-rapl:0", "package--1", "5000000")).emits::<Rapl>(
            "node_rapl_package_1_joules_total{index=\"0\",path=\"/sys/class/powercap/intel-rapl:0\"} 5\n",
        );
        given(&zone("intel-rapl:0", "package-+1", "5000000"))
            .emits::<Rapl>("node_rapl_package_joules_total{index=\"1\",path=\"/sys/class/powercap/intel-rapl:0\"} 5\n");
    }

    #[test]
    fn a_host_with_unreadable_energy_has_no_data() {
        given("").fails::<Rapl>("", "sys/class/powercap: no such file");
        given("== sys/class/powercap/intel-rapl/enabled\n1\n").emits::<Rapl>("");
        given("== sys/class/powercap/a/energy_uj mode=0200\n1\n== sys/class/powercap/a/name\ncore\n")
            .fails::<Rapl>("", "sys/class/powercap/a/energy_uj: permission denied");
    }

    #[test]
    fn an_unreadable_zone_costs_only_its_own_samples() {
        let core = "node_rapl_core_joules_total{index=\"0\",path=\"/sys/class/powercap/intel-rapl:0:0\"} 7e-06\n";
        for bad in ["much", "-1", "18446744073709551616", ""] {
            given(&two().replace("1500000", bad)).fails::<Rapl>(core, "intel-rapl:0/energy_uj: energy: expected");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_name_has_an_index(zones: Vec<Vec<u8>>) {
            let mut indices = ZoneIndices::default();
            for zone in &zones {
                prop_assert!(zone.starts_with(indices.of(zone).1));
            }
        }

        #[test]
        fn energy_round_trips(microjoules in 0..1_000_000_000_000_u64) {
            let samples = given(&zone("a", "core", &microjoules.to_string())).scrape::<Rapl>().samples();
            let joules: f64 = samples.trim().rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((joules * 1e6 - microjoules as f64).abs() < 0.5, "{samples}");
        }
    }
}
