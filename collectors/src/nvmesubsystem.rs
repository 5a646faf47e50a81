//! NVMe subsystems and the controllers that lead to them, from /sys/class/nvme-subsystem.

use crate::declare;
use crate::host::root::Names;
use crate::kit::attribute;
use crate::kit::prelude::*;
use crate::nvme::name;

/// What each NVMe subsystem is, and how well its controllers reach it.
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
    Nvmesubsystem: "nvmesubsystem", off, "What each NVMe subsystem is, and in what state the controllers are that lead to it.";
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
        INFO: Gauge "node_nvmesubsystem_info" ["iopolicy", "model", "nqn", "serial", "subsystem"] "Always 1: what is known of a subsystem beside numbers.";
        NAMESPACE_INFO: Gauge "node_nvmesubsystem_namespace_info" ["device", "subsystem"] "Always 1: a block device that is a namespace of the subsystem.";
        PATHS: Gauge "node_nvmesubsystem_paths" ["subsystem"] "Controllers that lead to a subsystem.";
        PATHS_LIVE: Gauge "node_nvmesubsystem_paths_live" ["subsystem"] "Controllers that lead to a subsystem and are live.";
        PATH_STATE: Gauge "node_nvmesubsystem_path_state" ["controller", "state", "subsystem", "transport"] "1 for the state that a controller is in, 0 for the others.";
    }
}

const LIVE: &str = "live";

/// What stands in for a state that is none of the others.
const UNKNOWN: &str = "unknown";

/// The states that a controller is shown to be in or not.
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
            // Without one of its labels it would be another series.
            if words.into_iter().all(|(file, word)| attribute::word(cx, file, [subsystem], attribute::never, word)) {
                cx.page.gauge(INFO, [policy, model, qualified_name, serial, &subsystem], true);
            }
            let listed = cx.files.list(SUBSYSTEM, [subsystem], entries).map_err(Failure::from);
            let Some(()) = cx.problems.value(listed) else { continue };
            for device in entries.iter().filter(|name| name::is_namespace(name)) {
                cx.page.gauge(NAMESPACE_INFO, [&device, &subsystem], true);
            }
            let (mut paths, mut live) = (0_u64, Some(0_u64));
            for controller in entries.iter().filter(|name| name::is_controller(name)) {
                paths += 1;
                let is_live = emit_path(cx, subsystem, controller, state, transport);
                live = live.zip(is_live).map(|(live, is_live)| live + u64::from(is_live));
            }
            cx.page.gauge(PATHS, [&subsystem], paths);
            // How many are live is known only when the state of each is.
            if let Some(live) = live {
                cx.page.gauge(PATHS_LIVE, [&subsystem], live);
            }
        }
        Ok(())
    }
}

/// Emits the state of one controller; whether it is live, where that is known.
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
            cx.page.gauge(PATH_STATE, [&controller, state, &subsystem, transport], Some(*state) == found);
        }
    }
    found.map(|state| state == LIVE)
}

/// The state that the kernel means by a word.
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
    fn a_subsystem_counts_the_controllers_that_lead_to_it() {
        let (third, fourth) = (states("nvme3", "tcp", "live"), states("nvme4", "rdma", "connecting"));
        given(HOST).emits::<Nvmesubsystem>(&page(&third, &fourth, LIVE_LINE));
    }

    #[test]
    fn states_of_several_words_and_of_other_kernels_have_a_name() {
        let third = states("nvme3", "tcp", "live");
        for (word, state) in [("deleting (no IO)", "deleting"), ("asleep", UNKNOWN)] {
            let fourth = states("nvme4", "rdma", state);
            given(&HOST.replace("\nconnecting\n", &format!("\n{word}\n")))
                .emits::<Nvmesubsystem>(&page(&third, &fourth, LIVE_LINE));
        }
    }

    #[test]
    fn a_host_without_the_class_or_that_hides_it_has_no_data() {
        given("").fails::<Nvmesubsystem>("", "sys/class/nvme-subsystem: no such file");
        given("== sys/class/nvme-subsystem/ error=EACCES\n").fails::<Nvmesubsystem>("", "permission denied");
        given("== sys/class/nvme-subsystem/\n").emits::<Nvmesubsystem>("");
    }

    #[test]
    fn what_cannot_be_read_costs_no_more_than_needs_it() {
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
        fn any_word_is_one_of_the_states(word: Vec<u8>) {
            prop_assert!(STATES.contains(&known_state(&word)));
        }
    }
}
