//! Writing text into memory.

/// `write!` into a `Vec<u8>`, which takes every byte.
macro_rules! put {
    ($into:expr, $($text:tt)*) => {{
        use std::io::Write as _;
        write!($into, $($text)*).expect("memory takes every byte")
    }};
}

/// `writeln!` into a `Vec<u8>`.
macro_rules! put_line {
    ($into:expr, $($text:tt)*) => {{
        use std::io::Write as _;
        writeln!($into, $($text)*).expect("memory takes every byte")
    }};
}

pub(crate) use {put, put_line};

/// A number at the right of so many columns: for tables of many, where formatting counts.
pub(crate) fn put_right(number: u64, columns: usize, into: &mut Vec<u8>) {
    /// As many as the largest number has.
    const DIGITS_MAX: usize = 20;
    let mut digits = [b' '; DIGITS_MAX];
    let (mut rest, mut first) = (number, DIGITS_MAX);
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        (rest, first) = (rest / 10, place);
        if rest == 0 {
            break;
        }
    }
    let count = DIGITS_MAX - first;
    into.extend(std::iter::repeat_n(b' ', columns.saturating_sub(count)));
    into.extend_from_slice(&digits[first..]);
}

/// A value in hundredths as `12.34`.
pub(crate) struct Hundredths(pub(crate) u64);

impl std::fmt::Display for Hundredths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A number of bytes as people read it: `446.4k`. The digits after the point count hundreds of 1,024 parts, so there may
/// be two of them: `1.10k` is more than `1.9k`.
pub(crate) struct Human(pub(crate) u64);

impl std::fmt::Display for Human {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut whole, mut rest, mut unit) = (self.0, 0, "");
        for next in ["k", "M", "G", "T", "P", "E"] {
            if whole < 1_024 {
                break;
            }
            (rest, whole, unit) = (whole % 1_024, whole / 1_024, next);
        }
        if unit.is_empty() { write!(f, "{whole}") } else { write!(f, "{whole}.{}{unit}", rest / 100) }
    }
}

/// A hardware address as `02:00:00:00:00:01`.
pub(crate) struct HardwareAddress<A: AsRef<[u8]>>(pub(crate) A);

impl<A: AsRef<[u8]>> std::fmt::Display for HardwareAddress<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, byte) in self.0.as_ref().iter().enumerate() {
            write!(f, "{}{byte:02x}", if position > 0 { ":" } else { "" })?;
        }
        Ok(())
    }
}

/// A list of CPUs as the kernel writes it: `0-3,8`.
pub(crate) struct CpuList<'a>(pub(crate) &'a [usize]);

impl std::fmt::Display for CpuList<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, run) in self.0.chunk_by(|a, b| a + 1 == *b).enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            match run {
                [first, .., last] => write!(f, "{first}-{last}")?,
                [only] => write!(f, "{only}")?,
                [] => {}
            }
        }
        Ok(())
    }
}

/// A set of CPUs as the kernel writes it: hexadecimal words of 32, the highest first, as wide as there are CPUs.
pub(crate) struct CpuMask<'a> {
    pub(crate) cpus: &'a [usize],
    pub(crate) possible: usize,
}

impl std::fmt::Display for CpuMask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = self.possible.div_ceil(32);
        for word in (0..words).rev() {
            let bits =
                self.cpus.iter().filter(|&&cpu| cpu / 32 == word).fold(0_u32, |bits, cpu| bits | 1 << (cpu % 32));
            // The first word is as wide as the CPUs that it can hold.
            let digits = (self.possible - word * 32).min(32).div_ceil(4);
            write!(f, "{bits:0digits$x}{}", if word > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_and_masks_of_cpus_read_as_the_kernels() {
        assert_eq!(CpuList(&[0, 1, 2, 3, 8, 10, 11]).to_string(), "0-3,8,10-11");
        assert_eq!(CpuList(&[]).to_string(), "");
        assert_eq!(CpuMask { cpus: &[0, 1], possible: 4 }.to_string(), "3");
        assert_eq!(CpuMask { cpus: &[2, 33], possible: 40 }.to_string(), "02,00000004");
        assert_eq!(CpuMask { cpus: &[63], possible: 64 }.to_string(), "80000000,00000000");
    }

    #[test]
    fn numbers_stand_at_the_right() {
        for number in [0, 7, 10, 99_999, 1_234_567_890, 12_345_678_901, u64::MAX] {
            let mut into = Vec::new();
            put_right(number, 10, &mut into);
            assert_eq!(String::from_utf8_lossy(&into), format!("{number:>10}"));
        }
    }

    #[test]
    fn numbers_for_people_have_units_of_1024() {
        let shown = [0, 1_023, 1_024, 2_024, 446_464 + 512, 20 << 30].map(|bytes| Human(bytes).to_string());
        assert_eq!(shown, ["0", "1023", "1.0k", "1.10k", "436.5k", "20.0G"]);
    }

    #[test]
    fn hundredths_keep_their_zeros() {
        assert_eq!(Hundredths(705).to_string(), "7.05");
        assert_eq!(Hundredths(0).to_string(), "0.00");
    }
}
