//! Rules about the server: the clean case beside the sick one.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests are tests too")]

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr},
};

use doctor::{
    Finding, Language, Report, Severity,
    reach::{FamilySummary, Summary},
    server::{
        Check, Facts, Outcome, PublicAddress, ServerCode, Skip, address, certificate, clock,
        config, container, data, dns, examine, firewall, kernel, load, outside, port, proxy, relay,
        router,
    },
};

const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(151, 101, 1, 69));
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 2));
const BRIDGE: IpAddr = IpAddr::V4(Ipv4Addr::new(172, 17, 0, 2));

fn v6(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A healthy server with a public address, a name and visitors.
fn clean() -> Facts {
    let socket = |protocol| port::Socket {
        protocol,
        address: "0.0.0.0:443".parse().unwrap(),
        state: port::State::Answers,
    };
    let visitors = Summary {
        v4: FamilySummary { udp: 40, tcp: 2, tls: 1, without_udp: 3 },
        v6: FamilySummary::default(),
    };
    let attempt = |transport| relay::Attempt { transport, result: Ok(900) };
    Facts {
        place: PublicAddress { address: PUBLIC.to_string(), port: 443 },
        config: Ok(config::Facts {
            own_version: "0.1.0".to_owned(),
            running_version: Some("0.1.0".to_owned()),
            folder: "/var/lib/moim".to_owned(),
            running: true,
            problems: Vec::new(),
            warnings: Vec::new(),
            file: None,
        }),
        port: Ok(port::Facts {
            sockets: vec![socket(port::Protocol::Tcp), socket(port::Protocol::Udp)],
            binary: "/usr/bin/moim".to_owned(),
        }),
        outside: Ok(outside::Facts { visitors, witnesses: Vec::new() }),
        firewall: Ok(firewall::Facts::default()),
        address: Ok(address::Facts {
            interfaces: vec![PUBLIC],
            of_names: vec![PUBLIC],
            ..address::Facts::default()
        }),
        dns: Ok(dns::Facts {
            names: vec![("meet.example".to_owned(), dns::Answer::Addresses(vec![PUBLIC]))],
            own: vec![PUBLIC],
            behind_proxy: false,
            caa: vec![caa("letsencrypt.org")],
        }),
        certificate: Ok(certificate::Facts {
            names: vec!["meet.example".to_owned()],
            uncovered: Vec::new(),
            issuer: "R11".to_owned(),
            days_left: 60,
            days_total: 90,
            not_after: "2027-01-28".to_owned(),
            chain: 2,
            self_signed: false,
            key: "ECDSA P-256".to_owned(),
            file: Some("/etc/moim/fullchain.pem".to_owned()),
            ordered: Vec::new(),
        }),
        clock: Ok(clock::Facts { synchronised: Some(true), offset: None }),
        kernel: Ok(kernel::Facts {
            receive_buffer: Some(4 << 20),
            udp_dropped: Some(400),
            files: Some(65_536),
            connections: 10_000,
            conntrack: Some((900, 262_144)),
        }),
        container: Ok(container::Facts { interfaces: vec![PUBLIC], ..container::Facts::default() }),
        proxy: Ok(proxy::Facts::default()),
        data: Ok(data::Facts {
            folder: "/var/lib/moim".to_owned(),
            writable: true,
            user: "moim".to_owned(),
            free_mib: Some(9_000),
            mount: "/".to_owned(),
            ..data::Facts::default()
        }),
        load: Ok(load::Facts {
            busiest_percent: Some(35),
            stuck: 0,
            memory_mib: Some((900, 2_000)),
        }),
        relay: Ok(relay::Facts { attempts: ["UDP", "TCP", "TLS", "DTLS"].map(attempt).to_vec() }),
        router: Ok(router::Facts {
            answer: Ok(router::Forwarding { address: PUBLIC, protocol: "PCP".to_owned() }),
        }),
    }
}

fn findings(facts: &Facts) -> Vec<Finding> {
    let found = examine(facts).into_iter().filter_map(|examined| match examined.outcome {
        Outcome::Found(findings) => Some(findings),
        _ => None,
    });
    Report::new(found.flatten().collect()).findings().to_vec()
}

type Change = Box<dyn Fn(&mut Facts)>;

fn change(change: impl Fn(&mut Facts) + 'static) -> Change {
    Box::new(change)
}

fn port_state(state: &port::State) -> Change {
    let state = state.clone();
    change(move |facts| facts.port.as_mut().unwrap().sockets[1].state = state.clone())
}

fn behind_nat(facts: &mut Facts) {
    facts.address.as_mut().unwrap().interfaces = vec![PRIVATE];
    facts.dns.as_mut().unwrap().own = vec![PRIVATE];
    facts.container.as_mut().unwrap().interfaces = vec![PRIVATE];
}

fn visitors(udp: usize, without_udp: usize) -> Summary {
    let v4 = FamilySummary { udp, tcp: without_udp, tls: 0, without_udp };
    Summary { v4, v6: FamilySummary::default() }
}

fn witness(udp: bool, tcp: bool) -> outside::Witness {
    outside::Witness { name: "friend.example".to_owned(), udp, tcp: Some(tcp) }
}

/// Records that allow Let's Encrypt, and the CA that is asked.
fn caa(ca: &str) -> dns::Caa {
    dns::Caa {
        name: "meet.example".to_owned(),
        found: "example".to_owned(),
        allowed: vec!["letsencrypt.org".to_owned()],
        cas: vec![ca.to_owned()],
    }
}

/// A server that orders its certificates, without files of the operator.
fn ordering(ordered: certificate::Ordered) -> Change {
    change(move |f| {
        let certificate = f.certificate.as_mut().unwrap();
        certificate.file = None;
        certificate.ordered = vec![ordered.clone()];
    })
}

fn failed() -> certificate::Ordered {
    certificate::Ordered {
        name: "meet.example".to_owned(),
        problem: Some("Nobody answers at port 443".to_owned()),
        next: Some("2027-01-02 10:00 UTC".to_owned()),
        ..certificate::Ordered::default()
    }
}

/// One change to a healthy server for each code, and the findings that it must have.
fn sick() -> Vec<(ServerCode, Change)> {
    use ServerCode as C;
    let taken = |holder: Option<&str>| {
        port_state(&port::State::Taken { holder: holder.map(str::to_owned) })
    };
    vec![
        (
            C::ConfigInvalid,
            change(|f| {
                f.config.as_mut().unwrap().problems = vec!["unknown key `lisen`.".to_owned()];
            }),
        ),
        (C::PortTaken, taken(Some("nginx (pid 812)"))),
        (C::PortInUse, taken(None)),
        (C::PortForbidden, port_state(&port::State::Forbidden)),
        (C::AddressAbsent, port_state(&port::State::AddressAbsent)),
        (C::ServerSilent, port_state(&port::State::Silent)),
        (C::ShardStuck, change(|f| f.load.as_mut().unwrap().stuck = 1)),
        (
            C::FirewallDrops,
            change(|f| {
                f.firewall.as_mut().unwrap().drops = vec![firewall::Drop {
                    protocol: port::Protocol::Udp,
                    chain: "inet filter input".to_owned(),
                    command: "sudo ufw allow 443/udp".to_owned(),
                }];
            }),
        ),
        (C::UdpClosedServer, change(|f| f.outside.as_mut().unwrap().visitors = visitors(0, 2))),
        (
            C::TcpClosedServer,
            change(|f| {
                f.outside.as_mut().unwrap().witnesses = vec![witness(true, false)];
            }),
        ),
        (C::NatUnannounced, change(behind_nat)),
        (C::DnsNone, change(|f| f.dns.as_mut().unwrap().names[0].1 = dns::Answer::None)),
        (
            C::DnsElsewhere,
            change(|f| {
                f.dns.as_mut().unwrap().names[0].1 = dns::Answer::Addresses(vec![OTHER]);
            }),
        ),
        (C::CertExpired, change(|f| f.certificate.as_mut().unwrap().days_left = -1)),
        (
            C::CertName,
            change(|f| {
                f.certificate.as_mut().unwrap().uncovered = vec!["call.example".to_owned()];
            }),
        ),
        (
            C::RelayFailed,
            change(|f| {
                f.relay.as_mut().unwrap().attempts[3].result =
                    Err("no answer to Allocate".to_owned());
            }),
        ),
        (
            C::DataUnwritable,
            change(|f| {
                let data = f.data.as_mut().unwrap();
                data.writable = false;
                data.command = "sudo chown -R moim /var/lib/moim".to_owned();
            }),
        ),
        (C::DataFull, change(|f| f.data.as_mut().unwrap().free_mib = Some(3))),
        (
            C::StoreUnusable,
            change(|f| {
                f.data.as_mut().unwrap().store_problem =
                    Some("The database of --store (postgres://moim@db/moim) refuses".to_owned());
            }),
        ),
        (
            C::ConntrackFull,
            change(|f| {
                f.kernel.as_mut().unwrap().conntrack = Some((65_000, 65_536));
            }),
        ),
        (
            C::ClockWrong,
            change(|f| {
                f.clock.as_mut().unwrap().offset = Some(("friend.example".to_owned(), -540));
            }),
        ),
        (
            C::DnsAaaa,
            change(|f| {
                let addresses = vec![PUBLIC, v6("2606:2800:220:1::1")];
                f.dns.as_mut().unwrap().names[0].1 = dns::Answer::Addresses(addresses);
            }),
        ),
        (C::CertExpiring, change(|f| f.certificate.as_mut().unwrap().days_left = 6)),
        (C::CertUnissued, ordering(failed())),
        (
            C::CertUnrenewed,
            ordering(certificate::Ordered {
                not_after: Some("2027-01-03".to_owned()),
                is_expiring: true,
                ..failed()
            }),
        ),
        (C::CertRefused, ordering(certificate::Ordered { next: None, ..failed() })),
        (C::DnsCaa, change(|f| f.dns.as_mut().unwrap().caa = vec![caa("pki.goog")])),
        (C::BackupOld, change(|f| f.data.as_mut().unwrap().backup_days = Some(45))),
        (C::CertChain, change(|f| f.certificate.as_mut().unwrap().chain = 1)),
        (C::ProxyUntrusted, change(|f| f.proxy.as_mut().unwrap().untrusted = vec![BRIDGE])),
        (
            C::StunMasked,
            change(|f| {
                f.container.as_mut().unwrap().shared_stun = Some((BRIDGE, 3));
            }),
        ),
        (
            C::ContainerNat,
            change(|f| {
                let container = f.container.as_mut().unwrap();
                container.engine = Some("Docker".to_owned());
                container.interfaces = vec![BRIDGE];
            }),
        ),
        (C::DataEphemeral, change(|f| f.data.as_mut().unwrap().ephemeral = true)),
        (
            C::DataOpen,
            change(|f| {
                f.data.as_mut().unwrap().open_files = vec!["/var/lib/moim/turn-secret".to_owned()];
            }),
        ),
        (
            C::RouterRefuses,
            change(|f| f.router.as_mut().unwrap().answer = Err("NotAuthorized".to_owned())),
        ),
        (C::UdpDrops, change(|f| f.kernel.as_mut().unwrap().udp_dropped = Some(50_000))),
        (C::FilesFew, change(|f| f.kernel.as_mut().unwrap().files = Some(1_024))),
        (C::ShardBusy, change(|f| f.load.as_mut().unwrap().busiest_percent = Some(96))),
        (C::MemoryLow, change(|f| f.load.as_mut().unwrap().memory_mib = Some((40, 2_000)))),
        (
            C::UdpBufferSmall,
            change(|f| {
                f.kernel.as_mut().unwrap().receive_buffer = Some(212_992);
            }),
        ),
        (C::ClockUnsynced, change(|f| f.clock.as_mut().unwrap().synchronised = Some(false))),
        (
            C::VersionDiffers,
            change(|f| {
                f.config.as_mut().unwrap().running_version = Some("0.0.9".to_owned());
            }),
        ),
        (
            C::ConfigWarning,
            change(|f| {
                f.config.as_mut().unwrap().warnings = vec!["every user can read it".to_owned()];
            }),
        ),
        (C::ServerStopped, change(|f| f.config.as_mut().unwrap().running = false)),
    ]
}

#[test]
fn healthy_server_has_no_findings() {
    assert_eq!(findings(&clean()), []);
    for examined in examine(&clean()) {
        let passed = matches!(&examined.outcome, Outcome::Passed { detail } if !detail.is_empty());
        assert!(passed, "{examined:?}");
    }
}

#[test]
fn each_code_is_found_alone_in_a_server_with_that_one_fault() {
    let mut seen = BTreeSet::new();
    for (code, change) in sick() {
        let mut facts = clean();
        change(&mut facts);
        let found = findings(&facts);
        let codes: Vec<_> = found.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, [code.as_str()]);
        assert!(found[0].unfilled().is_empty(), "{code:?} lacks {:?}", found[0].unfilled());
        for language in Language::ALL {
            let text = found[0].sentence(language) + &found[0].remedy(language);
            assert!(!text.contains("..") && !text.contains(['{', '}']), "{text}");
        }
        seen.insert(code);
    }
    let missing: Vec<_> = ServerCode::ALL.iter().filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "no test finds {missing:?}");
}

