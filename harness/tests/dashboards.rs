//! Names that public dashboards and alerts query: every one is on the page of a suitable host.

use std::collections::BTreeSet;

use collectors::ALL;
use collectors::host::root::tree::Node;
use collectors::kit::scraper::Selection;
use harness::{exposition, host, load};

/// Names in the alerts, rules and dashboards of node_exporter's mixin, for Linux.
const MIXIN: &str = "bonding_active bonding_slaves cpu_seconds_total disk_io_time_seconds_total \
    disk_io_time_weighted_seconds_total disk_read_bytes_total disk_written_bytes_total filefd_allocated filefd_maximum \
    filesystem_avail_bytes filesystem_files filesystem_files_free filesystem_readonly filesystem_size_bytes load1 load15 \
    load5 md_disks md_disks_required memory_Buffers_bytes memory_Cached_bytes memory_MemAvailable_bytes \
    memory_MemFree_bytes memory_MemTotal_bytes memory_Slab_bytes network_receive_bytes_total network_receive_drop_total \
    network_receive_errs_total network_receive_packets_total network_transmit_bytes_total network_transmit_drop_total \
    network_transmit_errs_total network_transmit_packets_total nf_conntrack_entries nf_conntrack_entries_limit \
    systemd_service_restart_total systemd_unit_state textfile_scrape_error time_seconds timex_maxerror_seconds \
    timex_offset_seconds timex_sync_status uname_info vmstat_pgmajfault";

/// Names in the dashboard `Node Exporter Full` (1860). It also queries node_kernel_hung_tasks, which no exporter has.
const FULL: &str = "arp_entries boot_time_seconds context_switches_total cooling_device_cur_state cooling_device_max_state \
    cpu_guest_seconds_total cpu_scaling_frequency_hertz cpu_scaling_frequency_max_hertz \
    cpu_scaling_frequency_min_hertz cpu_seconds_total disk_discard_time_seconds_total disk_discarded_sectors_total \
    disk_discards_completed_total disk_discards_merged_total disk_flush_requests_time_seconds_total \
    disk_flush_requests_total disk_io_now disk_io_time_seconds_total disk_io_time_weighted_seconds_total \
    disk_read_bytes_total disk_read_time_seconds_total disk_reads_completed_total disk_reads_merged_total \
    disk_write_time_seconds_total disk_writes_completed_total disk_writes_merged_total disk_written_bytes_total \
    entropy_available_bits entropy_pool_size_bits filefd_allocated filefd_maximum filesystem_avail_bytes \
    filesystem_device_error filesystem_files filesystem_files_free filesystem_free_bytes filesystem_readonly \
    filesystem_size_bytes forks_total hwmon_chip_names hwmon_fan_min_rpm hwmon_fan_rpm hwmon_temp_celsius \
    hwmon_temp_crit_alarm_celsius hwmon_temp_crit_celsius hwmon_temp_crit_hyst_celsius hwmon_temp_max_celsius \
    interrupts_total intr_total load1 load15 load5 memory_Active_anon_bytes memory_Active_bytes \
    memory_Active_file_bytes memory_AnonHugePages_bytes memory_AnonPages_bytes memory_Buffers_bytes \
    memory_Cached_bytes memory_CommitLimit_bytes memory_Committed_AS_bytes memory_DirectMap1G_bytes \
    memory_DirectMap2M_bytes memory_DirectMap4k_bytes memory_Dirty_bytes memory_HardwareCorrupted_bytes \
    memory_HugePages_Free memory_HugePages_Rsvd memory_HugePages_Surp memory_HugePages_Total \
    memory_Hugepagesize_bytes memory_Inactive_anon_bytes memory_Inactive_bytes memory_Inactive_file_bytes \
    memory_KernelStack_bytes memory_Mapped_bytes memory_MemAvailable_bytes memory_MemFree_bytes \
    memory_MemTotal_bytes memory_Mlocked_bytes memory_NFS_Unstable_bytes memory_PageTables_bytes memory_Percpu_bytes \
    memory_SReclaimable_bytes memory_SUnreclaim_bytes memory_ShmemHugePages_bytes memory_ShmemPmdMapped_bytes \
    memory_Shmem_bytes memory_Slab_bytes memory_SwapCached_bytes memory_SwapFree_bytes memory_SwapTotal_bytes \
    memory_Unevictable_bytes memory_VmallocChunk_bytes memory_VmallocTotal_bytes memory_VmallocUsed_bytes \
    memory_WritebackTmp_bytes memory_Writeback_bytes memory_Zswap_bytes memory_Zswapped_bytes netstat_Icmp_InErrors \
    netstat_Icmp_InMsgs netstat_Icmp_OutMsgs netstat_IpExt_InOctets netstat_IpExt_OutOctets \
    netstat_TcpExt_ListenDrops netstat_TcpExt_ListenOverflows netstat_TcpExt_SyncookiesFailed \
    netstat_TcpExt_SyncookiesRecv netstat_TcpExt_SyncookiesSent netstat_TcpExt_TCPOFOQueue \
    netstat_TcpExt_TCPRcvQDrop netstat_TcpExt_TCPSynRetrans netstat_TcpExt_TCPTimeouts netstat_Tcp_ActiveOpens \
    netstat_Tcp_CurrEstab netstat_Tcp_InErrs netstat_Tcp_InSegs netstat_Tcp_MaxConn netstat_Tcp_OutRsts \
    netstat_Tcp_OutSegs netstat_Tcp_PassiveOpens netstat_Tcp_RetransSegs netstat_UdpLite_InErrors \
    netstat_Udp_InDatagrams netstat_Udp_InErrors netstat_Udp_NoPorts netstat_Udp_OutDatagrams \
    netstat_Udp_RcvbufErrors netstat_Udp_SndbufErrors network_carrier network_mtu_bytes network_receive_bytes_total \
    network_receive_compressed_total network_receive_drop_total network_receive_errs_total \
    network_receive_fifo_total network_receive_frame_total network_receive_multicast_total \
    network_receive_nohandler_total network_receive_packets_total network_speed_bytes network_transmit_bytes_total \
    network_transmit_carrier_total network_transmit_colls_total network_transmit_compressed_total \
    network_transmit_drop_total network_transmit_errs_total network_transmit_fifo_total \
    network_transmit_packets_total network_up nf_conntrack_entries nf_conntrack_entries_limit power_supply_online \
    pressure_cpu_waiting_seconds_total pressure_io_stalled_seconds_total pressure_io_waiting_seconds_total \
    pressure_irq_stalled_seconds_total pressure_memory_stalled_seconds_total pressure_memory_waiting_seconds_total \
    processes_max_processes processes_max_threads processes_pids processes_state processes_threads procs_blocked \
    procs_running schedstat_running_seconds_total schedstat_timeslices_total schedstat_waiting_seconds_total \
    scrape_collector_duration_seconds scrape_collector_success sockstat_FRAG_inuse sockstat_FRAG_memory \
    sockstat_RAW_inuse sockstat_TCP_alloc sockstat_TCP_inuse sockstat_TCP_mem sockstat_TCP_mem_bytes \
    sockstat_TCP_orphan sockstat_TCP_tw sockstat_UDPLITE_inuse sockstat_UDP_inuse sockstat_UDP_mem \
    sockstat_UDP_mem_bytes sockstat_sockets_used softnet_dropped_total softnet_flow_limit_count_total \
    softnet_processed_total softnet_received_rps_total softnet_times_squeezed_total \
    systemd_socket_accepted_connections_total systemd_socket_current_connections \
    systemd_socket_refused_connections_total systemd_units tcp_connection_states textfile_scrape_error time_seconds \
    timex_estimated_error_seconds timex_frequency_adjustment_ratio timex_loop_time_constant timex_maxerror_seconds \
    timex_offset_seconds timex_pps_calibration_total timex_pps_error_total timex_pps_frequency_hertz \
    timex_pps_jitter_seconds timex_pps_jitter_total timex_pps_shift_seconds timex_pps_stability_exceeded_total \
    timex_pps_stability_hertz timex_sync_status timex_tai_offset_seconds timex_tick_seconds udp_queues uname_info \
    vmstat_oom_kill vmstat_pgfault vmstat_pgmajfault vmstat_pgpgin vmstat_pgpgout vmstat_pswpin vmstat_pswpout";

