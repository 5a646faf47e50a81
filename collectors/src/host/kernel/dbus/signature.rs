//! Skipping values of any type by their signature.

use super::{Malformed, Reader};

/// Maximum nesting of arrays, structures and variants, which the specification sets.
const DEPTH_CAP: usize = 64;

/// Skips the value of the first complete type of a signature and returns the types behind it.
pub(super) fn skip<'s>(reader: &mut Reader<'_>, signature: &'s [u8], depth: usize) -> Result<&'s [u8], Malformed> {
    if depth > DEPTH_CAP {
        return Err(Malformed);
    }
    let (first, rest) = signature.split_first().ok_or(Malformed)?;
    match first {
        b'y' => drop(reader.u8()?),
        b'b' => drop(reader.bool()?),
        b'n' | b'q' => drop(reader.chunk::<2>()?),
        b'i' | b'u' | b'h' => drop(reader.u32()?),
        b'x' | b't' | b'd' => drop(reader.u64()?),
        b's' | b'o' => drop(reader.text()?),
        b'g' => drop(reader.signature()?),
        b'v' => {
            let inner = reader.signature()?;
            if !skip(reader, inner, depth + 1)?.is_empty() {
                return Err(Malformed);
            }
        }
        b'a' => {
            // The length of an array is enough to skip it; its elements are not looked at.
            reader.array(alignment(rest)?)?;
            return after(rest, depth + 1);
        }
        b'(' | b'{' => {
            reader.align(8)?;
            let close = if *first == b'(' { b')' } else { b'}' };
            let mut members = rest;
            while members.first() != Some(&close) {
                members = skip(reader, members, depth + 1)?;
            }
            return members.get(1..).ok_or(Malformed);
        }
        _ => return Err(Malformed),
    }
    Ok(rest)
}

/// The alignment of the first type of a signature.
fn alignment(signature: &[u8]) -> Result<usize, Malformed> {
    Ok(match signature.first() {
        Some(b'y' | b'g' | b'v') => 1,
        Some(b'n' | b'q') => 2,
        Some(b'b' | b'i' | b'u' | b'h' | b's' | b'o' | b'a') => 4,
        Some(b'x' | b't' | b'd' | b'(' | b'{') => 8,
        _ => return Err(Malformed),
    })
}

/// The types behind the first complete type of a signature.
fn after(signature: &[u8], depth: usize) -> Result<&[u8], Malformed> {
    if depth > DEPTH_CAP {
        return Err(Malformed);
    }
    let (first, mut rest) = signature.split_first().ok_or(Malformed)?;
    match first {
        b'a' => after(rest, depth + 1),
        b'(' | b'{' => {
            let close = if *first == b'(' { b')' } else { b'}' };
            while rest.first() != Some(&close) {
                rest = after(rest, depth + 1)?;
            }
            rest.get(1..).ok_or(Malformed)
        }
        _ => alignment(signature).map(|_| rest),
    }
}