#[test]
fn checks_without_facts_find_nothing() {
    let facts = Facts {
        place: PublicAddress { address: String::new(), port: 4000 },
        config: Err(Skip::Unavailable),
        port: Err(Skip::Unavailable),
        outside: Err(Skip::NoVisitors),
        firewall: Err(Skip::NeedsRoot),
        address: Err(Skip::Unavailable),
        dns: Err(Skip::NothingConfigured),
        certificate: Err(Skip::NotRunning),
        clock: Err(Skip::Unavailable),
        kernel: Ok(kernel::Facts::default()),
        container: Ok(container::Facts::default()),
        proxy: Err(Skip::NotRunning),
        data: Err(Skip::Unavailable),
        load: Ok(load::Facts::default()),
        relay: Err(Skip::NotRunning),
        router: Err(Skip::NothingConfigured),
    };
    assert_eq!(findings(&facts), []);
    let firewall = examine(&facts).into_iter().find(|row| row.check == Check::Firewall);
    assert_eq!(firewall.unwrap().outcome, Outcome::Skipped(Skip::NeedsRoot));
}

#[test]
fn failed_renewal_is_no_fault_while_there_is_time() {
    let mut facts = clean();
    let date = Some("2027-03-01".to_owned());
    ordering(certificate::Ordered { not_after: date, ..failed() })(&mut facts);
    assert_eq!(findings(&facts), []);
    assert!(facts_detail(&facts, Check::Certificate).ends_with("↻ 2027-01-02 10:00 UTC"));
}

