//! /proc/cpuinfo, whose format depends on the architecture. The format is detected from the file, because a root may be
//! of another machine.

use std::iter::Peekable;

use crate::kit::parse::{FromText, Lines};
use crate::kit::prelude::*;

/// Details of a CPU; missing ones are empty.
#[derive(Clone, Copy, Debug)]
pub(super) struct CpuInfo<'a> {
    pub(super) number: u32,
    pub(super) vendor: &'a [u8],
    pub(super) family: &'a [u8],
    pub(super) model: &'a [u8],
    pub(super) model_name: &'a [u8],
    pub(super) microcode: &'a [u8],
    pub(super) stepping: &'a [u8],
    pub(super) cache_size: &'a [u8],
    pub(super) package: &'a [u8],
    pub(super) core: &'a [u8],
    /// 0 if the architecture does not report it.
    pub(super) megahertz: Result<f64, ParseError<'a>>,
}

/// Flags and bugs of the first CPU, separated by white space.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Traits<'a> {
    pub(super) flags: &'a [u8],
    pub(super) bugs: &'a [u8],
}

impl CpuInfo<'_> {
    const EMPTY: Self = Self {
        number: 0,
        vendor: b"",
        family: b"",
        model: b"",
        model_name: b"",
        microcode: b"",
        stepping: b"",
        cache_size: b"",
        package: b"",
        core: b"",
        megahertz: Ok(0.0),
    };
}

/// The formats of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    X86,
    /// 32 and 64 bits. Old kernels start with a name for all CPUs, and do not number a single CPU.
    Arm,
    /// A line per CPU, then a section per CPU.
    S390x,
    /// MIPS and LoongArch, which start with the name of the machine.
    SystemType,
    PowerPc,
    RiscV,
}

/// The field of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Field {
    Vendor,
    Family,
    Model,
    ModelName,
    Microcode,
    Stepping,
    CacheSize,
    Package,
    Core,
    /// A number of megahertz.
    Megahertz,
    /// A number of megahertz with a unit.
    Clock,
    /// Flags, from the first CPU.
    Flags,
    /// Flags, from the last line.
    CommonFlags,
    Bugs,
}

impl Form {
    /// Detects the format of the file; `None` if it is unknown.
    fn of(text: Text<'_>) -> Option<Self> {
        let mut names = text.lines().filter_map(entry).map(|(name, _)| name);
        match names.next()? {
            b"vendor_id" => Some(Self::S390x),
            b"system type" => Some(Self::SystemType),
            b"Processor" => Some(Self::Arm),
            b"processor" => names.find_map(Self::of_name).or(Some(Self::X86)),
            _ => None,
        }
    }

    /// The format that has a field of this name, if only one has.
    fn of_name(name: &[u8]) -> Option<Self> {
        match name {
            b"vendor_id" | b"cpu family" | b"flags" => Some(Self::X86),
            b"BogoMIPS" | b"Features" | b"CPU implementer" => Some(Self::Arm),
            b"cpu" | b"clock" => Some(Self::PowerPc),
            b"hart" | b"isa" => Some(Self::RiscV),
            _ => None,
        }
    }

    fn field(self, name: &[u8]) -> Option<Field> {
        Some(match (self, name) {
            (Self::X86, b"vendor" | b"vendor_id") | (Self::PowerPc, b"cpu") => Field::Vendor,
            (Self::X86, b"cpu family") | (Self::SystemType, b"CPU Family") => Field::Family,
            (Self::X86, b"model") => Field::Model,
            (Self::X86 | Self::Arm, b"model name")
            | (Self::SystemType, b"cpu model" | b"Model Name")
            | (Self::RiscV, b"isa") => Field::ModelName,
            (Self::X86, b"microcode") => Field::Microcode,
            (Self::X86, b"stepping") => Field::Stepping,
            (Self::X86, b"cache size") => Field::CacheSize,
            (Self::X86 | Self::S390x, b"physical id") => Field::Package,
            (Self::X86 | Self::S390x, b"core id") | (Self::RiscV, b"hart") => Field::Core,
            (Self::X86, b"cpu MHz") => Field::Megahertz,
            (Self::S390x, b"cpu MHz dynamic") | (Self::PowerPc, b"clock") => Field::Clock,
            (Self::X86, b"flags") => Field::Flags,
            (Self::Arm, b"Features") | (Self::S390x, b"features") => Field::CommonFlags,
            (Self::X86, b"bugs") => Field::Bugs,
            _ => return None,
        })
    }
}

