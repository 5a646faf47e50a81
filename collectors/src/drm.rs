//! Graphics cards of the amdgpu driver, from /sys/class/drm.

use crate::declare;
use crate::host::errno::Errno;
use crate::host::root::{Names, RootError};
use crate::kit::attribute;
use crate::kit::prelude::*;

/// The drm collector.
#[derive(Default, Debug)]
pub struct Drm {
    entries: Names,
    words: [Vec<u8>; WORDS.len()],
}

declare! {
    Drm: "drm", off, "Utilization and memory of amdgpu graphics cards.";
    labels {
        CardInfo { card, memory_vendor, power_performance_level, unique_id, vendor }
        PerCard { card }
    }
    reads {
        CLASS: Directory Sys "class/drm";
        UEVENT: File Sys "class/drm/*/device/uevent";
        ATTRIBUTE: File Sys "class/drm/*/device/*";
    }
    families {
        INFO: Gauge "node_drm_card_info" CardInfo "Vendor and identifiers of a graphics card, always 1.";
    }
    /// Attributes of a card, by file.
    table NUMBERS: &'static [u8] => PerCard {
        b"gpu_busy_percent" => kept Gauge "node_drm_gpu_busy_percent" "GPU utilization, in percent.";
        b"mem_info_gtt_total" => Gauge "node_drm_memory_gtt_size_bytes" "Host memory available through the translation table, in bytes.";
        b"mem_info_gtt_used" => Gauge "node_drm_memory_gtt_used_bytes" "Host memory used through the translation table, in bytes.";
        b"mem_info_vis_vram_total" => Gauge "node_drm_memory_vis_vram_size_bytes" "Video memory visible to the CPU, in bytes.";
        b"mem_info_vis_vram_used" => Gauge "node_drm_memory_vis_vram_used_bytes" "Used video memory visible to the CPU, in bytes.";
        b"mem_info_vram_total" => Gauge "node_drm_memory_vram_size_bytes" "Video memory, in bytes.";
        b"mem_info_vram_used" => Gauge "node_drm_memory_vram_used_bytes" "Used video memory, in bytes.";
    }
}

/// The attributes that are labels.
const WORDS: [&[u8]; 3] = [b"mem_info_vram_vendor", b"power_dpm_force_performance_level", b"unique_id"];

/// The line in the uevent of a card of this driver.
const DRIVER: &[u8] = b"DRIVER=amdgpu";

impl Collect for Drm {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { entries, words } = self;
        match cx.files.list(CLASS, [], entries) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for card in entries.iter().filter(|entry| is_card(entry)) {
            let is_ours = match cx.files.read(UEVENT, [card]) {
                Ok(text) => text.lines().any(|line| line.bytes.trim_ascii() == DRIVER),
                // A card that is powered off.
                Err(error) if error.error == RootError::Errno(Errno::ENODATA) => false,
                Err(error) => {
                    cx.problems.report(error);
                    false
                }
            };
            if is_ours {
                emit(cx, card, words);
            }
        }
        Ok(())
    }
}