/// Collectors of node_exporter that are not built in yet, by the beginning of their names. A row goes when its collector
/// comes.
const ABSENT: &[(&str, &str)] = &[("systemd", "systemd_"), ("timex", "timex_")];

/// Flags of series that are not exported by default.
const FLAGS: &[(&str, &str)] =
    &[("collector.netstat.fields", "^.*$"), ("collector.systemd.enable-restarts-metrics", "true")];

/// Sensor files that no host of the fixtures has, beside one that it has.
const SENSORS: &[(&str, &str)] = &[("temp1_crit_hyst", "95000\n"), ("fan1_min", "600\n"), ("fan1_input", "1200\n")];
const SENSOR: &str = "sys/devices/platform/coretemp.0/hwmon/hwmon0";

/// The families of every fixture host.
fn families() -> BTreeSet<String> {
    let flags: Vec<(&str, &str)> = FLAGS.iter().copied().filter(|(flag, _)| is_known(flag)).collect();
    let mut found = BTreeSet::new();
    for name in load::hosts().expect("fixtures/hosts") {
        let mut tree = load::host(&name).expect("a fixture host");
        if tree.get(format!("{SENSOR}/temp1_input").as_bytes()).is_some() {
            for (file, content) in SENSORS {
                // The host may have the file by now.
                let _ = tree.insert(format!("{SENSOR}/{file}"), Node::file(*content));
            }
        }
        let scraper = host::scraper_with(tree, &flags, |roots| roots);
        let page = host::scrape(&scraper, &Selection::ALL).page;
        let parsed = exposition::parse_with_negative_counters(page.as_bytes()).expect("a page");
        found.extend(
            parsed.families.iter().filter(|family| !family.samples.is_empty()).map(|family| family.name.to_owned()),
        );
    }
    found
}

fn is_known(flag: &str) -> bool {
    let mut flags = ALL.iter().flat_map(|registration| registration.declaration.flags);
    flags.any(|known| known.name == flag)
}

fn is_built_in(collector: &str) -> bool {
    ALL.iter().any(|registration| registration.declaration.name == collector)
}

#[test]
fn every_queried_name_is_on_the_page_of_a_host() {
    let found = families();
    let absent = ABSENT.iter().filter(|(collector, _)| !is_built_in(collector));
    let absent: Vec<&str> = absent.map(|(_, start)| *start).collect();
    for (what, names) in [("the mixin", MIXIN), ("Node Exporter Full", FULL)] {
        let names = names.split_ascii_whitespace().filter(|name| !absent.iter().any(|start| name.starts_with(start)));
        let (all, missing): (Vec<&str>, Vec<&str>) = names.partition(|name| found.contains(&format!("node_{name}")));
        assert!(all.len() > 35, "{what}: {} names", all.len());
        assert!(missing.is_empty(), "{what}: {missing:?} are on no page");
    }
}
