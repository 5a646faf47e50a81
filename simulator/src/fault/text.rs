//! Text format of fault plans: one fault per line.

use std::fmt;
use std::str::FromStr;

use collectors::kit::nearest;

use super::kind::TEXTS;
use super::{Fault, FaultSite, KINDS, Kind, Plan, When};

/// Problem of a plan and its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanError {
    /// Line number, counted from 1.
    pub line: usize,
    /// Found and expected text.
    pub problem: String,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Parses a plan: one fault per line; empty lines and lines that begin with `#` are ignored.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let lines = (1..).zip(text.lines().map(str::trim));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let fault = |(line, text): (usize, &str)| text.parse().map_err(|problem| PlanError { line, problem });
        Ok(Self { faults: lines.map(fault).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.iter().try_for_each(|fault| writeln!(f, "{fault}"))
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (site, mut rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let site = FaultSite::parse(site)?;
        let (mut kind, mut when) = (None::<Kind>, When::ALWAYS);
        let mut seen = Vec::new();
        while !rest.trim_start().is_empty() {
            let (word, after) = word(rest.trim_start());
            let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            if seen.contains(&name) {
                return Err(format!("{name}: given twice; remove one"));
            }
            seen.push(name);
            rest = after;
            if let Some(added) = when.add(name, value.unwrap_or_default()) {
                added?;
                continue;
            }
            let next = Kind::parse(name, value).ok_or_else(|| unknown(name))??;
            if let Some(kind) = kind.replace(next) {
                return Err(format!("{kind} and {name} in one fault; write one line for each"));
            }
        }
        let kind =
            kind.ok_or_else(|| format!("`{site}`: missing kind of fault; expected one of {}", names(&kinds())))?;
        if site.is_kernel() && !kind.info().is_for_kernels {
            let able = KINDS.iter().filter(|info| info.is_for_kernels).map(|info| info.name);
            let able = names(&able.collect::<Vec<_>>());
            return Err(format!("{}: does not apply to kernel answers; expected one of {able}", kind.info().name));
        }
        Ok(Self { site, kind, when })
    }
}

/// Splits off the first word. A value of free text extends to the end of the line.
fn word(text: &str) -> (&str, &str) {
    let is_text = |name: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
    if TEXTS.iter().any(|name| is_text(name)) {
        return (text, "");
    }
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}

fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|info| info.name).collect()
}

fn unknown(name: &str) -> String {
    let words = When::WORDS.iter().filter_map(|(word, _)| word.split('=').next());
    match nearest::among(name, kinds().into_iter().chain(words.clone())) {
        Some(near) => format!("unknown fault `{name}`; did you mean `{near}`?"),
        None => format!(
            "unknown fault `{name}`; expected one of {}, and {}",
            names(&kinds()),
            names(&words.collect::<Vec<_>>())
        ),
    }
}

