//! SCTP packets made by hand, to be sent inside a client's DTLS.

/// Writes the checksum of an SCTP packet (RFC 9260 appendix A).
pub(crate) fn with_checksum(mut packet: Vec<u8>) -> Vec<u8> {
    if packet.len() < 12 {
        return packet;
    }
    packet[8..12].fill(0);
    let crc = packet.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 }
        })
    });
    packet[8..12].copy_from_slice(&(!crc).to_le_bytes());
    packet
}
