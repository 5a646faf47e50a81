//! IPsec (XFRM) errors, from /proc/net/xfrm_stat.

use crate::declare;
use crate::kit::prelude::*;
use crate::kit::rows::Rows;

/// The xfrm collector.
#[derive(Debug)]
pub struct Xfrm;

declare! {
    Xfrm: "xfrm", off, "IPsec (XFRM) packet errors by cause.";
    reads {
        STATISTICS: File Proc "net/xfrm_stat";
    }
    /// The exported rows. Older kernels lack some of them, which are exported as 0.
    table ROWS: &'static str => () {
        "XfrmInError" => Counter "node_xfrm_in_error_packets_total" "Inbound packets with errors that match no other counter.";
        "XfrmInBufferError" => Counter "node_xfrm_in_buffer_error_packets_total" "Inbound packets without a free buffer.";
        "XfrmInHdrError" => Counter "node_xfrm_in_hdr_error_packets_total" "Inbound packets with a bad header.";
        "XfrmInNoStates" => Counter "node_xfrm_in_no_states_packets_total" "Inbound packets without a matching state.";
        "XfrmInStateProtoError" => Counter "node_xfrm_in_state_proto_error_packets_total" "Inbound packets refused by the transformation protocol.";
        "XfrmInStateModeError" => Counter "node_xfrm_in_state_mode_error_packets_total" "Inbound packets refused by the transformation mode.";
        "XfrmInStateSeqError" => Counter "node_xfrm_in_state_seq_error_packets_total" "Inbound packets with a sequence number outside the window.";
        "XfrmInStateExpired" => Counter "node_xfrm_in_state_expired_packets_total" "Inbound packets with an expired state.";
        "XfrmInStateMismatch" => Counter "node_xfrm_in_state_mismatch_packets_total" "Inbound packets whose options do not match their state.";
        "XfrmInStateInvalid" => Counter "node_xfrm_in_state_invalid_packets_total" "Inbound packets with an invalid state.";
        "XfrmInTmplMismatch" => Counter "node_xfrm_in_tmpl_mismatch_packets_total" "Inbound packets without a matching policy template.";
        "XfrmInNoPols" => Counter "node_xfrm_in_no_pols_packets_total" "Inbound packets without a policy for their states.";
        "XfrmInPolBlock" => Counter "node_xfrm_in_pol_block_packets_total" "Inbound packets discarded by policy.";
        "XfrmInPolError" => Counter "node_xfrm_in_pol_error_packets_total" "Inbound packets with a policy error.";
        "XfrmOutError" => Counter "node_xfrm_out_error_packets_total" "Outbound packets with errors that match no other counter.";
        "XfrmOutBundleGenError" => Counter "node_xfrm_out_bundle_gen_error_packets_total" "Outbound packets whose bundle could not be generated.";
        "XfrmOutBundleCheckError" => Counter "node_xfrm_out_bundle_check_error_packets_total" "Outbound packets whose bundle failed its check.";
        "XfrmOutNoStates" => Counter "node_xfrm_out_no_states_packets_total" "Outbound packets without a matching state.";
        "XfrmOutStateProtoError" => Counter "node_xfrm_out_state_proto_error_packets_total" "Outbound packets refused by the transformation protocol.";
        "XfrmOutStateModeError" => Counter "node_xfrm_out_state_mode_error_packets_total" "Outbound packets refused by the transformation mode.";
        "XfrmOutStateSeqError" => Counter "node_xfrm_out_state_seq_error_packets_total" "Outbound packets with a sequence number overflow.";
        "XfrmOutStateExpired" => Counter "node_xfrm_out_state_expired_packets_total" "Outbound packets with an expired state.";
        "XfrmOutPolBlock" => Counter "node_xfrm_out_pol_block_packets_total" "Outbound packets discarded by policy.";
        "XfrmOutPolDead" => Counter "node_xfrm_out_pol_dead_packets_total" "Outbound packets with a dead policy.";
        "XfrmOutPolError" => Counter "node_xfrm_out_pol_error_packets_total" "Outbound packets with a policy error.";
        "XfrmFwdHdrError" => Counter "node_xfrm_fwd_hdr_error_packets_total" "Packets whose forwarding was refused.";
        "XfrmOutStateInvalid" => Counter "node_xfrm_out_state_invalid_packets_total" "Outbound packets with an invalid state.";
        "XfrmAcquireError" => Counter "node_xfrm_acquire_error_packets_total" "Packets with a state not yet fully acquired.";
    }
}

