//! Offers and answers of browsers, other clients and attackers.

use std::net::SocketAddr;

use sfu::{Event, Output, PeerId, Rejection, Source};

use crate::world::{Client, ROOM, World, host};

/// Offers of Chromium 156 and Firefox 153: a microphone, a camera with three encodings, a data
/// channel.
const CHROMIUM: &str = include_str!("../offers/chromium.sdp");
const FIREFOX: &str = include_str!("../offers/firefox.sdp");

const ANN: PeerId = PeerId(1);

/// The session part of an offer that bundles these sections.
pub(crate) fn head(mids: &[&str]) -> String {
    let group = if mids.is_empty() {
        String::new()
    } else {
        format!("a=group:BUNDLE {}\r\n", mids.join(" "))
    };
    let fingerprint = "00:".repeat(31) + "07";
    format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{group}\
         a=fingerprint:sha-256 {fingerprint}\r\na=ice-ufrag:abcd\r\n\
         a=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\n"
    )
}

/// A media section; each format is a payload type and its `rtpmap`, perhaps with `fmtp`.
pub(crate) fn section(kind: &str, mid: &str, formats: &[(u8, &str)], more: &str) -> String {
    let types: Vec<String> = formats.iter().map(|(pt, _)| pt.to_string()).collect();
    let maps = formats.iter().map(|(pt, codec)| match codec.split_once(' ') {
        Some((codec, params)) => {
            format!("a=rtpmap:{pt} {codec}\r\na=fmtp:{pt} {params}\r\n")
        }
        None => format!("a=rtpmap:{pt} {codec}\r\n"),
    });
    let maps: String = maps.collect();
    format!(
        "m={kind} 9 UDP/TLS/RTP/SAVPF {}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n{maps}\
         a=rtcp-mux\r\n{more}",
        types.join(" ")
    )
}

const SENDS: &str = "a=sendrecv\r\n";
const OPUS: (u8, &str) = (111, "opus/48000/2");
const VP8: (u8, &str) = (96, "VP8/90000");
const RTX: (u8, &str) = (97, "rtx/90000 apt=96");

/// A peer alone in its room.
pub(crate) struct Lone {
    pub(crate) world: World,
}

impl Lone {
    pub(crate) fn new() -> Self {
        let mut world = World::new(3);
        let now = world.now();
        world.sfu.add_peer(now, ROOM, ANN).unwrap();
        Self { world }
    }

    /// Sends an offer and returns the answer.
    pub(crate) fn offer(&mut self, offer: &str) -> Result<String, Rejection> {
        let now = self.world.now();
        self.world.sfu.handle_offer(now, ANN, offer)?;
        let mut answer = None;
        while let Some(output) = self.world.sfu.poll_output() {
            if let Output::Event(Event::Answer { sdp, .. }) = output {
                answer = Some(sdp);
            }
        }
        Ok(answer.expect("an accepted offer is answered"))
    }
}

fn error_of(offer: &str) -> String {
    match Lone::new().offer(offer) {
        Err(Rejection::BadSdp(why)) => why.to_string(),
        other => panic!("not rejected: {other:?}"),
    }
}

fn answer(offer: &str) -> String {
    Lone::new().offer(offer).unwrap()
}

/// The media sections of a description.
pub(crate) fn sections(sdp: &str) -> Vec<&str> {
    let mut starts: Vec<usize> = sdp.match_indices("\r\nm=").map(|(at, _)| at + 2).collect();
    starts.push(sdp.len());
    starts.windows(2).map(|at| &sdp[at[0]..at[1]]).collect()
}

#[test]
fn payload_type_of_two_codecs_in_a_bundle_is_rejected() {
    let audio = section("audio", "0", &[OPUS], SENDS);
    let offers = [
        section("video", "1", &[(111, "VP8/90000")], SENDS),
        section("video", "1", &[VP8, (111, "H264/90000")], SENDS),
        section("audio", "1", &[(111, "PCMU/8000")], SENDS),
        section("audio", "1", &[OPUS, (111, "red/48000/2 111/111")], SENDS),
    ];
    for video in offers {
        let offer = head(&["0", "1"]) + &audio + &video;
        let why = error_of(&offer);
        assert!(why.contains("payload type 111"), "{why}");
    }
}

