//! Descriptions for str0m, reduced to what both sides have in common.

use std::fmt::Write as _;

use super::{
    SdpDirection,
    description::{self, Credentials, Fingerprint, Setup, SimulcastEncoding},
    formats::OfferedFormat,
};

/// A description for str0m under construction.
pub(super) struct EngineSdp(String);

/// An audio or video section for str0m.
pub(super) struct EngineMedia<'a> {
    pub(super) mid: &'a str,
    pub(super) media: &'a str,
    pub(super) direction: SdpDirection,
    pub(super) formats: &'a [OfferedFormat],
    /// Feedback by payload type.
    pub(super) feedback: Vec<(u8, &'a str)>,
    pub(super) extensions: Vec<(u16, &'a str)>,
    pub(super) rids: Vec<String>,
    pub(super) simulcast: Vec<SimulcastEncoding<String>>,
    pub(super) ssrcs: &'a [AnnouncedSsrc],
}

/// An SSRC that the client announces, and that of its RTX.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnnouncedSsrc {
    pub(super) ssrc: u32,
    pub(super) rtx_ssrc: Option<u32>,
}

impl EngineSdp {
    pub(super) fn new<'a>(
        mids: impl Iterator<Item = &'a str>,
        credentials: Credentials<'_>,
        fingerprint: Option<&Fingerprint>,
        setup: Option<Setup>,
    ) -> Self {
        let mut text = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE".to_owned();
        for mid in mids {
            text.push(' ');
            text.push_str(mid);
        }
        let mut text = Self(text);
        let Credentials { ufrag, pwd } = credentials;
        text.line(format_args!("\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}"));
        if let Some(Fingerprint { hash, bytes }) = fingerprint {
            let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            text.line(format_args!("a=fingerprint:{hash} {}", hex.join(":")));
        }
        text.line(format_args!(
            "a=setup:{}",
            match setup {
                None | Some(Setup::ActPass) => "actpass",
                Some(Setup::Active) => "active",
                Some(Setup::Passive) => "passive",
            }
        ));
        text
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = write!(self.0, "{line}\r\n");
    }

    pub(super) fn application(&mut self, mid: &str, max_message_size: Option<u64>) {
        self.line(format_args!("m=application 9 UDP/DTLS/SCTP webrtc-datachannel"));
        self.line(format_args!("a=mid:{mid}\r\na=sctp-port:5000"));
        if let Some(max) = max_message_size {
            self.line(format_args!("a=max-message-size:{}", max.min(u64::from(u32::MAX))));
        }
    }

    pub(super) fn rejected(&mut self, media: &str, mid: &str) {
        self.line(format_args!("m={media} 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:{mid}\r\na=inactive"));
    }

    pub(super) fn media(&mut self, section: &EngineMedia<'_>) {
        let EngineMedia { mid, media, direction, formats, .. } = section;
        let mut payload_types = String::new();
        for OfferedFormat { payload_type, rtx, red, .. } in *formats {
            for payload_type in [Some(*payload_type), *rtx, *red].into_iter().flatten() {
                let _ = write!(payload_types, " {payload_type}");
            }
        }
        self.line(format_args!("m={media} 9 UDP/TLS/RTP/SAVPF{payload_types}\r\na=mid:{mid}"));
        for (id, uri) in &section.extensions {
            self.line(format_args!("a=extmap:{id} {uri}"));
        }
        self.line(format_args!(
            "a={}\r\na=rtcp-mux",
            match direction {
                SdpDirection::SendRecv => "sendrecv",
                SdpDirection::SendOnly => "sendonly",
                SdpDirection::RecvOnly => "recvonly",
                SdpDirection::Inactive => "inactive",
            }
        ));
        for format in *formats {
            let pt = format.payload_type;
            self.line(format_args!("a=rtpmap:{pt} {}", format.key.encoding()));
            for (_, value) in section.feedback.iter().filter(|(of, _)| *of == pt) {
                self.line(format_args!("a=rtcp-fb:{pt} {value}"));
            }
            if let Some(fmtp) = format.key.fmtp() {
                self.line(format_args!("a=fmtp:{pt} {fmtp}"));
            }
            if let Some(rtx) = format.rtx {
                self.line(format_args!("a=rtpmap:{rtx} rtx/90000\r\na=fmtp:{rtx} apt={pt}"));
            }
            if let Some(red) = format.red {
                self.line(format_args!("a=rtpmap:{red} red/48000/2\r\na=fmtp:{red} {pt}/{pt}"));
            }
        }
        for rid in &section.rids {
            self.line(format_args!("a=rid:{rid} send"));
        }
        if !section.simulcast.is_empty() {
            self.line(format_args!("a=simulcast:send {}", description::join(&section.simulcast)));
        }
        for AnnouncedSsrc { ssrc: media, rtx_ssrc } in section.ssrcs {
            for ssrc in [Some(*media), *rtx_ssrc].into_iter().flatten() {
                self.line(format_args!("a=ssrc:{ssrc} cname:-"));
            }
            if let Some(rtx) = rtx_ssrc {
                self.line(format_args!("a=ssrc-group:FID {media} {rtx}"));
            }
        }
    }
}
