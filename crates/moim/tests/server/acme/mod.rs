//! Certificates of a CA, with Debian's pebble as the CA, and acme2certifier for renewal information
//! (the acceptance checks A1 to A11 of HTTPS by name; A7 is in `net::tls::acme::plan_tests`).

mod between;
mod certifier;
mod dtls;
mod world;

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use crate::support::{DEADLINE, within};
use between::RenewalInfo;
use certifier::{Certifier, ask_at_the_next_start};
use world::{CA, EAB, STRICT_CA, ask_of, inside};

#[test]
fn a1_a4_name_gets_a_certificate_on_the_one_port_and_open_connections_stay() {
    inside(|world| {
        let (v4, _) = world.addresses();
        world.resolve("a1.example", &[v4]);
        let start = Instant::now();
        let server = world.serve((v4, 443).into(), CA, &["--domain", "a1.example"]);
        let local = server.local_ca();
        let mut open = server.connect(None, &local, &[b"http/1.1"]).unwrap();
        server.will_serve(Some("a1.example"), &world.root(CA));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        let (head, _) = ask_of(&mut open, &v4.to_string(), "GET", "/healthz", "");
        assert!(head.starts_with("HTTP/1.1 200"), "opened before, alive after: {head}");
        for alpn in [&b"h2"[..], b"http/1.1", b"stun.turn"] {
            let stream = server.connect(Some("a1.example"), &world.root(CA), &[alpn]).unwrap();
            assert_eq!(stream.conn.alpn_protocol(), Some(alpn));
        }
        let proof = server.connect(Some("a1.example"), &world.root(CA), &[b"acme-tls/1"]);
        assert!(proof.is_err(), "acme-tls/1 is offered while a proof is pending alone");
        assert!(server.serves(None, &local), "the address keeps the local CA");
        assert!(!server.serves(Some("box.local"), &world.root(CA)));
    });
}

#[test]
fn a2_http_01_over_port_80_before_the_redirect() {
    inside(|world| {
        let _port80 = world.port80();
        let (v4, _) = world.addresses();
        world.resolve("a2.example", &[v4]);
        let also = SocketAddr::new(v4, 80).to_string();
        let flags = ["--domain", "a2.example", "--also", &also, "--acme-challenge", "http-01"];
        let server = world.serve((v4, 4000).into(), CA, &flags);
        server.will_serve(Some("a2.example"), &world.root(CA));
        let mut plain = std::net::TcpStream::connect(&also).unwrap();
        let path = "/.well-known/acme-challenge/none";
        let (head, _) = ask_of(&mut plain, "a2.example", "GET", path, "");
        // The server passed by its redirect. A question for a proof that it does not have may be
        // another's, and is a request like any other.
        assert!(head.starts_with("HTTP/1.1 308"), "{head}");
    });
}

#[test]
fn a2_port_80_is_bound_for_the_time_of_an_order() {
    inside(|world| {
        let _port80 = world.port80();
        let (v4, _) = world.addresses();
        world.resolve("a2b.example", &[v4]);
        let server = world.serve((v4, 4000).into(), CA, &["--domain", "a2b.example"]);
        server.will_serve(Some("a2b.example"), &world.root(CA));
        within(DEADLINE, "port 80 is free again", || {
            std::net::TcpStream::connect((v4, 80)).is_err().then_some(())
        });
        let (v4, _) = world.addresses();
        world.resolve("closed.example", &[v4]);
        let flags = ["--domain", "closed.example", "--acme-http", "off"];
        let server = world.serve((v4, 4000).into(), CA, &flags);
        let log = server.logged("PORT-443");
        assert!(log.contains("moim is on 4000: forward 443 to it"), "{log}");
        assert_eq!(world.validations("closed.example"), 0);
    });
}

#[test]
fn a3_addresses_get_certificates_for_clients_without_a_name() {
    inside(|world| {
        let (v4, v6) = world.addresses();
        for ip in [v4, v6] {
            let announce = ip.to_string();
            let flags = ["--announce", &announce, "--acme-address"];
            let server = world.serve((ip, 443).into(), CA, &flags);
            server.will_serve(None, &world.root(CA));
            let local = server.local_ca();
            assert!(server.serves(Some("localhost"), &local), "a name gets the local CA");
            assert!(!server.serves(None, &local));
        }
    });
}

