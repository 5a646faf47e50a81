//! `nodelab check`.

use std::fmt::Write as _;
use std::io::Read as _;
use std::process::ExitCode;

use collectors::kit::nearest;
use harness::exposition::{self, Format, Judged, Rule, Severity};
use harness::fetch::{self, Url};
use harness::load;
use serde_json::{Value, json};

use super::{Arguments, Command, Failure, Flag, print};

/// Exit status for lints without errors, as promtool has it.
const LINT_STATUS: u8 = 3;

const OPENMETRICS: Flag = Flag::switch("openmetrics", "Parse the page as OpenMetrics.");
const TEXT: Flag = Flag::switch("text", "Parse the page as text format 0.0.4.");
const IGNORE: Flag = Flag::values("ignore", "RULE", "Ignore this rule; each finding ends with its rule in brackets.");
pub(super) const FORMAT: Flag = Flag::value("format", "text|json", "Output format. Default: text.");

pub(super) const COMMAND: Command = Command {
    name: "check",
    arguments: "PAGE",
    about: "lint a metrics page: promtool's checks, and more",
    details: "PAGE is a file, an exporter's http:// address, or - for standard input. It is parsed as OpenMetrics\n\
              if the server says so or if it ends in `# EOF`, otherwise as text format 0.0.4.\n\
              \nEach line is PAGE:LINE:COLUMN: SEVERITY: PROBLEM [RULE]. An error is a page that is invalid or\n\
              contradicts itself, a lint a name against the conventions, a note something that may be intended.\n\
              docs/HARNESS.md lists the rules.\n",
    flags: &[OPENMETRICS, TEXT, IGNORE, FORMAT],
    exits: &[(LINT_STATUS, "lints, but no errors")],
    run,
};

fn run(given: &Arguments) -> Result<ExitCode, Failure> {
    let [name] = given.words(["PAGE"])?;
    let is_json = given.one_of(FORMAT, &["text", "json"])? == "json";
    let wanted = match (given.has(OPENMETRICS.name), given.has(TEXT.name)) {
        (true, true) => return Err(Failure::Usage("--openmetrics and --text exclude each other".into())),
        (true, false) => Some(Format::OpenMetrics),
        (false, true) => Some(Format::Text),
        (false, false) => None,
    };
    let ignored = given.texts(IGNORE.name)?.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let name = name.to_string_lossy();
    let (page, said) = page(&name, wanted)?;
    let format = wanted.or(said).unwrap_or_else(|| Format::of_page(&page));
    let mut judged = exposition::judge(&page, format);
    judged.defects.retain(|defect| !ignored.contains(&defect.rule));
    let name = if name == "-" { "<stdin>" } else { name.as_ref() };
    print(&if is_json { as_json(name, format, &judged) } else { as_lines(name, &judged) });
    Ok(match judged.worst() {
        Some(Severity::Error) => ExitCode::FAILURE,
        Some(Severity::Lint) => ExitCode::from(LINT_STATUS),
        Some(Severity::Note) | None => ExitCode::SUCCESS,
    })
}

fn rule(name: &str) -> Result<Rule, Failure> {
    Rule::ALL.iter().find(|rule| rule.name() == name).copied().ok_or_else(|| {
        let near = nearest::among(name, Rule::ALL.iter().map(|rule| rule.name()));
        let near = near.map(|near| format!(" (did you mean {near}?)")).unwrap_or_default();
        Failure::Usage(format!("--ignore: `{name}` is not a rule{near}"))
    })
}

/// The page, and the format that its server declared.
pub(super) fn page(name: &str, wanted: Option<Format>) -> Result<(Vec<u8>, Option<Format>), Failure> {
    if name == "-" {
        let mut page = Vec::new();
        let limit = fetch::ANSWER_MAX_BYTES as u64;
        std::io::stdin().lock().take(limit + 1).read_to_end(&mut page)?;
        if page.len() > fetch::ANSWER_MAX_BYTES {
            return Err(Failure::Broken(format!("standard input exceeds the limit of {limit} bytes")));
        }
        return Ok((page, None));
    }
    if name.contains("://") {
        let url = Url::parse(name).map_err(Failure::Usage)?;
        let answer = url.get(wanted.unwrap_or(Format::OpenMetrics))?;
        return Ok((answer.body, Format::of_content_type(&answer.content_type)));
    }
    Ok((load::bytes(name.as_ref())?, None))
}

fn as_lines(name: &str, judged: &Judged<'_>) -> String {
    let mut text = String::new();
    for defect in &judged.defects {
        let _ = writeln!(text, "{name}:{defect}");
    }
    let count = |severity| judged.defects.iter().filter(|defect| defect.rule.severity() == severity).count();
    let counts = Severity::ALL.iter().rev().map(|severity| (count(*severity), severity.word()));
    let counts: Vec<String> = counts
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}{}", if count == 1 { "" } else { "s" }))
        .collect();
    let found = if counts.is_empty() { "no findings".to_owned() } else { counts.join(", ") };
    let (samples, families) = (judged.page.samples(), judged.page.families.len());
    let _ = writeln!(text, "{name}: {found}; {samples} samples in {families} families");
    text
}

fn as_json(name: &str, format: Format, judged: &Judged<'_>) -> String {
    let defects: Vec<Value> = judged
        .defects
        .iter()
        .map(|defect| {
            json!({
                "line": defect.line,
                "column": defect.column,
                "severity": defect.rule.severity().word(),
                "rule": defect.rule.name(),
                "problem": defect.problem,
            })
        })
        .collect();
    let value = json!({
        "page": name,
        "format": format.name(),
        "families": judged.page.families.len(),
        "samples": judged.page.samples(),
        "defects": defects,
    });
    format!("{value:#}\n")
}
