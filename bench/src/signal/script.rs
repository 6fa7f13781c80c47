//! The messages of the video chat as JSON arrays, of realistic sizes.

/// An event whose one argument is the room, such as `join` or `ready`.
pub(super) fn about(event: &str, room: usize) -> String {
    format!("[\"{event}\",\"room {room}\"]")
}

/// A candidate with a number, to check that it arrives in order.
pub(super) fn candidate(number: usize, room: usize) -> String {
    format!(
        "[\"candidate\",{{\"candidate\":\"candidate:842163049 1 udp 1677729535 203.0.113.77 46154 \
         typ srflx raddr 192.168.17.101 rport 46154 generation 0 ufrag EEtu network-id 1 \
         network-cost 10\",\"sdpMid\":\"0\",\"sdpMLineIndex\":0,\"n\":{number}}},\"room {room}\"]"
    )
}

/// The number of a candidate.
pub(super) fn number(event: &str) -> Option<usize> {
    let (_, rest) = event.strip_prefix("[\"candidate\",")?.rsplit_once("\"n\":")?;
    rest.split('}').next()?.parse().ok()
}

/// An offer or answer as large as a browser's for audio and video.
pub(super) fn description(kind: &str, room: usize) -> String {
    let mut sdp =
        String::from("v=0\\r\\no=- 4611731400430051336 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\n");
    for payload_type in 96..156 {
        sdp += &format!(
            "a=rtpmap:{payload_type} VP8/90000\\r\\na=rtcp-fb:{payload_type} nack pli\\r\\n"
        );
    }
    format!("[\"{kind}\",{{\"type\":\"{kind}\",\"sdp\":\"{sdp}\"}},\"room {room}\"]")
}

/// The name of an event.
pub(super) fn name(event: &str) -> &str {
    event.strip_prefix("[\"").and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relayed_candidate_tells_its_number() {
        let sent = candidate(4711, 3);
        let relayed = sent.replace(",\"room 3\"]", "]");
        assert_eq!(number(&relayed), Some(4711));
        assert_eq!(name(&relayed), "candidate");
        assert_eq!(number("[\"ready\"]"), None);
    }

    #[test]
    fn descriptions_are_as_large_as_those_of_browsers() {
        let offer = description("offer", 1);
        assert!((3000..6000).contains(&offer.len()), "{}", offer.len());
        assert_eq!(name(&offer), "offer");
    }
}
