//! SELinux mode, from selinuxfs and /etc/selinux/config.

use crate::declare;
use crate::kit::prelude::*;

/// The selinux collector.
#[derive(Debug)]
pub struct Selinux;

declare! {
    Selinux: "selinux", on, "SELinux status: enabled, current and configured mode.";
    reads {
        ENFORCE: File Sys "fs/selinux/enforce";
        LABEL: File Proc "self/attr/current";
        CONFIG: File Rootfs "etc/selinux/config";
    }
    families {
        CONFIG_MODE: Gauge "node_selinux_config_mode" () "Configured SELinux mode: 1 enforcing, 0 permissive, -1 disabled.";
        CURRENT_MODE: Gauge "node_selinux_current_mode" () "Current SELinux mode: 1 enforcing, 0 permissive, -1 unknown.";
        ENABLED: Gauge "node_selinux_enabled" () "1 if SELinux is enabled.";
    }
}

/// Value of a mode that is neither enforcing nor permissive.
const DISABLED: i32 = -1;

impl Collect for Selinux {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        // The file exists if selinuxfs is mounted, which requires SELinux.
        let enforce = match cx.files.read(ENFORCE, []) {
            Err(error) if error.is_missing() => None,
            Err(error) => {
                cx.problems.report(error);
                Some(DISABLED)
            }
            Ok(text) => Some(cx.problems.value(text.number::<u32>("enforce")).map_or(DISABLED, mode_of)),
        };
        // Without a loaded policy every process has the label of the kernel.
        let has_policy = !matches!(cx.files.read(LABEL, []), Ok(text) if text.bytes.split(|&byte| byte == 0).next() == Some(b"kernel"));
        let Some(current) = enforce.filter(|_| has_policy) else {
            cx.page.gauge(ENABLED, (), false);
            return Ok(());
        };
        cx.page.gauge(ENABLED, (), true);
        cx.page.gauge(CURRENT_MODE, (), current);
        let config = cx.problems.value(cx.files.read_if_present(CONFIG, [])).flatten();
        cx.page.gauge(CONFIG_MODE, (), config.map_or(DISABLED, configured));
        Ok(())
    }
}

fn mode_of(enforce: u32) -> i32 {
    i32::try_from(enforce).unwrap_or(DISABLED)
}

/// The mode in the first `SELINUX=` line.
fn configured(text: Text<'_>) -> i32 {
    let mut values = text.lines().filter_map(|line| line.bytes.trim_ascii().strip_prefix(b"SELINUX="));
    match values.next().map(<[u8]>::trim_ascii) {
        Some(b"enforcing") => 1,
        Some(b"permissive") => 0,
        _ => DISABLED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const ON: &str = "== sys/fs/selinux/enforce no-newline\n1\n";

    #[track_caller]
    fn check(config: &str, expected: i32) {
        let found = configured(Text::new(Mount::Rootfs, b"etc/selinux/config", config.as_bytes()));
        assert_eq!(found, expected, "{config}");
    }

    #[test]
    fn a_disabled_selinux_has_no_modes() {
        given("== rootfs/etc/selinux/config\nSELINUX=enforcing\n").emits::<Selinux>("node_selinux_enabled 0\n");
        given(&format!("== proc/self/attr/current escaped no-newline\nkernel\\x00\n{ON}"))
            .emits::<Selinux>("node_selinux_enabled 0\n");
    }

    #[test]
    fn an_enabled_selinux_has_modes() {
        given(&format!(
            "== proc/self/attr/current escaped no-newline\nsystem_u:system_r:exporter_t:s0\\x00\n\
            == rootfs/etc/selinux/config\n# SELINUX=x\nSELINUXTYPE=targeted\nSELINUX=permissive\n{ON}"
        ))
        .emits::<Selinux>("node_selinux_config_mode 0\nnode_selinux_current_mode 1\nnode_selinux_enabled 1\n");
        given(&ON.replace("1\n", "0\n"))
            .emits::<Selinux>("node_selinux_config_mode -1\nnode_selinux_current_mode 0\nnode_selinux_enabled 1\n");
    }

    #[test]
    fn a_bad_file_costs_only_its_own_mode() {
        let unknown = "node_selinux_config_mode -1\nnode_selinux_current_mode -1\nnode_selinux_enabled 1\n";
        for bad in ["", "x\n", "-1\n", "4294967296\n"] {
            given(&format!("== sys/fs/selinux/enforce\n{bad}"))
                .fails::<Selinux>(unknown, "enforce: expected an unsigned 32-bit integer");
        }
        given("== sys/fs/selinux/enforce error=EACCES\n").fails::<Selinux>(unknown, "enforce: permission denied");
        given(&format!("== rootfs/etc/selinux/config error=EACCES\n{ON}"))
            .fails::<Selinux>(&unknown.replace("current_mode -1", "current_mode 1"), "config: permission denied");
    }

    #[test]
    fn the_first_setting_is_used() {
        check("SELINUX=enforcing\nSELINUX=permissive\n", 1);
        check("  SELINUX=permissive  \n", 0);
        check("#SELINUX=enforcing\nSELINUX=disabled", -1);
        check("SELINUX=\n", -1);
        check("", -1);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_mode(bytes: Vec<u8>) {
            let mode = configured(Text::new(Mount::Rootfs, b"etc/selinux/config", &bytes));
            prop_assert!((-1..=1).contains(&mode));
        }
    }
}
