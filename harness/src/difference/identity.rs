//! The identity of the exporter that wrote a page, from the page itself.

use std::collections::BTreeSet;
use std::io;

use collectors::ALL;
use collectors::kit::declare::Declaration;

use crate::host;

/// Identity of a node_exporter, from its page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExporterIdentity {
    /// Its version.
    pub version: Option<String>,
    /// Its collectors that we have too; our default ones if the page does not list them.
    pub collectors: BTreeSet<&'static str>,
}

impl ExporterIdentity {
    /// Identifies the exporter of a page. The error says what is wrong with the page.
    pub fn of(page: &[u8]) -> io::Result<Self> {
        let page = super::parse("the peer's page", page)?;
        let samples = |family: &'static str| {
            page.families.iter().filter(move |found| found.name == family).flat_map(|found| &found.samples)
        };
        let version = samples("node_exporter_build_info").find_map(|sample| sample.label("version"));
        let told: BTreeSet<&str> =
            samples("node_scrape_collector_success").filter_map(|sample| sample.label("collector")).collect();
        let is_meant = |declaration: &&Declaration| {
            if told.is_empty() { declaration.is_enabled } else { told.contains(declaration.name) }
        };
        let declarations = ALL.iter().map(|registration| registration.declaration);
        let collectors = declarations.filter(is_meant).map(|declaration| declaration.name).collect();
        Ok(Self { version: version.map(str::to_owned), collectors })
    }
}

/// Whether a family is about the exporter itself, or volatile.
pub fn is_left_out(family: &str) -> bool {
    // Metrics of the Go runtime.
    host::is_volatile(family) || family.starts_with("go_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exporter_is_identified_by_its_page() {
        let page = "node_exporter_build_info{branch=\"x\",version=\"1.5.0\"} 1\n\
            node_scrape_collector_success{collector=\"cpu\"} 1\nnode_scrape_collector_success{collector=\"of_another_exporter\"} 1\n";
        let identity = ExporterIdentity::of(page.as_bytes()).expect("a page");
        assert_eq!(
            identity,
            ExporterIdentity { version: Some("1.5.0".to_owned()), collectors: BTreeSet::from(["cpu"]) }
        );
        let identity = ExporterIdentity::of(b"up 1\n").expect("a page");
        assert_eq!(identity.version, None);
        assert!(identity.collectors.contains("cpu") && !identity.collectors.contains("slabinfo"), "{identity:?}");
        assert!(ExporterIdentity::of(b"1\n").is_err());
        let left_out = ["go_info", "node_exporter_build_info", "gone"].map(is_left_out);
        assert_eq!(left_out, [true, true, false]);
    }
}
