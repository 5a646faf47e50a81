//! Kernel entropy from /proc/sys/kernel/random.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::read::{File, Read};

/// The entropy collector.
#[derive(Debug)]
pub struct Entropy;

declare! {
    Entropy: "entropy", on, "Available entropy and size of the entropy pool.";
    reads {
        AVAILABLE: File Proc "sys/kernel/random/entropy_avail";
        POOL_SIZE: File Proc "sys/kernel/random/poolsize";
    }
    /// Values by file.
    table VALUES: (Read<Entropy, File, 0>, &'static str) => () {
        (AVAILABLE, "entropy_avail") => Gauge "node_entropy_available_bits" "Available entropy, in bits.";
        (POOL_SIZE, "poolsize") => Gauge "node_entropy_pool_size_bits" "Size of the entropy pool, in bits.";
    }
}

impl Collect for Entropy {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        for ((file, field), family) in VALUES {
            if let Some(bits) = cx.number::<u64, _>(file, [], field) {
                cx.page.tabled(family, (), bits);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::root::Mount;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    const POOL: &str = "== proc/sys/kernel/random/poolsize\n256\n";

    #[test]
    fn both_sizes_are_gauges() {
        given(&format!("== proc/sys/kernel/random/entropy_avail\n254\n{POOL}"))
            .emits::<Entropy>("node_entropy_available_bits 254\nnode_entropy_pool_size_bits 256\n");
    }

    #[test]
    fn a_missing_or_bad_file_costs_only_its_own_samples() {
        given(POOL)
            .fails::<Entropy>("node_entropy_pool_size_bits 256\n", "proc/sys/kernel/random/entropy_avail: no such");
        for bad in ["", "-1\n", "1.5\n", "18446744073709551616\n", "254 bits\n"] {
            given(&format!("== proc/sys/kernel/random/entropy_avail\n{bad}{POOL}"))
                .fails::<Entropy>("node_entropy_pool_size_bits 256\n", "entropy_avail: expected an unsigned integer");
        }
        given("").fails::<Entropy>("", "poolsize: no such file");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn sizes_come_back(available in 0_u64..100_000, size in 0_u64..100_000) {
            let folder = "== proc/sys/kernel/random";
            given(&format!("{folder}/entropy_avail\n{available}\n{folder}/poolsize\n{size}\n"))
                .emits::<Entropy>(&format!(
                    "node_entropy_available_bits {available}\nnode_entropy_pool_size_bits {size}\n"
                ));
        }

        #[test]
        fn any_bytes_are_a_size_or_refused(bytes: Vec<u8>) {
            let _ = Text::new(Mount::Proc, b"x", &bytes).number::<u64>("size");
        }
    }
}
