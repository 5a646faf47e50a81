//! libFuzzer on the target that `NODELAB_TARGET` names; `.ci/fuzz` runs all of them. Without the variable it prints the
//! names. With `NODELAB_SEEDS` it writes the seeds of the target to that directory.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

static TARGET: LazyLock<String> = LazyLock::new(|| std::env::var("NODELAB_TARGET").unwrap_or_default());

fn start() {
    if TARGET.is_empty() {
        harness::fuzz::targets().iter().for_each(|target| println!("{}", target.name));
        std::process::exit(0);
    }
    if let Some(folder) = std::env::var_os("NODELAB_SEEDS") {
        let seeds = harness::fuzz::target(&TARGET).expect("a target").seeds().expect("its seeds");
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(Path::new(&folder).join(format!("seed-{number:04}")), seed).expect("a corpus");
        }
        std::process::exit(0);
    }
}

libfuzzer_sys::fuzz_target!(init: start(), |input: &[u8]| harness::fuzz::one(&TARGET, input));
