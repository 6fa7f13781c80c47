//! Authentication: users, secrets, password algorithms and hashes.

use std::time::Duration;

use turn::{
    Config, Transport, User,
    rest::Credential,
    stun::{
        Class, Integrity, Key, Message, Method, PasswordAlgorithm, TransactionId, Writer,
        attribute::{
            NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM, REQUESTED_TRANSPORT, USERNAME,
        },
    },
};

use crate::world::{ALLOCATE, Attr, Client, EXPIRY, REFRESH, SECRET, Sent, World, at, config};

const BOTH: &[u8] = &[0, 2, 0, 0, 0, 1, 0, 0];

fn static_user(name: &str, password: &str) -> (User, Credential) {
    let credential = Credential { username: name.into(), password: password.into() };
    (User::new(name, "moim", password), credential)
}

#[test]
fn challenge_offers_sha256_first_and_in_the_nonce() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    client.anonymous = true;
    let response = world.request(&mut client, ALLOCATE, &[Attr::udp()]);
    assert_eq!(response.raw(0x8002), Some(BOTH.to_vec()));
    assert!(response.nonce().unwrap().starts_with("obMatJos2AAAB"));
}

#[test]
fn sha256_client_does_all_that_an_md5_client_does() {
    let peer = at("198.51.100.7:9000");
    for sha256 in [false, true] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        client.sha256 = sha256;
        let relayed = client.allocate(&mut world);
        assert_eq!(client.bind(&mut world, 0x4000, peer), None);
        assert_eq!(client.permit(&mut world, peer), None);
        assert!(client.refresh(&mut world, 600).signed());
        let refused = client.permit(&mut world, at("127.0.0.1:1"));
        assert_eq!(refused, Some(403), "error responses are signed");
        world.deliver(peer, relayed, *b"x");
        assert_eq!(client.channel_data(&mut world), Some((0x4000, b"x".to_vec())));
    }
}

/// An Allocate request signed by hand, in ways that the other codec can't write.
fn allocate(
    client: &Client,
    offered: Option<&[u8]>,
    chosen: Option<&[u8]>,
    algorithm: PasswordAlgorithm,
    integrity: Integrity,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Credential { username, password } = &client.credential;
    let key = Key::derive(algorithm, username, "moim", password);
    let id = TransactionId([3; 12]);
    let mut writer = Writer::new(&mut bytes, Class::Request, Method::ALLOCATE, id);
    writer.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
    writer.attribute(USERNAME, username.as_bytes()).attribute(REALM, b"moim");
    writer.attribute(NONCE, client.nonce.as_ref().unwrap().as_bytes());
    if let Some(offered) = offered {
        writer.attribute(PASSWORD_ALGORITHMS, offered);
    }
    if let Some(chosen) = chosen {
        writer.attribute(PASSWORD_ALGORITHM, chosen);
    }
    writer.protect(&key, integrity);
    bytes
}

/// The error code of the response, and the hash that protects it.
fn outcome(sent: &[Sent]) -> (Option<u16>, Option<Integrity>) {
    let [Sent::Client(_, bytes)] = sent else { panic!("{sent:?}") };
    let message = Message::parse(bytes).unwrap();
    let code =
        message.attribute(0x0009).map(|error| u16::from(error[2]) * 100 + u16::from(error[3]));
    (code, message.integrity())
}

