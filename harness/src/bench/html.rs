//! The report as one self-contained HTML page: styles and plots are inline, nothing is loaded.

use std::fmt::Write as _;

use super::history::RunRecord;
use super::plot::{self, escaped};
use super::report::{BenchRow, Bound, Report, Unit};

const STYLE: &str = include_str!("report.css");

/// The page of a run, with the history of earlier runs if there are any.
pub fn page(report: &Report, history: &[RunRecord]) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>What a scrape costs</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    head(&mut html, report);
    goals(&mut html, &report.rows);
    if !report.collectors.is_empty() {
        collectors(&mut html, report);
    }
    if !report.sizes.is_empty() {
        sizes(&mut html, report);
    }
    runs(&mut html, report, history);
    html + "</main>\n</body>\n</html>\n"
}

fn head(html: &mut String, report: &Report) {
    let measured: Vec<bool> = report.rows.iter().filter_map(BenchRow::is_reached).collect();
    let reached = measured.iter().filter(|is_reached| **is_reached).count();
    let others = match report.rows.len() - measured.len() {
        0 => String::new(),
        others => format!(" {others} more were not measured."),
    };
    let _ = writeln!(
        html,
        "<header>\n<h1>Cost of a scrape</h1>\n<p class=\"lead\"><b>{reached} of {}</b> goals are reached.{others}</p>\n<dl>",
        measured.len()
    );
    for (what, value) in &report.about {
        let _ = writeln!(html, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(what), escaped(value));
    }
    html.push_str("</dl>\n</header>\n");
}

fn goals(html: &mut String, rows: &[BenchRow]) {
    html.push_str("<section>\n<h2>Goals</h2>\n<ul class=\"goals\">\n");
    for row in rows {
        let (class, sign) = match row.is_reached() {
            Some(true) => ("reached", "✓"),
            Some(false) => ("missed", "✗"),
            None => ("unknown", "?"),
        };
        let _ = writeln!(
            html,
            "<li class=\"{class}\"><span class=\"sign\" aria-label=\"{}\">{sign}</span><div><h3>{}</h3>\
             <p><b>{}</b> <span class=\"goal\">{}</span></p>{}<p class=\"details\">{}</p></div></li>",
            row.verdict(),
            escaped(row.figure),
            escaped(&row.measured()),
            escaped(&row.goal()),
            meter(row),
            escaped(&row.details),
        );
    }
    html.push_str("</ul>\n</section>\n");
}

/// The share of the goal that a figure reaches; 100 % at the goal and beyond.
fn meter(row: &BenchRow) -> String {
    let share = match (&row.value, row.bound) {
        (Ok(value), Bound::AtLeast(least)) => value / least,
        (Ok(value), Bound::AtMost(most)) if most > 0.0 && *value > 0.0 => most / value,
        _ => return String::new(),
    };
    let percent = (share * 100.0).clamp(0.0, 100.0);
    format!("<div class=\"meter\"><i style=\"width:{percent:.0}%\"></i></div>")
}

fn legend(html: &mut String, entries: &[(&str, &str)]) {
    html.push_str("<p class=\"legend\">");
    for (class, words) in entries {
        let _ = write!(html, "<span><i class=\"{class}\"></i>{}</span>", escaped(words));
    }
    html.push_str("</p>\n");
}

