//! Offers to the media server that are slow to parse, large, or inconsistent.

use std::fmt::Write as _;

use load::{ServerMessage, field};
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{Duration, timeout},
};

use super::Counts;
use crate::target::Target;

const SOCKETS: usize = 4;
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

const SESSION: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n";
const TRANSPORT: &str = "c=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n\
    a=setup:actpass\r\na=rtcp-mux\r\n";

fn section(mid: u32, kind: &str, formats: &str, lines: &str) -> String {
    format!(
        "m={kind} 9 UDP/TLS/RTP/SAVPF {formats}\r\n{TRANSPORT}a=mid:{mid}\r\na=sendrecv\r\n{lines}"
    )
}

/// Many parameters for many formats: quadratic in a parser that scans all of them for each format.
pub(super) fn slow() -> String {
    let formats: Vec<String> = (0..128).map(|pt: u32| pt.to_string()).collect();
    let mut lines = String::new();
    for pt in &formats {
        let _ = write!(lines, "a=rtpmap:{pt} VP8/90000\r\n");
    }
    for number in 0..15_000_usize {
        let _ = write!(lines, "a=fmtp:{} a=1\r\n", number % 128);
    }
    SESSION.replace(" 0 1", " 0") + &section(0, "video", &formats.join(" "), &lines)
}

/// Thousands of SSRCs.
pub(super) fn large() -> String {
    let mut lines = String::from("a=rtpmap:96 VP8/90000\r\n");
    for ssrc in 1..=11_500 {
        let _ = write!(lines, "a=ssrc:{ssrc} cname:c\r\n");
    }
    SESSION.replace(" 0 1", " 0") + &section(0, "video", "96", &lines)
}

/// The same payload type for two codecs in one bundle.
pub(super) fn codec_clash() -> String {
    let audio = section(0, "audio", "111", "a=rtpmap:111 opus/48000/2\r\n");
    let video = section(1, "video", "111", "a=rtpmap:111 VP8/90000\r\n");
    [SESSION, &audio, &video].concat()
}

pub(super) async fn run(target: Target, counts: Counts, offer: fn() -> String) {
    let mut sockets = JoinSet::new();
    for number in 0..SOCKETS {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            loop {
                if let Err(error) = offers(&target, &counts, number, &offer()).await {
                    counts.add(&format!("failed: {error}"), 1);
                    // A server that is down refuses connections at once.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        });
    }
    sockets.join_all().await;
}

async fn offers(target: &Target, counts: &Counts, number: usize, sdp: &str) -> anyhow::Result<()> {
    let room = format!("offers {number}");
    let create = json!({"name": room, "topology": "sfu"});
    // The room may still exist from an earlier attempt.
    drop(target.connect().await?.call("room:create", &create).await);
    let mut participant = target.join(&room, "Offerer").await?;
    let description = json!({"type": "offer", "sdp": sdp});
    let signal = json!({"to": "sfu", "description": description});
    loop {
        counts.add("tried", 1);
        participant.socket.request("signal", &signal).await?;
        let answer = async {
            loop {
                match participant.socket.receive().await? {
                    ServerMessage::Reply(_, Err(rejection)) => return anyhow::Ok(Err(rejection)),
                    ServerMessage::Event(name, payload, _) if name == "refused" => {
                        let message = field(field(&payload, "error"), "message").as_str();
                        return Ok(Err(message.unwrap_or_default().to_owned()));
                    }
                    ServerMessage::Event(name, _, _) if name == "signal" => return Ok(Ok(())),
                    _ => {}
                }
            }
        };
        match timeout(ANSWER_TIMEOUT, answer).await {
            Ok(answer) => counts.outcome(&answer?),
            Err(_) => counts.add("no answer", 1),
        }
    }
}