#[test]
fn caa_without_issuers_forbids_all_and_without_records_none() {
    let mut facts = clean();
    facts.dns.as_mut().unwrap().caa = Vec::new();
    assert_eq!(findings(&facts), []);
    facts.dns.as_mut().unwrap().caa = vec![dns::Caa { allowed: Vec::new(), ..caa("pki.goog") }];
    assert_eq!(findings(&facts)[0].code.as_str(), "DNS-CAA");
    let several = vec!["sectigo.com".to_owned(), "letsencrypt.org".to_owned()];
    facts.dns.as_mut().unwrap().caa = vec![dns::Caa { cas: several, ..caa("") }];
    assert_eq!(findings(&facts), [], "one of a CA's names is enough");
}

/// The detail of a check that passed.
fn facts_detail(facts: &Facts, check: Check) -> String {
    let row = examine(facts).into_iter().find(|row| row.check == check).unwrap();
    match row.outcome {
        Outcome::Passed { detail } => detail,
        other => panic!("{other:?}"),
    }
}

/// Findings of a healthy server after `change`.
fn after(change: impl Fn(&mut Facts)) -> Vec<&'static str> {
    let mut facts = clean();
    change(&mut facts);
    findings(&facts).iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn udp_is_closed_only_if_nobody_had_it() {
    let outside = |visitors: Summary, witnesses: &[outside::Witness]| {
        let facts = outside::Facts { visitors, witnesses: witnesses.to_vec() };
        after(move |f| f.outside = Ok(facts.clone()))
    };
    assert_eq!(outside(visitors(0, 1), &[]), [""; 0], "one network may have its own firewall");
    assert_eq!(outside(visitors(1, 30), &[]), [""; 0], "somebody has UDP");
    assert_eq!(outside(visitors(0, 2), &[witness(true, true)]), [""; 0], "a server has UDP");
    assert_eq!(outside(visitors(0, 0), &[witness(false, true)]), ["UDP-CLOSED-SERVER"]);
    assert_eq!(outside(visitors(0, 0), &[witness(true, true)]), [""; 0]);
}

