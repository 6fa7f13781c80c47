//! Authenticity and `twcc_seq` of the packet that str0m is handling.
//!
//! str0m returns media only. TWCC feedback must also report padding and RTX. str0m's own TWCC
//! register loops and allocates without bound if a number falls below the first one, so the
//! extension is hidden from it under another URI, and [`send::twcc`](crate::send) sends the
//! feedback.

use std::cell::Cell;

use str0m::{
    crypto::{
        AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider,
        SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
        from_feature_flags,
    },
    rtp::{ExtensionSerializer, ExtensionValues},
};

/// URI of the transport-wide sequence number extension, as clients offer it.
pub(crate) const TWCC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// The same, as str0m is given it.
pub(crate) const STR0M_TWCC_URI: &str = "urn:moim:twcc";

/// Notes about the current packet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Authenticated with the keys of the link, and not replayed.
    pub(crate) is_authentic: bool,
    pub(crate) twcc_seq: Option<u16>,
}

thread_local! {
    static CURRENT: Cell<Received> =
        const { Cell::new(Received { is_authentic: false, twcc_seq: None }) };
}

/// Takes the notes since the last call.
pub(crate) fn take() -> Received {
    CURRENT.take()
}

/// Notes that the current packet is authentic.
pub(super) fn note_authentic() {
    note(|received| received.is_authentic = true);
}

fn note(change: impl FnOnce(&mut Received)) {
    let mut received = CURRENT.get();
    change(&mut received);
    CURRENT.set(received);
}

/// Hides the extension in a description for str0m.
pub(crate) fn for_str0m(sdp: &str) -> String {
    sdp.replace(TWCC_URI, STR0M_TWCC_URI)
}

/// Restores the extension in a description of str0m.
pub(crate) fn for_client(sdp: &str) -> String {
    sdp.replace(STR0M_TWCC_URI, TWCC_URI)
}

/// Notes the sequence number and hides it from str0m.
#[derive(Debug)]
pub(crate) struct TwccSerializer;

impl ExtensionSerializer for TwccSerializer {
    /// str0m sends no media.
    fn write_to(&self, _: &mut [u8], _: &ExtensionValues) -> usize {
        0
    }

    fn parse_value(&self, bytes: &[u8], _: &mut ExtensionValues) -> bool {
        let twcc_seq = bytes.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
        note(|received| received.twcc_seq = twcc_seq);
        twcc_seq.is_some()
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        true
    }
}

/// str0m's SRTP provider. Its ciphers note each successful decryption. With AES-CM, str0m verifies
/// the tag before it decrypts.
#[derive(Debug)]
pub(crate) struct NotingSrtpProvider;

impl SrtpProvider for NotingSrtpProvider {
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
struct NotingCipher<C: ?Sized>(Box<C>);

impl SupportedAes128CmSha1_80 for NotingSrtpProvider {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        let srtp = from_feature_flags().srtp_provider;
        let cipher = srtp.aes_128_cm_sha1_80().create_cipher(key, encrypt);
        if encrypt { cipher } else { Box::new(NotingCipher(cipher)) }
    }
}

impl SupportedAeadAes128Gcm for NotingSrtpProvider {
    fn create_cipher(&self, key: [u8; 16], encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        let srtp = from_feature_flags().srtp_provider;
        let cipher = srtp.aead_aes_128_gcm().create_cipher(key, encrypt);
        if encrypt { cipher } else { Box::new(NotingCipher(cipher)) }
    }
}

impl SupportedAeadAes256Gcm for NotingSrtpProvider {
    fn create_cipher(&self, key: [u8; 32], encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        let srtp = from_feature_flags().srtp_provider;
        let cipher = srtp.aead_aes_256_gcm().create_cipher(key, encrypt);
        if encrypt { cipher } else { Box::new(NotingCipher(cipher)) }
    }
}

impl Aes128CmSha1_80Cipher for NotingCipher<dyn Aes128CmSha1_80Cipher> {
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
        note_authentic();
        Ok(())
    }
}

impl AeadAes128GcmCipher for NotingCipher<dyn AeadAes128GcmCipher> {
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
        note_authentic();
        Ok(length)
    }
}

impl AeadAes256GcmCipher for NotingCipher<dyn AeadAes256GcmCipher> {
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
        note_authentic();
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twcc_seq_is_noted_once_and_only_if_complete() {
        let mut values = ExtensionValues::default();
        assert!(!TwccSerializer.parse_value(&[1], &mut values));
        assert_eq!(take(), Received::default());
        assert!(TwccSerializer.parse_value(&[1, 2], &mut values));
        assert_eq!(take(), Received { is_authentic: false, twcc_seq: Some(0x0102) });
        assert_eq!(take(), Received::default());
    }

    #[test]
    fn packet_is_authentic_after_decryption() {
        let [mut seal, mut open] = [true, false]
            .map(|encrypt| NotingSrtpProvider.aead_aes_256_gcm().create_cipher([7; 32], encrypt));
        let mut sealed = [0; 20];
        seal.encrypt(&[1; 12], &[0; 12], &[5; 4], &mut sealed).unwrap();
        assert!(!take().is_authentic, "an encrypted packet is sent, not received");
        let mut out = [0; 4];
        assert!(open.decrypt(&[2; 12], &[&[0; 12]], &sealed, &mut out).is_err());
        assert!(!take().is_authentic);
        open.decrypt(&[1; 12], &[&[0; 12]], &sealed, &mut out).unwrap();
        assert!(take().is_authentic);
    }
}
