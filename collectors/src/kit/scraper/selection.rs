//! Selection of the collectors of a scrape.

use super::Scraper;

/// The selected collectors of a scrape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Whether each enabled collector runs; `None` selects all.
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
    /// Selects only these collectors. The error is a sentence for the client.
    pub fn only(&self, names: &[impl AsRef<str>]) -> Result<Selection, String> {
        self.choose(names, true)
    }

    /// Selects all collectors except these; excluding all leaves none.
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
