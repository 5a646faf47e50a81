//! Generic netlink families: the number of a family is looked up by name once.

use std::sync::atomic::{AtomicU16, Ordering};

use super::exchange::{Exchange, Exchanges};
use crate::host::errno::Errno;
use crate::host::kernel::KernelError;
use crate::host::kernel::netlink::generic;

/// The number of an unknown family.
const UNKNOWN: u16 = 0;

/// A generic netlink family.
#[derive(Debug)]
pub(super) struct Family {
    /// Name with a final NUL.
    name: &'static [u8],
    number: AtomicU16,
}

impl Family {
    /// A family whose number is not looked up yet.
    pub(super) const fn new(name: &'static [u8]) -> Self {
        Self { name, number: AtomicU16::new(UNKNOWN) }
    }

    /// Asks a question of the family like [`Exchanges::ask`], with the family's number passed to both functions. A kernel
    /// without the family does not support the question.
    pub(super) fn ask<T>(
        &self,
        exchanges: &Exchanges,
        write: impl Fn(&mut Vec<u8>, u32, u16) -> Result<(), Errno>,
        read: impl FnOnce(&Exchange, u16) -> Result<T, Errno>,
    ) -> Result<T, KernelError> {
        let number = self.number(exchanges)?;
        let outcome = exchanges
            .ask(|into, sequence| write(into, sequence, number), |answer| read(answer, number))
            // A reloaded module has another number.
            .inspect_err(|&error| {
                if error == Errno::ENOENT {
                    self.number.store(UNKNOWN, Ordering::Relaxed);
                }
            });
        Ok(outcome?)
    }

    fn number(&self, exchanges: &Exchanges) -> Result<u16, KernelError> {
        let known = self.number.load(Ordering::Relaxed);
        if known != UNKNOWN {
            return Ok(known);
        }
        let write = |into: &mut Vec<u8>, sequence| generic::request_family(into, sequence, self.name);
        let found = exchanges.ask(write, |answer| {
            let message = answer.messages(generic::CONTROL_FAMILY).next().ok_or(Errno::ENODATA)??;
            Ok(generic::family_id(message.payload)?)
        });
        match found {
            Ok(Some(number)) => {
                self.number.store(number, Ordering::Relaxed);
                Ok(number)
            }
            Ok(None) | Err(Errno::ENOENT) => Err(KernelError::Unsupported),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::netlink::GENERIC;

    #[test]
    fn a_missing_family_is_unsupported() {
        let exchanges = Exchanges::new(Some(GENERIC));
        let none = Family::new(b"nodelab-none\0");
        let found = none.ask(&exchanges, |_, _, _| unreachable!(), |_, _| Ok(()));
        assert_eq!(found, Err(KernelError::Unsupported));
    }

    #[test]
    fn the_number_is_looked_up_once_and_again_after_a_reload() {
        let exchanges = Exchanges::new(Some(GENERIC));
        let family = Family::new(b"nlctrl\0");
        let asked = |number| family.ask(&exchanges, |into, sequence, _| request(into, sequence, number), |_, _| Ok(()));
        assert_eq!(asked(generic::CONTROL_FAMILY), Ok(()));
        assert_eq!(family.number.load(Ordering::Relaxed), generic::CONTROL_FAMILY);
        // The highest possible number.
        assert_eq!(asked(1023), Err(KernelError::Errno(Errno::ENOENT)));
        assert_eq!(family.number.load(Ordering::Relaxed), UNKNOWN);
    }

    /// A question to the family of this number.
    fn request(into: &mut Vec<u8>, sequence: u32, family: u16) -> Result<(), Errno> {
        generic::request_family(into, sequence, b"nlctrl\0")?;
        // The number is the kind of the message.
        into[4..6].copy_from_slice(&family.to_ne_bytes());
        Ok(())
    }
}
