//! Descriptions of participants who lack a right, on peer-to-peer links.
//!
//! Media of a mesh does not pass the server, but each link is negotiated through it. The server
//! takes from a description what its sender has no right to: a section that may not send is told to
//! the others as one that does not, so that their browsers expect nothing, and one that may not
//! receive is sent nothing. Directions are the only thing that changes, so both ends stay in step:
//! each end keeps its own preference, as after any answer that takes less than was offered
//! (RFC 9429 §4.2.4), and offers it again once the right is there.

use crate::{protocol::TrackSource, rejection::Rejection, rights::MediaRights};

/// Attributes of a section that announce streams to be sent.
const STREAM_ATTRIBUTES: [&str; 5] = ["ssrc", "ssrc-group", "msid", "simulcast", "rid"];

/// Whether a section sends and receives (RFC 8866 §6.7).
#[derive(Debug, Clone, Copy)]
struct Direction {
    sends: bool,
    receives: bool,
}

impl Direction {
    /// That of a section without the attribute.
    const DEFAULT: Self = Self { sends: true, receives: true };

    fn of_attribute(name: &str) -> Option<Self> {
        let (sends, receives) = match name {
            "sendrecv" => (true, true),
            "sendonly" => (true, false),
            "recvonly" => (false, true),
            "inactive" => (false, false),
            _ => return None,
        };
        Some(Self { sends, receives })
    }

    fn name(self) -> &'static str {
        match (self.sends, self.receives) {
            (true, true) => "sendrecv",
            (true, false) => "sendonly",
            (false, true) => "recvonly",
            (false, false) => "inactive",
        }
    }

    fn within(self, limit: Self) -> Self {
        let Self { sends, receives } = limit;
        Self { sends: self.sends && sends, receives: self.receives && receives }
    }
}

/// What the current line belongs to.
#[derive(Clone, Copy)]
enum Part {
    Session,
    /// A section that may do what it says.
    Free,
    /// A section with its direction so far, and the most that it may do.
    Limited {
        direction: Direction,
        limit: Direction,
    },
}

/// Sections of each kind so far.
#[derive(Default)]
struct Order {
    audio: usize,
    video: usize,
}

impl Order {
    /// The source of the next section of a kind: on a peer-to-peer link, the first ones are
    /// microphone and camera, the second ones the screen. `None` for one that no client plays.
    fn next(&mut self, kind: &str) -> Option<TrackSource> {
        let (count, sources) = match kind {
            "audio" => (&mut self.audio, [TrackSource::Microphone, TrackSource::ScreenAudio]),
            "video" => (&mut self.video, [TrackSource::Camera, TrackSource::Screen]),
            _ => return None,
        };
        let source = sources.get(*count).copied();
        *count += 1;
        source
    }

    /// The part that a section of this value of its `m=` line is.
    fn part(&mut self, media: &str, rights: MediaRights, session: Direction) -> Part {
        let kind = media.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        // Data channels are no media.
        if kind == "application" {
            return Part::Free;
        }
        let sends = self.next(&kind).is_some_and(|source| rights.publish.has(source));
        if sends && rights.subscribe {
            return Part::Free;
        }
        let limit = Direction { sends, receives: rights.subscribe };
        Part::Limited { direction: session, limit }
    }
}

/// A description without what these rights do not permit.
///
/// # Errors
/// A line has no type, so that browsers could read it in different ways.
pub(crate) fn restricted(sdp: &str, rights: MediaRights) -> Result<String, Rejection> {
    let mut to = String::with_capacity(sdp.len() + 64);
    let mut order = Order::default();
    let mut session = Direction::DEFAULT;
    let mut part = Part::Session;
    // Some parsers end a line at either character.
    for line in sdp.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        let invalid = Rejection::Invalid("description: each line is a letter, = and a value");
        let (kind, value) = line.split_once('=').ok_or(invalid)?;
        match kind {
            "m" => {
                end(part, &mut to);
                part = order.part(value, rights, session);
            }
            "a" if !keeps_attribute(value, &mut part, &mut session) => continue,
            _ if kind.len() != 1 || !kind.starts_with(|c: char| c.is_ascii_lowercase()) => {
                return Err(invalid);
            }
            _ => {}
        }
        push(&mut to, line);
    }
    end(part, &mut to);
    Ok(to)
}

/// Returns whether an attribute stays, and takes note of a direction.
fn keeps_attribute(value: &str, part: &mut Part, session: &mut Direction) -> bool {
    let ends = |c: char| c == ':' || c.is_whitespace();
    let name = value.trim_start().split(ends).next().unwrap_or_default().to_ascii_lowercase();
    let direction = Direction::of_attribute(&name);
    match part {
        Part::Session => *session = direction.unwrap_or(*session),
        Part::Free => {}
        Part::Limited { direction: so_far, limit } => {
            *so_far = direction.unwrap_or(*so_far);
            let announces = !limit.sends && STREAM_ATTRIBUTES.contains(&name.as_str());
            return direction.is_none() && !announces;
        }
    }
    true
}