#[test]
fn a5_name_that_leads_elsewhere_is_not_ordered() {
    inside(|world| {
        let ((elsewhere, _), (v4, _)) = (world.addresses(), world.addresses());
        let other = world.serve((elsewhere, 443).into(), CA, &["--acme", "off"]);
        world.resolve("a5.example", &[elsewhere]);
        let (also, metrics) = ("--also", "127.0.0.1:8005");
        let flags = ["--domain", "a5.example", "--domain", "nowhere.example", also, metrics];
        let server = world.serve((v4, 443).into(), CA, &flags);
        let log = server.logged("DNS-ELSEWHERE");
        let words = format!("a5.example points to {elsewhere}, which answers as");
        assert!(log.contains(&words), "{log}");
        let log = server.logged("DNS-NONE");
        assert!(log.contains("nowhere.example has no address yet"), "{log}");
        let has_account = server.acme_files().iter().any(|file| file.ends_with("account.json"));
        assert!(!has_account, "an order takes an account");
        assert_eq!(world.validations("a5.example"), 0);
        assert!(server.serves(None, &server.local_ca()), "the local CA serves meanwhile");
        let status = server.ctl_status();
        let code = |n: usize| status["certificates"][n]["problem"]["code"].as_str();
        assert_eq!((code(0), code(1)), (Some("DNS-ELSEWHERE"), Some("DNS-NONE")), "{status}");
        let mut local = std::net::TcpStream::connect(metrics).unwrap();
        let (_, text) = ask_of(&mut local, "localhost", "GET", "/metrics", "");
        for line in [
            "moim_acme_failures_total{code=\"DNS-NONE\"} 1",
            "moim_acme_problems{code=\"DNS-ELSEWHERE\"} 1",
            "moim_certificate_expiry_timestamp_seconds{source=\"local\"} ",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        drop(other);
    });
}

#[test]
fn a5_resolver_that_fails_is_not_told_as_a_missing_record() {
    inside(|world| {
        let (v4, _) = world.addresses();
        world.break_servers("broken.example");
        let server = world.serve((v4, 443).into(), CA, &["--domain", "broken.example"]);
        let log = server.logged("DNS-UNANSWERED");
        assert!(!log.contains("DNS-NONE") && !log.contains("no address yet"), "{log}");
        assert_eq!(world.validations("broken.example"), 0);
    });
}

#[test]
fn a5_words_name_the_address_that_a_reload_announces() {
    inside(|world| {
        let (v4, _) = world.addresses();
        let server = world.serve((v4, 443).into(), CA, &[]);
        // A name is looked up at once, and again only ten minutes later.
        server.reload("announce = ['198.51.100.7']\ndomain = ['first.example']\n");
        server.logged(
            "first.example has no address yet. Make an A or AAAA record with 198.51.100.7.",
        );
        server.reload("announce = ['198.51.100.8']\ndomain = ['second.example']\n");
        server.logged(
            "second.example has no address yet. Make an A or AAAA record with 198.51.100.8.",
        );
        let announced = server.ctl_status()["announced"].to_string();
        assert!(announced.contains("198.51.100.8") && !announced.contains(".7"), "{announced}");
    });
}

#[test]
fn a6_restarts_are_no_fresh_tries_and_the_local_ca_serves() {
    inside(|world| {
        let ((v4, _), (dark, _)) = (world.addresses(), world.addresses());
        // The name leads here, but something before the server lets no validation through.
        world.resolve("a6.example", &[v4]);
        between::block_validation((v4, 443).into(), (v4, 4000).into());
        let flags = ["--domain", "a6.example", "--acme-challenge", "tls-alpn-01"];
        let mut server = world.serve((v4, 4000).into(), CA, &flags);
        server.logged("no certificate: ");
        for _ in 0..20 {
            let data = server.keep_data();
            drop(server);
            server = world.serve_in(data, (v4, 4000).into(), CA, &flags);
            assert!(server.serves(None, &server.local_ca()), "{}", server.log());
        }
        let log = server.logged("a6.example: no certificate of the CA yet. Last try:");
        assert!(log.contains("Next try at"), "{log}");
        let tries = world.validations("a6.example");
        assert!((1..=3).contains(&tries), "{tries} of 20 restarts reached the CA");
        let nobody = "https://127.0.0.1:9/dir";
        world.resolve("a6-down.example", &[dark]);
        let server = world.serve((dark, 443).into(), nobody, &["--domain", "a6-down.example"]);
        let log = server.logged("CA-DOWN");
        assert!(log.contains("127.0.0.1:9 does not answer"), "{log}");
        assert!(server.serves(None, &server.local_ca()));
    });
}

#[test]
fn a8_window_of_the_ca_renews_at_once_and_the_order_names_its_predecessor() {
    inside(|world| {
        let (v4, _) = world.addresses();
        world.resolve("a8.example", &[v4]);
        let ca = RenewalInfo::before(world, ([127, 0, 0, 1], 14000).into());
        let server = world.serve((v4, 443).into(), &ca.directory, &["--domain", "a8.example"]);
        let orders = within(DEADLINE, &format!("the renewal; {}", server.log()), || {
            let orders = ca.orders.lock().unwrap().clone();
            (orders.len() == 2).then_some(orders)
        });
        within(DEADLINE, "the new certificate is asked about", || {
            (ca.asked.lock().unwrap().len() == 2).then_some(())
        });
        let asked = ca.asked.lock().unwrap().clone();
        assert_eq!(orders, [None, Some(asked[0].clone())]);
        assert_ne!(asked[0], asked[1]);
        assert!(server.serves(Some("a8.example"), &world.root(CA)));
    });
}

#[test]
fn a8_acme2certifier_moves_the_window_to_now_and_is_obeyed_within_one_poll() {
    inside(|world| {
        let Some(ca) = Certifier::start(world) else { return };
        let (v4, _) = world.addresses();
        world.resolve("a8b.example", &[v4]);
        // This CA demands a contact.
        let flags = ["--domain", "a8b.example", "--acme-email", "ann@a8b.example"];
        let server = world.serve((v4, 443).into(), &ca.directory(), &flags);
        server.will_serve(Some("a8b.example"), &ca.root());
        let asked = |count: usize| {
            let what = format!("{count} questions for the window; {}", ca.log());
            within(DEADLINE, &what, || {
                (ca.log().matches("GET /acme/renewal-info/").count() == count).then_some(())
            });
        };
        asked(1);
        let data = server.keep_data();
        let files = server.acme_files();
        let leaf = |server: &world::Server| {
            let stream = server.connect(Some("a8b.example"), &ca.root(), &[]).unwrap();
            stream.conn.peer_certificates().unwrap()[0].to_vec()
        };
        let first = leaf(&server);
        within(DEADLINE, "the answer is remembered", || certifier::is_asked(&files).then_some(()));
        drop(server);

        ca.wants_renewal();
        ask_at_the_next_start(&files);
        let server = world.serve_in(data, (v4, 443).into(), &ca.directory(), &flags);
        within(DEADLINE, &format!("the renewal; {}{}", server.log(), ca.log()), || {
            (leaf(&server) != first).then_some(())
        });
        let orders = ca.orders();
        assert_eq!(orders[0], None);
        let replaces = orders[1].as_deref().unwrap();
        let path = format!("GET /acme/renewal-info/{replaces} ");
        assert_eq!(ca.log().matches(&path).count(), 2, "{}", ca.log());
    });
}

#[test]
fn a9_wrong_external_account_is_one_try_and_words() {
    inside(|world| {
        let (v4, _) = world.addresses();
        world.resolve("a9.example", &[v4]);
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, "d3Jvbmcga2V5IG9mIDMyIGJ5dGVzIGF0IGxlYXN0IC4uLg\n").unwrap();
        let key_path = key.to_str().unwrap();
        let flags =
            ["--domain", "a9.example", "--acme-eab-kid", EAB.0, "--acme-eab-key-file", key_path];
        let server = world.serve((v4, 443).into(), STRICT_CA, &flags);
        let log = server.logged("ACCOUNT");
        assert!(log.contains("--acme-eab-key-file"), "{log}");
        assert!(log.contains("No further try until the configuration changes"), "{log}");
        let data = server.keep_data();
        drop(server);
        let server = world.serve_in(data.clone(), (v4, 443).into(), STRICT_CA, &flags);
        server.logged("a9.example: no certificate of the CA yet");
        drop(server);
        fs::write(&key, EAB.1).unwrap();
        let server = world.serve_in(data, (v4, 443).into(), STRICT_CA, &flags);
        server.will_serve(Some("a9.example"), &world.root(STRICT_CA));
        assert_eq!(world.validations("a9.example"), 1, "{}", world.ca_log());
    });
}

