//! Errors of IPsec from /proc/net/xfrm_stat.

use crate::declare;
use crate::kit::family::{Counter, Family};
use crate::kit::prelude::*;
use crate::kit::rows::Rows;

/// Which packets IPsec could not transform, and why.
#[derive(Debug)]
pub struct Xfrm;

declare! {
    Xfrm: "xfrm", off, "Which packets IPsec could not transform, and why.";
    reads {
        STATISTICS: File Proc "net/xfrm_stat";
    }
    families {
        IN_ERROR: Counter "node_xfrm_in_error_packets_total" [] "Incoming packets with an error that no other counter knows.";
        IN_BUFFER_ERROR: Counter "node_xfrm_in_buffer_error_packets_total" [] "Incoming packets for which there was no buffer.";
        IN_HDR_ERROR: Counter "node_xfrm_in_hdr_error_packets_total" [] "Incoming packets with a bad header.";
        IN_NO_STATES: Counter "node_xfrm_in_no_states_packets_total" [] "Incoming packets without a state: a wrong SPI, address or protocol.";
        IN_STATE_PROTO_ERROR: Counter "node_xfrm_in_state_proto_error_packets_total" [] "Incoming packets that the transformation protocol refused, for a wrong key for one.";
        IN_STATE_MODE_ERROR: Counter "node_xfrm_in_state_mode_error_packets_total" [] "Incoming packets that the transformation mode refused.";
        IN_STATE_SEQ_ERROR: Counter "node_xfrm_in_state_seq_error_packets_total" [] "Incoming packets whose sequence number is outside the window.";
        IN_STATE_EXPIRED: Counter "node_xfrm_in_state_expired_packets_total" [] "Incoming packets of an expired state.";
        IN_STATE_MISMATCH: Counter "node_xfrm_in_state_mismatch_packets_total" [] "Incoming packets whose options are not the state's, the kind of UDP encapsulation for one.";
        IN_STATE_INVALID: Counter "node_xfrm_in_state_invalid_packets_total" [] "Incoming packets of an invalid state.";
        IN_TMPL_MISMATCH: Counter "node_xfrm_in_tmpl_mismatch_packets_total" [] "Incoming packets whose states match no template of the policy.";
        IN_NO_POLS: Counter "node_xfrm_in_no_pols_packets_total" [] "Incoming packets whose states have no policy.";
        IN_POL_BLOCK: Counter "node_xfrm_in_pol_block_packets_total" [] "Incoming packets that a policy discarded.";
        IN_POL_ERROR: Counter "node_xfrm_in_pol_error_packets_total" [] "Incoming packets with an error of the policy.";
        OUT_ERROR: Counter "node_xfrm_out_error_packets_total" [] "Outgoing packets with an error that no other counter knows.";
        OUT_BUNDLE_GEN_ERROR: Counter "node_xfrm_out_bundle_gen_error_packets_total" [] "Outgoing packets for which no bundle could be made.";
        OUT_BUNDLE_CHECK_ERROR: Counter "node_xfrm_out_bundle_check_error_packets_total" [] "Outgoing packets whose bundle did not pass its check.";
        OUT_NO_STATES: Counter "node_xfrm_out_no_states_packets_total" [] "Outgoing packets without a state.";
        OUT_STATE_PROTO_ERROR: Counter "node_xfrm_out_state_proto_error_packets_total" [] "Outgoing packets that the transformation protocol refused.";
        OUT_STATE_MODE_ERROR: Counter "node_xfrm_out_state_mode_error_packets_total" [] "Outgoing packets that the transformation mode refused.";
        OUT_STATE_SEQ_ERROR: Counter "node_xfrm_out_state_seq_error_packets_total" [] "Outgoing packets for which there was no sequence number left.";
        OUT_STATE_EXPIRED: Counter "node_xfrm_out_state_expired_packets_total" [] "Outgoing packets of an expired state.";
        OUT_POL_BLOCK: Counter "node_xfrm_out_pol_block_packets_total" [] "Outgoing packets that a policy discarded.";
        OUT_POL_DEAD: Counter "node_xfrm_out_pol_dead_packets_total" [] "Outgoing packets of a dead policy.";
        OUT_POL_ERROR: Counter "node_xfrm_out_pol_error_packets_total" [] "Outgoing packets with an error of the policy.";
        FWD_HDR_ERROR: Counter "node_xfrm_fwd_hdr_error_packets_total" [] "Packets that may not be forwarded.";
        OUT_STATE_INVALID: Counter "node_xfrm_out_state_invalid_packets_total" [] "Outgoing packets of an invalid state, an expired one perhaps.";
        ACQUIRE_ERROR: Counter "node_xfrm_acquire_error_packets_total" [] "Packets whose state was used before it was acquired.";
    }
}

/// The rows that are passed on. Kernels add rows over time: one that is not there counts as 0.
const NAMES: [&str; 28] = [
    "XfrmInError",
    "XfrmInBufferError",
    "XfrmInHdrError",
    "XfrmInNoStates",
    "XfrmInStateProtoError",
    "XfrmInStateModeError",
    "XfrmInStateSeqError",
    "XfrmInStateExpired",
    "XfrmInStateMismatch",
    "XfrmInStateInvalid",
    "XfrmInTmplMismatch",
    "XfrmInNoPols",
    "XfrmInPolBlock",
    "XfrmInPolError",
    "XfrmOutError",
    "XfrmOutBundleGenError",
    "XfrmOutBundleCheckError",
    "XfrmOutNoStates",
    "XfrmOutStateProtoError",
    "XfrmOutStateModeError",
    "XfrmOutStateSeqError",
    "XfrmOutStateExpired",
    "XfrmOutPolBlock",
    "XfrmOutPolDead",
    "XfrmOutPolError",
    "XfrmFwdHdrError",
    "XfrmOutStateInvalid",
    "XfrmAcquireError",
];

