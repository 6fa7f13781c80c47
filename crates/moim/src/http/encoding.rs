//! Content codings of responses (RFC 9110 §8.4.1).

use std::io::{self, Write};

use axum::http::{HeaderMap, header};
use flate2::{Compression, write::GzEncoder};

/// A content coding (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Encoding {
    /// No coding.
    Identity,
    /// gzip, which every client supports.
    Gzip,
    /// Brotli, which is smaller.
    Brotli,
}

impl Encoding {
    /// The best coding that the client accepts.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let accepts = |coding| {
            headers
                .get_all(header::ACCEPT_ENCODING)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .any(|offer| is_offer_of(coding, offer))
        };
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|encoding| encoding.name().is_some_and(&accepts))
            .unwrap_or(Self::Identity)
    }

    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
        }
    }

    /// Compresses `bytes`. This is slow: call it once, and outside the runtime.
    pub(super) fn compress(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(bytes.to_vec()),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
            Self::Brotli => {
                let mut compressed = Vec::new();
                let mut source = bytes;
                let quality = if cfg!(debug_assertions) { 4 } else { 9 };
                let params = brotli::enc::BrotliEncoderParams {
                    quality,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut source, &mut compressed, &params)?;
                Ok(compressed)
            }
        }
    }
}

/// True if `offer`, such as `br;q=0.5`, names `coding` and does not exclude it with `q=0`.
fn is_offer_of(coding: &str, offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
    let excluded = parts
        .filter_map(|part| part.strip_prefix("q="))
        .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
    named && !excluded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_chooses_the_best_coding() {
        for (accept, chosen) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip, deflate", Encoding::Gzip),
            ("br;q=0, GZIP;q=0.5", Encoding::Gzip),
            ("br;q=0.0, gzip; q=0", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("brotli, xgzip", Encoding::Identity),
            ("", Encoding::Identity),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accept.parse().unwrap());
            assert_eq!(Encoding::accepted(&headers), chosen, "{accept}");
        }
    }

    #[test]
    fn compressed_bytes_decompress_to_the_original() {
        let bytes = b"moim ".repeat(1000);
        let compressed = Encoding::Gzip.compress(&bytes).unwrap();
        let mut decompressed = Vec::new();
        io::copy(&mut flate2::read::GzDecoder::new(&compressed[..]), &mut decompressed).unwrap();
        assert_eq!(decompressed, bytes);
        let compressed = Encoding::Brotli.compress(&bytes).unwrap();
        let mut decompressed = Vec::new();
        brotli::BrotliDecompress(&mut &compressed[..], &mut decompressed).unwrap();
        assert_eq!(decompressed, bytes);
    }
}
