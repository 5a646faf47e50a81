//! Compression of pages.
//!
//! Prometheus requests gzip at every scrape, so its cost matters. Compressors and buffers are reused by the next scrape;
//! a response gets a copy of its exact size.

use std::sync::{Mutex, PoisonError};

/// Size from which a buffer is freed after its response instead of being kept for the next one.
const RELEASE_FROM_BYTES: usize = 1 << 20;

/// Content coding of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(
    not(any(test, feature = "compression")),
    expect(dead_code, reason = "without compression only plain text is offered")
)]
pub(super) enum Coding {
    /// No compression.
    Identity,
    /// DEFLATE in a gzip frame.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Coding {
    /// Codings of this build. The later one of two with equal preference is used.
    pub(super) const OFFERED: &[Self] = &[
        #[cfg(feature = "compression")]
        Self::Gzip,
        #[cfg(feature = "compression")]
        Self::Zstd,
        Self::Identity,
    ];

    /// The name in headers.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// Idle encoders.
#[derive(Default, Debug)]
pub(super) struct EncoderPool(Mutex<Vec<Encoder>>);

impl EncoderPool {
    /// Takes an idle encoder, or creates one.
    pub(super) fn take(&self) -> Encoder {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Returns an encoder to the pool, without its large buffers.
    pub(super) fn keep(&self, mut encoder: Encoder) {
        encoder.release_large();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(encoder);
    }
}

/// A buffer for a page, and the compressors.
#[derive(Default, Debug)]
pub(super) struct Encoder {
    /// The page.
    pub(super) page: Vec<u8>,
    #[cfg(feature = "compression")]
    compressors: compressors::Compressors,
}

impl Encoder {
    /// The page in this coding, or uncompressed if compression fails; with the coding that was used.
    pub(super) fn encode(&mut self, coding: Coding) -> (Coding, Vec<u8>) {
        #[cfg(feature = "compression")]
        if let Some(encoded) = self.compressors.encode(&self.page, coding) {
            return (coding, encoded.to_vec());
        }
        let _ = coding;
        if self.page.len() >= RELEASE_FROM_BYTES {
            return (Coding::Identity, std::mem::take(&mut self.page));
        }
        (Coding::Identity, self.page.clone())
    }

    fn release_large(&mut self) {
        if self.page.capacity() >= RELEASE_FROM_BYTES {
            self.page = Vec::new();
        }
        #[cfg(feature = "compression")]
        self.compressors.release_large();
    }
}

#[cfg(feature = "compression")]
mod compressors {
    use std::fmt;

    use libdeflater::{CompressionLvl, Compressor};
    use zstd_safe::{CCtx, compress_bound};

    use super::{Coding, RELEASE_FROM_BYTES};

    /// Cheapest levels that compress a page about as well as Go's gzip.
    const GZIP_LEVEL: i32 = 1;
    const ZSTD_LEVEL: i32 = 1;

    /// Compressors, created at their first use.
    #[derive(Default)]
    pub(super) struct Compressors {
        gzip: Option<Compressor>,
        zstd: Option<CCtx<'static>>,
        encoded: Vec<u8>,
    }

    impl fmt::Debug for Compressors {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Compressors").finish_non_exhaustive()
        }
    }

    impl Compressors {
        pub(super) fn release_large(&mut self) {
            if self.encoded.len() >= RELEASE_FROM_BYTES {
                self.encoded = Vec::new();
            }
        }

        pub(super) fn encode(&mut self, page: &[u8], coding: Coding) -> Option<&[u8]> {
            let Self { gzip, zstd, encoded } = self;
            let length = match coding {
                Coding::Identity => return None,
                Coding::Gzip => {
                    let gzip = gzip
                        .get_or_insert_with(|| Compressor::new(CompressionLvl::new(GZIP_LEVEL).unwrap_or_default()));
                    grow(encoded, gzip.gzip_compress_bound(page.len()));
                    gzip.gzip_compress(page, encoded).ok()?
                }
                Coding::Zstd => {
                    if zstd.is_none() {
                        *zstd = CCtx::try_create();
                    }
                    grow(encoded, compress_bound(page.len()));
                    zstd.as_mut()?.compress(encoded.as_mut_slice(), page, ZSTD_LEVEL).ok()?
                }
            };
            encoded.get(..length)
        }
    }

    /// Grows the buffer, and never shrinks it, so that its bytes need no initialization again. A fresh zeroed allocation is
    /// cheaper than a resize: its pages are mapped at the first write, and nothing is copied.
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

    fn decoded(coding: Coding, encoded: &[u8], size_bytes: usize) -> Vec<u8> {
        let mut page = vec![0; size_bytes];
        let length = match coding {
            Coding::Identity => return encoded.to_vec(),
            Coding::Gzip => libdeflater::Decompressor::new().gzip_decompress(encoded, &mut page).expect("gzip"),
            Coding::Zstd => zstd_safe::decompress(page.as_mut_slice(), encoded).expect("zstd"),
        };
        page.truncate(length);
        page
    }

    #[track_caller]
    fn check(encoder: &mut Encoder, page: &[u8]) {
        for &wanted in Coding::OFFERED {
            encoder.page.clear();
            encoder.page.extend_from_slice(page);
            let (coding, encoded) = encoder.encode(wanted);
            assert_eq!(coding, wanted);
            assert_eq!(decoded(coding, &encoded, page.len()), page);
        }
    }

    #[test]
    fn one_encoder_round_trips_large_and_small_pages() {
        let encoders = EncoderPool::default();
        for size in [100_000, 0, 1, 7] {
            let mut encoder = encoders.take();
            check(&mut encoder, &b"node_cpu_seconds_total{cpu=\"0\"} 1\n".repeat(size / 30 + 1)[..size]);
            encoders.keep(encoder);
        }
        assert_eq!(encoders.0.lock().expect("encoders").len(), 1);
    }

    #[test]
    fn large_buffers_are_not_kept() {
        let encoders = EncoderPool::default();
        for (size_bytes, is_kept) in [(RELEASE_FROM_BYTES - 1, true), (RELEASE_FROM_BYTES, false)] {
            for &wanted in Coding::OFFERED {
                let mut page = Vec::new();
                page.reserve_exact(size_bytes);
                page.resize(size_bytes, b'x');
                let mut encoder = Encoder { page, ..Encoder::default() };
                let (coding, encoded) = encoder.encode(wanted);
                assert_eq!(decoded(coding, &encoded, size_bytes).len(), size_bytes);
                encoders.keep(encoder);
                assert_eq!(encoders.take().page.capacity() > 0, is_kept, "{size_bytes} {wanted:?}");
            }
        }
    }

    #[test]
    fn pages_are_compressed_sixfold_or_better() {
        let line = |cpu: usize| format!("node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"user\"}} {}\n", cpu * 7919);
        let page: String = (0..1000).map(line).collect();
        for coding in [Coding::Gzip, Coding::Zstd] {
            let mut encoder = Encoder { page: page.clone().into_bytes(), ..Encoder::default() };
            let encoded = encoder.encode(coding).1;
            assert!(encoded.len() * 6 < page.len(), "{coding:?}: {} of {}", encoded.len(), page.len());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn arbitrary_pages_round_trip(page: Vec<u8>) {
            check(&mut Encoder::default(), &page);
        }
    }
}