/// Visits every CPU of the file, each with its own error.
pub(super) fn parse<'a>(text: Text<'a>, mut visit: impl FnMut(Result<CpuInfo<'a>, ParseError<'a>>)) -> Traits<'a> {
    match Form::of(text) {
        Some(Form::S390x) => parse_s390x(text, &mut visit),
        Some(form) => parse_blocks(text, form, &mut visit),
        None => {
            let first = text.lines().map(|line| line.bytes.trim_ascii()).find(|line| !line.is_empty());
            visit(Err(text.error("form", "the form of a known architecture", first.unwrap_or_default())));
            Traits::default()
        }
    }
}

/// Parses a format where `processor` starts the section of a CPU.
fn parse_blocks<'a>(
    text: Text<'a>,
    form: Form,
    visit: &mut impl FnMut(Result<CpuInfo<'a>, ParseError<'a>>),
) -> Traits<'a> {
    let mut traits = Traits::default();
    let mut common = CpuInfo::EMPTY;
    let mut current: Option<Result<CpuInfo<'a>, ParseError<'a>>> = None;
    let mut is_first = true;
    for line in text.lines() {
        let Some((name, value)) = entry(line) else { continue };
        match (form, name) {
            (_, b"processor") => {
                if let Some(done) = current.take() {
                    visit(done);
                    is_first = false;
                }
                let number = line.number("processor", value.trim_ascii());
                current = Some(number.map(|number| CpuInfo { number, ..common }));
                continue;
            }
            (Form::Arm, b"Processor") if current.is_none() => common.model_name = value,
            (Form::SystemType, b"system type") => common.vendor = value,
            // A kernel without SMP does not number its CPU.
            (Form::Arm, b"BogoMIPS") if current.is_none() => current = Some(Ok(common)),
            _ => {}
        }
        match form.field(name) {
            Some(Field::Flags) if is_first => traits.flags = value,
            Some(Field::Bugs) if is_first => traits.bugs = value,
            Some(Field::CommonFlags) => traits.flags = value,
            Some(field) => {
                if let Some(Ok(cpu)) = &mut current {
                    cpu.set(field, line, value);
                }
            }
            None => {}
        }
    }
    if let Some(done) = current {
        visit(done);
    }
    traits
}

/// Parses a format of lines `processor 3: …`, followed by a section `cpu number` per CPU in the same order.
fn parse_s390x<'a>(text: Text<'a>, visit: &mut impl FnMut(Result<CpuInfo<'a>, ParseError<'a>>)) -> Traits<'a> {
    let mut traits = Traits::default();
    let mut common = CpuInfo::EMPTY;
    let mut parts = text.lines().peekable();
    while parts.next_if(|line| !begins_part(*line)).is_some() {}
    for line in text.lines().take_while(|line| !begins_part(*line)) {
        match entry(line) {
            Some((b"vendor_id", value)) => common.vendor = value,
            Some((b"features", value)) => traits.flags = value,
            _ => {}
        }
        let Some(rest) = line.bytes.strip_prefix(b"processor") else { continue };
        let digits = rest.split(|&byte| byte == b':').next().unwrap_or_default().trim_ascii();
        let mut cpu = line.number("processor", digits).map(|number| CpuInfo { number, ..common });
        add_part(&mut parts, &mut cpu);
        visit(cpu);
    }
    traits
}

fn begins_part(line: Line<'_>) -> bool {
    line.bytes.starts_with(b"cpu number")
}

/// Adds the next section to this CPU.
fn add_part<'a>(parts: &mut Peekable<Lines<'a>>, cpu: &mut Result<CpuInfo<'a>, ParseError<'a>>) {
    let mut line = parts.next();
    while let Some(part) = line {
        let field = entry(part).and_then(|(name, value)| Some((Form::S390x.field(name)?, value)));
        if let (Some((field, value)), Ok(cpu)) = (field, &mut *cpu) {
            cpu.set(field, part, value);
        }
        line = parts.next_if(|line| !begins_part(*line));
    }
}