#[test]
fn network_without_a_public_address_is_no_fault_by_itself() {
    let lan = |facts: &mut Facts| {
        behind_nat(facts);
        facts.address.as_mut().unwrap().of_names = Vec::new();
        facts.dns.as_mut().unwrap().names.clear();
    };
    assert_eq!(after(lan), [""; 0]);
    let announced = |facts: &mut Facts| {
        behind_nat(facts);
        facts.address.as_mut().unwrap().announced = vec![PUBLIC];
        facts.dns.as_mut().unwrap().own = vec![PRIVATE, PUBLIC];
    };
    assert_eq!(after(announced), [""; 0]);
}

#[test]
fn names_that_need_not_lead_here_are_no_fault() {
    let answer = |name: &'static str, answer: dns::Answer| {
        after(move |f| f.dns.as_mut().unwrap().names = vec![(name.to_owned(), answer.clone())])
    };
    assert_eq!(answer("meet.example", dns::Answer::Unknown), [""; 0], "resolver is down");
    assert_eq!(answer("moim.lan", dns::Answer::None), [""; 0], "inner name");
    assert_eq!(answer("moim", dns::Answer::None), [""; 0], "name without a domain");
    let loopback = dns::Answer::Addresses(vec![IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1))]);
    assert_eq!(answer("meet.example", loopback), [""; 0], "/etc/hosts of Debian");
    let proxied = |f: &mut Facts| {
        let dns = f.dns.as_mut().unwrap();
        dns.behind_proxy = true;
        dns.names[0].1 = dns::Answer::Addresses(vec![OTHER]);
    };
    assert_eq!(after(proxied), [""; 0], "the name is the proxy's");
}

