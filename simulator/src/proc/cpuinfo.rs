//! /proc/cpuinfo. On s390x: common fields, then a line per CPU, then a paragraph per CPU

use crate::layout::{Content, Group, Table};
use crate::machine::{Arm, Cpu, Machine, Mainframe, Model, Power, X86};
use crate::moment::Moment;
use crate::text::{Hundredths, Value, put_line};

pub(super) const GROUPS: Table = &[&Group::of_host("", &[("cpuinfo", Content::File(cpuinfo))])];

fn cpuinfo(_: &Machine, moment: &Moment<'_>, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let mut each = |write: &dyn Fn(Cpu, &mut Vec<u8>)| processor.online().for_each(|cpu| write(cpu, into));
    match &processor.model {
        Model::X86(model) => each(&|cpu, into| x86(moment, model, cpu, into)),
        Model::Arm(model) => {
            each(&|cpu, into| arm(model, cpu, into));
            if let Some(board) = &model.board {
                field("Revision\t", board.revision, into);
                field("Serial\t\t", &board.serial, into);
                field("Model\t\t", board.model, into);
            }
        }
        Model::Power(model) => {
            each(&|cpu, into| power(model, cpu, into));
            field("timebase\t", "512000000", into);
            field("platform\t", model.platform, into);
            field("model\t\t", model.machine, into);
            put_line!(into, "machine\t\t: CHRP {}", model.machine);
            field("MMU\t\t", "Radix", into);
        }
        Model::Mainframe(model) => mainframe(moment, model, into),
    }
}

fn power(model: &Power, cpu: Cpu, into: &mut Vec<u8>) {
    field("processor\t", cpu, into);
    field("cpu\t\t", model.name, into);
    put_line!(into, "clock\t\t: {}.{:03}000MHz", model.kilohertz / 1_000, model.kilohertz % 1_000);
    put_line!(into, "revision\t: {}\n", model.revision);
}

fn arm(model: &Arm, cpu: Cpu, into: &mut Vec<u8>) {
    field("processor\t", cpu, into);
    field("BogoMIPS\t", Hundredths(model.bogomips_hundredths), into);
    field("Features\t", model.features, into);
    put_line!(into, "CPU implementer\t: {:#04x}", model.implementer);
    field("CPU architecture", "8", into);
    put_line!(into, "CPU variant\t: {:#x}", model.variant);
    put_line!(into, "CPU part\t: {:#05x}", model.part);
    put_line!(into, "CPU revision\t: {}\n", model.revision);
}

fn x86(moment: &Moment<'_>, model: &X86, cpu: Cpu, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    let kilohertz = moment.kilohertz(cpu);
    // Twice the frequency: the measuring loop takes two cycles.
    let bogomips = Hundredths(model.kilohertz / 5);
    field("processor\t", cpu, into);
    field("vendor_id\t", model.vendor, into);
    field("cpu family\t", model.family, into);
    field("model\t\t", model.model, into);
    field("model name\t", model.name, into);
    field("stepping\t", model.stepping, into);
    field("microcode\t", model.microcode, into);
    put_line!(into, "cpu MHz\t\t: {}.{:03}", kilohertz / 1_000, kilohertz % 1_000);
    put_line!(into, "cache size\t: {} KB", model.cache_kilobytes);
    field("physical id\t", processor.socket(cpu), into);
    field("siblings\t", processor.socket_cpus(cpu).len(), into);
    field("core id\t\t", processor.core(cpu), into);
    field("cpu cores\t", processor.cores_per_socket, into);
    field("apicid\t\t", cpu, into);
    field("initial apicid\t", cpu, into);
    field("fpu\t\t", "yes", into);
    field("fpu_exception\t", "yes", into);
    field("cpuid level\t", model.cpuid_level, into);
    field("wp\t\t", "yes", into);
    field("flags\t\t", model.flags, into);
    field("bugs\t\t", model.bugs, into);
    field("bogomips\t", bogomips, into);
    if let Some(size) = model.tlb_size {
        field("TLB size\t", size, into);
    }
    field("clflush size\t", "64", into);
    field("cache_alignment\t", "64", into);
    field("address sizes\t", model.address_sizes, into);
    let power = model.power_management;
    put_line!(into, "power management:{}{power}\n", if power.is_empty() { "" } else { " " });
}

/// A name with its tabs, and its value.
fn field(name: &str, value: impl Value, into: &mut Vec<u8>) {
    into.extend_from_slice(name.as_bytes());
    into.extend_from_slice(b": ");
    put_line!(into, "{}", value);
}

/// The length of a cache line.
const LINE_BYTES: usize = 256;

fn mainframe(moment: &Moment<'_>, model: &Mainframe, into: &mut Vec<u8>) {
    let processor = &moment.machine.processor;
    put_line!(into, "vendor_id       : IBM/S390");
    put_line!(into, "# processors    : {}", processor.online().count());
    put_line!(into, "bogomips per cpu: 3241.00");
    put_line!(into, "max thread id   : {}", processor.threads_per_core - 1);
    put_line!(into, "features\t: {} ", model.features);
    put_line!(into, "facilities      : {} ", model.facilities);
    for (number, cache) in processor.caches.iter().enumerate() {
        let scope = if cache.cores == 1 { "Private" } else { "Shared" };
        put_line!(
            into,
            "cache{number}          : level={} type={} scope={scope} size={}K line_size={LINE_BYTES} associativity={}",
            cache.level,
            cache.kind,
            cache.kilobytes,
            cache.ways
        );
    }
    let Mainframe { version, identification, machine, megahertz, .. } = model;
    for cpu in processor.online() {
        put_line!(
            into,
            "processor {cpu}: version = {version},  identification = {identification},  machine = {machine}"
        );
    }
    for cpu in processor.online() {
        put_line!(into, "\ncpu number      : {cpu}");
        put_line!(into, "physical id     : {}", processor.socket(cpu));
        put_line!(into, "core id         : {}", processor.core(cpu));
        put_line!(into, "book id         : 0");
        put_line!(into, "drawer id       : 0");
        put_line!(into, "dedicated       : 0");
        put_line!(into, "address         : {cpu}");
        put_line!(into, "siblings        : {}", processor.socket_cpus(cpu).len());
        put_line!(into, "cpu cores       : {}", processor.cores_per_socket);
        put_line!(into, "version         : {version}");
        put_line!(into, "identification  : {identification}");
        put_line!(into, "machine         : {machine}");
        put_line!(into, "cpu MHz dynamic : {megahertz}");
        put_line!(into, "cpu MHz static  : {megahertz}");
    }
    put_line!(into, "");
}
