//! Judgement of a call: each rule with the sick case and the clean one.

use doctor::{
    Certainty, Language, Report,
    visitor::{Call, CallTransport, Facts, Known, Outside, Publisher, Sent, judge},
};

fn known() -> Known {
    Known { address: "203.0.113.7".into(), port: 443, ..Known::default() }
}

/// A call of four through the media server.
fn clean() -> Call {
    let publisher = Publisher { packets: 1_500, lost: 3, has_picture: true, is_still: false };
    Call {
        transport: Some(CallTransport::Udp),
        sent: vec![Sent { packets: 3_000, lost: 12, rtt_ms: Some(31.0) }],
        publishers: vec![publisher; 3],
        jitter_ms: 9.0,
        concealed: 0.002,
        dropped: 0.01,
        limited_cpu: 0.0,
        limited_bandwidth: 1.0,
        available_kbps: Some(2_500.0),
        encode_ms: 6.0,
        encoded_rate: 29.5,
        captured_rate: 30.0,
        height: 720,
    }
}

fn judged(call: Call) -> Report {
    judge(&Facts { call: Some(call), ..Facts::default() }, &known())
}

fn codes(call: Call) -> Vec<&'static str> {
    let report = judged(call);
    for finding in report.findings() {
        assert_eq!(finding.unfilled(), [""; 0]);
    }
    report.findings().iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn good_call_and_unknown_facts_raise_no_alarm() {
    assert_eq!(codes(clean()), [""; 0]);
    assert_eq!(codes(Call::default()), [""; 0]);
}

#[test]
fn call_over_tcp_names_the_port_and_whose_firewall_it_is() {
    let over = |transport| Call { transport: Some(transport), ..clean() };
    assert_eq!(codes(over(CallTransport::Tcp)), ["UDP-CLOSED"]);
    assert_eq!(codes(over(CallTransport::Tls)), ["TLS-ONLY"]);
    let facts = Facts { call: Some(over(CallTransport::Tcp)), ..Facts::default() };
    let others = Known { outside: Outside { udp: 2, ..Outside::default() }, ..known() };
    let report = judge(&facts, &others);
    let verdict = report.verdict().unwrap();
    assert_eq!(verdict.code.as_str(), "UDP-CLOSED-HERE");
    assert!(verdict.remedy(Language::En).contains("UDP to 203.0.113.7 port 443"));
}

#[test]
fn loss_of_what_is_sent_is_the_visitors_if_all_miss_it() {
    let lossy = Sent { packets: 1_000, lost: 80, rtt_ms: None };
    let fine = Sent { lost: 2, ..lossy };
    let of = |sent: &[Sent]| Call { sent: sent.to_vec(), ..clean() };
    assert_eq!(codes(of(&[lossy])), ["LINE-LOSS-UP"]);
    assert_eq!(codes(of(&[lossy, lossy])), ["LINE-LOSS-UP"]);
    assert_eq!(codes(of(&[lossy, fine])), [""; 0], "the other end's");
    assert_eq!(codes(of(&[Sent { packets: 20, lost: 10, rtt_ms: None }])), [""; 0]);
    let report = judged(of(&[lossy]));
    assert_eq!(report.verdict().unwrap().facts["percent"], "8");
    assert_eq!(report.verdict().unwrap().certainty, Certainty::Possible);
}

#[test]
fn loss_of_what_is_received_is_the_visitors_if_it_is_everybodys() {
    let lossy = Publisher { packets: 900, lost: 100, has_picture: true, is_still: true };
    let call = Call { publishers: vec![lossy; 2], ..clean() };
    assert_eq!(codes(call.clone()), ["LINE-LOSS-DOWN"]);
    let mut one = call;
    one.publishers.push(clean().publishers[0]);
    let report = judged(one);
    assert_eq!(report.verdict().unwrap().code.as_str(), "SENDER-STALLS");
    let sentence = report.verdict().unwrap().sentence(Language::En);
    assert!(sentence.starts_with("2 of the 3 videos"), "{sentence}");
}

#[test]
fn stalls_without_a_cause_and_with_an_uneven_line() {
    let mut call = clean();
    call.publishers.iter_mut().for_each(|from| from.is_still = true);
    assert_eq!(codes(call.clone()), ["VIDEO-STALLS"]);
    assert_eq!(codes(Call { jitter_ms: 140.0, ..call.clone() }), ["LINE-JITTER"]);
    assert_eq!(codes(Call { dropped: 0.5, ..call }), ["CPU-SHOW"]);
    assert_eq!(codes(Call { jitter_ms: 140.0, ..clean() }), [""; 0], "nobody notices it");
    assert_eq!(codes(Call { dropped: 0.5, ..clean() }), [""; 0], "as in a tab behind another");
    assert_eq!(codes(Call { jitter_ms: 140.0, concealed: 0.1, ..clean() }), ["LINE-JITTER"]);
}

#[test]
fn delay_is_what_the_way_to_all_has() {
    let far = Sent { rtt_ms: Some(400.0), ..clean().sent[0] };
    assert_eq!(codes(Call { sent: vec![far], ..clean() }), ["CALL-DELAY"]);
    assert_eq!(codes(Call { sent: vec![far, clean().sent[0]], ..clean() }), [""; 0]);
}

#[test]
fn encoder_limited_by_the_computer_or_the_line() {
    assert_eq!(codes(Call { limited_cpu: 0.9, ..clean() }), ["CPU"]);
    assert_eq!(codes(Call { encode_ms: 40.0, encoded_rate: 14.0, ..clean() }), ["CPU"]);
    assert_eq!(codes(Call { encode_ms: 40.0, ..clean() }), [""; 0], "hardware: late but steady");
    let narrow = Call { available_kbps: Some(240.4), ..clean() };
    assert_eq!(codes(narrow.clone()), ["LINE-NARROW-UP"]);
    assert_eq!(codes(Call { limited_bandwidth: 0.2, ..narrow }), [""; 0]);
}

#[test]
fn facts_are_parsed_as_the_page_sends_them() {
    let json = r#"{"call":{"transport":"tls","sent":[{"packets":9,"lost":1,"rttMs":2.5}],
        "publishers":[{"packets":4,"isStill":true,"hasPicture":true}],"jitterMs":1.5,
        "limitedCpu":0.5,"availableKbps":300.5,"capturedRate":30,"height":720}}"#;
    let call = serde_json::from_str::<Facts>(json).unwrap().call.unwrap();
    assert_eq!(call.transport, Some(CallTransport::Tls));
    assert_eq!(call.sent, [Sent { packets: 9, lost: 1, rtt_ms: Some(2.5) }]);
    assert!(call.publishers[0].is_still && call.publishers[0].lost == 0);
}