/// The client returns the offered list unchanged; otherwise an attacker has removed the stronger
/// algorithm.
#[test]
fn bid_down_attack_is_rejected() {
    use Integrity::{Sha1, Sha256};
    use PasswordAlgorithm::{Md5, Sha256 as Sha256Key};
    let (md5, sha256): (&[u8], &[u8]) = (&[0, 1, 0, 0], &[0, 2, 0, 0]);
    for (offered, chosen, key, integrity, expected) in [
        (None, None, Md5, Sha1, (None, Some(Sha1))),
        (None, None, Md5, Sha256, (None, Some(Sha256))),
        (Some(BOTH), Some(md5), Md5, Sha256, (None, Some(Sha256))),
        (Some(BOTH), Some(md5), Md5, Sha1, (None, Some(Sha256))),
        (Some(BOTH), Some(sha256), Sha256Key, Sha256, (None, Some(Sha256))),
        (Some(BOTH), Some(sha256), Sha256Key, Sha1, (None, Some(Sha256))),
        // The list differs from the offered one, or the list or the choice is missing.
        (Some(md5), Some(md5), Md5, Sha256, (Some(400), None)),
        (Some(sha256), Some(sha256), Sha256Key, Sha256, (Some(400), None)),
        (Some(&[0, 1, 0, 0, 0, 2, 0, 0]), Some(md5), Md5, Sha256, (Some(400), None)),
        (Some(BOTH), None, Md5, Sha1, (Some(400), None)),
        (None, Some(sha256), Sha256Key, Sha256, (Some(400), None)),
        (None, Some(md5), Md5, Sha1, (Some(400), None)),
        // The choice is not on the list.
        (Some(BOTH), Some(&[0, 3, 0, 0]), Md5, Sha256, (Some(400), None)),
        (Some(BOTH), Some(&[0, 2]), Sha256Key, Sha256, (Some(400), None)),
        // The key was not derived by the stated algorithm.
        (Some(BOTH), Some(sha256), Md5, Sha256, (Some(401), None)),
        (Some(BOTH), Some(md5), Sha256Key, Sha256, (Some(401), None)),
        (None, None, Sha256Key, Sha256, (Some(401), None)),
    ] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        world.request(&mut client, REFRESH, &[]);
        let bytes = allocate(&client, offered, chosen, key, integrity);
        let from = client.five_tuple(Transport::Udp);
        let sent = world.pass(&from, &bytes);
        assert_eq!(outcome(&sent), expected, "{offered:?} {chosen:?} {key:?} {integrity:?}");
        assert_eq!(world.server.allocations(), usize::from(expected.0.is_none()));
    }
}

#[test]
fn nonce_with_modified_features_is_stale() {
    let mut world = World::new();
    let mut client = Client::new("192.0.2.10:5000");
    world.request(&mut client, REFRESH, &[]);
    let nonce = client.nonce.clone().unwrap();
    for features in ["AAAA", "AAAC", "AAAD", "////"] {
        client.nonce = Some(nonce.replace("AAAB", features));
        let (bytes, transaction) = client.build(ALLOCATE, &[Attr::udp()]);
        assert_eq!(world.exchange(&mut client, &bytes, transaction).error(), Some(438));
    }
    client.nonce = Some(nonce.replace("obMatJos2AAAB", ""));
    let (bytes, transaction) = client.build(ALLOCATE, &[Attr::udp()]);
    assert_eq!(world.exchange(&mut client, &bytes, transaction).error(), Some(438));
}

#[test]
fn secret_rotation_accepts_credentials_of_both_secrets() {
    let secrets = vec![b"the new one".to_vec(), SECRET.to_vec()];
    for (secret, expected) in [(SECRET, None), (b"the new one", None), (b"an older one", Some(401))]
    {
        for sha256 in [false, true] {
            let mut world = World::with(Config { secrets: secrets.clone(), ..config() });
            let mut client = Client::new("192.0.2.10:5000");
            client.sha256 = sha256;
            client.credential = Credential::mint(secret, EXPIRY, "alice");
            let response = world.request(&mut client, ALLOCATE, &[Attr::udp()]);
            assert_eq!(response.error(), expected);
        }
    }
}

#[test]
fn static_users_authenticate_beside_rest_credentials() {
    let (ann, credential) = static_user("ann", "correct horse");
    for sha256 in [false, true] {
        let mut world = World::with(Config { users: vec![ann.clone()], ..config() });
        let mut client = Client::new("192.0.2.10:5000");
        client.sha256 = sha256;
        client.credential = credential.clone();
        client.allocate(&mut world);
        let mut other = Client::new("192.0.2.11:5000");
        other.allocate(&mut world);
        for (name, password) in [("ann", "wrong horse"), ("bob", "correct horse"), ("", "")] {
            let mut stranger = Client::new("192.0.2.12:5000");
            stranger.sha256 = sha256;
            stranger.credential = Credential { username: name.into(), password: password.into() };
            let response = world.request(&mut stranger, ALLOCATE, &[Attr::udp()]);
            assert_eq!(response.error(), Some(401), "{name} {password}");
            assert!(!response.signed());
        }
    }
}