/// `card0`; not the connectors `card0-DP-1`, nor `renderD128`.
fn is_card(entry: &[u8]) -> bool {
    entry.strip_prefix(b"card").is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

fn emit(cx: &mut Cx<'_, Drm>, card: &[u8], words: &mut [Vec<u8>; WORDS.len()]) {
    let problems = cx.problems.count();
    for (attribute, word) in WORDS.into_iter().zip(&mut *words) {
        attribute::word(cx, ATTRIBUTE, [card, attribute], attribute::is_absent, word);
    }
    // A missing label would make another series.
    if cx.problems.count() == problems {
        let [memory, level, id] = words;
        cx.page.gauge(
            INFO,
            CardInfo {
                card: &card,
                memory_vendor: memory,
                power_performance_level: level,
                unique_id: id,
                vendor: &"amd",
            },
            true,
        );
    }
    for (file, family) in NUMBERS {
        if let Some(number) = attribute::number::<u64, _, 2>(cx, ATTRIBUTE, [card, file], attribute::is_unavailable) {
            cx.page.tabled(family, PerCard { card: &card }, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/class/drm/card0-DP-1/device/uevent\nDRIVER=amdgpu\n\
        == sys/class/drm/card1/device/gpu_busy_percent\n4\n== sys/class/drm/card1/device/mem_info_vram_used\n1490378752\n\
        == sys/class/drm/card1/device/mem_info_vram_vendor\nexample\n== sys/class/drm/card1/device/uevent\nDRIVER=amdgpu\nPCI_ID=1002:73FF\n\
        == sys/class/drm/card2/device/uevent\nDRIVER=i915\n== sys/class/drm/renderD128/device/uevent\nDRIVER=amdgpu\n\
        == sys/class/drm/version\ndrm 1.1.0 20060810\n";
    const INFO_LINE: &str = "node_drm_card_info{card=\"card1\",memory_vendor=\"example\",power_performance_level=\"\",unique_id=\"\",vendor=\"amd\"} 1\n";
    const BUSY_LINE: &str = "node_drm_gpu_busy_percent{card=\"card1\"} 4\n";
    const USED: &str = "node_drm_memory_vram_used_bytes{card=\"card1\"} 1.490378752e+09\n";

    #[test]
    fn the_attributes_of_a_card_are_exported() {
        given(HOST).emits::<Drm>(&[INFO_LINE, BUSY_LINE, USED].concat());
        let more = "== sys/class/drm/card1/device/unique_id\n5e570e57\n\
            == sys/class/drm/card1/device/mem_info_gtt_total error=EINVAL\n";
        let info = INFO_LINE.replace("unique_id=\"\"", "unique_id=\"5e570e57\"");
        given(&format!("{HOST}{more}")).emits::<Drm>(&[&info, BUSY_LINE, USED].concat());
    }

    #[test]
    fn card_numbers_can_have_two_digits() {
        let expected = [INFO_LINE, BUSY_LINE, USED].concat().replace("card1", "card10");
        given(&HOST.replace("card1", "card10")).emits::<Drm>(&expected);
    }

    #[test]
    fn a_host_without_cards_has_no_samples() {
        given("").emits::<Drm>("");
        given("== sys/class/drm/version\n1\n").emits::<Drm>("");
        given("== sys/class/drm/card0/device/uevent error=ENODATA\n").emits::<Drm>("");
        given("== sys/class/drm/ error=EIO\n").fails::<Drm>("", "sys/class/drm: input/output error");
    }

    #[test]
    fn an_unreadable_file_costs_only_its_own_samples() {
        for bad in ["", "-1", "busy", "18446744073709551616"] {
            given(&HOST.replace("percent\n4", &format!("percent\n{bad}")))
                .fails::<Drm>(&[INFO_LINE, USED].concat(), "card1/device/gpu_busy_percent: value: expected");
        }
        for errno in ["EIO", "EACCES", "EINVAL"] {
            given(&format!("{HOST}== sys/class/drm/card1/device/unique_id error={errno}\n"))
                .fails::<Drm>(&[BUSY_LINE, USED].concat(), &format!("({errno})"));
        }
        given(&format!("{HOST}== sys/class/drm/card0/status\nx\n"))
            .fails::<Drm>(&[INFO_LINE, BUSY_LINE, USED].concat(), "card0/device/uevent: no such file");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn numbers_come_back(used: u32) {
            let host = HOST.replace("1490378752", &used.to_string());
            let samples = given(&host).scrape::<Drm>().samples();
            let value: f64 = samples.trim_end().rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((value - f64::from(used)).abs() < 0.5, "{samples}");
        }

        #[test]
        fn any_name_is_a_card_or_none(name: Vec<u8>) {
            let _ = is_card(&name);
        }
    }
}
