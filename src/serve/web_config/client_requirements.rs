//! Requirements on the certificates of clients.

use super::settings::{ClientAuth, TlsSection};
use super::watched_files::WatchedFiles;
use crate::yaml::Problem;

/// Requirements on client certificates; the default requires none.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct ClientRequirements {
    pub(super) auth: ClientAuth,
    /// Name for errors and PEM of the certificate authorities; `None` if clients are not authenticated.
    pub(super) authorities: Option<(String, Vec<u8>)>,
    /// Allowed subject alternative names; a certificate needs one of them.
    pub(super) allowed_sans: Option<Vec<String>>,
}

impl ClientRequirements {
    /// Reads the requirements. The error is that of the file of the authorities.
    pub(super) fn read(section: &TlsSection, files: &mut WatchedFiles) -> Result<Self, Problem> {
        let has_authorities = section.client_auth != ClientAuth::None && section.client_ca.is_given();
        let authorities = has_authorities.then(|| files.content(&section.client_ca, "client_ca")).transpose()?;
        Ok(Self { auth: section.client_auth, authorities, allowed_sans: section.client_allowed_sans.clone() })
    }
}