impl Collect for Xfrm {
    fn build(_: &mut Options<'_, Self>) -> Result<Self, String> {
        Ok(Self)
    }

    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
        let rows = Rows::of(cx.files.read(STATISTICS, [])?, ROWS.map(|(name, _)| name), cx.problems, check_unknown)?;
        for (at, count) in rows.each(|_, row| row.exactly::<i64, 1>("a name and a number")) {
            let Some(count) = cx.problems.value(count) else { continue };
            if let Some(&(_, family)) = ROWS.get(at) {
                let [count] = count.unwrap_or_default();
                cx.page.tabled(family, (), count);
            }
        }
        Ok(())
    }
}

/// Checks an unknown row, which must have the same form as the known ones.
fn check_unknown(line: Line<'_>) -> Result<(), ParseError<'_>> {
    let mut fields = line.fields();
    let name = fields.text("name")?;
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

    /// Checks the samples that are not 0, and the number of all samples.
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
    fn rows_are_counters_and_missing_ones_are_0() {
        check(
            &[("XfrmInError", "1"), ("XfrmInStateDirError", "5"), ("XfrmAcquireError", "24532")],
            ROWS.len(),
            "node_xfrm_acquire_error_packets_total 24532\nnode_xfrm_in_error_packets_total 1\n",
            "",
        );
        given("").fails::<Xfrm>("", "proc/net/xfrm_stat: no such file");
    }

    #[test]
    fn a_bad_row_costs_only_its_own_samples() {
        let fine = ("XfrmInError", "1");
        let emitted = "node_xfrm_in_error_packets_total 1\n";
        check(
            &[fine, ("XfrmOutError", "x")],
            ROWS.len() - 1,
            emitted,
            "xfrm_stat:2: a column: expected a signed integer",
        );
        check(&[fine, ("XfrmOutError", "1 2")], ROWS.len() - 1, emitted, "the row: expected a name and a number");
        check(&[fine, ("XfrmOutError", "9223372036854775808")], ROWS.len() - 1, emitted, "expected a signed integer");
    }

    #[test]
    fn missing_rows_are_not_zeros_if_a_row_is_bad() {
        check(&[("XfrmInError", "1"), ("Xfrm", "")], 1, "node_xfrm_in_error_packets_total 1\n", "xfrm_stat:2: Xfrm");
        check(&[("XfrmInError", "1"), ("", "")], 1, "node_xfrm_in_error_packets_total 1\n", "name: expected a field");
    }

    #[test]
    fn an_empty_file_is_reported() {
        given("== proc/net/xfrm_stat\n").fails::<Xfrm>("", "xfrm_stat: the file: expected at least one line");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn counts_round_trip(counts in prop::array::uniform28(1_u32..)) {
            let rows = ROWS.map(|(name, _)| name).into_iter().zip(counts.map(|count| count.to_string()));
            let rows: Vec<_> = rows.collect();
            let rows: Vec<_> = rows.iter().map(|(name, count)| (*name, count.as_str())).collect();
            let samples = given(&file(&rows)).scrape::<Xfrm>().samples();
            for ((_, family), count) in ROWS.into_iter().zip(counts) {
                let line = samples.lines().find_map(|line| line.strip_prefix(family.info().name)?.trim().parse::<f64>().ok());
                prop_assert_eq!(line, Some(f64::from(count)));
            }
        }
    }
}
