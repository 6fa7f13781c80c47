//! Offers of stacks other than those of browsers.

use crate::descriptions::{Lone, sections};

/// GStreamer's webrtcbin gives fingerprint, ICE credentials and setup in each section, no
/// extensions, and one codec.
#[test]
fn webrtcbin_offer_is_answered_in_its_codecs() {
    let fingerprint = "00:".repeat(31) + "07";
    let section = |kind: &str, mid: &str, formats: &str, ssrc: u32| {
        format!(
            "m={kind} 9 UDP/TLS/RTP/SAVPF {}\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\n\
             a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=rtcp-mux\r\n\
             a=rtcp-rsize\r\na=sendrecv\r\n{formats}a=ssrc:{ssrc} msid:user1@host transceiver0\r\n\
             a=ssrc:{ssrc} cname:user1@host\r\na=mid:{mid}\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\na=rtcp-mux-only\r\n",
            if kind == "audio" { 97 } else { 96 }
        )
    };
    for (codec, fmtp) in [
        ("VP8/90000", ""),
        (
            "H264/90000",
            "a=fmtp:96 packetization-mode=1;profile-level-id=42c016;sprop-parameter-sets=Z0LAFg==,aM4=\r\n",
        ),
    ] {
        let video = format!(
            "a=rtpmap:96 {codec}\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=framerate:30\r\n{fmtp}"
        );
        let offer = format!(
            "v=0\r\no=- 4962303333179871722 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n\
             a=group:BUNDLE video0 audio1\r\n{}{}",
            section("video", "video0", &video, 1),
            section(
                "audio",
                "audio1",
                "a=rtpmap:97 OPUS/48000/2\r\na=rtcp-fb:97 transport-cc\r\n",
                2
            )
        );
        let answer = Lone::new().offer(&offer).unwrap();
        let answered = sections(&answer);
        assert!(answered[0].contains(&format!("a=rtpmap:96 {codec}\r\n")), "{answer}");
        assert!(answered[0].starts_with("m=video 9 ") && answered[1].starts_with("m=audio 9 "));
        assert!(
            answered[0].contains("a=mid:video0\r\n") && answered[1].contains("a=mid:audio1\r\n")
        );
        assert!(answer.contains("a=group:BUNDLE video0 audio1\r\n"), "{answer}");
    }
}
