//! Processor models.

mod other;

pub(in crate::profile) use other::{cloud_arm, mainframe, power};

use crate::machine::{Cache, CpuLoad, Frequency, IdleState, Model, Numbering, Processor, X86};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

/// Base load of each CPU.
pub(in crate::profile) fn loads(seed: Seed, cpus: usize) -> Vec<CpuLoad> {
    let load = |cpu: usize| {
        let name = format!("cpu{cpu}");
        let share = seed.of("share").of(&name).between(CpuLoad::LEAST_SHARE, CpuLoad::LARGEST_SHARE);
        CpuLoad { wave: Wave::new(&OFFICE, seed, &name), share }
    };
    (0..cpus).map(load).collect()
}

/// Topology of `cpus` in `sockets`, with two threads per core if the number allows.
pub(in crate::profile) fn layout(seed: Seed, cpus: usize, sockets: usize, model: Model) -> Processor {
    let sockets = sockets.clamp(1, cpus.max(1));
    let threads_per_core = if cpus.is_multiple_of(2 * sockets) { 2 } else { 1 };
    Processor {
        cpus,
        sockets,
        cores_per_socket: cpus.div_ceil(sockets * threads_per_core),
        threads_per_core,
        numbering: Numbering::ThreadsLast,
        nodes: 1,
        model,
        caches: &[],
        frequency: None,
        idle_states: &[],
        loads: loads(seed, cpus),
        offline: Vec::new(),
    }
}

const fn cache(level: u32, kind: &'static str, kilobytes: usize, ways: usize, cores: usize) -> Cache {
    Cache { level, kind, kilobytes, ways, cores }
}

const fn idle(name: &'static str, description: &'static str, latency_micros: u64, share_permille: u64) -> IdleState {
    IdleState { name, description, latency_micros, share_permille }
}

/// CPUs of an Intel cloud instance, whose frequency the hypervisor controls.
pub(in crate::profile) fn cloud_xeon(seed: Seed, cpus: usize) -> Processor {
    let model = X86 {
        vendor: "GenuineIntel",
        family: 6,
        model: 85,
        name: "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz",
        stepping: 7,
        microcode: "0x5003801",
        kilohertz: 2_499_994 + seed.of("frequency").below(12),
        cache_kilobytes: 36_608,
        cpuid_level: 13,
        flags: "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht \
                syscall nx pdpe1gb rdtscp lm constant_tsc rep_good nopl xtopology nonstop_tsc cpuid tsc_known_freq pni \
                pclmulqdq ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c \
                rdrand hypervisor lahf_lm abm 3dnowprefetch fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid mpx \
                avx512f avx512dq rdseed adx smap clflushopt clwb avx512cd avx512bw avx512vl xsaveopt xsavec xgetbv1 \
                xsaves ida arat pku ospke",
        bugs: "cpu_meltdown spectre_v1 spectre_v2 spec_store_bypass l1tf mds swapgs itlb_multihit mmio_stale_data \
               retbleed gds bhi its",
        tlb_size: None,
        address_sizes: "46 bits physical, 48 bits virtual",
        power_management: "",
    };
    Processor {
        numbering: Numbering::InARow,
        caches: const {
            &[
                cache(1, "Data", 32, 8, 1),
                cache(1, "Instruction", 32, 8, 1),
                cache(2, "Unified", 1_024, 16, 1),
                cache(3, "Unified", 36_608, 11, 0),
            ]
        },
        ..layout(seed, cpus, 1, Model::X86(model))
    }
}