/// Ends a section with the direction that it may have.
fn end(part: Part, to: &mut String) {
    if let Part::Limited { direction, limit } = part {
        push(to, &format!("a={}", direction.within(limit).name()));
    }
}

fn push(to: &mut String, line: &str) {
    to.push_str(line);
    to.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::Sources;

    const VIEWER: MediaRights = MediaRights { publish: Sources::NONE, subscribe: true };
    const UNSUBSCRIBED: MediaRights = MediaRights { publish: Sources::ALL, subscribe: false };

    fn lines(sdp: &str) -> Vec<&str> {
        sdp.split_terminator("\r\n").collect()
    }

    /// An offer of a browser that sends a camera and a microphone.
    const OFFER: [&str; 21] = [
        "v=0",
        "o=- 1 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1 2",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=sendrecv",
        "a=msid:s a",
        "a=rtpmap:111 opus/48000/2",
        "a=ssrc:1 cname:x",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:1",
        "a=sendonly",
        "a=rtpmap:96 VP8/90000",
        "a=ssrc-group:FID 2 3",
        "a=ssrc:2 cname:x",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:2",
        "a=sctp-port:5000",
    ];

    #[test]
    fn viewers_sections_receive_alone() {
        let restricted = restricted(&OFFER.join("\r\n"), VIEWER).unwrap();
        let expected = [
            &OFFER[..8],
            &["a=rtpmap:111 opus/48000/2", "a=recvonly"],
            &["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=rtpmap:96 VP8/90000", "a=inactive"],
            &OFFER[18..],
        ];
        assert_eq!(lines(&restricted), expected.concat());
    }

    #[test]
    fn without_the_right_to_receive_sections_send_alone_and_keep_their_streams() {
        let restricted = restricted(&OFFER.join("\n"), UNSUBSCRIBED).unwrap();
        let kept = OFFER.iter().filter(|line| **line != "a=sendrecv");
        let mut kept: Vec<_> = kept.copied().collect();
        kept.insert(11, "a=sendonly");
        kept.remove(14);
        kept.insert(17, "a=sendonly");
        assert_eq!(lines(&restricted), kept);
    }

    #[test]
    fn what_is_permitted_stays_as_it_is() {
        let sdp = OFFER.join("\r\n") + "\r\n";
        assert_eq!(restricted(&sdp, MediaRights::ALL).unwrap(), sdp);
    }

    #[test]
    fn second_sections_of_a_kind_are_the_screen() {
        let publish: Sources = [TrackSource::Microphone, TrackSource::Camera].into_iter().collect();
        let rights = MediaRights { publish, subscribe: true };
        let sdp = ["m=audio", "m=video", "m=video", "m=audio", "m=video"].join("\r\n");
        let restricted = restricted(&sdp, rights).unwrap();
        let silent = ["m=video", "a=recvonly", "m=audio", "a=recvonly", "m=video", "a=recvonly"];
        assert_eq!(lines(&restricted)[..2], ["m=audio", "m=video"]);
        assert_eq!(lines(&restricted)[2..], silent);
    }

    /// Whatever form a direction has that some browser could take for one, one line is left.
    #[test]
    fn directions_in_disguise_have_no_effect() {
        for disguise in [
            "a=sendrecv",
            "a= sendrecv",
            "a=SENDRECV",
            "a=sendrecv ",
            "a=sendrecv:x",
            "a=recvonly\na=sendrecv",
            "a=recvonly\ra=sendrecv",
            "a=recvonly\r\na=sendonly\r\na=sendrecv",
        ] {
            for media in ["m=video 9 x", "m= video 9 x", "m=VIDEO 9 x", "m=image 9 x"] {
                let sdp = format!("v=0\r\n{media}\r\n{disguise}\r\n");
                let restricted = restricted(&sdp, VIEWER).unwrap();
                assert_eq!(lines(&restricted), ["v=0", media, "a=recvonly"], "{disguise:?}");
            }
        }
        let by_session = restricted("v=0\r\na=sendonly\r\nm=video 9 x", VIEWER).unwrap();
        assert_eq!(lines(&by_session).last(), Some(&"a=inactive"));
        for line in ["m", "M=video", " m=video", "mm=video", "x y", "=video"] {
            let sdp = format!("v=0\r\n{line}\r\n");
            assert!(matches!(restricted(&sdp, VIEWER), Err(Rejection::Invalid(_))), "{line:?}");
        }
    }
}
