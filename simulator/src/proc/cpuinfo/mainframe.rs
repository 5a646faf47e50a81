//! /proc/cpuinfo of s390x: common fields, then a line per CPU, then a paragraph per CPU

use crate::machine::Mainframe;
use crate::moment::Moment;
use crate::text::put_line;

/// The length of a cache line.
const LINE_BYTES: usize = 256;

pub(super) fn cpuinfo(moment: &Moment<'_>, model: &Mainframe, into: &mut Vec<u8>) {
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
