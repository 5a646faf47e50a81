//! Neighbours and routes: /proc/net/arp, and stat/arp_cache, ndisc_cache and rt_cache with a row of hexadecimal numbers for each CPU

use super::of_process;
use crate::layout::{Content, Table};
use crate::machine::{KernelVersion, Machine};
use crate::moment::Moment;
use crate::text::{HardwareAddress, put, put_line};

pub(in crate::proc) const GROUPS: Table = &[&of_process(&[
    (
        "stat/arp_cache",
        Content::File(|_, moment, into| cache(moment, moment.machine.neighbours.len() as u64, 40, into)),
    ),
    ("stat/ndisc_cache", Content::File(|_, moment, into| cache(moment, 2, 3, into))),
    ("stat/rt_cache", Content::File(routes)),
    ("arp", Content::File(arp)),
])];

/// The version that added `table_fulls`.
const FULL_SINCE: KernelVersion = KernelVersion::new(4, 3);

/// The rows of a neighbour cache. `lookups` is a rate per CPU in thousandths per second.
fn cache(moment: &Moment<'_>, entries: u64, lookups: u64, into: &mut Vec<u8>) {
    let tells_full = moment.kernel() >= FULL_SINCE;
    put!(into, "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast ");
    put_line!(
        into,
        "periodic_gc_runs forced_gc_runs unresolved_discards{}",
        if tells_full { " table_fulls" } else { "" }
    );
    for cpu in moment.machine.processor.all() {
        let count = |micro| moment.counter_of_cpu(cpu, micro) & 0xffff_ffff;
        let row =
            [entries, count(3), count(3), 0, count(lookups), count(lookups / 2), count(1), 0, 0, count(28), 0, 0, 0];
        let columns = if tells_full { row.len() } else { row.len() - 1 };
        let row: Vec<String> = row.iter().take(columns).map(|count| format!("{count:08x}")).collect();
        put_line!(into, "{}", row.join(" "));
    }
}

/// The route cache was removed in 3.6: its counters are 0.
fn routes(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(
        into,
        "entries  in_hit   in_slow_tot in_slow_mc in_no_route in_brd   in_martian_dst in_martian_src out_hit  \
         out_slow_tot out_slow_mc gc_total gc_ignored gc_goal_miss gc_dst_overflow in_hlist_search out_hlist_search"
    );
    for cpu in moment.machine.processor.all() {
        let count = |micro| moment.counter_of_cpu(cpu, micro) & 0xffff_ffff;
        put!(into, "{:08x} 00000000 {:08x} {:08x}", 40, count(900), count(11));
        put!(into, " 00000000 {:08x} 00000000 00000000 00000000 {:08x}", count(160), count(700));
        put_line!(into, " 00000000 00000000 00000000 00000000 00000000 00000000 00000000");
    }
}

fn arp(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    put_line!(into, "IP address       HW type     Flags       HW address            Mask     Device");
    for neighbour in &moment.machine.neighbours {
        let Some(interface) = moment.machine.interfaces.get(neighbour.interface) else { continue };
        let flags = if neighbour.is_failed { 0 } else { 2 };
        put_line!(
            into,
            "{:<16} {:<12}{:<12}{}     *        {}",
            neighbour.address.to_string(),
            "0x1",
            format!("0x{flags:x}"),
            HardwareAddress(if neighbour.is_failed { [0; 6] } else { neighbour.hardware_address }),
            interface.name
        );
    }
}
