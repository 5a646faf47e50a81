//! Requirements on clients before their first request.

use super::file::{ClientAuth, TlsSection};
use super::files::Files;
use crate::yaml::Problem;

/// Without TLS, and without `client_auth_type`: nothing.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Asked {
    pub(super) auth: ClientAuth,
    /// The PEM of those who sign clients' certificates, and what to call it; not looked at where nothing is asked.
    pub(super) authorities: Option<(String, Vec<u8>)>,
    /// One of these has to be the owner's name.
    pub(super) allowed_sans: Option<Vec<String>>,
}

impl Asked {
    /// Reads the authorities, which is all that can go wrong here.
    pub(super) fn read(section: &TlsSection, files: &mut Files) -> Result<Self, Problem> {
        let has_authorities = section.client_auth != ClientAuth::None && section.client_ca.is_given();
        let authorities = has_authorities.then(|| files.content(&section.client_ca, "client_ca")).transpose()?;
        Ok(Self { auth: section.client_auth, authorities, allowed_sans: section.client_allowed_sans.clone() })
    }
}
