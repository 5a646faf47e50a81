//! /proc/cpuinfo

use crate::layout::{Group, What, once};
use crate::moment::Moment;
use crate::text::put_line;

pub(super) static GROUPS: [Group; 1] = [Group { under: "", each: once, entries: &[("cpuinfo", What::File(cpuinfo))] }];

fn cpuinfo(moment: &Moment<'_>, _: usize, into: &mut Vec<u8>) {
    for cpu in 0..moment.machine.processor.cpus() {
        x86(moment, cpu, into);
    }
}

fn x86(moment: &Moment<'_>, cpu: usize, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let kilohertz = processor.kilohertz;
    // Twice the frequency, as the loop of the kernel's old measurement took two cycles.
    let bogomips_hundredths = kilohertz / 5;
    put_line!(into, "processor\t: {cpu}");
    put_line!(into, "vendor_id\t: {}", processor.vendor);
    put_line!(into, "cpu family\t: {}", processor.family);
    put_line!(into, "model\t\t: {}", processor.model);
    put_line!(into, "model name\t: {}", processor.model_name);
    put_line!(into, "stepping\t: {}", processor.stepping);
    put_line!(into, "microcode\t: {}", processor.microcode);
    put_line!(into, "cpu MHz\t\t: {}.{:03}", kilohertz / 1_000, kilohertz % 1_000);
    put_line!(into, "cache size\t: {} KB", processor.cache_kilobytes);
    put_line!(into, "physical id\t: {}", processor.socket(cpu));
    put_line!(into, "siblings\t: {}", processor.threads_per_socket());
    put_line!(into, "core id\t\t: {}", processor.core(cpu));
    put_line!(into, "cpu cores\t: {}", processor.cores_per_socket);
    put_line!(into, "apicid\t\t: {cpu}");
    put_line!(into, "initial apicid\t: {cpu}");
    put_line!(into, "fpu\t\t: yes");
    put_line!(into, "fpu_exception\t: yes");
    put_line!(into, "cpuid level\t: {}", processor.cpuid_level);
    put_line!(into, "wp\t\t: yes");
    put_line!(into, "flags\t\t: {}", processor.flags);
    put_line!(into, "bugs\t\t: {}", processor.bugs);
    put_line!(into, "bogomips\t: {}.{:02}", bogomips_hundredths / 100, bogomips_hundredths % 100);
    put_line!(into, "clflush size\t: 64");
    put_line!(into, "cache_alignment\t: 64");
    put_line!(into, "address sizes\t: {}", processor.address_sizes);
    put_line!(into, "power management:");
    put_line!(into, "");
}
