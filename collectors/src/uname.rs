//! Kernel and host identity, from uname(2).

use crate::declare;
use crate::host::kernel::{KernelError, Uname as UnameAnswer};
use crate::kit::prelude::*;

/// The uname collector.
#[derive(Debug)]
pub struct Uname {
    answer: UnameAnswer,
}

declare! {
    Uname: "uname", on, "Kernel release and host name, from uname.";
    labels {
        InfoLabels { domainname, machine, nodename, release, sysname, version }
    }
    families {
        INFO: Gauge "node_uname_info" InfoLabels
            "Kernel name, release and version, and host name; always 1.";
    }
}

impl Collect for Uname {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self { answer: UnameAnswer::default() })
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        match cx.kernel.uname(&mut self.answer) {
            Ok(()) => {}
            Err(KernelError::Unsupported) => return Err(Failure::no_data("uname: not supported by this host")),
            Err(error) => return Err(Failure::error(format_args!("uname: {error}"))),
        }
        let UnameAnswer { domainname, machine, nodename, release, sysname, version } = &self.answer;
        cx.page.gauge(INFO, InfoLabels { domainname, machine, nodename, release, sysname, version }, 1_u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;

    #[test]
    fn names_are_labels() {
        given(
            "== kernel/uname\nsysname Linux\nrelease 6.12.0\nversion #1 SMP \"odd\" 2025\nmachine riscv64\n\
            nodename wren\ndomainname (none)\n",
        )
        .emits::<Uname>(
            "node_uname_info{domainname=\"(none)\",machine=\"riscv64\",nodename=\"wren\",release=\"6.12.0\",\
            sysname=\"Linux\",version=\"#1 SMP \\\"odd\\\" 2025\"} 1\n",
        );
    }

    #[test]
    fn a_host_without_uname_has_no_data() {
        given("").fails::<Uname>("", "uname: not supported by this host");
    }
}