/// Firefox offers AV1 under 99, although it was offered RTX for VP9 under that payload type.
#[test]
fn codec_on_the_rtx_payload_type_of_another_section_gets_a_new_one() {
    let first = section("video", "0", &[(98, "VP9/90000"), (99, "rtx/90000 apt=98")], SENDS);
    let formats = [(120, "VP8/90000"), (99, "AV1/90000"), (100, "rtx/90000 apt=99")];
    let second = section("video", "1", &formats, SENDS);
    let answer = answer(&(head(&["0", "1"]) + &first + &second));
    let sections = sections(&answer);
    let number = |section: &str, codec: &str| {
        let map = section.lines().find(|line| line.ends_with(codec)).unwrap();
        map.split([':', ' ']).nth(1).unwrap().to_owned()
    };
    assert_eq!(
        (number(sections[0], "VP9/90000"), number(sections[0], "rtx/90000")),
        ("98".to_owned(), "99".to_owned())
    );
    assert_eq!(number(sections[1], "VP8/90000"), "120");
    let av1 = number(sections[1], "AV1/90000");
    assert!(!["98", "99", "120"].contains(&av1.as_str()), "{answer}");
    assert!(sections[1].contains(&format!(" apt={av1}\r\n")), "{answer}");
}

#[test]
fn rtx_gets_a_new_payload_type_if_its_codec_has_taken_it() {
    let first = section("video", "0", &[(97, "VP8/90000")], SENDS);
    let second = section("video", "1", &[VP8, RTX], SENDS);
    let answer = answer(&(head(&["0", "1"]) + &first + &second));
    for section in sections(&answer) {
        let maps = section.lines().filter_map(|line| line.strip_prefix("a=rtpmap:"));
        let mut numbers: Vec<&str> = maps.map(|map| map.split(' ').next().unwrap()).collect();
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all, "payload types are unique: {answer}");
    }
}

#[test]
fn payload_type_of_codec_and_rtx_in_one_section_is_rejected() {
    let clash = [VP8, (97, "rtx/90000 apt=96"), (97, "VP9/90000 profile-id=0")];
    let why = error_of(&(head(&["0"]) + &section("video", "0", &clash, SENDS)));
    assert!(why.contains("payload type 97"), "{why}");
    let two = [VP8, (98, "VP9/90000"), RTX, (97, "rtx/90000 apt=98")];
    let why = error_of(&(head(&["0"]) + &section("video", "0", &two, SENDS)));
    assert!(why.contains("payload type 97"), "{why}");
}

#[test]
fn formats_that_differ_only_in_level_are_answered_once() {
    for direction in ["sendrecv", "sendonly", "recvonly"] {
        let formats = [
            (96, "H264/90000 packetization-mode=1;profile-level-id=42e01f"),
            (98, "H264/90000 packetization-mode=1;profile-level-id=42e034"),
            (100, "H264/90000 packetization-mode=1;profile-level-id=4d801f"),
            (102, "H264/90000 packetization-mode=1;profile-level-id=58c01f"),
            (104, "H264/90000 packetization-mode=1"),
            (106, "VP9/90000"),
            (108, "VP9/90000 profile-id=0"),
            (110, "AV1/90000"),
            (112, "AV1/90000 level-idx=5;profile=0;tier=0"),
        ];
        let more = format!("a={direction}\r\n");
        let offer = head(&["0"]) + &section("video", "0", &formats, &more);
        let answer = answer(&offer);
        let types = sections(&answer)[0].lines().next().unwrap().split(' ').skip(3);
        let types: Vec<u8> = types.map(|pt| pt.parse().unwrap()).collect();
        assert!(types.contains(&96) && types.contains(&106), "{direction}: {types:?}");
    }
}

