//! All collectors as a collector of the `prometheus` crate, for programs with their own registry.
//!
//! ```
//! use std::sync::Arc;
//! use collectors::{host::kernel::canned::Canned, host::root::tree::Tree, kit::options::FlagValues, kit::scraper::Scraper};
//! use node_exporter::registry::NodeCollector;
//!
//! let tree = Arc::new(Tree::new().with_file("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n"));
//! let values = FlagValues::defaults(collectors::ALL.iter().map(|registration| registration.declaration));
//! let scraper = Scraper::build(collectors::ALL, &values, tree.roots(), Arc::new(Canned::default())).unwrap();
//!
//! let registry = prometheus::Registry::new();
//! registry.register(Box::new(NodeCollector::new(Arc::new(scraper)).unwrap())).unwrap();
//! assert!(registry.gather().iter().any(|family| family.name() == "node_load1"));
//! ```

mod exposition;

use std::collections::HashMap;
use std::sync::Arc;

use collectors::kit::scraper::{Scraper, Selection};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

/// A collector that scrapes when the registry gathers. Untyped families become gauges, because the crate cannot encode
/// untyped ones.
#[derive(Debug)]
pub struct NodeCollector {
    scraper: Arc<Scraper>,
    /// The description by which a registry identifies the collector. The real families are known only after a scrape, so
    /// this one represents all of them.
    description: Desc,
}

impl NodeCollector {
    /// A collector of the families of this scraper.
    pub fn new(scraper: Arc<Scraper>) -> Result<Self, prometheus::Error> {
        let help = "Represents the families of all node collectors; never exported.";
        let description = Desc::new("node_collectors".to_owned(), help.to_owned(), Vec::new(), HashMap::new())?;
        Ok(Self { scraper, description })
    }
}

impl Collector for NodeCollector {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.description]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut page = Vec::new();
        self.scraper.scrape(&Selection::ALL, |_| (), |_| (), &mut page);
        exposition::families(&String::from_utf8_lossy(&page))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectors::host::kernel::canned::Canned;
    use collectors::host::root::tree::Tree;
    use collectors::kit::options::FlagValues;
    use prometheus::{Encoder, Registry, TextEncoder};

    fn collector() -> NodeCollector {
        let tree = Tree::new().with_file("proc/loadavg", "0.21 0.37 0.39 1/719 19737\n");
        let tree = Arc::new(tree.with_file("proc/vmstat", "pgpgin 7\npgpgout 8\n"));
        let registrations = collectors::ALL;
        let values = FlagValues::defaults(registrations.iter().map(|registration| registration.declaration));
        let scraper = Scraper::build(registrations, &values, tree.roots(), Arc::new(Canned::default())).unwrap();
        NodeCollector::new(Arc::new(scraper)).unwrap()
    }

    #[test]
    fn a_registry_gathers_and_encodes_the_collectors() {
        let registry = Registry::new();
        registry.register(Box::new(collector())).unwrap();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        TextEncoder::new().encode(&registry.gather(), &mut first).unwrap();
        TextEncoder::new().encode(&registry.gather(), &mut second).unwrap();
        let text = String::from_utf8(first).unwrap();
        for expected in [
            "# TYPE node_load1 gauge\nnode_load1 0.21\n",
            "# TYPE node_vmstat_pgpgin gauge\nnode_vmstat_pgpgin 7\n",
            "node_scrape_collector_success{collector=\"loadavg\"} 1\n",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        assert!(!text.contains("node_collectors"));
        assert_eq!(text.lines().count(), String::from_utf8(second).unwrap().lines().count());
    }

    #[test]
    fn a_registry_accepts_it_once_and_beside_others() {
        let registry = Registry::new();
        registry.register(Box::new(prometheus::IntGauge::new("mine", "Mine.").unwrap())).unwrap();
        registry.register(Box::new(collector())).unwrap();
        assert!(registry.register(Box::new(collector())).is_err());
        let families = registry.gather();
        assert!(families.iter().any(|family| family.name() == "mine"));
        assert!(families.iter().any(|family| family.name() == "node_load15"));
    }
}
