//! Loading of a configuration file and of the files that it names.

use std::path::Path;

use super::client_requirements::ClientRequirements;
use super::settings::{self, Settings};
#[cfg(feature = "tls")]
pub(super) use super::tls::{Choices, Tls};
use super::watched_files::{Snapshot, WatchedFiles};
use crate::yaml::Problem;

/// Result of loading, and the metadata of the files.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) configuration: Result<Configuration, String>,
    pub(super) snapshot: Snapshot,
}

/// A configuration whose own file is valid.
#[derive(Debug)]
pub(super) struct Configuration {
    pub(super) settings: Settings,
    /// Requirements on clients; `None` if the authorities cannot be read.
    pub(super) client_auth: Option<ClientRequirements>,
    /// TLS, whose files may be invalid.
    pub(super) tls: Result<Option<Tls>, String>,
}

/// Reads all files. Errors name the file.
pub(super) fn load(path: &Path) -> Loaded {
    let mut files = WatchedFiles::beside(path);
    let named = |problem: Problem| format!("{}: {problem}", path.display());
    let configuration = read(path, &mut files).map(|(settings, choices)| {
        let Some((section, choices)) = settings.tls.as_ref().zip(choices.as_ref()) else {
            return Configuration { settings, client_auth: Some(ClientRequirements::default()), tls: Ok(None) };
        };
        let (client_auth, tls) = match ClientRequirements::read(section, &mut files) {
            Ok(client_auth) => {
                let tls = build(section, choices, &client_auth, &mut files);
                (Some(client_auth), tls.map(Some))
            }
            Err(problem) => (None, Err(problem)),
        };
        Configuration { settings, client_auth, tls: tls.map_err(named) }
    });
    Loaded { configuration, snapshot: files.snapshot() }
}

fn read(path: &Path, files: &mut WatchedFiles) -> Result<(Settings, Option<Choices>), String> {
    let bytes = files.read(path.file_name().unwrap_or_default())?;
    let named = |problem: Problem| format!("{}: {problem}", path.display());
    let text = String::from_utf8(bytes).map_err(|_| named(Problem::general("not UTF-8")))?;
    let settings = settings::read(&text).map_err(named)?;
    let choices = settings.tls.as_ref().map(Choices::of).transpose().map_err(named)?;
    Ok((settings, choices))
}

#[cfg(feature = "tls")]
use super::tls::build;

#[cfg(not(feature = "tls"))]
pub(super) use without::{Choices, Tls, build};

/// Substitute without TLS.
#[cfg(not(feature = "tls"))]
mod without {
    use super::super::settings::TlsSection;
    use super::{ClientRequirements, Problem, WatchedFiles};

    #[derive(Clone, Debug)]
    pub(in super::super) enum Tls {}

    pub(in super::super) enum Choices {}

    impl Choices {
        pub(in super::super) fn of(section: &TlsSection) -> Result<Self, Problem> {
            let what = "tls_server_config: this exporter was built without the feature `tls`";
            Err(Problem::at(section.line, what))
        }
    }

    pub(in super::super) fn build(
        _: &TlsSection,
        choices: &Choices,
        _: &ClientRequirements,
        _: &mut WatchedFiles,
    ) -> Result<Tls, Problem> {
        match *choices {}
    }
}
