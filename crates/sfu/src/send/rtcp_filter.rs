//! RTCP for str0m, reduced to what it needs.
//!
//! str0m echoes the timestamps of sender reports in its receiver reports, so that the sender can
//! measure the round-trip time (RFC 3550 §6.4.1). The extended reports do the same for receivers
//! (RFC 3611 §4.4, §4.5). Nothing else of a compound reaches str0m's RTCP parser.

use super::rtcp::{self, RawPacket};

const SENDER_REPORT: u8 = 200;
const EXTENDED_REPORT: u8 = 207;
/// Bytes of the sender's SSRC and its sender info.
const SENDER_BYTES: usize = 24;
/// Block types of extended reports, and the bytes of their contents.
const REFERENCE_TIME: u8 = 4;
const REFERENCE_TIME_BYTES: usize = 8;
/// Delay since the last receiver report (DLRR).
const DLRR: u8 = 5;
const DLRR_ITEM_BYTES: usize = 12;
/// Reports taken from one datagram: one for each stream of a large client.
const MAX_REPORTS: usize = 32;
/// Blocks taken from one extended report, and items from one DLRR block.
const MAX_BLOCKS: usize = 2;
const MAX_DLRR_ITEMS: usize = 32;

/// Writes the part of a compound that str0m needs; `out` stays empty if there is none.
pub(super) fn write(compound: &[u8], out: &mut Vec<u8>) {
    out.clear();
    for RawPacket { packet_type, body, .. } in rtcp::packets(compound).take(MAX_REPORTS) {
        match packet_type {
            SENDER_REPORT => {
                if let Some(sender) = body.get(..SENDER_BYTES) {
                    packet(out, SENDER_REPORT, |out| out.extend_from_slice(sender));
                }
            }
            EXTENDED_REPORT => {
                let Some((ssrc, blocks)) = body.split_first_chunk::<4>() else { continue };
                packet(out, EXTENDED_REPORT, |out| {
                    out.extend_from_slice(ssrc);
                    self::blocks(blocks).take(MAX_BLOCKS).for_each(|(kind, content)| {
                        write_block(out, kind, content);
                    });
                });
            }
            _ => {}
        }
    }
}

fn packet(out: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0x80, kind, 0, 0]);
    write(out);
    let words = u16::try_from((out.len() - start) / 4 - 1).unwrap_or(0);
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

/// Blocks of the two types that str0m knows (RFC 3611 §3), up to a truncated one.
fn blocks(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let ([kind, _, high, low], rest) = bytes.split_first_chunk::<4>()?;
        let length = 4 * usize::from(u16::from_be_bytes([*high, *low]));
        let content;
        (content, bytes) = rest.split_at_checked(length)?;
        Some((*kind, content))
    })
    .filter(|(kind, _)| matches!(*kind, REFERENCE_TIME | DLRR))
}

fn write_block(out: &mut Vec<u8>, kind: u8, content: &[u8]) {
    let content = if kind == REFERENCE_TIME {
        content.get(..REFERENCE_TIME_BYTES)
    } else {
        let items = (content.len() / DLRR_ITEM_BYTES).min(MAX_DLRR_ITEMS);
        content.get(..items * DLRR_ITEM_BYTES)
    };
    let Some(content) = content else { return };
    out.extend([kind, 0]);
    out.extend(u16::try_from(content.len() / 4).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filtered(compound: &[u8]) -> Vec<u8> {
        let mut out = vec![1];
        write(compound, &mut out);
        out
    }

    fn report(kind: u8, count: u8, body: &[u8]) -> Vec<u8> {
        let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
        [&[0x80 | count, kind, words[0], words[1]], body].concat()
    }

    #[test]
    fn only_sender_info_and_extended_reports_pass() {
        let sender: Vec<u8> = (0..24).collect();
        let bare = report(200, 0, &sender);
        let with_block = report(200, 1, &[&sender[..], &[9; 24]].concat());
        let clock = [&[0, 0, 0, 7, 4, 0, 0, 2][..], &[3; 8]].concat();
        let delays = [&[0, 0, 0, 7, 5, 0, 0, 3][..], &[4; 12]].concat();
        let clock = report(207, 0, &clock);
        let delays = report(207, 0, &delays);
        let feedback = report(205, 15, &[0; 24]);
        let name = report(202, 1, &[0, 0, 0, 1, 1, 3, 65, 65, 65, 0, 0, 0]);
        let compound = [&with_block[..], &name, &feedback, &clock, &delays].concat();
        assert_eq!(filtered(&compound), [&bare[..], &clock, &delays].concat());
        for nothing in [&feedback[..], &name, &report(200, 0, &sender[..20]), &[], &[0x80, 200]] {
            assert_eq!(filtered(nothing), []);
        }
    }

    #[test]
    fn block_longer_than_its_report_is_left_out() {
        let lying = report(207, 0, &[0, 0, 0, 7, 5, 0, 0xff, 0xff, 1, 2, 3, 4]);
        assert_eq!(filtered(&lying), report(207, 0, &[0, 0, 0, 7]));
    }

    proptest! {
        #[test]
        fn filtered_output_is_well_formed_and_idempotent(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            kinds in prop::collection::vec(200_u8..208, 1..4),
        ) {
            let compound: Vec<u8> = kinds.into_iter().flat_map(|kind| {
                let whole = bytes.len() / 4 * 4;
                report(kind, 1, &bytes[..whole])
            }).collect();
            let once = filtered(&compound);
            prop_assert!(once.len().is_multiple_of(4) && once.len() <= compound.len());
            prop_assert_eq!(filtered(&once), once);
        }
    }
}
