//! SRTP and SRTCP of one link (RFC 3711, RFC 7714), except for received media, which str0m
//! decrypts.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time,
    error::Unspecified,
    hmac,
};

use super::replay::ReplayWindows;

/// SRTP protection profile, negotiated in the DTLS handshake (RFC 5764 §4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// `SRTP_AES128_CM_HMAC_SHA1_80`.
    Aes128Cm,
    /// `SRTP_AEAD_AES_128_GCM`.
    Aes128Gcm,
    /// `SRTP_AEAD_AES_256_GCM`.
    Aes256Gcm,
}

/// Keying material of a DTLS handshake.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) profile: Profile,
    /// Keys and salts of both sides, the DTLS client's first (RFC 5764 §4.2).
    pub(crate) material: Vec<u8>,
    /// True if we are the DTLS client.
    pub(crate) is_client: bool,
}

/// Reason for which SRTCP is dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OpenRtcpError {
    /// It was received before.
    Replayed,
    /// It is not authentic, or no SRTCP at all.
    Forged,
}

pub(super) struct Srtp {
    rtp: Cipher,
    rtcp: Cipher,
    their_rtcp: Cipher,
    /// Index of our next SRTCP packet.
    rtcp_index: u32,
    replay_windows: ReplayWindows,
}

/// Identity of a packet: its SSRC and its sequence number, extended by the rollovers (RFC 3711
/// §3.3.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketIndex {
    pub(super) ssrc: u32,
    pub(super) index: u64,
}

/// Master key and master salt of one side.
#[derive(Clone, Copy)]
struct Master<'a> {
    key: &'a [u8],
    salt: &'a [u8],
}

enum Cipher {
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    Cm(Box<Cm>),
}

struct Cm {
    key: EncryptingKey,
    mac: hmac::Key,
    salt: [u8; 14],
}

/// Key derivation labels of SRTP (RFC 3711 §4.3.2).
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALTING: u8 = 2;
/// Added to a label for SRTP, and for SRTCP.
const RTP: u8 = 0;
const RTCP: u8 = 3;

/// Bytes of the authentication tags.
const GCM_TAG: usize = 16;
const CM_TAG: usize = 10;
/// Bytes of the SRTCP index with the E bit, which follows the packet (RFC 3711 §3.4).
const INDEX: usize = 4;
const E_BIT: u32 = 0x8000_0000;
/// Bytes of a compound that are not encrypted.
const RTCP_HEADER: usize = 8;

impl Profile {
    fn key_length(self) -> usize {
        if self == Self::Aes256Gcm { 32 } else { 16 }
    }

    fn salt_length(self) -> usize {
        if self == Self::Aes128Cm { 14 } else { 12 }
    }
}

impl Srtp {
    /// Returns `None` if the keying material is too short.
    pub(super) fn new(keys: &Keys) -> Option<Self> {
        let key_length = keys.profile.key_length();
        let salt_length = keys.profile.salt_length();
        let (client_key, rest) = keys.material.split_at_checked(key_length)?;
        let (server_key, rest) = rest.split_at_checked(key_length)?;
        let (client_salt, rest) = rest.split_at_checked(salt_length)?;
        let client = Master { key: client_key, salt: client_salt };
        let server = Master { key: server_key, salt: rest.get(..salt_length)? };
        let (ours, theirs) = if keys.is_client { (client, server) } else { (server, client) };
        Some(Self {
            rtp: Cipher::derive(keys.profile, ours, RTP)?,
            rtcp: Cipher::derive(keys.profile, ours, RTCP)?,
            their_rtcp: Cipher::derive(keys.profile, theirs, RTCP)?,
            rtcp_index: 1,
            replay_windows: ReplayWindows::default(),
        })
    }

