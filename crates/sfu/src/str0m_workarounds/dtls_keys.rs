//! SRTP keying material of the DTLS handshake (RFC 5764 §4.2), which str0m does not expose.
//!
//! A wrapped DTLS provider copies it as str0m polls it.

use std::{cell::Cell, time::Instant};

use str0m::{
    config::{DtlsCert, DtlsVersion},
    crypto::{
        CryptoError, CryptoProvider,
        dtls::{
            DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion, SrtpProfile,
        },
        from_feature_flags,
    },
};

use super::received::NotingSrtpProvider;
use crate::send::{Keys, Profile};

thread_local! {
    /// Keys of the handshake that has finished since the last [`take`].
    static KEYS: Cell<Option<Keys>> = const { Cell::new(None) };
}

/// Takes the keys, if the last call of str0m has finished a handshake.
pub(crate) fn take() -> Option<Keys> {
    KEYS.take()
}

/// str0m's default cryptography, with DTLS and SRTP wrapped.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        dtls_provider: &KeyCopyingProvider,
        srtp_provider: &NotingSrtpProvider,
        ..from_feature_flags()
    }
}

#[derive(Debug)]
struct KeyCopyingProvider;

impl DtlsProvider for KeyCopyingProvider {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = from_feature_flags().dtls_provider.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(KeyCopyingDtls(inner)))
    }
}

#[derive(Debug)]
struct KeyCopyingDtls(Box<dyn DtlsInstance>);

impl DtlsInstance for KeyCopyingDtls {
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.0.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            let profile = match *profile {
                SrtpProfile::AEAD_AES_128_GCM => Some(Profile::Aes128Gcm),
                SrtpProfile::AEAD_AES_256_GCM => Some(Profile::Aes256Gcm),
                SrtpProfile::AES128_CM_SHA1_80 => Some(Profile::Aes128Cm),
                _ => None,
            };
            let material = material.to_vec();
            let is_client = self.0.is_active();
            KEYS.set(profile.map(|profile| Keys { profile, material, is_client }));
        }
        output
    }

    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}
