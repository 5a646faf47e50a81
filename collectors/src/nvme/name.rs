//! Device names of the NVMe driver.

/// Whether a name is that of a controller, such as `nvme0`.
pub(crate) fn is_controller(name: &[u8]) -> bool {
    after_controller(name).is_some_and(<[u8]>::is_empty)
}

/// Whether a name is that of a namespace, such as `nvme0n1`, and not of a partition.
pub(crate) fn is_namespace(name: &[u8]) -> bool {
    split_namespace(name).is_some_and(|(_, rest)| rest.is_empty())
}

/// The `1` of `nvme0n1` or `nvme0n1p2`; `None` for other names: `nvme0c0n1` is a path to a namespace.
pub(crate) fn namespace_id(name: &[u8]) -> Option<&[u8]> {
    split_namespace(name).map(|(id, _)| id)
}

fn split_namespace(name: &[u8]) -> Option<(&[u8], &[u8])> {
    split_number(after_controller(name)?.strip_prefix(b"n")?)
}

/// The part of a name after `nvme` and the controller's number.
fn after_controller(name: &[u8]) -> Option<&[u8]> {
    split_number(name.strip_prefix(b"nvme")?).map(|(_, rest)| rest)
}

/// The leading digits of a name, and the rest of it.
fn split_number(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = name.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(name.len());
    (end > 0).then(|| name.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_a_whole_name_is_a_controller_or_a_namespace() {
        for (name, controller, namespace) in [
            ("nvme0", true, false),
            ("nvme12", true, false),
            ("nvme0n1", false, true),
            ("nvme10n21", false, true),
            ("nvme0n1p1", false, false),
            ("nvme0c0n1", false, false),
            ("nvme", false, false),
            ("nvmen1", false, false),
            ("nvme0n", false, false),
            ("nvme-subsys0", false, false),
            ("xnvme0n1", false, false),
            ("", false, false),
        ] {
            let found = (is_controller(name.as_bytes()), is_namespace(name.as_bytes()));
            assert_eq!(found, (controller, namespace), "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn ids_round_trip(controller: u16, id: u32) {
            let name = format!("nvme{controller}n{id}");
            let expected = id.to_string();
            prop_assert_eq!(namespace_id(name.as_bytes()), Some(expected.as_bytes()));
            let path = format!("nvme{controller}c1n{id}");
            prop_assert_eq!(namespace_id(path.as_bytes()), None);
        }

        #[test]
        fn a_namespace_always_has_an_id(name: Vec<u8>) {
            prop_assert!(namespace_id(&name).is_some() || !is_namespace(&name));
        }
    }
}