/// Four notebook cores.
pub(in crate::profile) fn mobile_core(seed: Seed, cpus: usize) -> Processor {
    let model = X86 {
        vendor: "GenuineIntel",
        family: 6,
        model: 140,
        name: "11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz",
        stepping: 1,
        microcode: "0xb8",
        kilohertz: 2_995_200,
        cache_kilobytes: 12_288,
        cpuid_level: 27,
        flags: "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush dts acpi mmx fxsr sse \
                sse2 ss ht tm pbe syscall nx pdpe1gb rdtscp lm constant_tsc art arch_perfmon pebs bts rep_good nopl \
                xtopology nonstop_tsc cpuid aperfmperf tsc_known_freq pni pclmulqdq dtes64 monitor ds_cpl vmx smx est \
                tm2 ssse3 sdbg fma cx16 xtpr pdcm pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave \
                avx f16c rdrand lahf_lm abm 3dnowprefetch cpuid_fault epb cat_l2 cdp_l2 ssbd ibrs ibpb stibp \
                ibrs_enhanced tpr_shadow flexpriority ept vpid ept_ad fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms \
                invpcid rdt_a avx512f avx512dq rdseed adx smap avx512ifma clflushopt clwb intel_pt avx512cd sha_ni \
                avx512bw avx512vl xsaveopt xsavec xgetbv1 xsaves split_lock_detect dtherm ida arat pln pts hwp \
                hwp_notify hwp_act_window hwp_epp hwp_pkg_req avx512vbmi umip pku ospke gfni vaes vpclmulqdq rdpid \
                movdiri movdir64b fsrm md_clear flush_l1d arch_capabilities",
        bugs: "spectre_v1 spectre_v2 spec_store_bypass swapgs gds bhi",
        tlb_size: None,
        address_sizes: "39 bits physical, 48 bits virtual",
        power_management: "",
    };
    Processor {
        caches: const {
            &[
                cache(1, "Data", 48, 12, 1),
                cache(1, "Instruction", 32, 8, 1),
                cache(2, "Unified", 1_280, 20, 1),
                cache(3, "Unified", 12_288, 12, 0),
            ]
        },
        idle_states: const {
            &[
                idle("POLL", "CPUIDLE CORE POLL IDLE", 0, 1),
                idle("C1E", "MWAIT 0x01", 10, 190),
                idle("C6", "MWAIT 0x20", 170, 301),
                idle("C8", "MWAIT 0x40", 200, 508),
            ]
        },
        frequency: Some(Frequency {
            driver: "intel_pstate",
            governor: "powersave",
            governors: "performance powersave",
            least_kilohertz: 400_000,
            most_kilohertz: 4_800_000,
            latency_nanos: 0,
            is_common: false,
        }),
        ..layout(seed, cpus, 1, Model::X86(model))
    }
}

/// AMD server: 64 cores per socket, eight per L3 cache.
pub(in crate::profile) fn epyc(seed: Seed, cpus: usize, sockets: usize, nodes: usize) -> Processor {
    let model = X86 {
        vendor: "AuthenticAMD",
        family: 25,
        model: 1,
        name: "AMD EPYC 7763 64-Core Processor",
        stepping: 1,
        microcode: "0xa0011d5",
        kilohertz: 2_450_000,
        cache_kilobytes: 512,
        cpuid_level: 16,
        flags: "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht \
                syscall nx mmxext fxsr_opt pdpe1gb rdtscp lm constant_tsc rep_good nopl nonstop_tsc cpuid extd_apicid \
                aperfmperf rapl pni pclmulqdq monitor ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt aes xsave \
                avx f16c rdrand lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs \
                skinit wdt tce topoext perfctr_core perfctr_nb bpext perfctr_llc mwaitx cpb cat_l3 cdp_l3 hw_pstate \
                ssbd mba ibrs ibpb stibp vmmcall fsgsbase bmi1 avx2 smep bmi2 erms invpcid cqm rdt_a rdseed adx smap \
                clflushopt clwb sha_ni xsaveopt xsavec xgetbv1 xsaves cqm_llc cqm_occup_llc cqm_mbm_total \
                cqm_mbm_local user_shstk clzero irperf xsaveerptr rdpru wbnoinvd amd_ppin brs arat npt lbrv svm_lock \
                nrip_save tsc_scale vmcb_clean flushbyasid decodeassists pausefilter pfthreshold v_vmsave_vmload vgif \
                v_spec_ctrl umip pku ospke vaes vpclmulqdq rdpid overflow_recov succor smca fsrm debug_swap",
        bugs: "sysret_ss_attrs spectre_v1 spectre_v2 spec_store_bypass srso ibpb_no_ret",
        tlb_size: Some("2560 4K pages"),
        address_sizes: "48 bits physical, 48 bits virtual",
        power_management: "ts ttp tm hwpstate cpb eff_freq_ro [13] [14]",
    };
    Processor {
        nodes: nodes.clamp(1, cpus.max(1)),
        caches: const {
            &[
                cache(1, "Data", 32, 8, 1),
                cache(1, "Instruction", 32, 8, 1),
                cache(2, "Unified", 512, 8, 1),
                cache(3, "Unified", 32_768, 16, 8),
            ]
        },
        idle_states: const {
            &[
                idle("POLL", "CPUIDLE CORE POLL IDLE", 0, 1),
                idle("C1", "ACPI FFH MWAIT 0x0", 1, 210),
                idle("C2", "ACPI IOPORT 0x814", 400, 789),
            ]
        },
        frequency: Some(Frequency {
            driver: "acpi-cpufreq",
            governor: "schedutil",
            governors: "conservative ondemand userspace powersave performance schedutil",
            least_kilohertz: 1_500_000,
            most_kilohertz: 3_529_052,
            latency_nanos: 0,
            is_common: false,
        }),
        ..layout(seed, cpus, sockets, Model::X86(model))
    }
}

