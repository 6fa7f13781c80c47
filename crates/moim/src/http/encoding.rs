//! How an answer's bytes are packed.

use std::io::{self, Write};

use axum::http::{HeaderMap, header};
use flate2::{Compression, write::GzEncoder};

/// A content coding (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Encoding {
    /// As it is.
    Identity,
    /// The one every client knows.
    Gzip,
    /// The smaller one.
    Brotli,
}

impl Encoding {
    /// The best of ours that the client takes.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let takes = |coding| {
            headers
                .get_all(header::ACCEPT_ENCODING)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .any(|offer| is_offer_of(coding, offer))
        };
        [Self::Brotli, Self::Gzip]
            .into_iter()
            .find(|encoding| encoding.name().is_some_and(&takes))
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

    /// Packs `bytes`; takes a while, so it is done once and off the runtime.
    pub(super) fn pack(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Identity => Ok(bytes.to_vec()),
            Self::Gzip => {
                let mut packer = GzEncoder::new(Vec::new(), Compression::best());
                packer.write_all(bytes)?;
                packer.finish()
            }
            Self::Brotli => {
                let mut packed = Vec::new();
                let mut source = bytes;
                let quality = if cfg!(debug_assertions) { 4 } else { 9 };
                let params = brotli::enc::BrotliEncoderParams {
                    quality,
                    size_hint: bytes.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut source, &mut packed, &params)?;
                Ok(packed)
            }
        }
    }
}

/// Whether `offer`, such as `br;q=0.5`, is of `coding` and not a refusal (`q=0`).
fn is_offer_of(coding: &str, offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
    let refused = parts
        .filter_map(|part| part.strip_prefix("q="))
        .any(|quality| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0));
    named && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_coding_the_client_takes_is_chosen() {
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
    fn packed_bytes_unpack_to_the_same() {
        let bytes = b"moim ".repeat(1000);
        let packed = Encoding::Gzip.pack(&bytes).unwrap();
        let mut unpacked = Vec::new();
        io::copy(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
        assert_eq!(unpacked, bytes);
        let packed = Encoding::Brotli.pack(&bytes).unwrap();
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &packed[..], &mut unpacked).unwrap();
        assert_eq!(unpacked, bytes);
    }
}
