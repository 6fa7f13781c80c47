//! The packet in hand, as the engine reads it: whether it was authenticated, and its transport-wide
//! number.
//!
//! The engine tells of media alone; of padding and of repeats it says nothing, and yet a sender counts
//! on hearing that they came. Its own register of transport-wide numbers loops and allocates without
//! bound where a number falls below the first one, so it is never shown any: the extension goes by
//! another name there, and [`Twcc`](crate::send) answers in its place.

use std::cell::Cell;

use str0m::{
    crypto::{
        AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider,
        SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
        from_feature_flags,
    },
    rtp::{ExtensionSerializer, ExtensionValues},
};

/// Transport-wide sequence numbers, as the world calls them.
pub(crate) const TWCC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// The same, as the engine is told.
pub(crate) const ENGINE_TWCC_URI: &str = "urn:moim:twcc";

/// What is known of a packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// It was decrypted under the keys of the link, as a packet that was not seen before.
    pub(crate) is_authentic: bool,
    pub(crate) twcc_seq: Option<u16>,
}

thread_local! {
    static IN_HAND: Cell<Received> =
        const { Cell::new(Received { is_authentic: false, twcc_seq: None }) };
}

/// What was noted since it was taken last.
pub(crate) fn take() -> Received {
    IN_HAND.take()
}

fn note(change: impl FnOnce(&mut Received)) {
    let mut received = IN_HAND.get();
    change(&mut received);
    IN_HAND.set(received);
}

/// Session descriptions as the engine is given them.
pub(crate) fn for_engine(sdp: &str) -> String {
    sdp.replace(TWCC_URI, ENGINE_TWCC_URI)
}

/// Session descriptions of the engine as they are given out.
pub(crate) fn for_peer(sdp: &str) -> String {
    sdp.replace(ENGINE_TWCC_URI, TWCC_URI)
}

/// Notes the number and keeps it from the engine.
#[derive(Debug)]
pub(crate) struct TwccSerializer;

impl ExtensionSerializer for TwccSerializer {
    /// The engine sends no media.
    fn write_to(&self, _: &mut [u8], _: &ExtensionValues) -> usize {
        0
    }

    fn parse_value(&self, bytes: &[u8], _: &mut ExtensionValues) -> bool {
        let number = bytes.first_chunk().map(|number| u16::from_be_bytes(*number));
        note(|received| received.twcc_seq = number);
        number.is_some()
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        true
    }
}

/// The engine's own SRTP, which notes what it could decrypt. Of AES-CM nothing is decrypted before its
/// tag was verified.
#[derive(Debug)]
pub(crate) struct WatchedSrtp;

impl SrtpProvider for WatchedSrtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Self
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

#[derive(Debug)]
struct Watched<C: ?Sized>(Box<C>);

impl SupportedAes128CmSha1_80 for WatchedSrtp {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        let srtp = from_feature_flags().srtp_provider;
        let cipher = srtp.aes_128_cm_sha1_80().create_cipher(key, encrypt);
        if encrypt { cipher } else { Box::new(Watched(cipher)) }
    }
}

impl SupportedAeadAes128Gcm for WatchedSrtp {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        let srtp = from_feature_flags().srtp_provider;
        let cipher = srtp.aead_aes_128_gcm().create_cipher(key, encrypt);
        if encrypt { cipher } else { Box::new(Watched(cipher)) }
    }
}

impl SupportedAeadAes256Gcm for WatchedSrtp {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        let srtp = from_feature_flags().srtp_provider;
        let cipher = srtp.aead_aes_256_gcm().create_cipher(key, encrypt);
        if encrypt { cipher } else { Box::new(Watched(cipher)) }
    }
}

impl Aes128CmSha1_80Cipher for Watched<dyn Aes128CmSha1_80Cipher> {
    fn encrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.encrypt(iv, input, output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.decrypt(iv, input, output)?;
        note(|received| received.is_authentic = true);
        Ok(())
    }
}

impl AeadAes128GcmCipher for Watched<dyn AeadAes128GcmCipher> {
    fn encrypt(
        &mut self,
        iv: &[u8; 12],
        aad: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.encrypt(iv, aad, input, output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let length = self.0.decrypt(iv, aads, input, output)?;
        note(|received| received.is_authentic = true);
        Ok(length)
    }
}

impl AeadAes256GcmCipher for Watched<dyn AeadAes256GcmCipher> {
    fn encrypt(
        &mut self,
        iv: &[u8; 12],
        aad: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.0.encrypt(iv, aad, input, output)
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let length = self.0.decrypt(iv, aads, input, output)?;
        note(|received| received.is_authentic = true);
        Ok(length)
    }
}

#[cfg(test)]
pub(crate) fn note_for_tests() {
    note(|received| received.is_authentic = true);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_noted_once_and_only_if_it_is_whole() {
        let mut values = ExtensionValues::default();
        assert!(!TwccSerializer.parse_value(&[1], &mut values));
        assert_eq!(take(), Received::default());
        assert!(TwccSerializer.parse_value(&[1, 2], &mut values));
        assert_eq!(take(), Received { is_authentic: false, twcc_seq: Some(0x0102) });
        assert_eq!(take(), Received::default());
    }

    #[test]
    fn a_packet_is_authentic_once_it_could_be_decrypted() {
        let [mut seal, mut open] = [true, false]
            .map(|encrypt| WatchedSrtp.aead_aes_256_gcm().create_cipher([7; 32], encrypt));
        let mut sealed = [0; 20];
        seal.encrypt(&[1; 12], &[0; 12], &[5; 4], &mut sealed).unwrap();
        assert!(!take().is_authentic, "what we send is not received");
        let mut out = [0; 4];
        assert!(open.decrypt(&[2; 12], &[&[0; 12]], &sealed, &mut out).is_err());
        assert!(!take().is_authentic);
        open.decrypt(&[1; 12], &[&[0; 12]], &sealed, &mut out).unwrap();
        assert!(take().is_authentic);
    }
}
