//! SRTP and SRTCP of one link (RFC 3711, RFC 7714): what we send is protected here, and reports that
//! come are opened here. Media that comes is the engine's.

use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    cipher::{self, EncryptingKey, EncryptionContext, UnboundCipherKey},
    constant_time,
    error::Unspecified,
    hmac,
};

use super::replay::Replays;

/// How packets are protected, as agreed in the DTLS handshake (RFC 5764 §4.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// SRTP_AES128_CM_HMAC_SHA1_80.
    Aes128Cm,
    /// SRTP_AEAD_AES_128_GCM.
    Aes128Gcm,
    /// SRTP_AEAD_AES_256_GCM.
    Aes256Gcm,
}

/// The keys of a handshake.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) profile: Profile,
    /// Both sides' keys and salts, the client's before the server's (RFC 5764 §4.2).
    pub(crate) material: Vec<u8>,
    /// Whether we are the client of the handshake.
    pub(crate) client: bool,
}

/// Why a report is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bad {
    /// It was taken before.
    Replayed,
    /// It is not its sender's, or no report at all.
    Forged,
}

pub(super) struct Srtp {
    media: Cipher,
    reports: Cipher,
    theirs: Cipher,
    /// Of the next report of ours.
    index: u32,
    replays: Replays,
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

/// What keys are derived for (RFC 3711 §4.3.2); of reports it is three more.
const ENCRYPTION: u8 = 0;
const AUTHENTICATION: u8 = 1;
const SALTING: u8 = 2;
const OF_REPORTS: u8 = 3;

/// What protection adds to a packet, and to a report besides its number.
const GCM_TAG: usize = 16;
const CM_TAG: usize = 10;
/// Behind a report: a bit that says that it is encrypted, and its number (RFC 3711 §3.4).
const INDEX: usize = 4;
const ENCRYPTED: u32 = 0x8000_0000;
/// Of a report this much stays readable.
const REPORT_HEAD: usize = 8;

impl Profile {
    fn key_length(self) -> usize {
        if self == Self::Aes256Gcm { 32 } else { 16 }
    }

    fn salt_length(self) -> usize {
        if self == Self::Aes128Cm { 14 } else { 12 }
    }
}

impl Srtp {
    /// None of keys that are none.
    pub(super) fn new(keys: &Keys) -> Option<Self> {
        let (key, salt) = (keys.profile.key_length(), keys.profile.salt_length());
        let (clients, rest) = keys.material.split_at_checked(key)?;
        let (servers, rest) = rest.split_at_checked(key)?;
        let (clients_salt, rest) = rest.split_at_checked(salt)?;
        let servers_salt = rest.get(..salt)?;
        let (client, server) = ((clients, clients_salt), (servers, servers_salt));
        let (ours, theirs) = if keys.client { (client, server) } else { (server, client) };
        Some(Self {
            media: Cipher::derive(keys.profile, ours, 0)?,
            reports: Cipher::derive(keys.profile, ours, OF_REPORTS)?,
            theirs: Cipher::derive(keys.profile, theirs, OF_REPORTS)?,
            index: 1,
            replays: Replays::default(),
        })
    }

