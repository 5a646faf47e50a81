//! Reading of open files with few system calls, into uninitialized memory.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, pread, read};

use super::{FIRST_READ_BYTES, LARGEST_READ_BYTES};
use crate::host::errno::Errno as HostErrno;
use crate::host::root::RootError;
use crate::host::root::live::within;

pub(super) fn system(errno: Errno) -> RootError {
    HostErrno::from_number(errno.raw_os_error()).into()
}

/// How the end of a file is detected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// By a read that returns less than requested.
    Short,
    /// By a short read as well, for files whose rendering costs no more when more is requested.
    Piece,
    /// By a read that returns nothing. A short read is not the end: most files of /proc return only the records that fit
    /// into the kernel's buffer.
    Nothing,
    /// By a read after which another record would have fit into the kernel's buffer, for files with short records. One more
    /// read would make the kernel search a whole table.
    Room,
}

impl End {
    /// Whether a short read of `count` bytes reached the end. A last record without a newline may be incomplete, so one
    /// more read is needed.
    fn is_behind(self, count: usize, content: &[u8]) -> bool {
        match self {
            Self::Short | Self::Piece => true,
            Self::Nothing => false,
            Self::Room => count + RECORD_MAX_BYTES <= KERNEL_ROOM_BYTES && content.ends_with(b"\n"),
        }
    }
}

/// Minimum size of the kernel's buffer for a file of /proc.
const KERNEL_ROOM_BYTES: usize = 4 << 10;

/// Maximum length of a record of a file with short records.
pub(super) const RECORD_MAX_BYTES: usize = 512;

type Space = [MaybeUninit<u8>];

/// Replaces `into` by the content of a newly opened file.
pub(super) fn whole(file: &OwnedFd, end: End, into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
    fill(end, into, cap_bytes, |into, space, _| read(file, space).map(|(found, _)| into.extend_from_slice(found)))
}

/// Replaces `into` by the content of an open file, read again from its beginning.
pub(super) fn again(file: &OwnedFd, end: End, into: &mut Vec<u8>, cap_bytes: usize) -> Result<(), RootError> {
    let read = |into: &mut Vec<u8>, space: &mut Space, offset| {
        pread(file, space, offset).map(|(found, _)| into.extend_from_slice(found))
    };
    fill(end, into, cap_bytes, read)
}

fn fill(
    end: End,
    into: &mut Vec<u8>,
    cap_bytes: usize,
    mut read: impl FnMut(&mut Vec<u8>, &mut Space, u64) -> Result<(), Errno>,
) -> Result<(), RootError> {
    into.clear();
    let result = if end == End::Piece {
        // A second read would have the kernel render the file a second time.
        fill_large(end, into, cap_bytes, &mut read)
    } else {
        let mut space = [MaybeUninit::uninit(); FIRST_READ_BYTES];
        match fill_from(end, into, cap_bytes, &mut space, &mut read) {
            Ok(false) => fill_large(end, into, cap_bytes, &mut read),
            result => result.map(|_| ()),
        }
    };
    if result.is_err() {
        into.clear();
    }
    result
}

/// Reads the rest of a larger file. Its buffer is on the stack only during this call.
#[inline(never)]
fn fill_large(
    end: End,
    into: &mut Vec<u8>,
    cap_bytes: usize,
    read: &mut impl FnMut(&mut Vec<u8>, &mut Space, u64) -> Result<(), Errno>,
) -> Result<(), RootError> {
    let mut space = [MaybeUninit::uninit(); LARGEST_READ_BYTES];
    while !fill_from(end, into, cap_bytes, &mut space, read)? {}
    Ok(())
}