#[test]
fn a10_renewal_reaches_tls_and_dtls_without_a_restart() {
    inside(|world| {
        let (v4, _) = world.addresses();
        world.resolve("a10.example", &[v4]);
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, EAB.1).unwrap();
        let key_path = key.to_str().unwrap();
        let flags =
            ["--domain", "a10.example", "--acme-eab-kid", EAB.0, "--acme-eab-key-file", key_path];
        let server = world.serve((v4, 443).into(), STRICT_CA, &flags);
        let root = world.root(STRICT_CA);
        server.will_serve(Some("a10.example"), &root);
        let tls_leaf = || {
            let stream = server.connect(Some("a10.example"), &root, &[]).ok()?;
            Some(stream.conn.peer_certificates()?.first()?.to_vec())
        };
        let first = tls_leaf().unwrap();
        assert_eq!(dtls::leaf(server.listen), first, "DTLS shows the same");
        let second = within(Duration::from_secs(30), "the renewal", || {
            tls_leaf().filter(|leaf| *leaf != first)
        });
        assert_eq!(dtls::leaf(server.listen), second);
    });
}

#[test]
fn a11_files_are_private_and_no_key_is_logged() {
    inside(|world| {
        let (v4, _) = world.addresses();
        world.resolve("a11.example", &[v4]);
        let flags =
            ["--domain", "a11.example", "--log", "trace", "--acme-email", "ann@a11.example"];
        let server = world.serve((v4, 443).into(), CA, &flags);
        server.will_serve(Some("a11.example"), &world.root(CA));
        let files = server.acme_files();
        let names = ["account.json", "state.json"];
        assert!(
            names.iter().all(|name| files.iter().any(|file| file.ends_with(name))),
            "{files:?}"
        );
        let log = server.log();
        for file in &files {
            let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
            let folder = fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777;
            assert_eq!(folder, 0o700);
            let text = fs::read_to_string(file).unwrap();
            let is_key = |line: &&str| line.len() == 64 || line.contains("key_pkcs8");
            for line in text.lines().filter(is_key) {
                let start = line.find("key_pkcs8").map_or(0, |at| at + 12);
                assert!(!log.contains(&line[start..start + 40]), "{} is logged", file.display());
            }
        }
        assert!(!log.contains("PRIVATE KEY"));
    });
}

