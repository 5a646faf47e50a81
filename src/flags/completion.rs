//! Completion of flags in shells: `--completion-bash`, and the scripts that shells load.
//!
//! The scripts of bash and zsh ask the program on each completion, so they need not be made anew for a new version.

use collectors::kit::declare::Registration;

use super::help::{self, ShownFlag, ShownValue};

/// A shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

impl Shell {
    /// Every shell.
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    /// The flag that prints its script.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Bash => "completion-script-bash",
            Self::Zsh => "completion-script-zsh",
            Self::Fish => "completion-script-fish",
        }
    }
}

const BASH: &str = r#"_node_exporter() {
    local IFS=$'\n'
    COMPREPLY=($("$1" --completion-bash "${COMP_WORDS[@]:1:COMP_CWORD}"))
}
complete -o default -F _node_exporter node_exporter
"#;

const ZSH: &str = r#"#compdef node_exporter
_node_exporter() {
    local -a found
    found=(${(f)"$("${words[1]}" --completion-bash "${(@)words[2,CURRENT]}")"})
    if (( ${#found} )); then
        compadd -Q -- "${found[@]}"
    else
        _files
    fi
}
if [ "${funcstack[1]}" = _node_exporter ]; then
    _node_exporter "$@"
else
    compdef _node_exporter node_exporter
fi
"#;

/// The script that a shell loads.
pub fn script(shell: Shell, registrations: &[Registration]) -> String {
    match shell {
        Shell::Bash => BASH.to_owned(),
        Shell::Zsh => ZSH.to_owned(),
        Shell::Fish => help::flags(registrations).iter().flat_map(fish).collect(),
    }
}

/// The lines of a flag in fish's script.
fn fish(flag: &ShownFlag) -> impl Iterator<Item = String> {
    let values = flag.values().collect::<Vec<_>>().join(" ");
    let value = match flag.value {
        ShownValue::Required if !values.is_empty() => format!(" -x -a '{values}'"),
        ShownValue::Required => " -r".to_owned(),
        ShownValue::None | ShownValue::Optional => String::new(),
    };
    let sentence = flag.sentence.replace('\\', "\\\\").replace('\'', "\\'");
    let short = if flag.left.starts_with("-h,") { " -s h" } else { "" };
    flag.names
        .iter()
        .zip([short, ""])
        .map(move |(name, short)| format!("complete -c node_exporter{short} -l {name}{value} -d '{sentence}'\n"))
}

/// What may stand in place of the last word of a command line, one in each line. Bash makes words of their own of `=` and
/// of what follows it.
pub fn words(given: &[String], registrations: &[Registration]) -> String {
    let flags = help::flags(registrations);
    let named =
        |word: &str| flags.iter().find(|flag| flag.names.iter().any(|name| word.strip_prefix("--") == Some(name)));
    let last = given.last().map_or("", String::as_str);
    let before = |back: usize| given.len().checked_sub(back).and_then(|at| given.get(at)).map_or("", String::as_str);
    let (of, begin, written) = if last == "=" {
        (named(before(2)), "", "")
    } else if before(2) == "=" {
        (named(before(3)), last, "")
    } else if let Some((name, begin)) = last.split_once('=') {
        (named(name), begin, name)
    } else {
        let of = named(before(2)).filter(|flag| flag.value == ShownValue::Required && !last.starts_with('-'));
        (of, last, "")
    };
    let found: Vec<String> = match of {
        Some(flag) => {
            let values = flag.values().filter(|value| value.starts_with(begin));
            values
                .map(|value| if written.is_empty() { value.to_owned() } else { format!("{written}={value}") })
                .collect()
        }
        None if last.contains('=') => Vec::new(),
        None => {
            let names = flags.iter().flat_map(|flag| &flag.names).map(|name| format!("--{name}"));
            names.filter(|name| name.starts_with(last)).collect()
        }
    };
    found.iter().flat_map(|word| [word, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flags::tests::REGISTRATIONS;

    #[track_caller]
    fn check(given: &[&str], expected: &[&str]) {
        let given: Vec<String> = given.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(words(&given, REGISTRATIONS).lines().collect::<Vec<_>>(), expected, "{given:?}");
    }

    #[test]
    fn flags_and_listed_values_are_completed() {
        check(&["--collector.example.lo"], &["--collector.example.loud"]);
        check(
            &["--no-collector.e"],
            &["--no-collector.example.loud", "--no-collector.example.sure", "--no-collector.example"],
        );
        check(&["--log.format", ""], &["logfmt", "json"]);
        check(&["--log.level", "w"], &["warn"]);
        check(&["--log.level=w"], &["--log.level=warn"]);
        check(&["--log.level", "="], &["debug", "info", "warn", "error"]);
        check(&["--log.level", "=", "d"], &["debug"]);
        check(&["--log.level", "--log.f"], &["--log.format"]);
        check(&["--path.procfs", "/"], &[]);
        check(&["--path.procfs=/"], &[]);
        check(&["--collector.example.secr"], &[]);
        check(&["--unknown", "=", "x"], &[]);
        assert_eq!(words(&[], REGISTRATIONS), words(&[String::new()], REGISTRATIONS));
        let all = words(&[], REGISTRATIONS);
        assert!(
            all.starts_with("--help\n--no-help\n--path.procfs\n") && all.ends_with("--version\n--no-version\n"),
            "{all}"
        );
    }

    #[test]
    fn the_script_of_fish_has_every_flag() {
        let script = script(Shell::Fish, REGISTRATIONS);
        for expected in [
            "complete -c node_exporter -s h -l help -d 'Show this help. ",
            "complete -c node_exporter -l no-help -d ",
            "complete -c node_exporter -l log.format -x -a 'logfmt json' -d ",
            "complete -c node_exporter -l path.procfs -r -d 'Mount point of procfs.'\n",
            "complete -c node_exporter -l simulate -d ",
        ] {
            assert!(script.contains(expected), "{expected}\nis not in\n{script}");
        }
    }
}
