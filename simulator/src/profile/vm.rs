//! `vm`: a small virtual machine of a cloud, that serves something and runs one container.

mod disks;
mod links;
mod mounts;

use super::{hexadecimal, uuid};
use crate::machine::{CpuLoad, Machine, Memory, Os, Process, Processor, System};
use crate::seed::Seed;
use crate::wave::{OFFICE, Wave};

const SOCKETS: usize = 1;
const CORES: usize = 2;
const THREADS: usize = 2;
/// When machines of this kind were started, in seconds since 1970, and how far apart they may be.
const BOOTED_SECONDS: u64 = 1_690_000_000;
const BOOTED_SPREAD_SECONDS: u64 = 30 * 86_400;

pub(crate) fn machine(seed: Seed) -> Machine {
    let block_devices = disks::block_devices(seed);
    let interfaces = links::interfaces(seed);
    Machine {
        seed,
        booted_seconds: BOOTED_SECONDS + seed.of("boot").below(BOOTED_SPREAD_SECONDS),
        system: System {
            hostname: format!("vm-{}", hexadecimal(seed.of("hostname"), 6)),
            domainname: "(none)",
            machine: "x86_64",
            release: "6.12.12-cloud-amd64",
            version: "#1 SMP PREEMPT_DYNAMIC 6.12.12-1 (2025-02-02)",
            build: "(builder@example.org) (gcc-14 (GCC) 14.2.0, GNU ld (GNU Binutils) 2.44)",
            clocksource: "kvm-clock",
            clocksources: "kvm-clock tsc acpi_pm",
            boot_id: uuid(seed.of("boot_id")),
        },
        os: Os { release: &OS_RELEASE },
        processor: processor(seed),
        memory: memory(),
        mounts: mounts::mounts(seed, &block_devices),
        neighbours: links::neighbours(seed),
        processes: vec![Process { number: 1 }, Process { number: 741 }],
        load: Wave::new(&OFFICE, seed, "load"),
        block_devices,
        interfaces,
    }
}

const OS_RELEASE: [(&str, &str); 8] = [
    ("PRETTY_NAME", "Debian GNU/Linux 13 (trixie)"),
    ("NAME", "Debian GNU/Linux"),
    ("VERSION_ID", "13"),
    ("VERSION", "13 (trixie)"),
    ("VERSION_CODENAME", "trixie"),
    ("ID", "debian"),
    ("HOME_URL", "https://www.debian.org/"),
    ("BUG_REPORT_URL", "https://bugs.debian.org/"),
];

fn processor(seed: Seed) -> Processor {
    Processor {
        sockets: SOCKETS,
        cores_per_socket: CORES,
        threads_per_core: THREADS,
        vendor: "GenuineIntel",
        family: 6,
        model: 85,
        model_name: "Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz",
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
        address_sizes: "46 bits physical, 48 bits virtual",
        loads: (0..SOCKETS * CORES * THREADS).map(|cpu| cpu_load(seed, cpu)).collect(),
    }
}

fn cpu_load(seed: Seed, cpu: usize) -> CpuLoad {
    let name = format!("cpu{cpu}");
    let share = seed.of("share").of(&name).between(CpuLoad::LEAST_SHARE, CpuLoad::LARGEST_SHARE);
    CpuLoad { wave: Wave::new(&OFFICE, seed, &name), share }
}

fn memory() -> Memory {
    Memory {
        pages: 2_037_077,
        swap_pages: 262_143,
        anonymous_pages: 391_000,
        anonymous_pages_per_load: 82_000,
        cache_pages: 1_106_000,
        direct_map_4k: 58_880,
        direct_map_2m: 989_696,
        direct_map_1g: 1_048_576,
    }
}
