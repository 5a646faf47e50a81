//! NVMe subsystems and their controllers, from /sys/class/nvme-subsystem.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::prelude::*;
use crate::nvme::name;

/// The nvmesubsystem collector.
#[derive(Default, Debug)]
pub struct Nvmesubsystem {
    subsystems: Names,
    entries: Names,
    policy: Vec<u8>,
    model: Vec<u8>,
    qualified_name: Vec<u8>,
    serial: Vec<u8>,
    state: Vec<u8>,
    transport: Vec<u8>,
}

declare! {
    Nvmesubsystem: "nvmesubsystem", off, "NVMe subsystems and the state of their paths.";
    labels {
        InfoLabels { iopolicy, model, nqn, serial, subsystem }
        NamespaceInfoLabels { device, subsystem }
        PathStateLabels { controller, state, subsystem, transport }
        PerSubsystem { subsystem }
    }
    reads {
        CLASS: Directory Sys "class/nvme-subsystem";
        SUBSYSTEM: Directory Sys "class/nvme-subsystem/*";
        POLICY: File Sys "class/nvme-subsystem/*/iopolicy";
        MODEL: File Sys "class/nvme-subsystem/*/model";
        SERIAL: File Sys "class/nvme-subsystem/*/serial";
        QUALIFIED_NAME: File Sys "class/nvme-subsystem/*/subsysnqn";
        STATE: File Sys "class/nvme-subsystem/*/*/state";
        TRANSPORT: File Sys "class/nvme-subsystem/*/*/transport";
    }
    families {
        INFO: Gauge "node_nvmesubsystem_info" InfoLabels "Model, serial number, NQN and I/O policy; always 1.";
        NAMESPACE_INFO: Gauge "node_nvmesubsystem_namespace_info" NamespaceInfoLabels "Namespace block device of the subsystem; always 1.";
        PATHS: Gauge "node_nvmesubsystem_paths" PerSubsystem "Controllers (paths) of a subsystem.";
        PATHS_LIVE: Gauge "node_nvmesubsystem_paths_live" PerSubsystem "Live controllers (paths) of a subsystem.";
        PATH_STATE: Gauge "node_nvmesubsystem_path_state" PathStateLabels "State of a controller: 1 for the current one, otherwise 0.";
    }
}

const LIVE: &str = "live";

/// Replaces states that are not in [`STATES`].
const UNKNOWN: &str = "unknown";

/// The values of the label `state`.
const STATES: [&str; 7] = ["connecting", "dead", "deleting", LIVE, "new", "resetting", UNKNOWN];

impl Collect for Nvmesubsystem {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { subsystems, entries, policy, model, qualified_name, serial, state, transport } = self;
        cx.files.list(CLASS, [], subsystems).map_err(|error| error.or_no_data(attribute::is_hidden))?;
        for subsystem in subsystems.iter().filter(|name| name.starts_with(b"nvme-subsys")) {
            let words = [(POLICY, &mut *policy), (MODEL, model), (QUALIFIED_NAME, qualified_name), (SERIAL, serial)];
            // A sample with a label missing would be a different series.
            if words.into_iter().all(|(file, word)| attribute::word(cx, file, [subsystem], attribute::never, word)) {
                cx.page.gauge(
                    INFO,
                    InfoLabels { iopolicy: policy, model, nqn: qualified_name, serial, subsystem: &subsystem },
                    true,
                );
            }
            let listed = cx.files.list(SUBSYSTEM, [subsystem], entries).map_err(Failure::from);
            let Some(()) = cx.problems.value(listed) else { continue };
            for device in entries.iter().filter(|name| name::is_namespace(name)) {
                cx.page.gauge(NAMESPACE_INFO, NamespaceInfoLabels { device: &device, subsystem: &subsystem }, true);
            }
            let (mut paths, mut live) = (0_u64, Some(0_u64));
            for controller in entries.iter().filter(|name| name::is_controller(name)) {
                paths += 1;
                let is_live = emit_path(cx, subsystem, controller, state, transport);
                live = live.zip(is_live).map(|(live, is_live)| live + u64::from(is_live));
            }
            cx.page.gauge(PATHS, PerSubsystem { subsystem: &subsystem }, paths);
            // The number of live paths is known only if every state is.
            if let Some(live) = live {
                cx.page.gauge(PATHS_LIVE, PerSubsystem { subsystem: &subsystem }, live);
            }
        }
        Ok(())
    }
}

/// Emits the state of one controller. Returns whether it is live; `None` if the state is unreadable.
fn emit_path(
    cx: &mut Cx<'_, Nvmesubsystem>,
    subsystem: &[u8],
    controller: &[u8],
    word: &mut Vec<u8>,
    transport: &mut Vec<u8>,
) -> Option<bool> {
    let names = [subsystem, controller];
    let found = attribute::filled_word(cx, STATE, names, word).then(|| known_state(word));
    if attribute::filled_word(cx, TRANSPORT, names, transport) {
        for state in STATES.iter().filter(|_| found.is_some()) {
            cx.page.gauge(
                PATH_STATE,
                PathStateLabels { controller: &controller, state, subsystem: &subsystem, transport },
                Some(*state) == found,
            );
        }
    }
    found.map(|state| state == LIVE)
}

