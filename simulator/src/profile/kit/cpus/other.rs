//! Processors of architectures other than x86.

use super::super::identity::hexadecimal;
use super::{cache, layout};
use crate::machine::{Arm, Mainframe, Model, Numbering, Power, Processor};
use crate::seed::Seed;

/// CPUs of an ARM cloud instance.
pub(in crate::profile) fn cloud_arm(seed: Seed, cpus: usize) -> Processor {
    let model = Arm {
        bogomips_hundredths: 24_375,
        features: "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp \
                   ssbs",
        implementer: 0x41,
        variant: 3,
        part: 0xd0c,
        revision: 1,
        board: None,
    };
    Processor {
        cores_per_socket: cpus,
        threads_per_core: 1,
        caches: const {
            &[
                cache(1, "Data", 64, 4, 1),
                cache(1, "Instruction", 64, 4, 1),
                cache(2, "Unified", 1_024, 8, 1),
                cache(3, "Unified", 32_768, 16, 0),
            ]
        },
        ..layout(seed, cpus, 1, Model::Arm(model))
    }
}

/// CPUs of a POWER partition.
pub(in crate::profile) fn power(seed: Seed, cpus: usize) -> Processor {
    let model = Power {
        name: "POWER9 (architected), altivec supported",
        kilohertz: 2_900_000,
        revision: "2.2 (pvr 004e 0202)",
        platform: "pSeries",
        machine: "IBM,9009-42A",
    };
    Processor {
        numbering: Numbering::InARow,
        caches: const {
            &[
                cache(1, "Data", 32, 8, 1),
                cache(1, "Instruction", 32, 8, 1),
                cache(2, "Unified", 512, 8, 1),
                cache(3, "Unified", 10_240, 20, 1),
            ]
        },
        ..layout(seed, cpus, 1, Model::Power(model))
    }
}

/// CPUs of a mainframe partition.
pub(in crate::profile) fn mainframe(seed: Seed, cpus: usize) -> Processor {
    let model = Mainframe {
        features: "esan3 zarch stfle msa ldisp eimm dfp edat etf3eh highgprs te vx vxd vxe gs vxe2 vxp sort dflt sie",
        facilities: "0 1 2 3 4 6 7 8 9 10 12 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 30 31 32 33 34 35 36 37 38 \
                     40 41 42 43 44 45 47 48 49 50 51 52 53 54 55 57 58 59 60 61 64 65 66 67 68 69 70 71 72 73 74 75 \
                     76 77 78 80 81 82 128 129 130 131 133 134 135 138 139 141 142 144 145 146 147 148 149 150 151 152 \
                     155 156 161 168 195",
        version: "00",
        identification: hexadecimal(seed.of("identification"), 6).to_uppercase(),
        machine: "8561",
        megahertz: 5_200,
    };
    Processor {
        numbering: Numbering::InARow,
        caches: const {
            &[
                cache(1, "Data", 128, 8, 1),
                cache(1, "Instruction", 128, 8, 1),
                cache(2, "Data", 4_096, 8, 1),
                cache(2, "Instruction", 4_096, 8, 1),
                cache(3, "Unified", 262_144, 32, 0),
            ]
        },
        ..layout(seed, cpus, 1, Model::Mainframe(model))
    }
}
