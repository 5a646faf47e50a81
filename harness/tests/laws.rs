//! The laws of every exporter, put to our collectors on random hosts of which something breaks. What breaks a law is
//! shrunk and printed as a host that can be pasted, with the command that replays it. The cases are the same in every run.

use harness::property::{Broken, Ours, cases, contained};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// `nodelab laws --cases 10000` looks at more.
const CASES: u32 = 250;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        rng_seed: RngSeed::Fixed(1),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_collector_keeps_every_law(case in cases()) {
        if let Some(broken) = Broken::of(&case) {
            prop_assert!(false, "{broken}");
        }
    }
}

#[test]
fn our_collectors_are_served_on_an_empty_host() {
    for ours in Ours::all() {
        contained(&ours).unwrap_or_else(|violation| panic!("{violation}"));
    }
}