#[test]
fn payload_type_keeps_its_codec_in_later_offers() {
    let mut lone = Lone::new();
    let audio = section("audio", "0", &[OPUS], SENDS);
    lone.offer(&(head(&["0"]) + &audio)).unwrap();
    let video = section("video", "1", &[(111, "VP8/90000")], SENDS);
    let second = lone.offer(&(head(&["0", "1"]) + &audio + &video));
    assert!(matches!(&second, Err(Rejection::BadSdp(_))), "{second:?}");
    let audio = audio.replace("opus/48000/2", "PCMU/8000");
    let changed = lone.offer(&(head(&["0"]) + &audio));
    assert!(matches!(&changed, Err(Rejection::BadSdp(_))), "{changed:?}");
    // Rejected offers change nothing.
    let audio = section("audio", "0", &[OPUS], SENDS);
    let video = section("video", "1", &[VP8, RTX], SENDS);
    let third = lone.offer(&(head(&["0", "1"]) + &audio + &video)).unwrap();
    assert_eq!(sections(&third).len(), 2);
}

#[test]
fn browser_offers_are_answered_with_all_common_codecs() {
    for (name, offer) in [("chromium", CHROMIUM), ("firefox", FIREFOX)] {
        let answer = answer(offer);
        let sections = sections(&answer);
        assert_eq!(sections.len(), 3, "{name}");
        assert!(sections.iter().all(|it| !it.split(' ').nth(1).unwrap().starts_with('0')));
        for codec in ["VP8/90000", "VP9/90000", "AV1/90000", "rtx/90000"] {
            assert!(sections[1].contains(codec), "{name} {codec}");
        }
        assert!(sections[1].contains("a=simulcast:recv q;h;f\r\n"), "{name}: {answer}");
        assert!(answer.contains("a=group:BUNDLE 0 1 2\r\n"), "{name}");
        assert!(sections[2].starts_with("m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    }
}

#[test]
fn unknown_lines_are_ignored() {
    let odd = "i=who\r\nb=AS:500\r\nb=TIAS:500000\r\nk=clear:x\r\na=x-odd:1 2 3\r\na=\r\nz=0\r\n";
    let audio = section("audio", "0", &[OPUS], &format!("{odd}{SENDS}"));
    let video = section("video", "1", &[VP8, RTX], &format!("{SENDS}{odd}"));
    let head = head(&["0", "1"]).replace("t=0 0\r\n", "i=x\r\nt=0 0\r\nb=AS:9\r\na=odd\r\n");
    let answer = answer(&(head + &audio + &video));
    assert_eq!(sections(&answer).len(), 2);
    assert!(sections(&answer).iter().all(|it| it.contains(" 9 ")), "{answer}");
}

#[test]
fn single_section_needs_no_bundle_group() {
    let answer = answer(&(head(&[]) + &section("audio", "a", &[OPUS], SENDS)));
    assert!(sections(&answer)[0].starts_with("m=audio 9 "), "{answer}");
    assert!(!answer.contains("a=group"), "no group was offered: {answer}");
}

#[test]
fn unusual_mids_are_answered_verbatim_and_can_be_published() {
    let mut world = World::new(5);
    let (now, bob) = (world.now(), world.join(2, &[]));
    world.run(std::time::Duration::from_secs(1));
    world.sfu.add_peer(now, ROOM, ANN).unwrap();
    let odd = ["mic-0.a", "mic-0_a", "a-mid-that-is-longer-than-sixteen-characters"];
    let audio = section("audio", odd[0], &[OPUS], SENDS);
    let video = section("video", odd[1], &[VP8, RTX], SENDS);
    let screen = section("video", odd[2], &[VP8, RTX], SENDS);
    let tracks =
        [(odd[0], Source::Microphone), (odd[1], Source::Camera), (odd[2], Source::ScreenShare)];
    world.sfu.handle_publish(now, ANN, &tracks).unwrap();
    world.sfu.handle_offer(now, ANN, &(head(&odd) + &audio + &video + &screen)).unwrap();
    let (mut answer, mut shown) = (String::new(), 0);
    while let Some(output) = world.sfu.poll_output() {
        match output {
            Output::Event(Event::Answer { peer: ANN, sdp }) => answer = sdp,
            Output::Event(Event::Subscriptions { peer, subscriptions: tracks }) if peer == bob => {
                shown = tracks.len();
            }
            _ => {}
        }
    }
    for (mid, section) in odd.iter().zip(sections(&answer)) {
        assert!(section.contains(&format!("a=mid:{mid}\r\n")), "{answer}");
    }
    assert!(answer.contains(&format!("a=group:BUNDLE {}\r\n", odd.join(" "))), "{answer}");
    assert_eq!(shown, 3, "all three are published");
}

#[test]
fn rejected_and_unknown_sections_are_answered_with_port_zero() {
    let channel = "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
        a=mid:d\r\n";
    let text = "m=text 9 UDP/TLS/RTP/SAVPF 100\r\na=mid:t\r\na=rtpmap:100 t140/1000\r\n";
    let plain = "m=video 9 RTP/AVP 31\r\na=mid:p\r\na=sendrecv\r\n";
    let strange = section("audio", "s", &[(100, "strange/8000")], SENDS);
    let audio = section("audio", "a", &[OPUS], SENDS);
    let offer = head(&["t", "a", "p", "s"]) + text + &audio + plain + &strange + channel;
    let answer = answer(&offer);
    let heads: Vec<&str> = sections(&answer).iter().map(|it| it.lines().next().unwrap()).collect();
    let expected = [
        "m=text 0 UDP/TLS/RTP/SAVPF 100",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=video 0 RTP/AVP 31",
        "m=audio 0 UDP/TLS/RTP/SAVPF 0",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
    ];
    assert_eq!(heads, expected, "{answer}");
    assert!(answer.contains("a=group:BUNDLE a\r\n"), "{answer}");
    assert!(
        sections(&answer)[1].contains("a=candidate:"),
        "the accepted section has the candidates: {answer}"
    );
}

#[test]
fn rejected_section_does_not_affect_later_ones() {
    let rejected = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:r\r\na=rtpmap:96 VP8/90000\r\n\
        a=inactive\r\n";
    let bare = section("video", "b", &[VP8], "a=inactive\r\n");
    let camera = section("video", "c", &[VP8, RTX], SENDS);
    for first in [rejected.to_owned(), bare] {
        let mids: &[&str] = if first == rejected { &["c"] } else { &["b", "c"] };
        let answer = answer(&(head(mids) + &first + &camera));
        let sections = sections(&answer);
        assert!(sections[1].contains("a=rtpmap:97 rtx/90000\r\n"), "{answer}");
        assert!(!sections[0].contains("rtx"), "not offered: {answer}");
    }
}

#[test]
fn rejected_section_can_be_used_later() {
    let mut lone = Lone::new();
    let rejected = "m=video 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:r\r\n";
    let audio = section("audio", "a", &[OPUS], SENDS);
    lone.offer(&(head(&["a"]) + rejected + &audio)).unwrap();
    let camera = section("video", "c", &[VP8, RTX], SENDS);
    let answer = lone.offer(&(head(&["c", "a"]) + &camera + &audio)).unwrap();
    let sections = sections(&answer);
    assert!(sections[0].starts_with("m=video 9 ") && sections[0].contains("a=mid:c\r\n"));
    assert!(sections[1].starts_with("m=audio 9 "), "{answer}");
    // Once more: stopped, and reused for another track.
    let answer = lone.offer(&(head(&["a"]) + rejected + &audio)).unwrap();
    assert!(answer.contains("m=video 0 "), "{answer}");
    let screen = section("video", "s", &[VP8, RTX], SENDS);
    let answer = lone.offer(&(head(&["s", "a"]) + &screen + &audio)).unwrap();
    assert!(answer.contains("a=mid:s\r\n") && !answer.contains("m=video 0"), "{answer}");
}

#[test]
fn sdp_errors_do_not_expose_internals() {
    let good = head(&["0"]) + &section("audio", "0", &[OPUS], SENDS);
    let bad = [
        String::new(),
        "v=0".to_owned(),
        good.replace("v=0", "v=1"),
        good.replace("a=sendrecv", "a=sendrecv\r\na=recvonly"),
        good.replace("a=ice-ufrag", "a=x"),
        good.replace("a=ice-pwd:abc", "a=ice-pwd:\u{e9}"),
        good.replace("a=fingerprint:sha-256", "a=fingerprint:md5"),
        good.replace("a=mid:0", "a=x"),
        good.replace("a=mid:0", "a=mid:"),
        good.replace("m=audio 9", "m=audio"),
        good.replace("a=rtpmap:111", "a=rtpmap:999"),
        good.replace("a=setup:actpass", "a=setup:maybe"),
        format!("{good}no line\r\n"),
        format!("{good}\0\r\n"),
    ];
    for offer in bad {
        let why = error_of(&offer);
        assert!(why.len() > 10 && why.len() < 200, "{why}");
        for word in ["PointerOffset", "0x", "Unexpected", "Parse", "remote sdp", "str0m", "\""] {
            assert!(!why.contains(word), "{word} in {why}");
        }
    }
}

#[test]
fn costly_offers_are_rejected_early() {
    let audio = section("audio", "0", &[OPUS], SENDS);
    let floods: [(String, &str); 7] = [
        ("a=fmtp:111 a=1\r\n".repeat(15_500), "fmtp"),
        ((0..11_500).map(|n| format!("a=ssrc:{n} cname:x\r\n")).collect(), "ssrc"),
        ("a=rtcp-fb:111 nack\r\n".repeat(10_000), "rtcp-fb"),
        ("a=extmap:1 urn:x\r\n".repeat(10_000), "extmap"),
        ("a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(5000), "candidate"),
        ((0..9000).map(|n| format!("a=rid:r{n} send\r\n")).collect(), "rid"),
        (format!("a={}\r\n", "x".repeat(5000)), "bytes"),
    ];
    for (flood, what) in floods {
        let why = error_of(&(head(&["0"]) + &audio + &flood));
        assert!(why.contains(what), "{what}: {why}");
    }
    let spread: String = (0..200)
        .map(|n| {
            let ssrcs: String =
                (0..60).map(|k| format!("a=ssrc:{} cname:x\r\n", n * 60 + k)).collect();
            section("audio", &format!("s{n}"), &[OPUS], &(SENDS.to_owned() + &ssrcs))
        })
        .collect();
    let mids: Vec<String> = (0..200).map(|n| format!("s{n}")).collect();
    let mids: Vec<&str> = mids.iter().map(String::as_str).collect();
    let why = error_of(&(head(&mids) + &spread));
    assert!(why.contains("ssrc"), "{why}");
}

#[test]
fn sections_can_not_vanish_or_swap() {
    let mut lone = Lone::new();
    let audio = section("audio", "a", &[OPUS], SENDS);
    let video = section("video", "v", &[VP8, RTX], SENDS);
    lone.offer(&(head(&["a", "v"]) + &audio + &video)).unwrap();
    for offer in [
        head(&["a"]) + &audio,
        head(&["v", "a"]) + &video + &audio,
        head(&["a", "v"]) + &audio + &section("audio", "v", &[OPUS], SENDS),
        head(&["a", "a"]) + &audio + &audio,
        head(&["a", "x"]) + &audio + &section("video", "x", &[VP8], SENDS),
    ] {
        let rejections = lone.offer(&offer);
        assert!(matches!(&rejections, Err(Rejection::BadSdp(_))), "{rejections:?}");
    }
    lone.offer(&(head(&["a", "v"]) + &audio + &video)).unwrap();
}

#[test]
fn extension_id_of_two_extensions_is_rejected() {
    let level = "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\na=sendrecv\r\n";
    let mid = "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendrecv\r\n";
    let offer = head(&["a", "b"])
        + &section("audio", "a", &[OPUS], level)
        + &section("audio", "b", &[OPUS], mid);
    let why = error_of(&offer);
    assert!(why.contains("extension id 1"), "{why}");
}

#[test]
fn ssrcs_of_earlier_offers_are_dropped() {
    let mut lone = Lone::new();
    let now = lone.world.now();
    lone.world.sfu.handle_publish(now, ANN, &[("0", Source::Microphone)]).unwrap();
    for round in 0..50 {
        let ssrc = format!("a=sendrecv\r\na=ssrc:{} cname:x\r\n", 1000 + round);
        lone.offer(&(head(&["0"]) + &section("audio", "0", &[OPUS], &ssrc))).unwrap();
    }
    assert_eq!(lone.world.sfu.expected_ssrcs(ANN), 1);
}

#[test]
fn rids_are_answered_verbatim() {
    let rids = "a=sendrecv\r\na=rid:hi-res send\r\na=rid:lo_res send max-width=320\r\n\
        a=simulcast:send lo_res;~hi-res\r\n";
    let answer = answer(&(head(&["v"]) + &section("video", "v", &[VP8, RTX], rids)));
    assert!(answer.contains("a=rid:hi-res recv\r\n"), "{answer}");
    assert!(answer.contains("a=simulcast:recv lo_res;~hi-res\r\n"), "{answer}");
}

/// The client has unusual mids, and we offer sections to it.
#[test]
fn our_offers_repeat_rejected_sections_and_unusual_mids() {
    let mut world = World::new(6);
    let ann = world.join(2, &[Source::Microphone, Source::Camera]);
    world.run(std::time::Duration::from_secs(1));
    let now = world.now();
    world.sfu.add_peer(now, ROOM, ANN).unwrap();
    let rejected = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:r.r\r\n";
    let audio = section("audio", "a.a", &[OPUS], SENDS);
    world.sfu.handle_offer(now, ANN, &(head(&["a.a"]) + rejected + &audio)).unwrap();
    let mut offer = None;
    while let Some(output) = world.sfu.poll_output() {
        if let Output::Event(Event::Offer { peer: ANN, sdp }) = output {
            offer = Some(sdp);
        }
    }
    let offer = offer.expect("ann's tracks are offered");
    let sections = sections(&offer);
    assert_eq!(sections.len(), 4, "{offer}");
    assert!(sections[0].starts_with("m=video 0 ") && sections[0].contains("a=mid:r.r\r\n"));
    assert!(sections[1].contains("a=mid:a.a\r\n") && sections[1].contains("a=candidate:"));
    assert!(world.client(ann).connected);
    // A browser answers.
    let mut browser = Client::new(ANN, SocketAddr::new(host(ANN), 5000), now);
    let plain = offer.replace("a.a", "a_a").replace("r.r", "r_r");
    let text = browser.accept_offer(now, &plain).replace("a_a", "a.a");
    // It has another certificate and other ICE credentials than the client that has offered.
    let mut text = text;
    for name in ["a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:"] {
        let rejections = world.sfu.handle_answer(now, ANN, &text);
        assert!(matches!(rejections, Err(Rejection::BadSdp(_))), "{rejections:?}");
        let line = |sdp: &str| sdp.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        text = text.replace(&line(&text), &line(&head(&[])));
    }
    let (head, rest) = text.split_at(text.find("m=").unwrap());
    let rest = if rest.contains("a=mid:r_r") {
        rest.replace("r_r", "r.r")
    } else {
        format!("{rejected}{rest}")
    };
    world.sfu.handle_answer(now, ANN, &format!("{head}{rest}")).unwrap();
}

/// A viewer without it would see rotated video. If it is not negotiated, the publisher rotates the
/// frames itself.
#[test]
fn video_orientation_is_neither_accepted_nor_offered() {
    assert!(CHROMIUM.contains("urn:3gpp:video-orientation"));
    assert!(!answer(CHROMIUM).contains("video-orientation"));
    let mut world = World::new(6);
    world.join(2, &[Source::Camera]);
    let now = world.now();
    world.sfu.add_peer(now, ROOM, ANN).unwrap();
    world.sfu.handle_offer(now, ANN, CHROMIUM).unwrap();
    let mut offers = 0;
    while let Some(output) = world.sfu.poll_output() {
        if let Output::Event(Event::Offer { peer: ANN, sdp }) = output {
            assert!(!sdp.contains("video-orientation"), "{sdp}");
            offers += 1;
        }
    }
    assert_eq!(offers, 1);
}

#[test]
fn link_that_does_not_connect_is_removed() {
    let mut lone = Lone::new();
    lone.offer(CHROMIUM).unwrap();
    lone.world.run(std::time::Duration::from_secs(14));
    assert_eq!(lone.world.disconnected, []);
    // Another offer does not extend the timeout.
    lone.offer(CHROMIUM).unwrap();
    lone.world.run(std::time::Duration::from_secs(2));
    assert_eq!(lone.world.disconnected, [(ANN, sfu::DisconnectReason::IceTimeout)]);
    assert_eq!(lone.world.sfu.peer_count(), 0);
}

/// The costliest description that is accepted: each section has the maximum of lines of each kind.
fn costliest(limit: usize) -> String {
    let mut text = String::new();
    let mut mids = Vec::new();
    for n in 0.. {
        let mut types: Vec<usize> = (0..64).chain(96..128).collect();
        types.retain(|pt| *pt != 111);
        let maps = types.iter().zip(["VP8", "VP9", "H264", "AV1", "rtx"].iter().cycle());
        let more: String = maps
            .map(|(pt, codec)| format!("a=rtpmap:{pt} {codec}/90000\r\na=fmtp:{pt} apt=96;a=1\r\n"))
            .chain((0..200).map(|at| format!("a=rtcp-fb:{} nack\r\n", types[at % types.len()])))
            .chain((0..32).map(|at| format!("a=extmap:{} urn:x{at}\r\n", at + 1)))
            .chain((0..4).map(|at| format!("a=ssrc:{} cname:x\r\n", n * 4 + at)))
            .collect();
        let types: Vec<String> = types.iter().map(ToString::to_string).collect();
        let section = format!(
            "m=video 9 UDP/TLS/RTP/SAVPF {}\r\na=mid:{n}\r\na=sendrecv\r\n{more}",
            types.join(" ")
        );
        if text.len() + section.len() > limit - 2000 {
            break;
        }
        text += &section;
        mids.push(n.to_string());
    }
    head(&mids.iter().map(String::as_str).collect::<Vec<_>>()) + &text
}

/// Checks a ratio, so that it holds on any machine, between texts of equal size.
#[test]
#[allow(clippy::disallowed_methods, reason = "the real time that it takes is what is compared")]
fn the_costliest_offer_costs_little_more_than_a_browsers_of_that_size() {
    let camera = sections(CHROMIUM)[1].replace("a=simulcast:send q;h;f\r\n", "");
    let camera = camera.lines().filter(|line| !line.starts_with("a=rid:")).collect::<Vec<_>>();
    let camera = camera.join("\r\n") + "\r\n";
    let mids: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let names: Vec<&str> = mids.iter().map(String::as_str).collect();
    let cameras = mids.iter().map(|mid| camera.replace("a=mid:1\r\n", &format!("a=mid:{mid}\r\n")));
    let plain = head(&names) + &cameras.collect::<String>();
    let plain: String =
        plain.split_inclusive("\r\n").filter(|line| !line.starts_with("a=ssrc")).collect();
    let worst = costliest(plain.len());
    assert!(worst.len() <= plain.len());
    let time = |offer: &str| {
        let fastest = (0..3).map(|_| {
            let mut lone = Lone::new();
            let began = std::time::Instant::now();
            lone.offer(offer).unwrap();
            began.elapsed()
        });
        fastest.min().unwrap()
    };
    let (plain, worst) = (time(&plain), time(&worst));
    assert!(worst < plain * 3, "{worst:?} instead of {plain:?}");
}