impl<'a> CpuInfo<'a> {
    fn set(&mut self, field: Field, line: Line<'a>, value: &'a [u8]) {
        match field {
            Field::Vendor => self.vendor = value,
            Field::Family => self.family = value,
            Field::Model => self.model = value,
            Field::ModelName => self.model_name = value,
            Field::Microcode => self.microcode = value,
            Field::Stepping => self.stepping = value,
            Field::CacheSize => self.cache_size = value,
            Field::Package => self.package = value,
            Field::Core => self.core = value,
            Field::Megahertz => self.megahertz = megahertz(line, value.trim_ascii()),
            Field::Clock => self.megahertz = megahertz(line, first_number(value)),
            Field::Flags | Field::CommonFlags | Field::Bugs => {}
        }
    }
}

fn megahertz<'a>(line: Line<'a>, found: &'a [u8]) -> Result<f64, ParseError<'a>> {
    let value = f64::from_text(found).filter(|value| value.is_finite() && *value >= 0.0);
    value.ok_or_else(|| line.error("clock", "a number of megahertz", found))
}

/// The first sequence of digits and dots.
fn first_number(value: &[u8]) -> &[u8] {
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let value = value.iter().position(is_digit).map_or(&b""[..], |start| &value[start..]);
    &value[..value.iter().position(|byte| !is_digit(byte)).unwrap_or(value.len())]
}