#[test]
fn unknown_user_and_wrong_password_get_the_same_response() {
    let (ann, _) = static_user("ann", "correct horse");
    let mut world = World::with(Config { users: vec![ann], ..config() });
    let mut answers = Vec::new();
    for (name, password) in [
        ("ann", "wrong horse"),
        ("bob", "wrong horse"),
        ("1000:ann", "wrong horse"),
        ("99999999999:ann", "wrong horse"),
    ] {
        let mut client = Client::new("192.0.2.10:5000");
        client.credential = Credential { username: name.into(), password: password.into() };
        let response = world.request(&mut client, ALLOCATE, &[Attr::udp()]);
        // Everything after the transaction id.
        answers.push((response.error(), response.bytes[20..].len(), response.nonce()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[test]
fn userhash_is_used_without_rest_secrets() {
    let (ann, credential) = static_user("ann", "correct horse");
    let config = Config { users: vec![ann], secrets: Vec::new(), ..config() };
    for sha256 in [false, true] {
        let mut world = World::with(config.clone());
        let mut client = Client::new("192.0.2.10:5000");
        (client.hidden, client.sha256, client.credential) = (true, sha256, credential.clone());
        client.allocate(&mut world);
        assert!(client.nonce.as_ref().unwrap().starts_with("obMatJos2AAAD"));
        assert_eq!(client.permit(&mut world, at("198.51.100.7:1")), None);
        assert_eq!(client.refresh(&mut world, 600).error(), None);
        let mut stranger = Client::new("192.0.2.11:5000");
        (stranger.hidden, stranger.sha256) = (true, sha256);
        let response = world.request(&mut stranger, ALLOCATE, &[Attr::udp()]);
        assert_eq!(response.error(), Some(401));
    }
}

#[test]
fn realm_is_part_of_the_key() {
    let mut world = World::with(Config { realm: "example.org".into(), ..config() });
    let mut client = Client::new("192.0.2.10:5000");
    // This client uses the realm "moim" always.
    assert_eq!(world.request(&mut client, ALLOCATE, &[Attr::udp()]).error(), Some(401));
}

#[test]
fn retransmitted_allocate_gets_an_identical_response() {
    for attrs in [
        vec![Attr::udp()],
        vec![Attr::udp(), Attr::also_family(2)],
        vec![Attr::udp(), Attr::even(true)],
        vec![Attr::udp(), Attr::ticket(b"")],
    ] {
        let mut world = World::new();
        let mut client = Client::new("192.0.2.10:5000");
        world.request(&mut client, REFRESH, &[]);
        let from = client.five_tuple(Transport::Udp);
        let (bytes, _) = client.build(ALLOCATE, &attrs);
        let lost = world.pass(&from, &bytes);
        world.run_for(Duration::from_millis(500));
        let again = world.pass(&from, &bytes);
        assert_eq!(lost, again);
        assert_eq!(outcome(&again).0, None);
        let (other, _) = client.build(ALLOCATE, &attrs);
        assert_eq!(outcome(&world.pass(&from, &other)).0, Some(437));
        assert_eq!(world.server.allocations(), 1);
    }
}

/// Debug output contains no password and nothing derived from one.
#[test]
fn debug_output_omits_keys_and_passwords() {
    let (ann, credential) = static_user("ann", "correct horse");
    let shown = format!("{ann:?} {credential:?}");
    assert!(!shown.contains("horse"));
    let key = Key::long_term("ann", "moim", "correct horse");
    assert_eq!(format!("{key:?}"), "Key(..)");
}
