//! Declarations of collectors: names, reads, flags and families. The command line, `--help`, the table of the README,
//! HELP and TYPE lines and the loops of the harness are derived from them.

use super::failure::{Failure, Problems};
use super::family::FamilyInfo;
use super::files::{Files, Scratch};
use super::options::{FlagInfo, FlagValues, Options};
use super::page::{Page, PageOf};
use super::parse::FromText;
use super::read::{File, Read, ReadInfo};
use crate::host::kernel::Kernel;
use crate::host::root::Roots;

/// The declaration of a collector.
#[derive(Debug)]
pub struct Declaration {
    /// The name of the collector, of its flag and of its file.
    pub name: &'static str,
    /// Whether it is enabled by default.
    pub is_enabled: bool,
    /// Description in one line.
    pub doc: &'static str,
    /// Declared reads.
    pub reads: &'static [ReadInfo],
    /// Flags.
    pub flags: &'static [FlagInfo],
    /// Families, in the order of their slots.
    pub families: &'static [FamilyInfo],
    /// Prefixes of kernel-named families.
    pub prefixes: &'static [FamilyInfo],
    /// Description of the families of other sources that it exports, whose names are not known; `None` without any.
    pub foreign: Option<&'static str>,
}

/// A type with a declaration, implemented by [`declare!`](crate::declare).
pub trait Declared {
    /// The metric names of the families, in the order of their slots.
    const FAMILY_NAMES: &'static [&'static str];
    /// The declaration.
    const DECLARATION: &'static Declaration;
}

/// A collector.
pub trait Collect: Declared + Send + Sized + 'static {
    /// Builds the collector. The error names the flag to change.
    fn build(options: &mut Options<'_, Self>) -> Result<Self, String>;

    /// Reads files and emits samples. Samples that were emitted before a failure are served.
    fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure>;
}

impl FlagValues {
    /// The defaults of all flags of these collectors.
    ///
    /// # Panics
    /// If a declared default cannot be parsed. A test checks all declarations.
    pub fn defaults<'a>(declarations: impl IntoIterator<Item = &'a Declaration>) -> Self {
        let mut all = Self::default();
        declarations.into_iter().flat_map(|declaration| declaration.flags).for_each(|flag| all.add_default(flag));
        all
    }
}

/// The context of a collector: its only access to the host.
#[derive(Debug)]
pub struct Cx<'a, C> {
    /// The declared files.
    pub files: Files<'a, C>,
    /// The page of its families.
    pub page: PageOf<'a, C>,
    /// The kernel.
    pub kernel: &'a std::sync::Arc<dyn Kernel>,
    /// Problems that do not stop the collector.
    pub problems: &'a mut Problems,
}

impl<C> Cx<'_, C> {
    /// Reads a file with one number, called `field` in errors. An error is reported, and the file is skipped.
    pub fn number<T: FromText, const N: usize>(
        &mut self,
        file: Read<C, File, N>,
        names: [&[u8]; N],
        field: &'static str,
    ) -> Option<T> {
        let text = self.problems.value(self.files.read(file, names))?;
        self.problems.value(text.number(field))
    }
}

/// The context of a collector of any type.
pub(crate) struct AnyCx<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) scratch: &'a mut Scratch,
    pub(crate) page: &'a mut Page,
    pub(crate) kernel: &'a std::sync::Arc<dyn Kernel>,
    pub(crate) problems: &'a mut Problems,
}

/// A collector without its type.
pub(crate) trait AnyCollector: Send {
    fn collect_any(&mut self, cx: AnyCx<'_>) -> Result<(), Failure>;
}

impl<C: Collect> AnyCollector for C {
    fn collect_any(&mut self, cx: AnyCx<'_>) -> Result<(), Failure> {
        let AnyCx { roots, scratch, page, kernel, problems } = cx;
        let files = Files::new(roots, scratch);
        self.collect(&mut Cx { files, page: PageOf::new(page), kernel, problems })
    }
}

/// A collector and its messages to the operator.
type Built = (Box<dyn AnyCollector>, Vec<String>);

/// An entry of the list of collectors.
#[derive(Clone, Copy)]
pub struct Registration {
    /// The declaration.
    pub declaration: &'static Declaration,
    build: fn(&FlagValues) -> Result<Built, String>,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.declaration.fmt(f)
    }
}

impl Registration {
    /// The registration of collector `C`.
    pub const fn of<C: Collect>() -> Self {
        Self { declaration: C::DECLARATION, build: build::<C> }
    }

    pub(crate) fn build(&self, values: &FlagValues) -> Result<Built, String> {
        (self.build)(values)
    }
}

