//! Who may ask, as the command line says it.

use std::fmt;
use std::path::PathBuf;

/// Who may ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// Everybody.
    Everybody,
    /// Whoever the web configuration lets in: `--web.config.file`.
    File(PathBuf),
    /// One user: `-auth.user` and `-auth.pass` of node_exporter 0.8.
    User {
        /// Who that is.
        name: String,
        /// How that is known.
        password: Secret,
    },
}

/// Text that logs never show.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Access {
    /// By `--web.config.file`, `--auth.user` and `--auth.pass`, empty where they are not given.
    pub(super) fn of([file, user, password]: [&str; 3], warnings: &mut Vec<String>) -> Result<Self, String> {
        match (file, user, password) {
            ("", "", "") => return Ok(Self::Everybody),
            (file, "", "") => return Ok(Self::File(PathBuf::from(file))),
            (_, "", _) => Err("--auth.pass: there is no --auth.user to go with it"),
            (_, _, "") => Err("--auth.user: there is no --auth.pass to go with it"),
            ("", user, _) if user.contains(':') => Err("--auth.user: a name cannot have a colon"),
            ("", ..) => Ok(()),
            _ => Err("--auth.user: not together with --web.config.file; write the user into basic_auth_users there"),
        }?;
        let warning = "--auth.user and --auth.pass are old, and everybody on this machine sees them: use basic_auth_users \
                       of --web.config.file";
        warnings.push(warning.to_owned());
        Ok(Self::User { name: user.to_owned(), password: Secret(password.to_owned()) })
    }
}