    /// Protects the RTP packet from `start` to the end of the buffer.
    pub(super) fn protect(
        &self,
        bytes: &mut Vec<u8>,
        start: usize,
        header_length: usize,
        packet: PacketIndex,
    ) -> Option<()> {
        let PacketIndex { ssrc, index } = packet;
        let (header, body) = bytes.get_mut(start..)?.split_at_mut_checked(header_length)?;
        match &self.rtp {
            Cipher::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(gcm_nonce(salt, ssrc, index));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), body).ok()?;
                bytes.extend_from_slice(tag.as_ref());
            }
            Cipher::Cm(cm) => {
                let Cm { key, mac, salt } = &**cm;
                crypt(key, cm_counter(salt, ssrc, index), body).ok()?;
                let mut mac = hmac::Context::with_key(mac);
                mac.update(bytes.get(start..)?);
                mac.update(&rollover_counter(index));
                bytes.extend_from_slice(mac.sign().as_ref().get(..CM_TAG)?);
            }
        }
        Some(())
    }

    /// Protects the RTCP compound from `start` to the end of the buffer.
    pub(super) fn protect_rtcp(&mut self, bytes: &mut Vec<u8>, start: usize) -> Option<()> {
        let index = self.rtcp_index;
        self.rtcp_index = (index + 1) % E_BIT;
        self.rtcp.seal(bytes, start, index)
    }

    /// Protects a compound with the keys of the other side, under an index that it has used. The
    /// result is for str0m and must never be sent: it repeats a keystream.
    pub(super) fn protect_as_theirs(&self, bytes: &mut Vec<u8>, index: u32) -> Option<()> {
        self.their_rtcp.seal(bytes, 0, index)
    }

    /// Decrypts SRTCP into `bytes`, which are cleared first, and returns its index. Replays are
    /// rejected (RFC 3711 §3.3.2): they could lower a viewer's estimate until its video stops.
    pub(super) fn open_rtcp(
        &mut self,
        datagram: &[u8],
        bytes: &mut Vec<u8>,
    ) -> Result<u32, OpenRtcpError> {
        bytes.clear();
        let (ssrc, index) = self.their_rtcp.open(datagram, bytes).ok_or(OpenRtcpError::Forged)?;
        if self.replay_windows.insert(ssrc, index) {
            Ok(index)
        } else {
            Err(OpenRtcpError::Replayed)
        }
    }
}

impl Cipher {
    /// Derives the session keys of SRTP or SRTCP, as selected by `protocol`.
    fn derive(profile: Profile, master: Master<'_>, protocol: u8) -> Option<Self> {
        let derive = |label: u8, out: &mut [u8]| {
            let mut counter = [0; 16];
            counter.get_mut(..master.salt.len())?.copy_from_slice(master.salt);
            // The label precedes the 48 bits of the packet index (§4.3.1).
            counter[7] ^= label + protocol;
            crypt(&keyed(master.key)?, counter, out).ok()
        };
        let mut key = vec![0; profile.key_length()];
        derive(ENCRYPTION, &mut key)?;
        if profile == Profile::Aes128Cm {
            let mut mac = [0; 20];
            let mut salt = [0; 14];
            derive(AUTHENTICATION, &mut mac)?;
            derive(SALTING, &mut salt)?;
            let mac = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &mac);
            return Some(Self::Cm(Box::new(Cm { key: keyed(&key)?, mac, salt })));
        }
        let mut salt = [0; 12];
        derive(SALTING, &mut salt)?;
        let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
        Some(Self::Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, &key).ok()?), salt })
    }

    /// Protects the compound from `start` to the end of the buffer.
    fn seal(&self, bytes: &mut Vec<u8>, start: usize, index: u32) -> Option<()> {
        let trailer = (E_BIT | index).to_be_bytes();
        let (header, body) = bytes.get_mut(start..)?.split_at_mut_checked(RTCP_HEADER)?;
        let ssrc = sender_ssrc(header)?;
        match self {
            Self::Gcm { key, salt } => {
                let nonce = gcm_nonce(salt, ssrc, u64::from(index));
                let nonce = Nonce::assume_unique_for_key(nonce);
                let aad = Aad::from([&*header, &trailer].concat());
                let tag = key.seal_in_place_separate_tag(nonce, aad, body).ok()?;
                bytes.extend_from_slice(tag.as_ref());
                bytes.extend_from_slice(&trailer);
            }
            Self::Cm(cm) => {
                let Cm { key, mac, salt } = &**cm;
                crypt(key, cm_counter(salt, ssrc, u64::from(index)), body).ok()?;
                bytes.extend_from_slice(&trailer);
                let tag = hmac::sign(mac, bytes.get(start..)?);
                bytes.extend_from_slice(tag.as_ref().get(..CM_TAG)?);
            }
        }
        Some(())
    }

    /// Decrypts SRTCP; returns its sender SSRC and index.
    fn open(&self, datagram: &[u8], bytes: &mut Vec<u8>) -> Option<(u32, u32)> {
        let authenticated = match self {
            Self::Gcm { .. } => datagram,
            Self::Cm(cm) => {
                let length = datagram.len().checked_sub(CM_TAG)?;
                let (authenticated, tag) = datagram.split_at_checked(length)?;
                let expected = hmac::sign(&cm.mac, authenticated);
                let expected = expected.as_ref().get(..CM_TAG)?;
                constant_time::verify_slices_are_equal(expected, tag).ok()?;
                authenticated
            }
        };
        let (compound, trailer) = authenticated.split_last_chunk::<INDEX>()?;
        let (header, body) = compound.split_at_checked(RTCP_HEADER)?;
        let index = u32::from_be_bytes(*trailer).checked_sub(E_BIT)?;
        let ssrc = sender_ssrc(header)?;
        bytes.extend_from_slice(compound);
        let encrypted = bytes.get_mut(RTCP_HEADER..)?;
        match self {
            Self::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(gcm_nonce(salt, ssrc, u64::from(index)));
                let aad = Aad::from([header, trailer].concat());
                key.open_in_place(nonce, aad, encrypted).ok()?;
                bytes.truncate(RTCP_HEADER + body.len().checked_sub(GCM_TAG)?);
            }
            Self::Cm(cm) => {
                crypt(&cm.key, cm_counter(&cm.salt, ssrc, u64::from(index)), encrypted).ok()?;
            }
        }
        Some((ssrc, index))
    }
}

