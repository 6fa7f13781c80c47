//! Judgement of a visitor's network: each rule with the sick case and the clean one.

use doctor::{
    Language, Report,
    visitor::{Attempt, Device, Devices, Encoder, Facts, Known, Line, Nat, Outside, judge},
};

fn known() -> Known {
    Known {
        host: "meet.example.org".into(),
        address: "203.0.113.7".into(),
        address6: Some("2001:db8::7".into()),
        port: 443,
        client: Some([198, 51, 100, 9].into()),
        outside: Outside::default(),
        is_intercepted: false,
    }
}

fn clean() -> Facts {
    let passed = Attempt::Passed;
    Facts {
        secure: Some(true),
        web_socket: passed,
        polling: passed,
        udp: passed,
        udp6: passed,
        tcp: passed,
        turn_udp: passed,
        turn_tcp: passed,
        turn_tls: passed,
        nat: Some(Nat::EndpointIndependent),
        stun_address: Some([198, 51, 100, 9].into()),
        host_candidates: Some(1),
        line: Some(Line {
            sent: 800,
            arrived: 800,
            returned: 799,
            large_sent: 40,
            large_returned: 40,
            rtt_ms: 31.0,
        }),
        encoder: Some(Encoder {
            height: 720,
            is_smooth: Some(true),
            captured: 60,
            encoded: 58,
            encode_ms: 7.0,
            is_limited: false,
        }),
        devices: Some(Devices {
            camera: Some(Device::Opened),
            microphone: Some(Device::Opened),
            level: Some(0.02),
            brightness: Some(130.0),
        }),
        clock_offset_ms: Some(-900.0),
        call: None,
    }
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings().iter().map(|finding| finding.code.as_str()).collect()
}

fn without_udp() -> Facts {
    Facts { udp: Attempt::Failed, turn_udp: Attempt::Failed, line: None, ..clean() }
}

#[test]
fn clean_network_and_unknown_facts_raise_no_alarm() {
    assert_eq!(codes(&judge(&clean(), &known())), [""; 0]);
    assert_eq!(codes(&judge(&Facts::default(), &known())), [""; 0]);
}

#[test]
fn closed_udp_is_the_visitors_if_others_have_it_and_names_port_and_address() {
    let known = Known { outside: Outside { udp: 3, ..Outside::default() }, ..known() };
    let report = judge(&without_udp(), &known);
    assert_eq!(codes(&report), ["UDP-CLOSED-HERE"]);
    let remedy = report.verdict().unwrap().remedy(Language::En);
    assert!(remedy.contains("UDP to 203.0.113.7 port 443"), "{remedy}");
    let korean = report.verdict().unwrap().remedy(Language::Ko);
    assert!(korean.contains("203.0.113.7") && korean.contains("443"), "{korean}");
}

#[test]
fn closed_udp_is_the_servers_if_nobody_has_it() {
    let outside = Outside { tcp: 2, without_udp: 2, ..Outside::default() };
    let report = judge(&without_udp(), &Known { outside, ..known() });
    assert_eq!(codes(&report), ["UDP-CLOSED-SERVER"]);
    assert!(report.verdict().unwrap().unfilled().is_empty());
}

#[test]
fn closed_udp_of_the_first_visitor_blames_nobody() {
    assert_eq!(codes(&judge(&without_udp(), &known())), ["UDP-CLOSED"]);
}

#[test]
fn only_tls_passes() {
    let facts = Facts { tcp: Attempt::Failed, turn_tcp: Attempt::Failed, ..without_udp() };
    assert_eq!(codes(&judge(&facts, &known())), ["TLS-ONLY"]);
    let facts = Facts { turn_tls: Attempt::Failed, ..facts };
    assert_eq!(codes(&judge(&facts, &known())), ["MEDIA-CLOSED"]);
}

#[test]
fn probe_that_could_not_be_tried_is_no_evidence() {
    // The server refused a probe, because too many are open.
    let facts = Facts { udp: Attempt::Unknown, tcp: Attempt::Unknown, line: None, ..clean() };
    assert_eq!(codes(&judge(&facts, &known())), [""; 0]);
}

#[test]
fn relay_over_udp_without_media_over_udp() {
    let facts = Facts { udp: Attempt::Failed, line: None, ..clean() };
    assert_eq!(codes(&judge(&facts, &known())), ["LARGE-PACKETS"]);
    let inner = Facts { tcp: Attempt::Failed, ..facts.clone() };
    assert_eq!(codes(&judge(&inner, &known())), ["MEDIA-ADDRESS"]);
    let local = Known { client: Some([127, 0, 0, 1].into()), ..known() };
    assert_eq!(codes(&judge(&facts, &local)), [""; 0], "a browser may not use loopback");
    let hidden = Facts { host_candidates: Some(0), ..facts };
    assert_eq!(codes(&judge(&hidden, &known())), ["ADDRESSES-HIDDEN"]);
}

#[test]
fn eaten_web_sockets_and_closed_signaling() {
    let facts = Facts { web_socket: Attempt::Failed, ..clean() };
    assert_eq!(codes(&judge(&facts, &known())), ["WS-EATEN"]);
    let facts = Facts { polling: Attempt::Failed, ..facts };
    assert_eq!(codes(&judge(&facts, &known())), ["SIGNALING-CLOSED"]);
}

