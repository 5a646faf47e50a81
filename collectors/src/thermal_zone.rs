//! Temperatures and cooling devices from /sys/class/thermal.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::prelude::*;

/// How warm the zones of the host are, and how hard it is cooled.
#[derive(Default, Debug)]
pub struct ThermalZone {
    names: Names,
    kind: Vec<u8>,
}

declare! {
    ThermalZone: "thermal_zone", on, "How warm each thermal zone is, and how hard each cooling device works.";
    reads {
        CLASS: Directory Sys "class/thermal";
        ZONE_TYPE: File Sys "class/thermal/thermal_zone*/type";
        ZONE_TEMPERATURE: File Sys "class/thermal/thermal_zone*/temp";
        DEVICE_TYPE: File Sys "class/thermal/cooling_device*/type";
        DEVICE_STATE: File Sys "class/thermal/cooling_device*/cur_state";
        DEVICE_STATE_MAX: File Sys "class/thermal/cooling_device*/max_state";
    }
    families {
        TEMPERATURE: Gauge "node_thermal_zone_temp" ["type", "zone"] "Temperature of a zone in degrees Celsius.";
        STATE: Gauge "node_cooling_device_cur_state" ["name", "type"] "How hard a cooling device works, from 0 on.";
        STATE_MAX: Gauge "node_cooling_device_max_state" ["name", "type"] "The hardest that a cooling device can work.";
    }
}

const MILLIDEGREES_IN_A_DEGREE: f64 = 1000.0;

impl Collect for ThermalZone {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { names, kind } = self;
        match cx.files.list(CLASS, [], names) {
            Ok(()) => {}
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for zone in attribute::numbered(names, b"thermal_zone") {
            attribute::word(cx, ZONE_TYPE, [zone], attribute::is_unavailable, kind);
            // A zone that is switched off has no temperature; 0 would be one.
            if let Some(temperature) = attribute::number(cx, ZONE_TEMPERATURE, [zone], attribute::is_unavailable) {
                let temperature: i64 = temperature;
                cx.page.gauge(TEMPERATURE, [kind, &zone], temperature as f64 / MILLIDEGREES_IN_A_DEGREE);
            }
        }
        for device in attribute::numbered(names, b"cooling_device") {
            emit_device(cx, device, kind);
        }
        Ok(())
    }
}

/// Both states of a device or none.
fn emit_device(cx: &mut Cx<'_, ThermalZone>, device: &[u8], kind: &mut Vec<u8>) -> Option<()> {
    attribute::word(cx, DEVICE_TYPE, [device], attribute::is_unavailable, kind).then_some(())?;
    let state_max: i64 = attribute::number(cx, DEVICE_STATE_MAX, [device], attribute::is_unavailable)?;
    let state: i64 = attribute::number(cx, DEVICE_STATE, [device], attribute::is_unavailable)?;
    cx.page.gauge(STATE, [&device, kind], state);
    cx.page.gauge(STATE_MAX, [&device, kind], state_max);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/class/thermal/cooling_device0/cur_state\n1\n== sys/class/thermal/cooling_device0/max_state\n10\n\
        == sys/class/thermal/cooling_device0/type\nProcessor\n\
        == sys/class/thermal/thermal_zone0/temp\n-3500\n== sys/class/thermal/thermal_zone0/type\nacpitz\n";
    const COOLING: &str = "node_cooling_device_cur_state{name=\"0\",type=\"Processor\"} 1\n\
        node_cooling_device_max_state{name=\"0\",type=\"Processor\"} 10\n";
    const WHOLE: &str = "node_cooling_device_cur_state{name=\"0\",type=\"Processor\"} 1\n\
        node_cooling_device_max_state{name=\"0\",type=\"Processor\"} 10\n\
        node_thermal_zone_temp{type=\"acpitz\",zone=\"0\"} -3.5\n";

    #[test]
    fn zones_are_in_degrees_and_devices_have_two_states() {
        given(HOST).emits::<ThermalZone>(WHOLE);
        given("").emits::<ThermalZone>("");
    }

    #[test]
    fn a_zone_that_is_off_has_no_temperature() {
        let off =
            "== sys/class/thermal/thermal_zone1/temp error=EINVAL\n== sys/class/thermal/thermal_zone1/type\nwifi\n";
        given(&format!("{HOST}{off}")).emits::<ThermalZone>(WHOLE);
    }

    #[test]
    fn what_cannot_be_read_costs_itself_alone() {
        for (bad, complaint) in [
            ("warm", "thermal_zone1/temp: value: expected a signed integer"),
            ("9223372036854775808", "thermal_zone1/temp: value"),
        ] {
            given(&format!("{HOST}== sys/class/thermal/thermal_zone1/temp\n{bad}\n"))
                .fails::<ThermalZone>(WHOLE, complaint);
        }
        given(&HOST.replace("-3500", "")).fails::<ThermalZone>(COOLING, "found nothing");
        given("== sys/class/thermal/ error=EIO\n").fails::<ThermalZone>("", "input/output error");
        given(&HOST.replace("temp\n-3500\n", "temp error=EIO\n")).fails::<ThermalZone>(COOLING, "input/output error");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn temperatures_come_back(millidegrees in -273_150_i64..2_000_000) {
            let host = format!("== sys/class/thermal/thermal_zone7/temp\n{millidegrees}\n");
            let samples = given(&host).scrape::<ThermalZone>().samples();
            let value: f64 = samples.trim().rsplit(' ').next().expect("a value").parse().expect("a number");
            prop_assert!((value * 1000.0 - millidegrees as f64).abs() < 0.5, "{samples}");
        }
    }
}