fn table(html: &mut String, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    html.push_str("<details><summary>As a table</summary><div class=\"wide\"><table><thead><tr>");
    for head in heads {
        let _ = write!(html, "<th>{}</th>", escaped(head));
    }
    html.push_str("</tr></thead><tbody>\n");
    for cells in rows {
        html.push_str("<tr>");
        for cell in cells {
            let _ = write!(html, "<td>{}</td>", escaped(&cell));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div></details>\n");
}

fn collectors(html: &mut String, report: &Report) {
    html.push_str("<section>\n<h2>Cost of each collector</h2>\n<p>Time for a directory, most expensive first, on a logarithmic scale. Plain reads open, read and close the collector's files without parsing them.</p>\n");
    let mut entries = vec![("baseline", "plain reads"), ("ours", "ours, CPU time")];
    if report.collectors.iter().any(|cost| cost.peer_nanoseconds.is_some()) {
        entries.push(("peer", "the peer, from its own metrics"));
    }
    legend(html, &entries);
    let _ = writeln!(html, "<div class=\"wide\">{}</div>", plot::collectors(&report.collectors));
    let time = |value: f64| Unit::Nanoseconds.show(value);
    let rows = report.collectors.iter().map(|cost| {
        vec![
            cost.name.to_owned(),
            cost.reads.to_string(),
            cost.read_bytes.to_string(),
            cost.samples.to_string(),
            time(cost.nanoseconds),
            time(cost.baseline_nanoseconds),
            cost.peer_nanoseconds.map(time).unwrap_or_default(),
            cost.instructions.map(|count| count.to_string()).unwrap_or_default(),
        ]
    });
    table(html, &["collector", "questions", "bytes", "samples", "time", "baseline", "peer", "instructions"], rows);
    html.push_str("</section>\n");
}

fn sizes(html: &mut String, report: &Report) {
    html.push_str("<section>\n<h2>Cost against size</h2>\n<p>Time per sample for simulated hosts in memory, by the number of samples of the page. A level line means that twice the samples take twice the time.</p>\n");
    legend(html, &[("baseline", "plain reads"), ("ours", "the whole scrape")]);
    let _ = writeln!(html, "<div class=\"wide\">{}</div>", plot::sizes(&report.sizes));
    let rows = report.sizes.iter().map(|size| {
        let each = size.nanoseconds / size.samples.max(1) as f64;
        let page = Unit::Bytes.show(size.page_bytes as f64);
        vec![
            size.host.clone(),
            size.samples.to_string(),
            page,
            Unit::Nanoseconds.show(size.nanoseconds),
            Unit::Nanoseconds.show(each),
        ]
    });
    table(html, &["host", "samples", "page", "a scrape", "a sample"], rows);
    html.push_str("</section>\n");
}

fn runs(html: &mut String, report: &Report, history: &[RunRecord]) {
    let plots: Vec<String> = report
        .rows
        .iter()
        .filter_map(|row| {
            let values: Vec<f64> = history.iter().filter_map(|entry| entry.values.get(row.figure).copied()).collect();
            let (Bound::AtMost(goal) | Bound::AtLeast(goal)) = row.bound;
            (values.len() > 1).then(|| {
                let last = row.measured();
                format!(
                    "<figure><figcaption>{}: <b>{}</b></figcaption>{}</figure>\n",
                    escaped(row.figure),
                    escaped(&last),
                    plot::runs(&values, goal, row.figure)
                )
            })
        })
        .collect();
    if plots.is_empty() {
        return;
    }
    let _ = writeln!(
        html,
        "<section>\n<h2>History</h2>\n<p>{} runs, the latest on the right. The dashed line is the goal.</p>\n<div class=\"runs\">\n{}</div>\n</section>",
        history.len(),
        plots.concat()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::report::tests::row;
    use crate::bench::report::{CollectorCost, SizeCost};

    #[test]
    fn the_page_contains_every_section_and_loads_nothing() {
        let report = Report {
            about: vec![("build", "a < b".to_owned())],
            rows: vec![
                row(Bound::AtMost(0.1), Ok(0.05)),
                row(Bound::AtLeast(9.0), Ok(1.0)),
                row(Bound::AtMost(1.0), Err("no peer")),
            ],
            collectors: vec![CollectorCost { name: "cpu", nanoseconds: 9.0, ..CollectorCost::default() }],
            sizes: vec![SizeCost { host: "vm".to_owned(), samples: 7, ..SizeCost::default() }],
            ..Report::default()
        };
        let history = [RunRecord::of(&report), RunRecord::of(&report)];
        let html = page(&report, &history);
        for expected in [
            "<b>1 of 2</b> goals are reached. 1 more were not",
            "a &lt; b",
            "sum of &lt;this&gt;",
            "not measured: no peer",
            "2 runs",
            "</html>\n",
        ] {
            assert!(html.contains(expected), "`{expected}` is not in {html}");
        }
        for outside in ["http:", "https:", "src=", "url(", "@import"] {
            assert!(!html.contains(outside), "`{outside}` is in {html}");
        }
        assert!(!page(&report, &history[..1]).contains("History"));
    }
}