#[test]
fn domain_added_by_a_reload_gets_a_certificate_without_a_restart() {
    inside(|world| {
        let (v4, _) = world.addresses();
        for name in ["hot.example", "hotter.example"] {
            world.resolve(name, &[v4]);
        }
        let server = world.serve((v4, 443).into(), CA, &[]);
        let local = server.local_ca();
        let mut open = server.connect(None, &local, &[b"http/1.1"]).unwrap();
        server.reload("domain = ['hot.example']\nacme-email = 'ann@hot.example'");
        server.logged("reloaded; applied: domain, acme-email");
        server.will_serve(Some("hot.example"), &world.root(CA));
        let (head, _) = ask_of(&mut open, &v4.to_string(), "GET", "/healthz", "");
        assert!(head.starts_with("HTTP/1.1 200"), "opened before, alive after: {head}");

        server.reload("domain = ['hot.example', 'hotter.example']\nacme-root = '/nowhere'");
        server.logged("domain, acme-email");
        server.will_serve(Some("hotter.example"), &world.root(CA));
        assert!(server.serves(Some("hot.example"), &world.root(CA)));
        assert_eq!(world.validations("hot.example"), 1, "it was not ordered again");

        server.reload("domain = ['hotter.example']");
        within(DEADLINE, "the name that was taken out has the local CA's", || {
            (!server.serves(Some("hot.example"), &world.root(CA))).then_some(())
        });
        assert!(server.serves(Some("hotter.example"), &world.root(CA)));
        let status = server.ctl_status();
        let names = status["certificates"].as_array().unwrap().len();
        assert_eq!((names, &status["certificates"][0]["name"]), (1, &"hotter.example".into()));

        server.reload("domain = ['hotter.example', 'a..b']");
        server.logged("nothing is reloaded: Correct line 1");
        assert!(server.serves(Some("hotter.example"), &world.root(CA)));
    });
}