    /// Protects the RTP packet that begins at `start` and ends the buffer. Its number is extended by
    /// the rollovers there were.
    pub(super) fn protect(
        &self,
        bytes: &mut Vec<u8>,
        start: usize,
        header: usize,
        (ssrc, number): (u32, u64),
    ) -> Option<()> {
        let (head, body) = bytes.get_mut(start..)?.split_at_mut_checked(header)?;
        match &self.media {
            Cipher::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(gcm_nonce(salt, ssrc, number));
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(head), body).ok()?;
                bytes.extend_from_slice(tag.as_ref());
            }
            Cipher::Cm(cm) => {
                let Cm { key, mac, salt } = &**cm;
                crypt(key, cm_counter(salt, ssrc, number), body).ok()?;
                let mut mac = hmac::Context::with_key(mac);
                mac.update(bytes.get(start..)?);
                mac.update(&rollovers(number));
                bytes.extend_from_slice(mac.sign().as_ref().get(..CM_TAG)?);
            }
        }
        Some(())
    }

    /// Protects the reports that begin at `start` and end the buffer.
    pub(super) fn protect_reports(&mut self, bytes: &mut Vec<u8>, start: usize) -> Option<()> {
        let index = self.index;
        self.index = (index + 1) % ENCRYPTED;
        self.reports.seal(bytes, start, index)
    }

    /// Protects reports as the other side did, under the number of one of its own. They are for the
    /// engine and must never leave: the key stream has been used.
    pub(super) fn protect_as_theirs(&self, bytes: &mut Vec<u8>, index: u32) -> Option<()> {
        self.theirs.seal(bytes, 0, index)
    }

    /// Opens a report into `bytes`, which are cleared first, and gives its number. Each is taken once (RFC 3711 §3.3.2): who
    /// plays a viewer's reports again could bring its estimate, and so its pictures, to nothing.
    pub(super) fn open_reports(
        &mut self,
        datagram: &[u8],
        bytes: &mut Vec<u8>,
    ) -> Result<u32, Bad> {
        bytes.clear();
        let (ssrc, index) = self.theirs.open(datagram, bytes).ok_or(Bad::Forged)?;
        if self.replays.take(ssrc, index) { Ok(index) } else { Err(Bad::Replayed) }
    }
}

