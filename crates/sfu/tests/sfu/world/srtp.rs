//! SRTP and SRTCP by hand, for a client that holds the keys of its link.
//!
//! str0m does not hand out the keys, so its DTLS provider is wrapped here, as the server does in
//! `str0m_workarounds/dtls_keys.rs`. Tests can't share that: it is private to the crate.

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

thread_local! {
    static AGREED: Cell<Option<Keys>> = const { Cell::new(None) };
    /// Messages to send before a client's next DTLS message, and its last one.
    static INJECTED: Cell<Vec<Vec<u8>>> = const { Cell::new(Vec::new()) };
    static LAST: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Makes the client that sends next send these DTLS messages first.
pub(crate) fn inject(messages: Vec<Vec<u8>>) {
    INJECTED.set(messages);
}

/// The last DTLS message that a client has sent.
pub(crate) fn last_message() -> Vec<u8> {
    let last = LAST.take();
    LAST.set(last.clone());
    last
}

/// Takes the keys of a client's handshake that has just finished.
pub(crate) fn take_keys() -> Option<Keys> {
    AGREED.take()
}

/// str0m's cryptography, except that the keys of handshakes are recorded.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider { dtls_provider: &Watched, ..from_feature_flags() }
}

/// SRTP keying material of a client.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    profile: SrtpProfile,
    material: Vec<u8>,
    is_client: bool,
    /// Index of the last SRTCP packet.
    index: u32,
}

/// Labels of derived keys (RFC 3711 §4.3.2): offsets of SRTP and SRTCP, then the kinds of keys.
const RTP: u8 = 0;
const RTCP: u8 = 3;
const ENCRYPTION: u8 = 0;
const SALTING: u8 = 2;
/// Salt length of AEAD profiles (RFC 7714 §12).
const SALT: usize = 12;

impl Keys {
    fn key_length(&self) -> usize {
        match self.profile {
            SrtpProfile::AEAD_AES_256_GCM => 32,
            SrtpProfile::AEAD_AES_128_GCM => 16,
            other => panic!("both sides prefer AEAD, not {other:?}"),
        }
    }

    /// Derives a key of this side, or of the other.
    fn derive(&self, ours: bool, label: u8, length: usize) -> Vec<u8> {
        let key = self.key_length();
        let which = usize::from(self.is_client != ours);
        let master = &self.material[which * key..][..key];
        let salt = &self.material[2 * key + which * SALT..][..SALT];
        let srtp = from_feature_flags().srtp_provider;
        let blocks = (0..length.div_ceil(16)).flat_map(|block| {
            let mut counter = [0; 16];
            counter[..SALT].copy_from_slice(salt);
            counter[7] ^= label;
            counter[15] = block as u8;
            let mut out = [0; 32];
            match key {
                32 => srtp.srtp_aes_256_ecb_round(master, &counter, &mut out),
                _ => srtp.srtp_aes_128_ecb_round(master, &counter, &mut out),
            }
            out.into_iter().take(16)
        });
        blocks.take(length).collect()
    }

    fn seal(&self, protocol: u8, nonce: [u8; SALT], open: &[u8], body: &[u8]) -> Vec<u8> {
        let key = self.derive(true, ENCRYPTION + protocol, self.key_length());
        let salt = self.derive(true, SALTING + protocol, SALT);
        let mut iv = nonce;
        iv.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
        let mut out = vec![0; body.len() + 16];
        let srtp = from_feature_flags().srtp_provider;
        let sealed = match self.key_length() {
            32 => srtp
                .aead_aes_256_gcm()
                .create_cipher(key.try_into().unwrap(), true)
                .encrypt(&iv, open, body, &mut out),
            _ => srtp
                .aead_aes_128_gcm()
                .create_cipher(key.try_into().unwrap(), true)
                .encrypt(&iv, open, body, &mut out),
        };
        sealed.unwrap();
        out
    }

    /// Protects a packet with a header (including extensions) of `head` bytes.
    pub(crate) fn protect(&self, packet: &[u8], head: usize, rollovers: u32) -> Vec<u8> {
        let (open, body) = packet.split_at(head);
        let mut nonce = [0; SALT];
        nonce[2..6].copy_from_slice(&packet[8..12]);
        nonce[6..10].copy_from_slice(&rollovers.to_be_bytes());
        nonce[10..12].copy_from_slice(&packet[2..4]);
        [open, &self.seal(RTP, nonce, open, body)].concat()
    }

    /// Protects an RTCP compound.
    pub(crate) fn protect_rtcp(&mut self, reports: &[u8]) -> Vec<u8> {
        let (head, body) = reports.split_at(8);
        self.index += 1;
        let index = (0x8000_0000 | self.index).to_be_bytes();
        let mut nonce = [0; SALT];
        nonce[2..6].copy_from_slice(&head[4..8]);
        nonce[8..12].copy_from_slice(&self.index.to_be_bytes());
        let open = [head, &index].concat();
        [head, &self.seal(RTCP, nonce, &open, body), &index].concat()
    }

    /// Decrypts SRTCP of the other side.
    pub(crate) fn open_rtcp(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (head, rest) = datagram.split_at_checked(8)?;
        let (sealed, index) = rest.split_last_chunk::<4>()?;
        let mut nonce = [0; SALT];
        nonce[2..6].copy_from_slice(&head[4..8]);
        nonce[8..12].copy_from_slice(&(u32::from_be_bytes(*index) & 0x7fff_ffff).to_be_bytes());
        let salt = self.derive(false, SALTING + RTCP, SALT);
        nonce.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
        let key = self.derive(false, ENCRYPTION + RTCP, self.key_length());
        let open = [head, index].concat();
        let mut out = vec![0; sealed.len().checked_sub(16)?];
        let srtp = from_feature_flags().srtp_provider;
        let opened =
            match self.key_length() {
                32 => srtp
                    .aead_aes_256_gcm()
                    .create_cipher(key.try_into().unwrap(), false)
                    .decrypt(&nonce, &[&open], sealed, &mut out),
                _ => srtp.aead_aes_128_gcm().create_cipher(key.try_into().unwrap(), false).decrypt(
                    &nonce,
                    &[&open],
                    sealed,
                    &mut out,
                ),
            };
        opened.ok()?;
        Some([head, &out].concat())
    }
}

#[derive(Debug)]
struct Watched;

impl DtlsProvider for Watched {
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
        Ok(Box::new(Handshake(inner)))
    }
}

#[derive(Debug)]
struct Handshake(Box<dyn DtlsInstance>);

impl DtlsInstance for Handshake {
    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.0.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            let material = material.to_vec();
            let is_client = self.0.is_active();
            // Ahead of the indices that str0m uses itself.
            AGREED.set(Some(Keys { profile: *profile, material, is_client, index: 1 << 20 }));
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
        for message in INJECTED.take() {
            self.0.send_application_data(&message)?;
        }
        LAST.set(data.to_vec());
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