/// Splits a line at `: `. The value keeps trailing white space, which some CPU names have.
fn entry(line: Line<'_>) -> Option<(&[u8], &[u8])> {
    let mut colons = memchr::memchr_iter(b':', line.bytes);
    let first = colons.clone().next()?;
    let Some(at) = colons.find(|&at| line.bytes.get(at + 1) == Some(&b' ')) else {
        return Some((line.bytes[..first].trim_ascii(), b""));
    };
    Some((line.bytes[..at].trim_ascii(), &line.bytes[at + 2..]))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::host::root::Mount;
    use procfs_core::FromBufRead;
    use proptest::prelude::*;

    fn text(bytes: &[u8]) -> Text<'_> {
        Text::new(Mount::Proc, b"cpuinfo", bytes)
    }

    /// Every CPU in one line, then flags and bugs.
    fn parsed(file: &str) -> String {
        let mut out = String::new();
        let mut push = |label: &str, value: &[u8]| {
            if !value.is_empty() {
                write!(out, " {label}={}", String::from_utf8_lossy(value)).expect("memory");
            }
        };
        let traits = parse(text(file.as_bytes()), |cpu| match cpu {
            Ok(cpu) => {
                push("\ncpu", cpu.number.to_string().as_bytes());
                push("vendor", cpu.vendor);
                push("family", cpu.family);
                push("model", cpu.model);
                push("name", cpu.model_name);
                push("microcode", cpu.microcode);
                push("stepping", cpu.stepping);
                push("cache", cpu.cache_size);
                push("package", cpu.package);
                push("core", cpu.core);
                match cpu.megahertz {
                    Ok(megahertz) => push("mhz", megahertz.to_string().as_bytes()),
                    Err(error) => push("\nerror", error.to_string().as_bytes()),
                }
            }
            Err(error) => push("\nerror", error.to_string().as_bytes()),
        });
        push("\nflags", traits.flags);
        push("\nbugs", traits.bugs);
        out.replace(" \n", "\n").trim_start().to_owned()
    }

    #[track_caller]
    fn check(file: &str, expected: &str) {
        assert_eq!(parsed(file), expected);
    }

    #[test]
    fn x86_says_everything_for_each_cpu() {
        check(
            "processor\t: 0\nvendor_id\t: ExampleMicro\ncpu family\t: 6\nmodel\t\t: 140\nmodel name\t: Finch @ 2.40GHz\n\
            stepping\t: 1\nmicrocode\t: 0xb8\ncpu MHz\t\t: 2811.204\ncache size\t: 12288 KB\nphysical id\t: 0\n\
            core id\t\t: 4\nflags\t\t: fpu vme\nvmx flags\t: ept\nbugs\t\t: mds bhi\npower management:\n\n\
            processor\t: 9\nvendor_id\t: ExampleMicro\ncpu MHz\t\t: 800\nflags\t\t: other\nbugs\t\t: none\n\n",
            "cpu=0 vendor=ExampleMicro family=6 model=140 name=Finch @ 2.40GHz microcode=0xb8 stepping=1 cache=12288 KB \
            package=0 core=4 mhz=2811.204\ncpu=9 vendor=ExampleMicro mhz=800\nflags=fpu vme\nbugs=mds bhi",
        );
    }

    #[test]
    fn arm_has_few_fields_and_common_flags() {
        check(
            "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n\n\
            processor\t: 1\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd crc32\nCPU implementer\t: 0x41\n",
            "cpu=0 mhz=0\ncpu=1 mhz=0\nflags=fp asimd crc32",
        );
        check(
            "processor\t: 0\nmodel name\t: Wagtail rev 3\nBogoMIPS\t: 38.40\nFeatures\t: half\n\nHardware\t: Board\n\
            Model\t\t: Board 4\n",
            "cpu=0 name=Wagtail rev 3 mhz=0\nflags=half",
        );
    }

    #[test]
    fn old_arm_kernels_have_one_common_name() {
        check(
            "Processor\t: Wagtail rev 5\nprocessor\t: 0\nBogoMIPS\t: 2400.00\n\nprocessor\t: 1\nBogoMIPS\t: 2400.00\n\n\
            Features\t: swp half\n",
            "cpu=0 name=Wagtail rev 5 mhz=0\ncpu=1 name=Wagtail rev 5 mhz=0\nflags=swp half",
        );
        check(
            "Processor\t: Wagtail rev 2\nBogoMIPS\t: 600.00\nFeatures\t: swp\n",
            "cpu=0 name=Wagtail rev 2 mhz=0\nflags=swp",
        );
    }

    #[test]
    fn s390x_names_its_cpus_first() {
        check(
            "vendor_id       : EXAMPLE/S390\n# processors    : 2\nbogomips per cpu: 3033.00\nfeatures\t: esan3 zarch\n\
            cache0          : level=1 type=Data size=128K\nprocessor 0: version = FF,  machine = 2964\n\
            processor 3: version = FF,  machine = 2964\n\ncpu number      : 0\nphysical id     : 2\ncore id         : 1\n\
            cpu MHz dynamic : 5000\ncpu MHz static  : 5100\n\ncpu number      : 3\nphysical id     : 2\n\
            core id         : 4\ncpu MHz dynamic : 4900.5 up\n",
            "cpu=0 vendor=EXAMPLE/S390 package=2 core=1 mhz=5000\ncpu=3 vendor=EXAMPLE/S390 package=2 core=4 mhz=4900.5\n\
            flags=esan3 zarch",
        );
        check("vendor_id : EXAMPLE\nprocessor 0: x\n", "cpu=0 vendor=EXAMPLE mhz=0");
    }

    #[test]
    fn powerpc_has_a_clock_with_its_unit() {
        check(
            "processor\t: 0\ncpu\t\t: EXAMPLE8 (raw)\nclock\t\t: 3425.000000MHz\nrevision\t: 2.0\n\nprocessor\t: 8\n\
            cpu\t\t: EXAMPLE8 (raw)\nclock\t\t: 3425.500000MHz\n\ntimebase\t: 512000000\nmodel\t\t: 8247\n",
            "cpu=0 vendor=EXAMPLE8 (raw) mhz=3425\ncpu=8 vendor=EXAMPLE8 (raw) mhz=3425.5",
        );
    }

    #[test]
    fn riscv_has_harts() {
        check(
            "processor\t: 0\nhart\t\t: 2\nisa\t\t: rv64imafdc\nmmu\t\t: sv39\n\nprocessor\t: 1\nhart\t\t: 1\n\
            isa\t\t: rv64imafdc\n",
            "cpu=0 name=rv64imafdc core=2 mhz=0\ncpu=1 name=rv64imafdc core=1 mhz=0",
        );
    }

    #[test]
    fn mips_and_loongarch_begin_with_the_system_type() {
        check(
            "system type\t\t: Example Octet\nmachine\t\t\t: Box\nprocessor\t\t: 0\ncpu model\t\t: Octet V0.1\n\
            BogoMIPS\t\t: 2000.00\n\nprocessor\t\t: 2\ncpu model\t\t: Octet V0.1\n",
            "cpu=0 vendor=Example Octet name=Octet V0.1 mhz=0\ncpu=2 vendor=Example Octet name=Octet V0.1 mhz=0",
        );
        check(
            "system type\t\t: generic-machine\n\nprocessor\t\t: 0\npackage\t\t\t: 0\ncore\t\t\t: 0\n\
            CPU Family\t\t: Example-64bit\nModel Name\t\t: Example-5000\n",
            "cpu=0 vendor=generic-machine family=Example-64bit name=Example-5000 mhz=0",
        );
    }

    #[test]
    fn a_bad_number_costs_its_cpu_and_a_bad_clock_only_its_sample() {
        let processor = "error=proc/cpuinfo:1: processor: expected an unsigned 32-bit integer, found";
        check(
            "processor\t: -1\nvendor_id\t: a\n\nprocessor\t: 1\nvendor_id\t: b\n",
            &format!("{processor} \"-1\"\ncpu=1 vendor=b mhz=0"),
        );
        check(
            "processor\nprocessor\t:\nvendor_id\t: a\n",
            &processor.replace(":1:", ":2:").replace("found", "found nothing"),
        );
        for clock in ["fast", "-1", "NaN", "inf", ""] {
            let found = if clock.is_empty() { "nothing".to_owned() } else { format!("\"{clock}\"") };
            check(
                &format!("processor\t: 0\nvendor_id\t: a\ncpu MHz\t\t: {clock}\n"),
                &format!("cpu=0 vendor=a\nerror=proc/cpuinfo:3: clock: expected a number of megahertz, found {found}"),
            );
        }
    }

    #[test]
    fn an_unknown_format_is_an_error() {
        let form = "error=proc/cpuinfo: form: expected the form of a known architecture, found";
        check("", &format!("{form} nothing"));
        check("\n  \ncpu\t: sparc\n", &format!("{form} \"cpu\\t: sparc\""));
    }

    #[test]
    fn values_keep_trailing_white_space() {
        check("processor\t: 0\nvendor_id\t: a\nmodel name\t: X: Y  \n", "cpu=0 vendor=a name=X: Y   mhz=0");
    }

    proptest! {
        #[test]
        fn cpus_come_back_and_the_second_opinion_agrees(
            cpus in proptest::collection::vec(("[a-zA-Z0-9@.]{1,12}", 0_u32..9, 0_u32..9, 0_u32..9_000_000), 1..5)
        ) {
            let mut file = String::new();
            let mut expected = Vec::new();
            for (number, (name, package, core, kilohertz)) in cpus.iter().enumerate() {
                let megahertz = format!("{}.{:03}", kilohertz / 1000, kilohertz % 1000);
                write!(file, "processor\t: {number}\nvendor_id\t: v\nmodel name\t: {name}\ncpu MHz\t\t: {megahertz}\n\
                    physical id\t: {package}\ncore id\t\t: {core}\nflags\t\t: a b\n\n").expect("memory");
                let megahertz: f64 = megahertz.parse().expect("a number");
                expected.push(format!("cpu={number} vendor=v name={name} package={package} core={core} mhz={megahertz}"));
            }
            expected.push("flags=a b".to_owned());
            prop_assert_eq!(parsed(&file), expected.join("\n"));
            let second = procfs_core::CpuInfo::from_buf_read(file.as_bytes()).expect("a file of the kernel");
            prop_assert_eq!(second.num_cores(), cpus.len());
            for (number, (name, package, core, _)) in cpus.iter().enumerate() {
                prop_assert_eq!(second.model_name(number), Some(name.as_str()));
                prop_assert_eq!(second.physical_id(number), Some(*package));
                prop_assert_eq!(second.get_field(number, "core id").map(str::to_owned), Some(core.to_string()));
            }
        }

        #[test]
        fn any_bytes_are_parsed_or_refused(bytes: Vec<u8>, lines in "([a-zA-Z0-9 ]{0,9}(:| : )[0-9.a-z]{0,5}\n){0,9}") {
            let starts = ["", "processor\t: 0\nvendor_id: ", "vendor_id\t: x\nprocessor 0: x\ncpu number : 0\n",
                "system type\t: x\n", "Processor\t: x\n", "processor\t: 0\nclock\t: ", "processor\t: 0\nhart\t: 1\n"];
            for start in starts {
                parse(text(&[start.as_bytes(), &bytes].concat()), |_| ());
                parse(text(&[start.as_bytes(), lines.as_bytes()].concat()), |_| ());
            }
        }
    }
}