/// Largest Intel sockets linked in one chassis, each a NUMA node.
pub(in crate::profile) fn linked_xeon(seed: Seed, cpus: usize, sockets: usize) -> Processor {
    let processor = cloud_xeon(seed, cpus);
    let model = match processor.model {
        Model::X86(model) => Model::X86(X86 {
            model: 85,
            name: "Intel(R) Xeon(R) Platinum 8380L CPU @ 2.90GHz",
            stepping: 7,
            kilohertz: 2_900_000,
            cache_kilobytes: 39_424,
            flags: LINKED_FLAGS,
            address_sizes: "46 bits physical, 48 bits virtual",
            ..model
        }),
        other => other,
    };
    Processor {
        nodes: sockets.clamp(1, cpus.max(1)),
        caches: const {
            &[
                cache(1, "Data", 32, 8, 1),
                cache(1, "Instruction", 32, 8, 1),
                cache(2, "Unified", 1_024, 16, 1),
                cache(3, "Unified", 39_424, 11, 0),
            ]
        },
        frequency: Some(Frequency {
            driver: "intel_pstate",
            governor: "performance",
            governors: "performance powersave",
            least_kilohertz: 1_000_000,
            most_kilohertz: 4_300_000,
            latency_nanos: 0,
            is_common: false,
        }),
        idle_states: const {
            &[
                idle("POLL", "CPUIDLE CORE POLL IDLE", 0, 1),
                idle("C1", "MWAIT 0x00", 2, 99),
                idle("C1E", "MWAIT 0x01", 10, 300),
                idle("C6", "MWAIT 0x20", 133, 600),
            ]
        },
        ..layout(seed, cpus, sockets, model)
    }
}

const LINKED_FLAGS: &str = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush dts acpi mmx \
    fxsr sse sse2 ss ht tm pbe syscall nx pdpe1gb rdtscp lm constant_tsc art arch_perfmon pebs bts rep_good nopl \
    xtopology nonstop_tsc cpuid aperfmperf pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 sdbg fma cx16 xtpr \
    pdcm pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand lahf_lm abm \
    3dnowprefetch cpuid_fault epb cat_l3 cdp_l3 ssbd mba ibrs ibpb stibp ibrs_enhanced fsgsbase tsc_adjust bmi1 avx2 \
    smep bmi2 erms invpcid cqm mpx rdt_a avx512f avx512dq rdseed adx smap clflushopt clwb intel_pt avx512cd avx512bw \
    avx512vl xsaveopt xsavec xgetbv1 xsaves cqm_llc cqm_occup_llc cqm_mbm_total cqm_mbm_local dtherm ida arat pln pts \
    pku ospke avx512_vnni md_clear flush_l1d arch_capabilities";
