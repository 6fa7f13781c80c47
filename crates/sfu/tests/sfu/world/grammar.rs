//! Descriptions generated from a grammar with few words, so that they collide. Used by the tests
//! and by the fuzz target `sfu_sdp`.

/// Decisions read from bytes. Without bytes the first option is chosen.
pub(crate) struct Choices<'a>(pub(crate) &'a [u8]);

impl Choices<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A number below `most`, which must not be zero.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % most
    }

    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of the first, or rarely one of the rest, which are malformed.
    fn mostly<T: Copy>(&mut self, of: &[T], first: usize) -> T {
        if self.rarely(24) { self.one(of) } else { self.one(&of[..first]) }
    }

    /// True once in `times`, never without bytes.
    fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }
}

pub(crate) const MIDS: [&str; 8] =
    ["0", "1", "2", "a.b", "a_b", "of-more-than-16-bytes", "", "x y"];
const TYPES: [&str; 9] = ["111", "96", "97", "98", "99", "63", "72", "0", "128"];
const CODECS: [&str; 14] = [
    "opus/48000/2",
    "VP8/90000",
    "VP9/90000",
    "H264/90000",
    "AV1/90000",
    "rtx/90000",
    "red/48000/2",
    "red/90000",
    "ulpfec/90000",
    "PCMU/8000",
    "opus/48000",
    "strange/1",
    "VP8",
    "/",
];
const PARAMETERS: [&str; 12] = [
    "apt=96",
    "apt=98",
    "apt=97",
    "apt=111",
    "111/111",
    "63/63",
    "profile-id=0",
    "profile-id=2",
    "packetization-mode=1;profile-level-id=42e01f",
    "packetization-mode=0;profile-level-id=42001f",
    "profile-level-id=zz;;=",
    "",
];
const FEEDBACK: [&str; 6] = ["transport-cc", "nack", "nack pli", "ccm fir", "goog-remb", "x"];
const EXTENSIONS: [&str; 7] = [
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "urn:ietf:params:rtp-hdrext:sdes:mid",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "urn:3gpp:video-orientation",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    "urn:x",
];
const RIDS: [&str; 6] = ["q", "h", "f", "hi-res", "hi_res", "much-longer-than-eight"];
const DIRECTIONS: [&str; 5] = ["sendrecv", "sendonly", "recvonly", "inactive", "x"];
const KINDS: [&str; 4] = ["video", "audio", "application", "text"];
const SETUPS: [&str; 5] = ["actpass", "active", "passive", "holdconn", "actpass"];

/// A media section, which the client repeats in later offers.
#[derive(Debug, Clone)]
pub(crate) struct GrammarSection {
    kind: &'static str,
    mid: &'static str,
    port: &'static str,
    direction: &'static str,
    types: Vec<&'static str>,
    lines: Vec<String>,
}

impl GrammarSection {
    fn new(choices: &mut Choices<'_>, at: usize) -> Self {
        let kind = KINDS[[0, 0, 0, 1, 1, 1, 2, 3][choices.below(8)]];
        let mid = if choices.rarely(4) { choices.mostly(&MIDS, 6) } else { MIDS[at % 3] };
        let mut it = Self {
            kind,
            mid,
            port: if choices.rarely(8) { "0" } else { "9" },
            direction: choices.mostly(&DIRECTIONS, 4),
            types: Vec::new(),
            lines: Vec::new(),
        };
        for _ in 0..choices.below(5) {
            let number = choices.mostly(&TYPES, 8);
            if it.types.contains(&number) && !choices.rarely(24) {
                continue;
            }
            it.types.push(number);
            it.lines.push(format!("rtpmap:{number} {}", choices.mostly(&CODECS, 12)));
            if choices.rarely(2) {
                it.lines.push(format!("fmtp:{number} {}", choices.one(&PARAMETERS)));
            }
            if choices.rarely(3) {
                it.lines.push(format!("rtcp-fb:{number} {}", choices.one(&FEEDBACK)));
            }
        }
        // Mostly a codec that the server supports.
        let has = |number| it.types.contains(&number);
        if !has("96") && !has("111") && !has("97") && !has("63") && !choices.rarely(6) {
            let (number, codec, more) = match it.kind {
                "audio" => ("111", "opus/48000/2", Some(("63", "red/48000/2", "111/111"))),
                _ => ("96", "VP8/90000", Some(("97", "rtx/90000", "apt=96"))),
            };
            it.types.push(number);
            it.lines.push(format!("rtpmap:{number} {codec}"));
            if let Some((number, codec, fmtp)) = more.filter(|_| choices.rarely(2)) {
                it.types.push(number);
                it.lines.push(format!("rtpmap:{number} {codec}"));
                it.lines.push(format!("fmtp:{number} {fmtp}"));
            }
        }
        for _ in 0..choices.below(4) {
            it.lines.push(Self::line(choices));
        }
        it
    }

    fn line(choices: &mut Choices<'_>) -> String {
        match choices.below(9) {
            0 => {
                let id = choices.one(&["1", "2", "3", "4", "13", "14", "15", "16", "0", "256"]);
                format!("extmap:{id} {}", choices.one(&EXTENSIONS))
            }
            1 => format!("ssrc:{} cname:c", choices.one(&["1", "2", "3", "0", "4294967295"])),
            2 => format!("ssrc-group:FID {} {}", 1 + choices.below(3), choices.below(4)),
            3 => format!("rid:{} {}", choices.one(&RIDS), choices.one(&["send", "recv"])),
            4 => {
                let (first, second) = (choices.one(&RIDS), choices.one(&RIDS));
                format!("simulcast:send {first};~{second},q")
            }
            5 => format!("setup:{}", choices.mostly(&SETUPS, 3)),
            6 => "bundle-only".to_owned(),
            7 => "candidate:1 1 udp 1 192.0.2.1 9 typ host".to_owned(),
            _ => "rtcp-fb:* nack".to_owned(),
        }
    }