/// Where they go.
const FAMILIES: [Family<Xfrm, Counter, crate::kit::family::Unnamed<0>>; NAMES.len()] = [
    IN_ERROR,
    IN_BUFFER_ERROR,
    IN_HDR_ERROR,
    IN_NO_STATES,
    IN_STATE_PROTO_ERROR,
    IN_STATE_MODE_ERROR,
    IN_STATE_SEQ_ERROR,
    IN_STATE_EXPIRED,
    IN_STATE_MISMATCH,
    IN_STATE_INVALID,
    IN_TMPL_MISMATCH,
    IN_NO_POLS,
    IN_POL_BLOCK,
    IN_POL_ERROR,
    OUT_ERROR,
    OUT_BUNDLE_GEN_ERROR,
    OUT_BUNDLE_CHECK_ERROR,
    OUT_NO_STATES,
    OUT_STATE_PROTO_ERROR,
    OUT_STATE_MODE_ERROR,
    OUT_STATE_SEQ_ERROR,
    OUT_STATE_EXPIRED,
    OUT_POL_BLOCK,
    OUT_POL_DEAD,
    OUT_POL_ERROR,
    FWD_HDR_ERROR,
    OUT_STATE_INVALID,
    ACQUIRE_ERROR,
];

impl Collect for Xfrm {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let rows = Rows::of(cx.files.read(STATISTICS, [])?, NAMES, cx.problems, stranger)?;
        for (at, count) in rows.each(|_, row| row.exactly::<i64, 1>("a name and a number")) {
            let Some(count) = cx.problems.value(count) else { continue };
            if let Some(&family) = FAMILIES.get(at) {
                let [count] = count.unwrap_or_default();
                cx.page.counter(family, [], count);
            }
        }
        Ok(())
    }
}

/// A row of a later kernel has the same form as the others.
fn stranger(line: Line<'_>) -> Result<(), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("the name")?;
    line.number::<i64>(name, fields.rest()).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::testing::given;
    use proptest::prelude::*;

    fn file(rows: &[(&str, &str)]) -> String {
        let rows = rows.iter().map(|(name, count)| format!("{name:<24}\t{count}\n")).collect::<Vec<_>>().concat();
        format!("== proc/net/xfrm_stat\n{rows}")
    }

    /// What is emitted, without the counters that are 0.
    #[track_caller]
    fn check(rows: &[(&str, &str)], count: usize, expected: &str, complaint: &str) {
        let scraped = given(&file(rows)).scrape::<Xfrm>();
        let samples = scraped.samples();
        assert_eq!(samples.lines().count(), count, "{samples}");
        let shown: String = samples.split_inclusive('\n').filter(|line| !line.ends_with(" 0\n")).collect();
        assert_eq!(shown, expected);
        assert_eq!(scraped.complaints.is_empty(), complaint.is_empty(), "{:?}", scraped.complaints);
        assert!(scraped.complaints.iter().all(|found| found.contains(complaint)), "{:?}", scraped.complaints);
    }

    #[test]
    fn rows_are_counters_and_those_of_other_kernels_are_0() {
        check(
            &[("XfrmInError", "1"), ("XfrmInStateDirError", "5"), ("XfrmAcquireError", "24532")],
            NAMES.len(),
            "node_xfrm_acquire_error_packets_total 24532\nnode_xfrm_in_error_packets_total 1\n",
            "",
        );
        given("").fails::<Xfrm>("", "proc/net/xfrm_stat: no such file");
    }

    #[test]
    fn a_bad_row_costs_itself_alone() {
        let fine = ("XfrmInError", "1");
        let emitted = "node_xfrm_in_error_packets_total 1\n";
        check(
            &[fine, ("XfrmOutError", "x")],
            NAMES.len() - 1,
            emitted,
            "xfrm_stat:2: a column: expected a signed integer",
        );
        check(&[fine, ("XfrmOutError", "1 2")], NAMES.len() - 1, emitted, "the row: expected a name and a number");
        check(&[fine, ("XfrmOutError", "9223372036854775808")], NAMES.len() - 1, emitted, "expected a signed integer");
    }

    #[test]
    fn a_line_that_cannot_be_read_may_be_any_row_that_is_missing() {
        check(&[("XfrmInError", "1"), ("Xfrm", "")], 1, "node_xfrm_in_error_packets_total 1\n", "xfrm_stat:2: Xfrm");
        check(
            &[("XfrmInError", "1"), ("", "")],
            1,
            "node_xfrm_in_error_packets_total 1\n",
            "the name: expected a field",
        );
    }

    #[test]
    fn an_empty_file_is_reported() {
        given("== proc/net/xfrm_stat\n").fails::<Xfrm>("", "xfrm_stat: the file: expected at least one line");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_come_back(counts in prop::array::uniform28(1_u32..)) {
            let rows: Vec<_> = NAMES.iter().zip(counts.map(|count| count.to_string())).collect();
            let rows: Vec<_> = rows.iter().map(|(name, count)| (**name, count.as_str())).collect();
            let samples = given(&file(&rows)).scrape::<Xfrm>().samples();
            for (family, count) in FAMILIES.into_iter().zip(counts) {
                let line = samples.lines().find_map(|line| line.strip_prefix(family.info().name)?.trim().parse::<f64>().ok());
                prop_assert_eq!(line, Some(f64::from(count)));
            }
        }
    }
}