/// Maps the kernel's word to one of [`STATES`].
fn known_state(word: &[u8]) -> &'static str {
    if word == b"deleting (no IO)" {
        return "deleting";
    }
    STATES.into_iter().find(|state| state.as_bytes() == word).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const HOST: &str = "== sys/class/nvme-subsystem/nvme-subsys3/iopolicy\nround-robin\n\
        == sys/class/nvme-subsystem/nvme-subsys3/model\nACME Array   \n\
        == sys/class/nvme-subsystem/nvme-subsys3/nvme3/state\nlive\n\
        == sys/class/nvme-subsystem/nvme-subsys3/nvme3/transport\ntcp\n\
        == sys/class/nvme-subsystem/nvme-subsys3/nvme3c3n1/state\nx\n\
        == sys/class/nvme-subsystem/nvme-subsys3/nvme3n1/size\n8\n\
        == sys/class/nvme-subsystem/nvme-subsys3/nvme4/state\nconnecting\n\
        == sys/class/nvme-subsystem/nvme-subsys3/nvme4/transport\nrdma\n\
        == sys/class/nvme-subsystem/nvme-subsys3/serial\nS3\n\
        == sys/class/nvme-subsystem/nvme-subsys3/subsysnqn\nnqn.2014-08.com.example:a\n\
        == sys/class/nvme-subsystem/other/model\nx\n";
    const INFO_LINE: &str = "node_nvmesubsystem_info{iopolicy=\"round-robin\",model=\"ACME Array\",nqn=\"nqn.2014-08.com.example:a\",serial=\"S3\",subsystem=\"nvme-subsys3\"} 1\n";
    const NAMESPACE_LINE: &str = "node_nvmesubsystem_namespace_info{device=\"nvme3n1\",subsystem=\"nvme-subsys3\"} 1\n";
    const PATHS_LINE: &str = "node_nvmesubsystem_paths{subsystem=\"nvme-subsys3\"} 2\n";
    const LIVE_LINE: &str = "node_nvmesubsystem_paths_live{subsystem=\"nvme-subsys3\"} 1\n";

    fn states(controller: &str, transport: &str, current: &str) -> String {
        let line = |state: &&str| {
            format!(
                "node_nvmesubsystem_path_state{{controller=\"{controller}\",state=\"{state}\",subsystem=\"nvme-subsys3\",transport=\"{transport}\"}} {}\n",
                u8::from(*state == current)
            )
        };
        STATES.iter().map(line).collect()
    }

    fn page(third: &str, fourth: &str, live: &str) -> String {
        [INFO_LINE, NAMESPACE_LINE, third, fourth, PATHS_LINE, live].concat()
    }

    #[test]
    fn controllers_of_a_subsystem_are_counted() {
        let (third, fourth) = (states("nvme3", "tcp", "live"), states("nvme4", "rdma", "connecting"));
        given(HOST).emits::<Nvmesubsystem>(&page(&third, &fourth, LIVE_LINE));
    }

    #[test]
    fn deleting_without_io_and_unknown_states_are_mapped() {
        let third = states("nvme3", "tcp", "live");
        for (word, state) in [("deleting (no IO)", "deleting"), ("asleep", UNKNOWN)] {
            let fourth = states("nvme4", "rdma", state);
            given(&HOST.replace("\nconnecting\n", &format!("\n{word}\n")))
                .emits::<Nvmesubsystem>(&page(&third, &fourth, LIVE_LINE));
        }
    }

    #[test]
    fn a_missing_or_unreadable_class_is_no_data() {
        given("").fails::<Nvmesubsystem>("", "sys/class/nvme-subsystem: no such file");
        given("== sys/class/nvme-subsystem/ error=EACCES\n").fails::<Nvmesubsystem>("", "permission denied");
        given("== sys/class/nvme-subsystem/\n").emits::<Nvmesubsystem>("");
    }

    #[test]
    fn a_bad_attribute_costs_only_the_samples_that_need_it() {
        let (third, fourth) = (states("nvme3", "tcp", "live"), states("nvme4", "rdma", "connecting"));
        given(&HOST.replace("serial\nS3\n", "serial error=EIO\n")).fails::<Nvmesubsystem>(
            &page(&third, &fourth, LIVE_LINE).replace(INFO_LINE, ""),
            "nvme-subsys3/serial: input/output error",
        );
        given(&HOST.replace("state\nconnecting\n", "state error=EIO\n"))
            .fails::<Nvmesubsystem>(&page(&third, "", ""), "nvme4/state: input/output error");
        given(&HOST.replace("transport\nrdma\n", "transport error=EIO\n"))
            .fails::<Nvmesubsystem>(&page(&third, "", LIVE_LINE), "nvme4/transport: input/output error");
        given(&HOST.replace("state\nconnecting\n", "state\n"))
            .fails::<Nvmesubsystem>(&page(&third, "", ""), "nvme4/state: value: expected a word, found nothing");
        given(&HOST.replace("transport\nrdma\n", "transport\n")).fails::<Nvmesubsystem>(
            &page(&third, "", LIVE_LINE),
            "nvme4/transport: value: expected a word, found nothing",
        );
        given("== sys/class/nvme-subsystem/ error=EIO\n").fails::<Nvmesubsystem>("", "input/output error");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_word_maps_to_a_known_state(word: Vec<u8>) {
            prop_assert!(STATES.contains(&known_state(&word)));
        }
    }
}
