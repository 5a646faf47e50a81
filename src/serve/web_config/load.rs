//! A configuration as it is on disk now, with all that it names.

use std::path::Path;

use super::asked::Asked;
use super::file::{self, File};
use super::files::{Files, Looks};
#[cfg(feature = "tls")]
pub(super) use super::tls::{Choices, Tls};
use crate::yaml::Problem;

/// Result of loading.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) found: Result<Found, String>,
    pub(super) looks: Looks,
}

/// A file that says what it may.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) file: File,
    /// Client requirements; none if unreadable.
    pub(super) asked: Option<Asked>,
    /// TLS, whose files may be invalid.
    pub(super) tls: Result<Option<Tls>, String>,
}

/// Reads everything. Errors name the file.
pub(super) fn load(path: &Path) -> Loaded {
    let mut files = Files::beside(path);
    let named = |problem: Problem| format!("{}: {problem}", path.display());
    let found = read(path, &mut files).map(|(file, choices)| {
        let Some((section, choices)) = file.tls.as_ref().zip(choices.as_ref()) else {
            return Found { file, asked: Some(Asked::default()), tls: Ok(None) };
        };
        let (asked, tls) = match Asked::read(section, &mut files) {
            Ok(asked) => {
                let tls = build(section, choices, &asked, &mut files);
                (Some(asked), tls.map(Some))
            }
            Err(problem) => (None, Err(problem)),
        };
        Found { file, asked, tls: tls.map_err(named) }
    });
    Loaded { found, looks: files.looks() }
}

fn read(path: &Path, files: &mut Files) -> Result<(File, Option<Choices>), String> {
    let bytes = files.read(path.file_name().unwrap_or_default())?;
    let named = |problem: Problem| format!("{}: {problem}", path.display());
    let text = String::from_utf8(bytes).map_err(|_| named(Problem::general("not UTF-8")))?;
    let file = file::read(&text).map_err(named)?;
    let choices = file.tls.as_ref().map(Choices::of).transpose().map_err(named)?;
    Ok((file, choices))
}

#[cfg(feature = "tls")]
use super::tls::build;

#[cfg(not(feature = "tls"))]
pub(super) use without::{Choices, Tls, build};

/// Substitute without TLS.
#[cfg(not(feature = "tls"))]
mod without {
    use super::super::file::TlsSection;
    use super::{Asked, Files, Problem};

    #[derive(Clone, Debug)]
    pub(in super::super) enum Tls {}

    pub(in super::super) enum Choices {}

    impl Choices {
        pub(in super::super) fn of(section: &TlsSection) -> Result<Self, Problem> {
            let what = "tls_server_config: this exporter was built without the feature `tls`";
            Err(Problem::at(section.line, what))
        }
    }

    pub(in super::super) fn build(_: &TlsSection, choices: &Choices, _: &Asked, _: &mut Files) -> Result<Tls, Problem> {
        match *choices {}
    }
}