fn names(names: &[&str]) -> String {
    names.join(", ")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { site, kind, when } = self;
        // Free text extends to the end of the line, so that it comes last.
        match kind {
            Kind::Content(_) | Kind::Line(_) | Kind::Added(_) => write!(f, "{site}{when} {kind}"),
            _ => write!(f, "{site} {kind}{when}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Chance, Reads, Stage};
    use collectors::host::errno::Errno;
    use collectors::host::root::Mount;
    use proptest::prelude::*;
    use std::time::Duration;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let plan = Plan::parse(text).unwrap();
        assert_eq!(plan.to_string(), expected);
        assert_eq!(Plan::parse(expected), Ok(plan));
    }

    #[track_caller]
    fn refuse(text: &str, expected: &str) {
        assert_eq!(Plan::parse(text).unwrap_err().to_string(), expected);
    }

    #[test]
    fn faults_are_normalised() {
        check("proc/stat missing\n", "proc/stat missing\n");
        check("# why\n\n  proc/stat   cut  read=2  \n", "proc/stat cut read=2\n");
        check(
            "proc/stat until=90s from=1m error=EIO chance=0.25",
            "proc/stat error=EIO from=1m until=1m30s chance=0.25\n",
        );
        check("sys/a read=1.. content=N/A (no PMA)\n", "sys/a read=1.. content=N/A (no PMA)\n");
        check("sys/a content=a read=2\n", "sys/a content=a read=2\n");
        check("sys/a added=\\x20a\\\\b\\x0ac \n", "sys/a added=\\x20a\\x5cb\\x0ac\n");
        check("kernel/statfs/srv/** hanging\n", "kernel/statfs/srv/** hanging\n");
        check("proc/stat vanishing=open\nproc/stat slow=1500ms\n", "proc/stat vanishing\nproc/stat slow=1s500ms\n");
    }

    #[test]
    fn errors_name_the_line_and_the_expected_words() {
        refuse("\nproc/stat mising", "line 2: unknown fault `mising`; did you mean `missing`?");
        refuse("proc/stat missing reed=2", "line 1: unknown fault `reed`; did you mean `read`?");
        refuse("proc/stat error=EIOO", "line 1: error: unknown errno `EIOO`; did you mean `EIO`?");
        refuse("proc/stat error", "line 1: error: missing value; write error=ERRNO");
        refuse("proc/stat missing=1", "line 1: missing: expected no value, found `1`");
        refuse("proc/stat cut=x", "line 1: cut: expected a byte offset, found `x`");
        refuse("proc/stat garbled=0", "line 1: garbled: expected a line number from 1, found `0`");
        refuse(
            "proc/stat missing read=0",
            "line 1: read: expected a number from 1, optionally followed by `..`, found `0`",
        );
        refuse("proc/stat missing from=5", "line 1: from: expected a time such as 30s, 1m30s or 200ms, found `5`");
        refuse("proc/stat missing read=1 read=2", "line 1: read: given twice; remove one");
        refuse("proc/stat cut empty", "line 1: cut and empty in one fault; write one line for each");
        refuse("prac/stat cut", "line 1: `prac/stat`: unknown mount `prac`; did you mean `proc`?");
        refuse(
            "kernel/uname cut",
            "line 1: cut: does not apply to kernel answers; expected one of missing, error, slow, hanging",
        );
        let error = Plan::parse("proc/stat").unwrap_err().to_string();
        assert!(
            error.starts_with("line 1: `proc/stat`: missing kind of fault; expected one of missing, error, "),
            "{error}"
        );
        let error = Plan::parse("proc/stat elephants").unwrap_err().to_string();
        assert!(error.ends_with("slow, hanging, and read, from, until, chance"), "{error}");
    }

    fn any_kind() -> impl Strategy<Value = Kind> {
        let line = || prop::option::of(1..1000_usize);
        let byte = || prop::option::of(0..1000_usize);
        let text = || prop::collection::vec(any::<u8>(), 0..20);
        prop_oneof![
            prop::sample::select(vec![
                Kind::Missing,
                Kind::Vanishing(Stage::Open),
                Kind::Vanishing(Stage::Read),
                Kind::Directory,
                Kind::Loop,
                Kind::Empty,
                Kind::Garbage,
                Kind::Hanging,
            ]),
            prop::sample::select(Errno::ALL.to_vec()).prop_map(Kind::Error),
            byte().prop_map(Kind::Cut),
            byte().prop_map(Kind::Torn),
            line().prop_map(Kind::Garbled),
            line().prop_map(Kind::Beyond64Bits),
            line().prop_map(Kind::Negative),
            line().prop_map(Kind::NoUtf8),
            text().prop_map(Kind::Content),
            text().prop_map(Kind::Line),
            text().prop_map(Kind::Added),
            any::<u64>().prop_map(|micros| Kind::Slow(Duration::from_micros(micros))),
        ]
    }

    fn any_when() -> impl Strategy<Value = When> {
        let reads = (1..9_u64, any::<bool>());
        let reads = reads.prop_map(|(number, is_only)| if is_only { Reads::Only(number) } else { Reads::From(number) });
        let time = || prop::option::of(any::<u64>().prop_map(Duration::from_micros));
        let chance = (0..=1_000_000_u32).prop_map(Chance::millionths);
        (prop::option::of(reads), time(), time(), prop::option::of(chance))
            .prop_map(|(reads, from, until, chance)| When { reads, from, until, chance })
    }

    proptest! {
        #[test]
        fn plans_round_trip(faults in prop::collection::vec(("[a-z*]{1,8}", any_kind(), any_when()), 0..4)) {
            let site = |path: &str| FaultSite::exact(Mount::Sys, path.as_bytes());
            let plan = Plan::new(faults.into_iter().map(|(path, kind, when)| Fault { site: site(&path), kind, when }));
            prop_assert_eq!(Plan::parse(&plan.to_string()), Ok(plan));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "(proc/stat )?[a-z=0-9 .\\n-]{0,40}") {
            if let Ok(plan) = Plan::parse(&text) {
                prop_assert_eq!(Plan::parse(&plan.to_string()), Ok(plan));
            }
        }
    }
}
