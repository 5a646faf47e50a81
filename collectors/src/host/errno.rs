//! Linux error numbers, with equal names and messages on every operating system.
//!
//! A simulated host returns `EINVAL` on macOS exactly as a real one does on Linux, and `device_error` labels contain the
//! kernel's messages, so neither can be taken from the operating system of the build.

use std::fmt;

/// A Linux error number of x86-64 and aarch64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Errno(u16);

macro_rules! errnos {
    ($($name:ident $number:literal $message:literal;)*) => {
        impl Errno {
            $(#[doc = concat!("`", stringify!($name), "`: ", $message, ".")]
            pub const $name: Self = Self($number);)*

            /// All named errors.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The symbol of `errno(3)`; `EUNKNOWN` for a number that is not in the table.
            pub const fn name(self) -> &'static str {
                match self.0 { $($number => stringify!($name),)* _ => "EUNKNOWN" }
            }

            /// The message in lower case, as in node_exporter's labels.
            pub const fn message(self) -> &'static str {
                match self.0 { $($number => $message,)* _ => "unknown error" }
            }

            /// The error with this symbol.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)* _ => None }
            }
        }
    };
}

errnos! {
    EPERM 1 "operation not permitted";
    ENOENT 2 "no such file or directory";
    ESRCH 3 "no such process";
    EINTR 4 "interrupted system call";
    EIO 5 "input/output error";
    ENXIO 6 "no such device or address";
    E2BIG 7 "argument list too long";
    EBADF 9 "bad file descriptor";
    EAGAIN 11 "resource temporarily unavailable";
    ENOMEM 12 "cannot allocate memory";
    EACCES 13 "permission denied";
    EFAULT 14 "bad address";
    EBUSY 16 "device or resource busy";
    EEXIST 17 "file exists";
    EXDEV 18 "invalid cross-device link";
    ENODEV 19 "no such device";
    ENOTDIR 20 "not a directory";
    EISDIR 21 "is a directory";
    EINVAL 22 "invalid argument";
    ENFILE 23 "too many open files in system";
    EMFILE 24 "too many open files";
    ENOTTY 25 "inappropriate ioctl for device";
    EFBIG 27 "file too large";
    ENOSPC 28 "no space left on device";
    ESPIPE 29 "illegal seek";
    EROFS 30 "read-only file system";
    EPIPE 32 "broken pipe";
    ERANGE 34 "numerical result out of range";
    ENAMETOOLONG 36 "file name too long";
    ENOSYS 38 "function not implemented";
    ELOOP 40 "too many levels of symbolic links";
    ENODATA 61 "no data available";
    ETIME 62 "timer expired";
    EREMOTE 66 "object is remote";
    EPROTO 71 "protocol error";
    EBADMSG 74 "bad message";
    EOVERFLOW 75 "value too large for defined data type";
    EREMCHG 78 "remote address changed";
    EOPNOTSUPP 95 "operation not supported";
    EAFNOSUPPORT 97 "address family not supported by protocol";
    ENETDOWN 100 "network is down";
    ENETUNREACH 101 "network is unreachable";
    ECONNRESET 104 "connection reset by peer";
    ENOBUFS 105 "no buffer space available";
    ENOTCONN 107 "transport endpoint is not connected";
    ESHUTDOWN 108 "cannot send after transport endpoint shutdown";
    ETIMEDOUT 110 "connection timed out";
    ECONNREFUSED 111 "connection refused";
    EHOSTDOWN 112 "host is down";
    EHOSTUNREACH 113 "no route to host";
    ESTALE 116 "stale NFS file handle";
    EUCLEAN 117 "structure needs cleaning";
    EREMOTEIO 121 "remote I/O error";
    EDQUOT 122 "disk quota exceeded";
    ENOMEDIUM 123 "no medium found";
    EMEDIUMTYPE 124 "wrong medium type";
    ENOKEY 126 "required key not available";
}

impl Errno {
    /// The error with this number, which need not be in the table.
    pub fn from_number(number: i32) -> Self {
        Self(u16::try_from(number).unwrap_or(u16::MAX))
    }

    /// The number on Linux.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }
}

impl From<&std::io::Error> for Errno {
    fn from(error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        // Numbers of other systems have other meanings.
        #[cfg(target_os = "linux")]
        if let Some(number) = error.raw_os_error() {
            return Self::from_number(number);
        }
        match error.kind() {
            Kind::NotFound => Self::ENOENT,
            Kind::PermissionDenied => Self::EACCES,
            Kind::InvalidInput | Kind::InvalidFilename => Self::EINVAL,
            Kind::NotADirectory => Self::ENOTDIR,
            Kind::IsADirectory => Self::EISDIR,
            Kind::TimedOut => Self::ETIMEDOUT,
            Kind::Interrupted => Self::EINTR,
            Kind::OutOfMemory => Self::ENOMEM,
            Kind::Unsupported => Self::EOPNOTSUPP,
            Kind::StaleNetworkFileHandle => Self::ESTALE,
            _ => Self::EIO,
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "EUNKNOWN" => write!(f, "error number {}", self.0),
            name => write!(f, "{} ({name})", self.message()),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            "EUNKNOWN" => write!(f, "errno {}", self.0),
            name => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_round_trip() {
        for &errno in Errno::ALL {
            assert_eq!(Errno::from_name(errno.name()), Some(errno));
            assert_eq!(Errno::from_number(errno.number()), errno);
        }
    }

    #[test]
    fn the_table_is_sorted_without_duplicates() {
        assert!(Errno::ALL.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn an_unknown_error_is_printed_as_a_number() {
        assert_eq!(Errno::from_number(4711).to_string(), "error number 4711");
        assert_eq!(Errno::EINVAL.to_string(), "invalid argument (EINVAL)");
    }

    /// Compares the table with the C library on Linux.
    #[cfg(target_os = "linux")]
    #[test]
    fn messages_are_those_of_the_c_library() {
        for &errno in Errno::ALL {
            let system = std::io::Error::from_raw_os_error(errno.number()).to_string().to_lowercase();
            let words = errno.message().to_lowercase();
            assert!(system.starts_with(&words) || errno == Errno::ESTALE, "{errno:?}: {system} is not {words}");
        }
    }
}