    fn write(&self, out: &mut String) {
        let Self { kind, mid, port, direction, types, lines } = self;
        match *kind {
            "application" => {
                out.push_str(&format!("m=application {port} UDP/DTLS/SCTP webrtc-datachannel\r\n"));
            }
            _ => {
                let types = types.join(" ");
                out.push_str(&format!("m={kind} {port} UDP/TLS/RTP/SAVPF {types}\r\n"));
            }
        }
        out.push_str(&format!("c=IN IP4 0.0.0.0\r\na=mid:{mid}\r\na={direction}\r\n"));
        for line in lines {
            out.push_str(&format!("a={line}\r\n"));
        }
    }
}

/// A client that offers descriptions of the grammar.
#[derive(Debug, Default)]
pub(crate) struct GrammarClient {
    sections: Vec<GrammarSection>,
    restarts: usize,
}

impl GrammarClient {
    /// The next offer: its sections, some of them changed, and perhaps a new one.
    pub(crate) fn offer(&mut self, choices: &mut Choices<'_>) -> String {
        let count = self.sections.len();
        for at in 0..count {
            if choices.rarely(6) {
                let fresh = GrammarSection::new(choices, at);
                let it = &mut self.sections[at];
                match choices.below(6) {
                    0 => it.direction = fresh.direction,
                    1 => it.port = if it.port == "0" { "9" } else { "0" },
                    2 => (it.types, it.lines) = (fresh.types, fresh.lines),
                    3 => it.mid = fresh.mid,
                    4 => it.lines.extend(fresh.lines),
                    _ => *it = fresh,
                }
            }
        }
        if count < 6 && (count == 0 || choices.rarely(2)) {
            self.sections.push(GrammarSection::new(choices, count));
        }
        if choices.rarely(20) {
            self.sections.pop();
        }
        self.restarts += usize::from(choices.rarely(8));
        let mut text = self.head(choices);
        self.sections.iter().for_each(|section| section.write(&mut text));
        text
    }

    fn head(&self, choices: &mut Choices<'_>) -> String {
        let mut mids: Vec<&str> = self.sections.iter().map(|section| section.mid).collect();
        match choices.below(12) {
            9 => mids.reverse(),
            10 => drop(mids.pop()),
            11 => mids.clear(),
            _ => {}
        }
        let group = if mids.is_empty() {
            String::new()
        } else {
            format!("a=group:BUNDLE {}\r\n", mids.join(" "))
        };
        let (byte, pwd) = (if choices.rarely(12) { "01" } else { "00" }, "p".repeat(22));
        let finger = vec![byte; 32].join(":");
        let lite = if choices.rarely(30) { "a=ice-lite\r\n" } else { "" };
        format!(
            "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n{group}{lite}\
             a=fingerprint:sha-256 {finger}\r\na=ice-ufrag:abc{}\r\na=ice-pwd:{pwd}\r\n\
             a=setup:{}\r\n",
            self.restarts % 10,
            choices.mostly(&SETUPS, 3)
        )
    }

    /// A more or less correct answer to an offer of the server.
    pub(crate) fn answer(&self, choices: &mut Choices<'_>, offer: &str) -> String {
        let mut text = self.head(choices).replace("setup:actpass", "setup:active");
        if let Some(group) = offer.lines().find(|line| line.starts_with("a=group:")) {
            let ours = text.lines().find(|line| line.starts_with("a=group:")).map(str::to_owned);
            text = match ours.filter(|_| !choices.rarely(8)) {
                Some(ours) => text.replace(&ours, group),
                None => text,
            };
        }
        let sections = offer.split("\r\nm=").skip(1);
        for section in sections {
            if choices.rarely(24) {
                continue;
            }
            let change = choices.below(10);
            for (at, line) in section.split("\r\n").filter(|line| !line.is_empty()).enumerate() {
                let passes = ["a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:", "c="];
                let line = match (at, line, change) {
                    (0, line, 0) => format!("m={}", line.replacen(" 9 ", " 0 ", 1)),
                    (0, line, _) => format!("m={line}"),
                    (_, "a=sendonly", 1) => "a=inactive".to_owned(),
                    (_, "a=sendonly", _) => "a=recvonly".to_owned(),
                    (_, "a=recvonly", _) => "a=sendonly".to_owned(),
                    (_, "a=inactive", _) => "a=inactive".to_owned(),
                    (_, line, 2) if line.starts_with("a=rtpmap:96") => line.replace("96", "98"),
                    (_, line, 3) if line.contains("rtx") || line.contains("apt=") => continue,
                    (_, line, 4) if line.starts_with("a=rtpmap:") => line.replace("VP8", "opus"),
                    (_, line, _) if passes.iter().any(|name| line.starts_with(name)) => {
                        line.to_owned()
                    }
                    _ => continue,
                };
                text.push_str(&line);
                text.push_str("\r\n");
            }
        }
        text
    }
}