fn keyed(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 32 { &cipher::AES_256 } else { &cipher::AES_128 };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Encrypts or decrypts with AES in counter mode.
fn crypt(key: &EncryptingKey, counter: [u8; 16], bytes: &mut [u8]) -> Result<(), Unspecified> {
    key.less_safe_encrypt(bytes, EncryptionContext::Iv128((&counter).into())).map(|_| ())
}

/// Nonce of SRTP and SRTCP (RFC 7714 §8.1, §9.1), whose indices differ in length.
fn gcm_nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some((_, rest)) = nonce.split_first_chunk_mut::<2>() {
        write_ssrc_and_index(rest, ssrc, index);
    }
    nonce.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    nonce
}

/// Initial counter (RFC 3711 §4.1.1).
fn cm_counter(salt: &[u8; 14], ssrc: u32, index: u64) -> [u8; 16] {
    let mut counter = [0; 16];
    if let Some((_, rest)) = counter.split_first_chunk_mut::<4>() {
        write_ssrc_and_index(rest, ssrc, index);
    }
    counter.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    counter
}

/// Writes an SSRC and the low 48 bits of an index.
fn write_ssrc_and_index(bytes: &mut [u8], ssrc: u32, index: u64) {
    let [_, _, index @ ..] = index.to_be_bytes();
    let both = ssrc.to_be_bytes().into_iter().chain(index);
    bytes.iter_mut().zip(both).for_each(|(byte, from)| *byte = from);
}

/// The part of a packet index that no packet carries.
fn rollover_counter(index: u64) -> [u8; 4] {
    let [_, _, r0, r1, r2, r3, _, _] = index.to_be_bytes();
    [r0, r1, r2, r3]
}

