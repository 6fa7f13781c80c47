//! Reports (SRTCP) are taken once. The engine keeps a list against replay for media alone, though
//! RFC 3711 §3.3.2 wants one for both: who plays a viewer's reports again could bring its estimate, and
//! so its pictures, to nothing. What is its sender's and of which number is known where it is
//! decrypted, so that is where we look.
//!
//! A report under AES-CM is not looked at: there the number is hidden from whoever decrypts. All
//! browsers offer AES-GCM, which goes first.

use foldhash::HashMap;
use std::cell::Cell;
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, CryptoError, CryptoProvider, SrtpProvider,
    SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80, from_feature_flags,
};

/// Senders remembered; of more, nothing is taken. Some clients have one for each section.
const MOST: usize = 1024;

thread_local! {
    /// Whether a report was refused. The engine doesn't tell.
    static REFUSED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a report was refused since this was asked last.
pub(super) fn take_refused() -> bool {
    REFUSED.take()
}

/// The engine's own cryptography, but that a report is decrypted once.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider { srtp_provider: &Once, ..from_feature_flags() }
}

#[derive(Debug)]
struct Once;

impl SrtpProvider for Once {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        from_feature_flags().srtp_provider.aes_128_cm_sha1_80()
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Self
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Self
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        from_feature_flags().srtp_provider.srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        from_feature_flags().srtp_provider.srtp_aes_256_ecb_round(key, input, output);
    }
}

impl SupportedAeadAes128Gcm for Once {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        let factory = from_feature_flags().srtp_provider.aead_aes_128_gcm();
        Box::new(Guarded { cipher: factory.create_cipher(key, encrypt), seen: Seen::default() })
    }
}

impl SupportedAeadAes256Gcm for Once {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        let factory = from_feature_flags().srtp_provider.aead_aes_256_gcm();
        Box::new(Guarded { cipher: factory.create_cipher(key, encrypt), seen: Seen::default() })
    }
}

#[derive(Debug)]
struct Guarded<C> {
    cipher: C,
    seen: Seen,
}

impl<C> Guarded<C> {
    fn decrypt(
        &mut self,
        aads: &[&[u8]],
        decrypt: impl FnOnce(&mut C) -> Result<usize, CryptoError>,
    ) -> Result<usize, CryptoError> {
        let Some(report) = Report::read(aads) else { return decrypt(&mut self.cipher) };
        if !self.seen.is_new(report) {
            REFUSED.set(true);
            return Err(CryptoError::Other("played again".to_owned()));
        }
        let length = decrypt(&mut self.cipher)?;
        self.seen.remember(report);
        Ok(length)
    }
}

macro_rules! guard {
    ($cipher:ident) => {
        impl $cipher for Guarded<Box<dyn $cipher>> {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.cipher.encrypt(iv, aad, input, output)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                self.decrypt(aads, |cipher| cipher.decrypt(iv, aads, input, output))
            }
        }
    };
}

guard!(AeadAes128GcmCipher);
guard!(AeadAes256GcmCipher);

/// Who a report is from, and its number.
#[derive(Debug, Clone, Copy)]
struct Report {
    ssrc: [u8; 4],
    index: u32,
}

impl Report {
    /// From what is authenticated, but not encrypted: the head first, and at the end the number
    /// behind a bit that says whether the rest is encrypted (RFC 7714 §9.2, §9.3). None of media.
    fn read(aads: &[&[u8]]) -> Option<Self> {
        let [_, kind, _, _, s0, s1, s2, s3, ..] = **aads.first()? else { return None };
        let end = aads.iter().rfind(|it| !it.is_empty())?.last_chunk::<4>()?;
        let index = u32::from_be_bytes(*end) & 0x7fff_ffff;
        (192..224).contains(&kind).then_some(Self { ssrc: [s0, s1, s2, s3], index })
    }
}

/// Of each sender the newest number, and of the 64 up to it those that came.
#[derive(Debug, Default)]
struct Seen(HashMap<[u8; 4], (u32, u64)>);

impl Seen {
    fn is_new(&self, Report { ssrc, index }: Report) -> bool {
        match self.0.get(&ssrc) {
            Some((newest, came)) => newest
                .checked_sub(index)
                .is_none_or(|behind| came.checked_shr(behind).is_some_and(|it| it & 1 == 0)),
            None => self.0.len() < MOST,
        }
    }

    fn remember(&mut self, Report { ssrc, index }: Report) {
        let (newest, came) = self.0.entry(ssrc).or_insert((index, 0));
        if let Some(ahead) = index.checked_sub(*newest) {
            *came = came.checked_shl(ahead).unwrap_or(0) | 1;
            *newest = index;
        } else {
            *came |= 1_u64.checked_shl(*newest - index).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_of_each_sender_is_taken_once() {
        let mut seen = Seen::default();
        let mut take = |sender: u8, index| {
            let report = Report { ssrc: [sender; 4], index };
            let new = seen.is_new(report);
            if new {
                seen.remember(report);
            }
            new
        };
        assert!([7, 9, 8, 100, 40, 37].into_iter().all(|index| take(1, index)));
        assert!(![7, 9, 8, 100, 40, 37, 36].into_iter().any(|index| take(1, index)));
        assert!(take(1, 500) && !take(1, 99) && !take(1, 436) && take(1, 437));
        assert!((2..=250).all(|sender| take(sender, 7) && !take(sender, 7)));
    }

    #[test]
    fn senders_without_end_are_not_remembered() {
        let mut seen = Seen::default();
        for sender in 0..5000_u32 {
            let report = Report { ssrc: sender.to_be_bytes(), index: 1 };
            if seen.is_new(report) {
                seen.remember(report);
            }
        }
        assert_eq!(seen.0.len(), MOST);
    }

    #[test]
    fn media_has_its_own_list_and_is_left_alone() {
        let media = [0x80, 0xe0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        assert!(Report::read(&[&media, &[]]).is_none());
        let report = [0x81, 201, 0, 1, 0, 0, 0, 2, 0x80, 0, 0, 3];
        assert_eq!(Report::read(&[&report, &[]]).map(|it| it.index), Some(3));
        let plain = [&report[..8], &[9; 16]].concat();
        assert_eq!(Report::read(&[&plain, &[0, 0, 0, 4]]).map(|it| it.index), Some(4));
        assert!(Report::read(&[&report[..7]]).is_none() && Report::read(&[]).is_none());
    }
}