/// Reads until the end. Returns `false` when a read has filled all of `space`. Requests one byte above the cap, to
/// distinguish a file of exactly this size from a larger one.
fn fill_from(
    end: End,
    into: &mut Vec<u8>,
    cap_bytes: usize,
    space: &mut Space,
    read: &mut impl FnMut(&mut Vec<u8>, &mut Space, u64) -> Result<(), Errno>,
) -> Result<bool, RootError> {
    let most = space.len();
    loop {
        let start = into.len();
        let wanted = most.min(cap_bytes.saturating_sub(start).saturating_add(1));
        let Some(space) = space.get_mut(..wanted) else { return Ok(true) };
        match read(into, space, start as u64) {
            Err(Errno::INTR) => continue,
            result => result.map_err(system)?,
        }
        within(into.len(), cap_bytes)?;
        match into.len() - start {
            0 => return Ok(true),
            count if count < wanted && end.is_behind(count, into) => return Ok(true),
            count if count == most => return Ok(false),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with a maximum size of each read.
    #[track_caller]
    fn check(size_bytes: usize, given_bytes: usize, cap_bytes: usize, expected: Result<(), RootError>) {
        for end in [End::Short, End::Nothing] {
            let mut into = b"of the file before".to_vec();
            let mut last_was_short = false;
            let result = fill(end, &mut into, cap_bytes, |into, space, offset| {
                assert_eq!(offset, into.len() as u64);
                assert!(end == End::Nothing || !last_was_short, "what was short is not asked again");
                let count = space.len().min(size_bytes - into.len()).min(given_bytes);
                last_was_short = count < space.len();
                into.extend(std::iter::repeat_n(b'\n', count));
                Ok(())
            });
            assert_eq!(result, expected, "{size_bytes} {end:?}");
            assert_eq!(into, vec![b'\n'; if expected.is_ok() { size_bytes } else { 0 }]);
        }
    }

    #[test]
    fn files_are_read_to_the_end_or_to_the_cap() {
        for size_bytes in [0, 1, 4095, 4096, 4097, 20_480, 20_481, 300_000] {
            check(size_bytes, usize::MAX, 1 << 20, Ok(()));
            check(size_bytes, usize::MAX, size_bytes, Ok(()));
        }
        for size_bytes in [1, 4096, 4097, 300_000] {
            let error = RootError::TooLarge { size_bytes: size_bytes as u64, cap_bytes: size_bytes as u64 - 1 };
            check(size_bytes, usize::MAX, size_bytes - 1, Err(error));
        }
    }

    #[test]
    fn all_records_are_read_with_one_record_per_read() {
        let mut into = Vec::new();
        let result = fill(End::Nothing, &mut into, 1 << 20, |into, _, _| {
            into.extend(std::iter::repeat_n(b'\n', (9_000 - into.len()).min(100)));
            Ok(())
        });
        assert_eq!((result, into.len()), (Ok(()), 9_000));
    }

    #[test]
    fn short_records_need_another_read_if_the_buffer_was_full() {
        for (given_bytes, expected_reads) in [(3_584, 1), (3_585, 2)] {
            let (mut into, mut reads) = (Vec::new(), 0);
            let result = fill(End::Room, &mut into, 1 << 20, |into, _, _| {
                reads += 1;
                into.extend(std::iter::repeat_n(b'\n', given_bytes - into.len()));
                Ok(())
            });
            assert_eq!((result, into.len(), reads), (Ok(()), given_bytes, expected_reads));
        }
    }

    #[test]
    fn a_record_without_a_newline_needs_another_read() {
        let check = |end, pieces: &[&str], expected_reads| {
            let (mut into, mut reads) = (Vec::new(), 0);
            let result = fill(end, &mut into, 1 << 20, |into, _, _| {
                into.extend_from_slice(pieces.get(reads).unwrap_or(&"").as_bytes());
                reads += 1;
                Ok(())
            });
            assert_eq!((result, into, reads), (Ok(()), pieces.concat().into_bytes(), expected_reads), "{end:?}");
        };
        check(End::Room, &["1 2"], 2);
        check(End::Room, &["1", "2 3\n"], 2);
        check(End::Nothing, &["1", "2 3\n"], 3);
        // An attribute is rendered at once.
        check(End::Short, &["1"], 1);
    }

    #[test]
    fn errors_discard_the_content_and_interruptions_are_retried() {
        let mut into = Vec::new();
        let mut reads = 0;
        let result = fill(End::Short, &mut into, 100_000, |into, space, _| {
            reads += 1;
            match reads {
                1 => Err(Errno::INTR),
                2 => {
                    into.extend(std::iter::repeat_n(b'\n', space.len()));
                    Ok(())
                }
                _ => Err(Errno::IO),
            }
        });
        assert_eq!((result, into.len(), reads), (Err(system(Errno::IO)), 0, 3));
    }
}
