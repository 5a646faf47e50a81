//! Access control settings of the command line.

use std::fmt;
use std::path::PathBuf;

/// Users that are allowed to send requests.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Access {
    /// Requests need no login.
    Everybody,
    /// The users of the web configuration: `--web.config.file`.
    File(PathBuf),
    /// One user: `-auth.user` and `-auth.pass` of node_exporter 0.8.
    User {
        /// The user's name.
        name: String,
        /// The user's password.
        password: Secret,
    },
}

/// Text that is never logged.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Access {
    /// Access by the values of `--web.config.file`, `--auth.user` and `--auth.pass`, empty if not given.
    pub(crate) fn of([file, user, password]: [&str; 3], warnings: &mut Vec<String>) -> Result<Self, String> {
        match (file, user, password) {
            ("", "", "") => return Ok(Self::Everybody),
            (file, "", "") => return Ok(Self::File(PathBuf::from(file))),
            (_, "", _) => Err("--auth.pass: expected --auth.user as well"),
            (_, _, "") => Err("--auth.user: expected --auth.pass as well"),
            ("", user, _) if user.contains(':') => Err("--auth.user: expected a name without a colon"),
            ("", ..) => Ok(()),
            _ => Err("--auth.user: not together with --web.config.file; write the user into basic_auth_users there"),
        }?;
        let warning = "--auth.user and --auth.pass are deprecated and visible to every user of this machine; use \
                       basic_auth_users of --web.config.file";
        warnings.push(warning.to_owned());
        Ok(Self::User { name: user.to_owned(), password: Secret(password.to_owned()) })
    }
}
