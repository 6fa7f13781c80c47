//! Packets that were written to the engine, until they come out of it.

/// By stream and number, in the order in which they were written.
#[derive(Debug, Default)]
pub(super) struct Written(Vec<(u32, u16)>);

impl Written {
    pub(super) fn push(&mut self, ssrc: u32, seq: u64) {
        let [.., high, low] = seq.to_be_bytes();
        self.0.push((ssrc, u16::from_be_bytes([high, low])));
    }

    /// A datagram came out; says whether it is one of those. Repeats, padding and RTCP are not.
    pub(super) fn came(&mut self, datagram: &[u8]) -> bool {
        let Some(this) = rtp(datagram) else { return false };
        let Some(at) = self.0.iter().position(|written| *written == this) else { return false };
        self.0.remove(at);
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What has not come out by now comes whenever it comes.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Stream and number of an RTP packet (RFC 3550 §5.1), which SRTP leaves readable. Of RTCP and others
/// it is something else that no stream of ours has.
fn rtp(datagram: &[u8]) -> Option<(u32, u16)> {
    let header = datagram.first_chunk::<12>().filter(|header| header[0] >> 6 == 2)?;
    let [_, _, high, low, _, _, _, _, ssrc @ ..] = *header;
    Some((u32::from_be_bytes(ssrc), u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, seq: u16) -> Vec<u8> {
        let mut bytes = vec![0x90, 96];
        bytes.extend(seq.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(ssrc.to_be_bytes());
        bytes
    }

    #[test]
    fn each_packet_is_waited_for_once_in_whatever_order() {
        let mut written = Written::default();
        written.push(7, 65_536 + 5);
        written.push(8, 5);
        assert!(!written.came(&packet(9, 5)) && !written.came(&packet(7, 4)));
        assert!(!written.came(&packet(7, 5)[..11]) && !written.came(b""));
        assert!(written.came(&packet(8, 5)) && !written.came(&packet(8, 5)));
        assert!(!written.is_empty());
        assert!(written.came(&packet(7, 5)) && written.is_empty());
    }
}