fn sender_ssrc(header: &[u8]) -> Option<u32> {
    let [_, packet_type, _, _, ssrc @ ..] = *header.first_chunk::<RTCP_HEADER>()?;
    (192..224).contains(&packet_type).then_some(u32::from_be_bytes(ssrc))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILES: [Profile; 3] = [Profile::Aes128Cm, Profile::Aes128Gcm, Profile::Aes256Gcm];

    fn client_and_server(profile: Profile) -> (Srtp, Srtp) {
        let length = 2 * (profile.key_length() + profile.salt_length());
        let material: Vec<u8> = (0..u8::try_from(length).unwrap()).collect();
        let side = |is_client| {
            Srtp::new(&Keys { profile, material: material.clone(), is_client }).unwrap()
        };
        (side(true), side(false))
    }

    fn receiver_report(length: u8) -> Vec<u8> {
        let mut bytes = vec![0x81, 201, 0, 1, 0, 0, 0, 9];
        bytes.extend(0..length);
        bytes
    }

    #[test]
    fn srtcp_of_one_side_is_opened_once_by_the_other() {
        for profile in PROFILES {
            let (mut client, mut server) = client_and_server(profile);
            let mut sent = vec![7; 3];
            sent.extend(receiver_report(40));
            client.protect_rtcp(&mut sent, 3).unwrap();
            let mut opened = vec![1];
            assert_eq!(server.open_rtcp(&sent[3..], &mut opened), Ok(1), "{profile:?}");
            assert_eq!(opened, receiver_report(40));
            assert_eq!(server.open_rtcp(&sent[3..], &mut opened), Err(OpenRtcpError::Replayed));
            for at in 3..sent.len() {
                let mut forged = sent[3..].to_vec();
                forged[at - 3] ^= 1;
                assert_eq!(
                    server.open_rtcp(&forged, &mut opened),
                    Err(OpenRtcpError::Forged),
                    "{at}"
                );
                assert_eq!(server.open_rtcp(&sent[3..at], &mut opened), Err(OpenRtcpError::Forged));
            }
            assert_eq!(client.open_rtcp(&sent[3..], &mut opened), Err(OpenRtcpError::Forged));
        }
    }

    #[test]
    fn srtcp_protected_as_theirs_equals_what_they_send() {
        for profile in PROFILES {
            let (mut client, server) = client_and_server(profile);
            let mut sent = receiver_report(40);
            client.protect_rtcp(&mut sent, 0).unwrap();
            let mut same = receiver_report(40);
            server.protect_as_theirs(&mut same, 1).unwrap();
            assert_eq!(same, sent, "{profile:?}");
        }
    }

    #[test]
    fn unencrypted_rtcp_is_rejected() {
        for profile in PROFILES {
            let (_, mut server) = client_and_server(profile);
            let mut plain = receiver_report(40);
            plain.extend([0; 30]);
            assert_eq!(server.open_rtcp(&plain, &mut Vec::new()), Err(OpenRtcpError::Forged));
        }
    }

    #[test]
    fn each_packet_and_each_side_has_its_own_keystream() {
        for profile in PROFILES {
            let (client, server) = client_and_server(profile);
            let mut seen = std::collections::HashSet::new();
            for side in [&client, &server] {
                for (ssrc, index) in [(1, 1), (2, 1), (1, 2), (1, 65_537)] {
                    let mut bytes = [&[0x80, 96][..], &[0; 30]].concat();
                    side.protect(&mut bytes, 0, 12, PacketIndex { ssrc, index }).unwrap();
                    assert_eq!(bytes[..2], [0x80, 96], "the header is not encrypted");
                    assert!(bytes.len() > 32 && bytes.len() <= 32 + GCM_TAG);
                    assert!(seen.insert(bytes[12..32].to_vec()));
                }
            }
        }
    }

    #[test]
    fn short_keying_material_is_rejected() {
        let keys = |length| Keys {
            profile: Profile::Aes256Gcm,
            material: vec![1; length],
            is_client: false,
        };
        assert!(Srtp::new(&keys(88)).is_some() && Srtp::new(&keys(87)).is_none());
    }

    /// Test vectors of RFC 3711 §B.3.
    #[test]
    fn session_keys_match_the_vectors_of_rfc_3711() {
        let key = u128::from_str_radix("E1F97A0D3E018BE0D64FA32C06DE4139", 16).unwrap();
        let salt = u128::from_str_radix("0EC675AD498AFEEBB6960B3AABE6", 16).unwrap();
        let master = Master { key: &key.to_be_bytes(), salt: &salt.to_be_bytes()[2..] };
        let Some(Cipher::Cm(cm)) = Cipher::derive(Profile::Aes128Cm, master, RTP) else {
            panic!("not AES-CM");
        };
        let expected = u128::from_str_radix("30CBBC08863D8C85D49DB34A9AE1", 16).unwrap();
        assert_eq!(cm.salt, expected.to_be_bytes()[2..]);
    }

    /// A test vector of libsrtp.
    #[test]
    fn known_packet_matches_the_vector_of_libsrtp() {
        let bytes_of = |hex: &str| u128::from_str_radix(hex, 16).unwrap().to_be_bytes();
        let key = bytes_of("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = bytes_of("0EC675AD498AFEEBB6960B3AABE6");
        let material = [&key[..], &key[..], &salt[2..], &salt[2..]].concat();
        let keys = Keys { profile: Profile::Aes128Cm, material, is_client: true };
        let mut bytes =
            vec![0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe];
        bytes.extend([0xab; 16]);
        let srtp = Srtp::new(&keys).unwrap();
        srtp.protect(&mut bytes, 0, 12, PacketIndex { ssrc: 0xcafe_babe, index: 0x1234 }).unwrap();
        assert_eq!(bytes[12..28], bytes_of("4E55DC4CE79978D88CA4D215949D2402"));
        assert_eq!(bytes[28..], bytes_of("B78D6ACC99EA179B8DBB")[6..]);
    }
}