fn build<C: Collect>(values: &FlagValues) -> Result<Built, String> {
    let mut options = Options::new(values);
    let collector = C::build(&mut options)?;
    Ok((Box::new(collector), options.into_notices()))
}

/// The index of `name` among the names of a declaration. A duplicate name does not compile.
pub const fn slot_of(names: &[&str], name: &str) -> usize {
    let mut found = usize::MAX;
    let mut at = 0;
    while at < names.len() {
        if is_equal(names[at], name) {
            assert!(found == usize::MAX, "a declaration has two families of one name");
            found = at;
        }
        at += 1;
    }
    found
}

const fn is_equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Concatenates parts with `N` items in total. `fill` is an arbitrary item.
pub const fn joined<T: Copy, const N: usize>(fill: T, parts: &[&[T]]) -> [T; N] {
    let mut all = [fill; N];
    let (mut at, mut part) = (0, 0);
    while part < parts.len() {
        let mut item = 0;
        while item < parts[part].len() {
            all[at] = parts[part][item];
            at += 1;
            item += 1;
        }
        part += 1;
    }
    assert!(at == N, "the parts do not have N items");
    all
}

/// Declares families of several collectors: a struct with a field per family. A collector with `shared` in its
/// [`declare!`](crate::declare) owns a value of it, with its own family type and its own labels. `of` names a
/// struct with the same fields, which are the values.
macro_rules! shared_families {
    (
        $(#[$meta:meta])*
        $visibility:vis $set:ident { $($field:ident: $name:literal $help:literal;)+ }
        $(#[$with_meta:meta])*
        of $values:ident: $value:ident;
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $set<F> {
            $($visibility $field: F,)+
        }

        impl $set<()> {
            /// The metric names.
            $visibility const NAMES: [&'static str; { <[&str]>::len(&[$($name),+]) }] = [$($name),+];
        }

        impl<C, K, L> $set<$crate::kit::family::Family<C, K, L>>
        where
            C: $crate::kit::declare::Declared,
            K: $crate::kit::family::Kinded,
            L: $crate::kit::label::Labels,
        {
            $crate::kit::declare::shared_families!(@made $visibility new; $($field: $name $help;)+);
            $crate::kit::declare::shared_families!(@made $visibility kept; $($field: $name $help;)+);

            /// The families without their type parameters, in the order of the names.
            $visibility const fn infos(&self) -> [$crate::kit::family::FamilyInfo; $set::NAMES.len()] {
                [$(self.$field.info()),+]
            }

            $(#[$with_meta])*
            $visibility fn with(
                self,
                values: &$values,
            ) -> [($crate::kit::family::Family<C, K, L>, $value); $set::NAMES.len()] {
                [$((self.$field, values.$field)),+]
            }
        }
    };
    (@made $visibility:vis $new:ident; $($field:ident: $name:literal $help:literal;)+) => {
        /// The families of collector `C`.
        $visibility const fn $new() -> Self {
            Self {
                $($field: $crate::kit::family::Family::$new(
                    $crate::kit::declare::slot_of(C::FAMILY_NAMES, $name),
                    $name,
                    $help,
                ),)+
            }
        }
    };
}

pub(crate) use shared_families;

/// Declares a collector. After its families, `shared NAME: SET, new Counter => PerDevice;` adds those of a
/// `shared_families!`.
///
/// ```
/// use collectors::declare;
/// use collectors::kit::prelude::*;
/// # use collectors::kit::declare::Declared;
///
/// /// An example.
/// pub struct Example {
///     is_verbose: bool,
/// }
///
/// declare! {
///     Example: "example", on, "Examples and their sizes.";
///     labels {
///         PerDevice { device }
///         PerMode { device, r#type }
///     }
///     reads {
///         TOTAL: File Proc "example";
///         DEVICES: Directory Sys "class/example";
///         SIZE: File Sys "class/example/*/size";
///     }
///     flags {
///         VERBOSE: Switch "collector.example.verbose" = "false", "Show every size.";
///         INCLUDE: Text "collector.example.include" = "", "Devices to include.", or(&["collector.example.whitelist"]);
///         WORKERS: Whole "collector.example.workers" = "4", "Threads.", hidden();
///     }
///     families {
///         EXAMPLES: Counter "node_examples_total" () "Examples created.";
///         SIZES: Gauge "node_example_size_bytes" PerMode "Size of an example.";
///         OLD: kept Counter "node_example_old" () "A name that is older than the rules.";
///         TIME: volatile Gauge "node_example_scrape_seconds" () "A value that differs in each scrape of an unchanged host.";
///     }
///     table FIELDS: &'static str => PerDevice {
///         "Free" => Gauge "node_example_free_bytes" "Free memory of an example.";
///         "Used" => Gauge "node_example_used_bytes" "Used memory of an example.";
///         "Faults" => Counter "node_example_faults_total" "Faults of an example.";
///     }
///     prefixes {
///         OTHER: Untyped "node_example_field_" () "Field {} of the example.";
///     }
///     foreign "Families of other sources, which only a collector with this line passes on.";
/// }
///
/// impl Collect for Example {
///     fn build(options: &mut Options<'_, Self>) -> Result<Self, String> {
///         Ok(Self { is_verbose: options.get(VERBOSE) })
///     }
///
///     fn collect(&mut self, cx: &mut Cx<'_, Self>) -> Result<(), Failure> {
///         let total: u64 = cx.files.read(TOTAL, [])?.number("total")?;
///         cx.page.counter(EXAMPLES, (), total);
///         cx.page.gauge(SIZES, PerMode { device: &"sda", r#type: &"disk" }, 512_u64);
///         for (name, family) in FIELDS {
///             if name != "Free" {
///                 cx.page.tabled(family, PerDevice { device: &"sda" }, 1_u64);
///             }
///         }
///         Ok(())
///     }
/// }
///
/// let labels: Vec<_> = Example::DECLARATION.families.iter().map(|family| family.labels).collect();
/// assert_eq!(labels[1], ["device", "type"]);
/// assert_eq!(labels[6], ["device"]);
/// ```
/// Labels that are not in alphabetical order do not compile:
/// ```compile_fail,E0080
/// # use collectors::kit::prelude::*;
/// # struct Example;
/// collectors::declare! {
///     Example: "example", off, "An example.";
///     labels { PerMode { mode, device } }
///     families { SIZES: Gauge "node_example_size_bytes" PerMode "Size of an example."; }
/// }
/// # fn emit(page: &mut collectors::kit::page::PageOf<'_, Example>) {
/// #     page.gauge(SIZES, PerMode { mode: &"idle", device: &"sda" }, 1.5);
/// # }
/// ```
/// Two families of one name do not compile:
/// ```compile_fail,E0080
/// # use collectors::kit::prelude::*;
/// # struct Example;
/// collectors::declare! {
///     Example: "example", off, "An example.";
///     families { FREE: Gauge "node_example_free_bytes" () "Free memory."; }
///     table FIELDS: &'static str => () { "Free" => Gauge "node_example_free_bytes" "Free memory."; }
/// }
/// # fn emit(page: &mut collectors::kit::page::PageOf<'_, Example>) {
/// #     page.gauge(FREE, (), 1.5);
/// #     page.tabled(FIELDS[0].1, (), 1.5);
/// # }
/// ```
/// A read that is not declared does not compile:
/// ```compile_fail,E0425
/// use collectors::kit::prelude::*;
/// struct Example;
/// fn collect(cx: &mut Cx<'_, Example>) {
///     let _ = cx.files.read(UNDECLARED, []);
/// }
/// ```
/// A path in place of a read does not compile:
/// ```compile_fail,E0308
/// use collectors::kit::prelude::*;
/// struct Example;
/// fn collect(cx: &mut Cx<'_, Example>) {
///     let _ = cx.files.read("/proc/meminfo", []);
/// }
/// ```
#[macro_export]
macro_rules! declare {
    (
        $collector:ident: $name:literal, $state:ident, $doc:literal;
        $(labels { $($set:ident { $($label:ident),+ $(,)? })* })?
        $(reads { $($read:ident: $access:ident $mount:ident $pattern:literal;)* })?
        $(flags { $($flag:ident: $held:ident $flag_name:literal = $default:expr, $flag_help:literal
            $(, $more:ident($($argument:tt)*))*;)* })?
        $(families { $($family:ident: $($word:ident)+ $family_name:literal $labels:tt $help:literal;)* })?
        $(shared $shared:ident: $shared_type:ident, $shared_new:ident $shared_kind:ident => $shared_labels:tt;)*
        $($(#[$table_attribute:meta])* table $table:ident: $key_type:ty => $table_labels:tt {
            $($key:expr => $($row_word:ident)+ $row_name:literal $row_help:literal;)+
        })*
        $(prefixes { $($prefix:ident: $prefix_kind:ident $prefix_name:literal $prefix_labels:tt $prefix_help:literal;)* })?
        $(foreign $foreign:literal;)?
    ) => {
        $($crate::label_sets! { $($set { $($label),+ })* })?
        $($(
            const $read: $crate::kit::read::Read<
                $collector,
                $crate::kit::read::$access,
                { $crate::kit::read::count_names($pattern) },
            > = $crate::kit::read::Read::new($crate::host::root::Mount::$mount, $pattern);
        )*)?
        $($(
            const $flag: $crate::kit::options::Flag<$collector, $crate::kit::options::$held> =
                $crate::kit::options::Flag::new($flag_name, $default, $flag_help)$(.$more($($argument)*))*;
        )*)?
        $($($crate::declare!(@family $collector $family $family_name $labels $help; $($word)+);)*)?
        $(
            const $shared: $shared_type<$crate::declare!(@type $collector $shared_kind $shared_labels)> =
                $shared_type::<$crate::declare!(@type $collector $shared_kind $shared_labels)>::$shared_new();
        )*
        $(
            $(#[$table_attribute])*
            const $table: [
                ($key_type, $crate::declare!(@type $collector Tabled $table_labels));
                { <[&str]>::len(&[$($row_name),+]) }
            ] = [$((
                $key,
                $crate::declare!(@row $collector $table_labels $row_name $row_help; $($row_word)+).tabled(),
            )),+];
        )*
        $($(
            const $prefix: $crate::kit::family::Prefix<
                $collector,
                $crate::kit::family::$prefix_kind,
                $crate::declare!(@labels $prefix_labels),
            > = $crate::kit::family::Prefix::new($prefix_name, $prefix_help);
        )*)?

        impl $crate::kit::declare::Declared for $collector {
            const FAMILY_NAMES: &'static [&'static str] = &$crate::kit::declare::joined::<
                _,
                { <[&str]>::len(&[$($($family_name,)*)? $($($row_name,)+)*]) $(+ $shared_type::NAMES.len())* },
            >("", &[&[$($($family_name,)*)? $($($row_name,)+)*] $(, &$shared_type::NAMES)*]);
            const DECLARATION: &'static $crate::kit::declare::Declaration = &$crate::kit::declare::Declaration {
                name: $name,
                is_enabled: $crate::declare!(@state $state),
                doc: $doc,
                reads: &[$($($read.info()),*)?],
                flags: &[$($($flag.info()),*)?],
                families: &$crate::kit::declare::joined::<_, { Self::FAMILY_NAMES.len() }>(
                    $crate::kit::family::FamilyInfo::UNNAMED,
                    &[
                        &[
                            $($($family.info(),)*)?
                            $($($crate::declare!(
                                @row $collector $table_labels $row_name $row_help; $($row_word)+
                            ).info(),)+)*
                        ]
                        $(, &$shared.infos())*
                    ],
                ),
                prefixes: &[$($($prefix.info()),*)?],
                foreign: $crate::declare!(@foreign $($foreign)?),
            };
        }
        $($crate::declare!(@passes_on $collector $foreign);)?
    };
    (@foreign) => { None };
    (@foreign $foreign:literal) => { Some($foreign) };
    (@passes_on $collector:ident $foreign:literal) => {
        impl $crate::kit::page::foreign::PassesOn for $collector {}
    };
    (@state on) => { true };
    (@state off) => { false };
    (@labels ()) => { () };
    (@labels $set:ident) => { $set<'static> };
    (@type $collector:ident $kind:ident $labels:tt) => {
        $crate::kit::family::Family<$collector, $crate::kit::family::$kind, $crate::declare!(@labels $labels)>
    };
    (@family $collector:ident $family:ident $name:literal $labels:tt $help:literal; $($word:ident)+) => {
        const $family: $crate::declare!(@kind_of $collector $labels; $($word)+) =
            $crate::declare!(@row $collector $labels $name $help; $($word)+);
    };
    (@kind_of $collector:ident $labels:tt; $kind:ident) => { $crate::declare!(@type $collector $kind $labels) };
    (@kind_of $collector:ident $labels:tt; $word:ident $kind:ident) => {
        $crate::declare!(@type $collector $kind $labels)
    };
    (@row $collector:ident $labels:tt $name:literal $help:literal; $kind:ident) => {
        $crate::declare!(@make $collector $labels $name $help; new $kind)
    };
    (@row $collector:ident $labels:tt $name:literal $help:literal; kept $kind:ident) => {
        $crate::declare!(@make $collector $labels $name $help; kept $kind)
    };
    (@row $collector:ident $labels:tt $name:literal $help:literal; volatile $kind:ident) => {
        $crate::declare!(@make $collector $labels $name $help; volatile $kind)
    };
    (@make $collector:ident $labels:tt $name:literal $help:literal; $new:ident $kind:ident) => {
        <$crate::declare!(@type $collector $kind $labels)>::$new(
            $crate::kit::declare::slot_of(<$collector as $crate::kit::declare::Declared>::FAMILY_NAMES, $name),
            $name,
            $help,
        )
    };
}
