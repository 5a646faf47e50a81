//! /proc/cpuinfo

mod mainframe;

use crate::layout::{Group, What, once};
use crate::machine::{Arm, Model, Power, X86};
use crate::moment::Moment;
use crate::text::{Hundredths, put_line};

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("cpuinfo", What::File(cpuinfo))] }];

fn cpuinfo(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let mut each = |write: &dyn Fn(usize, &mut Vec<u8>)| processor.online().for_each(|cpu| write(cpu, into));
    match &processor.model {
        Model::X86(model) => each(&|cpu, into| x86(moment, model, cpu, into)),
        Model::Arm(model) => {
            each(&|cpu, into| arm(model, cpu, into));
            if let Some(board) = &model.board {
                put_line!(into, "Revision\t: {}", board.revision);
                put_line!(into, "Serial\t\t: {}", board.serial);
                put_line!(into, "Model\t\t: {}", board.model);
            }
        }
        Model::Power(model) => {
            each(&|cpu, into| power(model, cpu, into));
            put_line!(into, "timebase\t: 512000000");
            put_line!(into, "platform\t: {}", model.platform);
            put_line!(into, "model\t\t: {}", model.machine);
            put_line!(into, "machine\t\t: CHRP {}", model.machine);
            put_line!(into, "MMU\t\t: Radix");
        }
        Model::Mainframe(model) => mainframe::cpuinfo(moment, model, into),
    }
}

fn power(model: &Power, cpu: usize, into: &mut Vec<u8>) {
    put_line!(into, "processor\t: {cpu}");
    put_line!(into, "cpu\t\t: {}", model.name);
    put_line!(into, "clock\t\t: {}.{:03}000MHz", model.kilohertz / 1_000, model.kilohertz % 1_000);
    put_line!(into, "revision\t: {}\n", model.revision);
}

fn arm(model: &Arm, cpu: usize, into: &mut Vec<u8>) {
    put_line!(into, "processor\t: {cpu}");
    put_line!(into, "BogoMIPS\t: {}", Hundredths(model.bogomips_hundredths));
    put_line!(into, "Features\t: {}", model.features);
    put_line!(into, "CPU implementer\t: {:#04x}", model.implementer);
    put_line!(into, "CPU architecture: 8");
    put_line!(into, "CPU variant\t: {:#x}", model.variant);
    put_line!(into, "CPU part\t: {:#05x}", model.part);
    put_line!(into, "CPU revision\t: {}\n", model.revision);
}

fn x86(moment: &Moment<'_>, model: &X86, cpu: usize, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let kilohertz = moment.kilohertz(cpu);
    // Twice the frequency, as the loop of the kernel's old measurement took two cycles.
    let bogomips = Hundredths(model.kilohertz / 5);
    put_line!(into, "processor\t: {cpu}");
    put_line!(into, "vendor_id\t: {}", model.vendor);
    put_line!(into, "cpu family\t: {}", model.family);
    put_line!(into, "model\t\t: {}", model.model);
    put_line!(into, "model name\t: {}", model.name);
    put_line!(into, "stepping\t: {}", model.stepping);
    put_line!(into, "microcode\t: {}", model.microcode);
    put_line!(into, "cpu MHz\t\t: {}.{:03}", kilohertz / 1_000, kilohertz % 1_000);
    put_line!(into, "cache size\t: {} KB", model.cache_kilobytes);
    put_line!(into, "physical id\t: {}", processor.socket(cpu));
    put_line!(into, "siblings\t: {}", processor.socket_cpus(cpu).len());
    put_line!(into, "core id\t\t: {}", processor.core(cpu));
    put_line!(into, "cpu cores\t: {}", processor.cores_per_socket);
    put_line!(into, "apicid\t\t: {cpu}");
    put_line!(into, "initial apicid\t: {cpu}");
    put_line!(into, "fpu\t\t: yes");
    put_line!(into, "fpu_exception\t: yes");
    put_line!(into, "cpuid level\t: {}", model.cpuid_level);
    put_line!(into, "wp\t\t: yes");
    put_line!(into, "flags\t\t: {}", model.flags);
    put_line!(into, "bugs\t\t: {}", model.bugs);
    put_line!(into, "bogomips\t: {bogomips}");
    if let Some(size) = model.tlb_size {
        put_line!(into, "TLB size\t: {size}");
    }
    put_line!(into, "clflush size\t: 64");
    put_line!(into, "cache_alignment\t: 64");
    put_line!(into, "address sizes\t: {}", model.address_sizes);
    let power = model.power_management;
    put_line!(into, "power management:{}{power}\n", if power.is_empty() { "" } else { " " });
}
