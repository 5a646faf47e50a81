//! Network bonds and their slaves from /sys/class/net.

use crate::declare;
use crate::host::root::RootError;
use crate::kit::prelude::*;

/// The bonding collector.
#[derive(Default, Debug)]
pub struct Bonding {
    masters: Vec<u8>,
    slaves: Vec<u8>,
}

declare! {
    Bonding: "bonding", on, "Configured and active slaves of network bonds.";
    labels {
        PerBond { master }
    }
    reads {
        MASTERS: File Sys "class/net/bonding_masters";
        SLAVES: File Sys "class/net/*/bonding/slaves";
        LOWER_STATUS: File Sys "class/net/*/lower_*/bonding_slave/mii_status";
        SLAVE_STATUS: File Sys "class/net/*/slave_*/bonding_slave/mii_status";
    }
    families {
        ACTIVE: Gauge "node_bonding_active" PerBond "Slaves of a bond whose link is up.";
        CONFIGURED: Gauge "node_bonding_slaves" PerBond "Configured slaves of a bond.";
    }
}

impl Collect for Bonding {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self::default())
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let Self { masters, slaves } = self;
        cx.files.read_into(MASTERS, [], masters).map_err(failure)?;
        for master in names(masters) {
            let listed = cx.files.read_into(SLAVES, [master], slaves).map_err(failure);
            let Some(()) = cx.problems.value(listed) else { continue };
            let (mut configured, mut active) = (0_u64, 0_u64);
            // The number of active slaves needs the state of every slave.
            let counted = names(slaves).try_for_each(|slave| {
                configured += 1;
                active += u64::from(is_up(cx, master, slave)?);
                Ok::<_, Failure>(())
            });
            if cx.problems.value(counted).is_some() {
                cx.page.gauge(ACTIVE, PerBond { master: &master }, active);
                cx.page.gauge(CONFIGURED, PerBond { master: &master }, configured);
            }
        }
        Ok(())
    }
}

/// A missing file is no data: the module is not loaded, or the bond was removed.
fn failure(error: FileError<'_>) -> Failure {
    error.or_no_data(RootError::is_missing)
}

fn names(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(u8::is_ascii_whitespace).filter(|name| !name.is_empty())
}

fn is_up(cx: &mut Cx<'_, Bonding>, master: &[u8], slave: &[u8]) -> Result<bool, Failure> {
    if let Some(status) = cx.files.read_if_present(LOWER_STATUS, [master, slave])? {
        return Ok(status.trimmed() == b"up");
    }
    // Kernels before 3.13 have another name for the link to a slave.
    let status = cx.files.read(SLAVE_STATUS, [master, slave]).map_err(failure)?;
    Ok(status.trimmed() == b"up")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    fn bond(name: &str, slaves: &[(&str, &str)]) -> String {
        let names: Vec<_> = slaves.iter().map(|(link, _)| link.split_once('_').expect("a prefix").1).collect();
        let list = if names.is_empty() { String::new() } else { names.join(" ") + "\n" };
        let slave = |(link, status): &(&str, &str)| {
            format!("== sys/class/net/{name}/{link}/bonding_slave/mii_status\n{status}\n")
        };
        let slaves: Vec<_> = slaves.iter().map(slave).collect();
        format!("== sys/class/net/{name}/bonding/slaves\n{list}{}", slaves.concat())
    }

    #[test]
    fn slaves_with_a_link_are_active() {
        let bonds = bond("bond0", &[("lower_eth0", "up"), ("lower_eth1", "down")]) + &bond("empty", &[]);
        given(&format!("== sys/class/net/bonding_masters\nbond0 empty\n{bonds}")).emits::<Bonding>(
            "node_bonding_active{master=\"bond0\"} 1\nnode_bonding_active{master=\"empty\"} 0\n\
             node_bonding_slaves{master=\"bond0\"} 2\nnode_bonding_slaves{master=\"empty\"} 0\n",
        );
    }

    #[test]
    fn old_kernels_have_other_link_names() {
        let bonds = bond("b", &[("slave_eth0", "up"), ("slave_eth1", "going down")]);
        given(&format!("== sys/class/net/bonding_masters\nb\n{bonds}"))
            .emits::<Bonding>("node_bonding_active{master=\"b\"} 1\nnode_bonding_slaves{master=\"b\"} 2\n");
    }

    #[test]
    fn a_host_without_bonds_has_no_data_or_none() {
        given("").fails::<Bonding>("", "sys/class/net/bonding_masters: no such file");
        given("== sys/class/net/bonding_masters\n").emits::<Bonding>("");
    }

    #[test]
    fn an_unreadable_bond_costs_only_its_own_samples() {
        let good = bond("good", &[("lower_eth0", "up")]);
        let emitted = "node_bonding_active{master=\"good\"} 1\nnode_bonding_slaves{master=\"good\"} 1\n";
        for (bad, complaint) in [
            ("", "sys/class/net/bad/bonding/slaves: no such file"),
            (
                "== sys/class/net/bad/bonding/slaves\neth1\n",
                "class/net/bad/slave_eth1/bonding_slave/mii_status: no such",
            ),
            ("== sys/class/net/bad/bonding/slaves\n../x\n", "leads out of the root"),
            ("== sys/class/net/bad/bonding/slaves error=EIO\n", "bad/bonding/slaves: input/output error"),
            (
                "== sys/class/net/bad/bonding/slaves\neth1\n== sys/class/net/bad/lower_eth1/bonding_slave/mii_status error=EIO\n",
                "lower_eth1/bonding_slave/mii_status: input/output error",
            ),
        ] {
            given(&format!("== sys/class/net/bonding_masters\nbad good\n{bad}{good}"))
                .fails::<Bonding>(emitted, complaint);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn names_come_back(list in prop::collection::vec("[a-z0-9.:-]{1,15}", 0..9)) {
            let text = list.join(" ") + "\n";
            prop_assert_eq!(names(text.as_bytes()).collect::<Vec<_>>(), list.iter().map(String::as_bytes).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_names_without_white_space(bytes: Vec<u8>) {
            prop_assert!(names(&bytes).all(|name| !name.is_empty() && !name.contains(&b'\n')));
        }
    }
}