#[test]
fn loss_is_reported_for_its_direction_with_its_share() {
    let lossy = |arrived, returned| {
        let line = Line { arrived, returned, ..clean().line.unwrap() };
        judge(&Facts { line: Some(line), ..clean() }, &known())
    };
    let up = lossy(776, 776);
    assert_eq!(codes(&up), ["LINE-LOSS-UP"]);
    assert_eq!(up.verdict().unwrap().facts["percent"], "3");
    assert_eq!(codes(&lossy(800, 776)), ["LINE-LOSS-DOWN"]);
    assert_eq!(codes(&lossy(795, 790)), [""; 0], "half a percent is usual");
    let few = Line { sent: 20, arrived: 10, returned: 10, ..Line::default() };
    assert_eq!(codes(&judge(&Facts { line: Some(few), ..clean() }, &known())), [""; 0]);
}

#[test]
fn large_packets_and_delay() {
    let line = clean().line.unwrap();
    let judged = |line| judge(&Facts { line: Some(line), ..clean() }, &known());
    assert_eq!(codes(&judged(Line { large_returned: 1, ..line })), ["LARGE-PACKETS"]);
    assert_eq!(codes(&judged(Line { large_sent: 0, large_returned: 0, ..line })), [""; 0]);
    assert_eq!(codes(&judged(Line { rtt_ms: 400.0, ..line })), ["LINE-SLOW"]);
}

#[test]
fn addresses_that_differ_are_a_split_vpn_unless_one_is_inner() {
    let facts = Facts { stun_address: Some([198, 51, 100, 200].into()), ..clean() };
    assert_eq!(codes(&judge(&facts, &known())), ["VPN-SPLIT"]);
    let inner = Known { client: Some([192, 168, 1, 5].into()), ..known() };
    assert_eq!(codes(&judge(&facts, &inner)), [""; 0]);
    let other_family = Known { client: Some("2001:db8::9".parse().unwrap()), ..known() };
    assert_eq!(codes(&judge(&facts, &other_family)), [""; 0]);
}

#[test]
fn nat_tls_ipv6_and_clock() {
    let facts = Facts { nat: Some(Nat::EndpointDependent), ..clean() };
    assert_eq!(codes(&judge(&facts, &known())), ["NAT-SYMMETRIC"]);
    let opened = Known { is_intercepted: true, ..known() };
    assert_eq!(codes(&judge(&clean(), &opened)), ["TLS-OPENED"]);
    let facts = Facts { udp6: Attempt::Failed, ..clean() };
    assert_eq!(codes(&judge(&facts, &known())), ["IPV6-LOST"]);
    let facts = Facts { clock_offset_ms: Some(-540_000.0), ..clean() };
    let report = judge(&facts, &known());
    assert_eq!(codes(&report), ["CLOCK-VISITOR"]);
    assert_eq!(report.verdict().unwrap().facts["minutes"], "9");
}

#[test]
fn slow_encoder_is_measured_or_else_known_to_the_browser() {
    let judged = |encoder| codes(&judge(&Facts { encoder: Some(encoder), ..clean() }, &known()));
    let clean = clean().encoder.unwrap();
    assert_eq!(judged(Encoder { is_limited: true, ..clean }), ["CPU"]);
    assert_eq!(judged(Encoder { encode_ms: 41.0, encoded: 30, ..clean }), ["CPU"]);
    assert_eq!(judged(Encoder { encode_ms: 41.0, ..clean }), [""; 0], "late but steady");
    let not_smooth = Encoder { is_smooth: Some(false), ..clean };
    assert_eq!(judged(not_smooth), [""; 0], "it has proven to be fast enough");
    assert_eq!(judged(Encoder { captured: 3, encoded: 0, ..not_smooth }), ["CPU"]);
    assert_eq!(judged(Encoder { captured: 3, encoded: 0, ..clean }), [""; 0], "a hidden tab");
}

#[test]
fn devices_are_judged_each_and_only_if_tested() {
    let judged = |devices| codes(&judge(&Facts { devices: Some(devices), ..clean() }, &known()));
    let clean = clean().devices.unwrap();
    let camera = |camera| judged(Devices { camera: Some(camera), ..clean });
    assert_eq!(camera(Device::Refused), ["CAMERA-DENIED"]);
    assert_eq!(camera(Device::Missing), ["CAMERA-MISSING"]);
    assert_eq!(camera(Device::InUse), ["CAMERA-IN-USE"]);
    assert_eq!(camera(Device::Failed), [""; 0]);
    assert_eq!(judged(Devices { brightness: Some(2.0), ..clean }), ["CAMERA-BLACK"]);
    assert_eq!(judged(Devices { brightness: None, level: None, ..clean }), [""; 0]);
    let microphone = |microphone| judged(Devices { microphone: Some(microphone), ..clean });
    assert_eq!(microphone(Device::Refused), ["MICROPHONE-DENIED"]);
    assert_eq!(microphone(Device::Missing), ["MICROPHONE-MISSING"]);
    assert_eq!(microphone(Device::InUse), ["MICROPHONE-IN-USE"]);
    assert_eq!(judged(Devices { level: Some(0.0), ..clean }), ["MICROPHONE-SILENT"]);
}

#[test]
fn facts_are_parsed_as_the_page_sends_them() {
    let json = r#"{"secure":true,"webSocket":"passed","udp":"failed","nat":"endpointDependent",
        "stunAddress":"198.51.100.9","clockOffsetMs":12.5,"line":{"sent":10,"rttMs":3.5},
        "encoder":{"height":720,"encodeMs":4.5},"devices":{"camera":"in_use","level":0.5},
        "somethingNew":[1]}"#;
    let facts: Facts = serde_json::from_str(json).unwrap();
    assert_eq!((facts.web_socket, facts.udp), (Attempt::Passed, Attempt::Failed));
    assert_eq!((facts.tcp, facts.nat), (Attempt::Unknown, Some(Nat::EndpointDependent)));
    assert_eq!(facts.devices.unwrap().camera, Some(Device::InUse));
    assert!(serde_json::from_str::<Facts>(r#"{"udp":"perhaps"}"#).is_err());
}
