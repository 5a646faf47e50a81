//! Which collectors a scrape is about.

use super::Scraper;

/// The collectors of one scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// For each enabled collector, whether it runs; `None`: all of them.
    chosen: Option<Vec<bool>>,
}

impl Selection {
    /// Every enabled collector.
    pub const ALL: Self = Self { chosen: None };

    pub(super) fn has(&self, at: usize) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.get(at).copied().unwrap_or(false))
    }
}

impl Scraper {
    /// Only these collectors. The error is a sentence for whoever asked.
    pub fn only(&self, names: &[impl AsRef<str>]) -> Result<Selection, String> {
        self.choose(names, true)
    }

    /// All but these collectors; excluding all leaves none.
    pub fn all_but(&self, names: &[impl AsRef<str>]) -> Result<Selection, String> {
        self.choose(names, false)
    }

    fn choose(&self, names: &[impl AsRef<str>], is_chosen: bool) -> Result<Selection, String> {
        let mut chosen = vec![!is_chosen; self.collectors.len()];
        for name in names {
            let name = name.as_ref();
            let Some(at) = self.enabled().position(|enabled| enabled == name) else {
                return Err(if self.disabled.contains(name) {
                    format!("The collector `{name}` is disabled here; --collector.{name} enables it.")
                } else {
                    format!("There is no collector `{name}`; --help lists all of them.")
                });
            };
            chosen[at] = is_chosen;
        }
        Ok(Selection { chosen: Some(chosen) })
    }
}