#[test]
fn certificate_that_moim_renews_needs_no_operator() {
    let own = |facts: &mut Facts| {
        let certificate = facts.certificate.as_mut().unwrap();
        certificate.file = None;
        certificate.days_left = 2;
        certificate.chain = 1;
    };
    assert_eq!(after(own), [""; 0]);
    let short = |facts: &mut Facts| {
        let certificate = facts.certificate.as_mut().unwrap();
        (certificate.days_left, certificate.days_total) = (5, 6);
    };
    assert_eq!(after(short), [""; 0], "a certificate of six days, one day old");
    let signed_by_itself = |facts: &mut Facts| {
        let certificate = facts.certificate.as_mut().unwrap();
        (certificate.chain, certificate.self_signed) = (1, true);
    };
    assert_eq!(after(signed_by_itself), [""; 0]);
}

#[test]
fn counters_below_their_bounds_are_no_fault() {
    let kernel =
        |change: fn(&mut kernel::Facts)| after(move |f| change(f.kernel.as_mut().unwrap()));
    assert_eq!(kernel(|k| k.udp_dropped = Some(999)), [""; 0]);
    assert_eq!(kernel(|k| k.conntrack = Some((0, 0))), [""; 0]);
    assert_eq!(kernel(|k| k.files = Some(10_256)), [""; 0]);
}

#[test]
fn container_with_other_addresses_is_no_fault() {
    let docker = |interfaces: Vec<IpAddr>, announced| {
        let facts = container::Facts {
            engine: Some("Docker".to_owned()),
            interfaces,
            announced,
            shared_stun: None,
        };
        after(move |f| f.container = Ok(facts.clone()))
    };
    assert_eq!(docker(vec![PUBLIC, BRIDGE], false), [""; 0], "host networking");
    assert_eq!(docker(vec![PRIVATE, BRIDGE], false), [""; 0], "host networking behind a NAT");
    assert_eq!(docker(vec![BRIDGE], true), [""; 0], "announced");
    assert_eq!(docker(Vec::new(), false), [""; 0]);
    assert_eq!(after(|f| f.container.as_mut().unwrap().shared_stun = Some((BRIDGE, 2))), [""; 0]);
}

#[test]
fn clock_that_agrees_with_another_needs_no_synchronisation() {
    let agreed = |facts: &mut Facts| {
        let offset = Some(("friend.example".to_owned(), 2));
        facts.clock = Ok(clock::Facts { synchronised: Some(false), offset });
    };
    assert_eq!(after(agreed), [""; 0]);
}

#[test]
fn everybody_wrong_at_once_is_one_ordered_report() {
    let mut facts = clean();
    for (_, change) in sick() {
        change(&mut facts);
    }
    let found = findings(&facts);
    assert!(found.len() > 20);
    assert_eq!(found[0].code.severity(), Severity::Broken);
    assert!(found.is_sorted_by_key(|finding| finding.code.severity()));
}
