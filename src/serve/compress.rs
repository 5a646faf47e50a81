//! Pages made small for their way.
//!
//! Prometheus asks for gzip at every scrape, so what that costs counts. Compressors and buffers are used again by the
//! next scrape; a response is given a copy of exactly its size.

use std::sync::{Mutex, PoisonError};

/// A page of so much, or what it was packed into, is not kept for the next one, beside which it would stand.
const KEPT_BELOW_BYTES: usize = 1 << 20;

/// How a body is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    not(any(test, feature = "compression")),
    expect(dead_code, reason = "without compression nothing but plain text is offered")
)]
pub(super) enum Coding {
    /// As it is.
    Identity,
    /// DEFLATE in a gzip frame.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// Codings of this build. Of two with equal preference the later one is used.
    pub(super) const OFFERED: &[Self] = &[
        #[cfg(feature = "compression")]
        Self::Gzip,
        #[cfg(feature = "compression")]
        Self::Zstd,
        Self::Identity,
    ];

    /// Its name in headers.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Packers that nobody uses at the moment.
#[derive(Default, Debug)]
pub(super) struct Packers(Mutex<Vec<Packer>>);

impl Packers {
    /// Takes one, or makes one.
    pub(super) fn take(&self) -> Packer {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps one for the next who needs it, but for what is large.
    pub(super) fn keep(&self, mut packer: Packer) {
        packer.forget_large();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(packer);
    }
}

/// Memory for a page, and what makes it small.
#[derive(Default, Debug)]
pub(super) struct Packer {
    /// The page.
    pub(super) page: Vec<u8>,
    #[cfg(feature = "compression")]
    engines: engines::Engines,
}

impl Packer {
    /// The page in this coding, or as it is where that fails; and which of both.
    pub(super) fn pack(&mut self, coding: Coding) -> (Coding, Vec<u8>) {
        #[cfg(feature = "compression")]
        if let Some(packed) = self.engines.pack(&self.page, coding) {
            return (coding, packed.to_vec());
        }
        let _ = coding;
        if self.page.len() >= KEPT_BELOW_BYTES {
            return (Coding::Identity, std::mem::take(&mut self.page));
        }
        (Coding::Identity, self.page.clone())
    }

    fn forget_large(&mut self) {
        if self.page.capacity() >= KEPT_BELOW_BYTES {
            self.page = Vec::new();
        }
        #[cfg(feature = "compression")]
        self.engines.forget_large();
    }
}

#[cfg(feature = "compression")]
mod engines {
    use std::fmt;

    use libdeflater::{CompressionLvl, Compressor};
    use zstd_safe::{CCtx, compress_bound};

    use super::{Coding, KEPT_BELOW_BYTES};

    /// Of both, the level that makes a page about as small as Go's gzip does, at the least cost.
    const GZIP_LEVEL: i32 = 1;
    const ZSTD_LEVEL: i32 = 1;

    /// Compressors, made when they are first asked for.
    #[derive(Default)]
    pub(super) struct Engines {
        gzip: Option<Compressor>,
        zstd: Option<CCtx<'static>>,
        packed: Vec<u8>,
    }

    impl fmt::Debug for Engines {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Engines").finish_non_exhaustive()
        }
    }

    impl Engines {
        pub(super) fn forget_large(&mut self) {
            if self.packed.len() >= KEPT_BELOW_BYTES {
                self.packed = Vec::new();
            }
        }

        pub(super) fn pack(&mut self, page: &[u8], coding: Coding) -> Option<&[u8]> {
            let Self { gzip, zstd, packed } = self;
            let length = match coding {
                Coding::Identity => return None,
                Coding::Gzip => {
                    let gzip = gzip
                        .get_or_insert_with(|| Compressor::new(CompressionLvl::new(GZIP_LEVEL).unwrap_or_default()));
                    grow(packed, gzip.gzip_compress_bound(page.len()));
                    gzip.gzip_compress(page, packed).ok()?
                }
                Coding::Zstd => {
                    if zstd.is_none() {
                        *zstd = CCtx::try_create();
                    }
                    grow(packed, compress_bound(page.len()));
                    zstd.as_mut()?.compress(packed.as_mut_slice(), page, ZSTD_LEVEL).ok()?
                }
            };
            packed.get(..length)
        }
    }

    /// Never smaller: what is there need not be filled again. New memory comes with zeros in it, and none of it is really
    /// there before it is written to, while growing would copy.
    fn grow(buffer: &mut Vec<u8>, size_bytes: usize) {
        if buffer.len() < size_bytes {
            *buffer = vec![0; size_bytes];
        }
    }
}

#[cfg(all(test, feature = "compression"))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unpacked(coding: Coding, packed: &[u8], size_bytes: usize) -> Vec<u8> {
        let mut page = vec![0; size_bytes];
        let length = match coding {
            Coding::Identity => return packed.to_vec(),
            Coding::Gzip => libdeflater::Decompressor::new().gzip_decompress(packed, &mut page).expect("gzip"),
            Coding::Zstd => zstd_safe::decompress(page.as_mut_slice(), packed).expect("zstd"),
        };
        page.truncate(length);
        page
    }

    #[track_caller]
    fn check(packer: &mut Packer, page: &[u8]) {
        for &wanted in Coding::OFFERED {
            packer.page.clear();
            packer.page.extend_from_slice(page);
            let (coding, packed) = packer.pack(wanted);
            assert_eq!(coding, wanted);
            assert_eq!(unpacked(coding, &packed, page.len()), page);
        }
    }

    #[test]
    fn pages_come_back_large_and_small_from_one_packer() {
        let packers = Packers::default();
        for size in [100_000, 0, 1, 7] {
            let mut packer = packers.take();
            check(&mut packer, &b"node_cpu_seconds_total{cpu=\"0\"} 1\n".repeat(size / 30 + 1)[..size]);
            packers.keep(packer);
        }
        assert_eq!(packers.0.lock().expect("packers").len(), 1);
    }

    #[test]
    fn what_is_large_is_not_kept() {
        let packers = Packers::default();
        for (size_bytes, is_kept) in [(KEPT_BELOW_BYTES - 1, true), (KEPT_BELOW_BYTES, false)] {
            for &wanted in Coding::OFFERED {
                let mut page = Vec::new();
                page.reserve_exact(size_bytes);
                page.resize(size_bytes, b'x');
                let mut packer = Packer { page, ..Packer::default() };
                let (coding, packed) = packer.pack(wanted);
                assert_eq!(unpacked(coding, &packed, size_bytes).len(), size_bytes);
                packers.keep(packer);
                assert_eq!(packers.take().page.capacity() > 0, is_kept, "{size_bytes} {wanted:?}");
            }
        }
    }

    #[test]
    fn a_page_becomes_a_good_deal_smaller() {
        let line = |cpu: usize| format!("node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"user\"}} {}\n", cpu * 7919);
        let page: String = (0..1000).map(line).collect();
        for coding in [Coding::Gzip, Coding::Zstd] {
            let mut packer = Packer { page: page.clone().into_bytes(), ..Packer::default() };
            let packed = packer.pack(coding).1;
            assert!(packed.len() * 6 < page.len(), "{coding:?}: {} of {}", packed.len(), page.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_page_comes_back(page: Vec<u8>) {
            check(&mut Packer::default(), &page);
        }
    }
}