impl Cipher {
    fn derive(profile: Profile, (master, salt): (&[u8], &[u8]), of: u8) -> Option<Self> {
        let derive = |label: u8, out: &mut [u8]| {
            let mut counter = [0; 16];
            counter.get_mut(..salt.len())?.copy_from_slice(salt);
            // The label stands in front of the 48 bits of a packet's number (§4.3.1).
            counter[7] ^= label + of;
            crypt(&keyed(master)?, counter, out).ok()
        };
        let mut key = vec![0; profile.key_length()];
        derive(ENCRYPTION, &mut key)?;
        if profile == Profile::Aes128Cm {
            let (mut mac, mut salt) = ([0; 20], [0; 14]);
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

    /// Protects the reports that begin at `start` and end the buffer, under this number.
    fn seal(&self, bytes: &mut Vec<u8>, start: usize, index: u32) -> Option<()> {
        let number = (ENCRYPTED | index).to_be_bytes();
        let (head, body) = bytes.get_mut(start..)?.split_at_mut_checked(REPORT_HEAD)?;
        let ssrc = sender(head)?;
        match self {
            Self::Gcm { key, salt } => {
                let nonce = gcm_nonce(salt, ssrc, u64::from(index));
                let nonce = Nonce::assume_unique_for_key(nonce);
                let open = [&*head, &number].concat();
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(open), body).ok()?;
                bytes.extend_from_slice(tag.as_ref());
                bytes.extend_from_slice(&number);
            }
            Self::Cm(cm) => {
                let Cm { key, mac, salt } = &**cm;
                crypt(key, cm_counter(salt, ssrc, u64::from(index)), body).ok()?;
                bytes.extend_from_slice(&number);
                let tag = hmac::sign(mac, bytes.get(start..)?);
                bytes.extend_from_slice(tag.as_ref().get(..CM_TAG)?);
            }
        }
        Some(())
    }

    /// Opens an encrypted report; gives its sender and number.
    fn open(&self, datagram: &[u8], bytes: &mut Vec<u8>) -> Option<(u32, u32)> {
        let numbered = match self {
            Self::Gcm { .. } => datagram,
            Self::Cm(cm) => {
                let (open, tag) = datagram.split_at_checked(datagram.len().checked_sub(CM_TAG)?)?;
                let expected = hmac::sign(&cm.mac, open);
                let expected = expected.as_ref().get(..CM_TAG)?;
                constant_time::verify_slices_are_equal(expected, tag).ok()?;
                open
            }
        };
        let (report, number) = numbered.split_last_chunk::<INDEX>()?;
        let (head, body) = report.split_at_checked(REPORT_HEAD)?;
        let index = u32::from_be_bytes(*number).checked_sub(ENCRYPTED)?;
        let ssrc = sender(head)?;
        bytes.extend_from_slice(report);
        let room = bytes.get_mut(REPORT_HEAD..)?;
        match self {
            Self::Gcm { key, salt } => {
                let nonce = Nonce::assume_unique_for_key(gcm_nonce(salt, ssrc, u64::from(index)));
                let open = Aad::from([head, number].concat());
                key.open_in_place(nonce, open, room).ok()?;
                bytes.truncate(REPORT_HEAD + body.len().checked_sub(GCM_TAG)?);
            }
            Self::Cm(cm) => {
                crypt(&cm.key, cm_counter(&cm.salt, ssrc, u64::from(index)), room).ok()?;
            }
        }
        Some((ssrc, index))
    }
}

fn keyed(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm = if key.len() == 32 { &cipher::AES_256 } else { &cipher::AES_128 };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// AES in counter mode, either way.
fn crypt(key: &EncryptingKey, counter: [u8; 16], bytes: &mut [u8]) -> Result<(), Unspecified> {
    key.less_safe_encrypt(bytes, EncryptionContext::Iv128((&counter).into())).map(|_| ())
}

/// RFC 7714 §8.1 and §9.1: they differ in how long the number is.
fn gcm_nonce(salt: &[u8; 12], ssrc: u32, number: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    if let Some((_, rest)) = nonce.split_first_chunk_mut::<2>() {
        place(rest, ssrc, number);
    }
    nonce.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    nonce
}

/// RFC 3711 §4.1.1.
fn cm_counter(salt: &[u8; 14], ssrc: u32, number: u64) -> [u8; 16] {
    let mut counter = [0; 16];
    if let Some((_, rest)) = counter.split_first_chunk_mut::<4>() {
        place(rest, ssrc, number);
    }
    counter.iter_mut().zip(salt).for_each(|(byte, salt)| *byte ^= salt);
    counter
}

/// Puts an SSRC and 48 bits of a number in front.
fn place(bytes: &mut [u8], ssrc: u32, number: u64) {
    let [_, _, number @ ..] = number.to_be_bytes();
    let both = ssrc.to_be_bytes().into_iter().chain(number);
    bytes.iter_mut().zip(both).for_each(|(byte, from)| *byte = from);
}

/// What of a number is in no packet.
fn rollovers(number: u64) -> [u8; 4] {
    let [_, _, r0, r1, r2, r3, _, _] = number.to_be_bytes();
    [r0, r1, r2, r3]
}

fn sender(head: &[u8]) -> Option<u32> {
    let [_, kind, _, _, ssrc @ ..] = *head.first_chunk::<REPORT_HEAD>()?;
    (192..224).contains(&kind).then_some(u32::from_be_bytes(ssrc))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILES: [Profile; 3] = [Profile::Aes128Cm, Profile::Aes128Gcm, Profile::Aes256Gcm];

    fn both(profile: Profile) -> (Srtp, Srtp) {
        let length = 2 * (profile.key_length() + profile.salt_length());
        let material: Vec<u8> = (0..u8::try_from(length).unwrap()).collect();
        let of = |client| Srtp::new(&Keys { profile, material: material.clone(), client }).unwrap();
        (of(true), of(false))
    }

    fn report(length: u8) -> Vec<u8> {
        let mut bytes = vec![0x81, 201, 0, 1, 0, 0, 0, 9];
        bytes.extend(0..length);
        bytes
    }

    #[test]
    fn what_one_side_protects_the_other_opens_once_and_nobody_else() {
        for profile in PROFILES {
            let (mut client, mut server) = both(profile);
            let mut sent = vec![7; 3];
            sent.extend(report(40));
            client.protect_reports(&mut sent, 3).unwrap();
            let mut opened = vec![1];
            assert_eq!(server.open_reports(&sent[3..], &mut opened), Ok(1), "{profile:?}");
            assert_eq!(opened, report(40));
            assert_eq!(server.open_reports(&sent[3..], &mut opened), Err(Bad::Replayed));
            for at in 3..sent.len() {
                let mut forged = sent[3..].to_vec();
                forged[at - 3] ^= 1;
                assert_eq!(server.open_reports(&forged, &mut opened), Err(Bad::Forged), "{at}");
                assert_eq!(server.open_reports(&sent[3..at], &mut opened), Err(Bad::Forged));
            }
            assert_eq!(client.open_reports(&sent[3..], &mut opened), Err(Bad::Forged));
        }
    }

    #[test]
    fn reports_protected_as_theirs_are_what_they_would_have_sent() {
        for profile in PROFILES {
            let (mut client, server) = both(profile);
            let mut sent = report(40);
            client.protect_reports(&mut sent, 0).unwrap();
            let mut same = report(40);
            server.protect_as_theirs(&mut same, 1).unwrap();
            assert_eq!(same, sent, "{profile:?}");
        }
    }

    #[test]
    fn a_report_that_is_not_encrypted_is_not_taken() {
        for profile in PROFILES {
            let (_, mut server) = both(profile);
            let mut plain = report(40);
            plain.extend([0; 30]);
            assert_eq!(server.open_reports(&plain, &mut Vec::new()), Err(Bad::Forged));
        }
    }

    #[test]
    fn each_packet_and_each_side_has_its_own_key_stream() {
        for profile in PROFILES {
            let (client, server) = both(profile);
            let mut seen = std::collections::HashSet::new();
            for side in [&client, &server] {
                for (ssrc, number) in [(1, 1), (2, 1), (1, 2), (1, 65_537)] {
                    let mut bytes = [&[0x80, 96][..], &[0; 30]].concat();
                    side.protect(&mut bytes, 0, 12, (ssrc, number)).unwrap();
                    assert_eq!(bytes[..2], [0x80, 96], "the head stays readable");
                    assert!(bytes.len() > 32 && bytes.len() <= 32 + GCM_TAG);
                    assert!(seen.insert(bytes[12..32].to_vec()));
                }
            }
        }
    }

    #[test]
    fn keys_that_are_too_short_are_none() {
        let keys =
            |length| Keys { profile: Profile::Aes256Gcm, material: vec![1; length], client: false };
        assert!(Srtp::new(&keys(88)).is_some() && Srtp::new(&keys(87)).is_none());
    }

    /// The vectors of RFC 3711 §B.3.
    #[test]
    fn keys_are_derived_as_the_standard_s_example_says() {
        let master = u128::from_str_radix("E1F97A0D3E018BE0D64FA32C06DE4139", 16).unwrap();
        let salt = u128::from_str_radix("0EC675AD498AFEEBB6960B3AABE6", 16).unwrap();
        let Some(Cipher::Cm(cm)) =
            Cipher::derive(Profile::Aes128Cm, (&master.to_be_bytes(), &salt.to_be_bytes()[2..]), 0)
        else {
            panic!("no such cipher");
        };
        let expected = u128::from_str_radix("30CBBC08863D8C85D49DB34A9AE1", 16).unwrap();
        assert_eq!(cm.salt, expected.to_be_bytes()[2..]);
    }

    /// A packet that implementations of SRTP commonly check themselves by.
    #[test]
    fn a_known_packet_is_protected_as_others_do() {
        let number = |hex: &str| u128::from_str_radix(hex, 16).unwrap().to_be_bytes();
        let key = number("E1F97A0D3E018BE0D64FA32C06DE4139");
        let salt = number("0EC675AD498AFEEBB6960B3AABE6");
        let material = [&key[..], &key[..], &salt[2..], &salt[2..]].concat();
        let keys = Keys { profile: Profile::Aes128Cm, material, client: true };
        let mut bytes =
            vec![0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe];
        bytes.extend([0xab; 16]);
        let srtp = Srtp::new(&keys).unwrap();
        srtp.protect(&mut bytes, 0, 12, (0xcafe_babe, 0x1234)).unwrap();
        assert_eq!(bytes[12..28], number("4E55DC4CE79978D88CA4D215949D2402"));
        assert_eq!(bytes[28..], number("B78D6ACC99EA179B8DBB")[6..]);
    }
}
