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

/// A value in hundredths as `12.34`.
pub(crate) struct Hundredths(pub(crate) u64);

impl std::fmt::Display for Hundredths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A hardware address as `02:00:00:00:00:01`.
pub(crate) struct HardwareAddress(pub(crate) [u8; 6]);

impl std::fmt::Display for HardwareAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, byte) in self.0.iter().enumerate() {
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
    fn hundredths_keep_their_zeros() {
        assert_eq!(Hundredths(705).to_string(), "7.05");
        assert_eq!(Hundredths(0).to_string(), "0.00");
    }
}
