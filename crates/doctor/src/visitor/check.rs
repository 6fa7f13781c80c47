//! Titles of the page's checks, for an operator who follows a visitor's test.

use crate::Language;

/// The title of a check by the page's name for it; `None` for one of another version.
#[must_use]
pub fn title(check: &str, language: Language) -> Option<&'static str> {
    let (en, ko) = match check {
        "page" => ("secure page", "보안 페이지"),
        "webSocket" => ("signaling over WebSocket", "WebSocket 신호"),
        "polling" => ("signaling by polling", "폴링 신호"),
        "udp" => ("media over UDP", "UDP 미디어"),
        "udp6" => ("media over IPv6", "IPv6 미디어"),
        "tcp" => ("media over TCP", "TCP 미디어"),
        "turnUdp" => ("relay over UDP", "UDP 릴레이"),
        "turnTcp" => ("relay over TCP", "TCP 릴레이"),
        "turnTls" => ("relay over TLS", "TLS 릴레이"),
        "nat" => ("router (NAT)", "공유기(NAT)"),
        "line" => ("loss and delay", "손실과 지연"),
        "encoder" => ("sending video", "영상 보내기"),
        _ => return None,
    };
    Some(match language {
        Language::En => en,
        Language::Ko => ko,
    })
}
