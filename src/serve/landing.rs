//! The page at `/`, for people.

use std::fmt::Write;

/// Writes the page.
pub(super) fn page(
    version: &str,
    telemetry_path: &str,
    collectors: impl ExactSizeIterator<Item = &'static str>,
) -> String {
    let path = escape(telemetry_path);
    let enabled = match collectors.len() {
        1 => "1 collector is enabled".to_owned(),
        count => format!("{count} collectors are enabled"),
    };
    let mut list = String::new();
    for name in collectors {
        let _ = writeln!(list, "<li><a href=\"{path}?collect[]={name}\">{name}</a></li>");
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Node Exporter</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Node Exporter</h1>\n<p class=\"version\">Version {version}</p>\n\
         <p><a class=\"metrics\" href=\"{path}\">Metrics</a></p>\n\
         <h2>{enabled}</h2>\n<ul>\n{list}</ul>\n</main>\n</body>\n</html>\n",
        version = escape(version),
    )
}

const STYLE: &str = "
:root { color-scheme: light dark; --text: #1d2433; --quiet: #5c667a; --paper: #f6f7f9; --card: #fff; --line: #d9dde5; --accent: #b8401f }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ef; --quiet: #9aa4b5; --paper: #12161d; --card: #1b212b; --line: #323b49; --accent: #ff9470 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 2rem 1rem; background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
main { max-width: 46rem; margin: 0 auto; padding: 2rem; background: var(--card); border: 1px solid var(--line); border-radius: 12px }
h1 { margin: 0; font-size: 1.75rem }
h2 { margin: 2rem 0 .75rem; font-size: 1rem; color: var(--quiet); font-weight: 600 }
.version { margin: .25rem 0 1.5rem; color: var(--quiet) }
.metrics { display: inline-block; padding: .5rem 1.25rem; border-radius: 8px; background: var(--accent); color: var(--card); font-weight: 600; text-decoration: none }
ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .25rem 1rem; margin: 0; padding: 0; list-style: none }
li a { color: inherit; text-decoration: none }
a:hover, a:focus-visible { text-decoration: underline }
";

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_links_to_the_metrics_and_to_each_collector() {
        let page = page("1.2.3", "/a\"<b>&", ["arp", "cpu"].into_iter());
        for expected in [
            "Version 1.2.3<",
            "href=\"/a&quot;&lt;b&gt;&amp;\"",
            ">2 collectors are enabled<",
            "?collect[]=arp\">arp</a>",
            "?collect[]=cpu\">cpu</a>",
        ] {
            assert!(page.contains(expected), "{expected} is not in {page}");
        }
        assert!(!page.contains("<b>") && !page.contains("http://") && !page.contains("https://"), "{page}");
    }
}
