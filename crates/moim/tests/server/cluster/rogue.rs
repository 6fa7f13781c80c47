//! A node that has the cluster's key and says what no node says. Servers and calls go on.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use axum::body::Body;
use bytes::Bytes;
use cascade::{Config, Endpoint, Media};
use http_body_util::channel::{Channel, Sender};
use hyper::{Request, body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ED25519,
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs as provider,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName},
    server::WebPkiClientVerifier,
};
use serde_json::{Value, json};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::{sleep_until, timeout},
};

use super::{
    figures::is_whole,
    key,
    media::{number, servers_of_shards, until, until_all_have_all},
    party::Party,
    redis::RedisProcess,
    status,
};
use crate::{
    caller::url,
    ctl::answer,
    support::{DEADLINE, Server},
};

const NAME: &str = "node.moim.invalid";
/// A message at which a link of a build with debug assertions panics (`faults.rs`).
const PLANTED: &[u8] = b"\xffmoim: a link between nodes panics";
/// The longest silence of the long form.
const SHORT: Duration = Duration::from_millis(500);
/// Memory in KiB by which a server may grow.
const GROWTH: u64 = 64 << 10;

/// TLS of a node with the cluster's key, made as `cluster/identity.rs` does.
fn tls(key: &str) -> (ClientConfig, ServerConfig) {
    let mut seed = [0; 32];
    let root = Salt::new(HKDF_SHA256, b"moim cluster").extract(key.as_bytes());
    root.expand(&[b"authority of nodes"], HKDF_SHA256).unwrap().fill(&mut seed).unwrap();
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = PrivatePkcs8KeyDer::from([&head[..], &seed].concat());
    let authority = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "moim cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let mut roots = RootCertStore::empty();
    roots.add(params.self_signed(&authority).unwrap().der().clone()).unwrap();
    let roots = Arc::new(roots);
    let issuer = Issuer::new(params, authority);
    let own = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let params = CertificateParams::new([NAME.to_owned()]).unwrap();
    let chain = vec![params.signed_by(&own, &issuer).unwrap().der().clone()];
    let own = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let provider = Arc::new(provider::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider));
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(chain.clone(), own.clone_key())
        .unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, own)
        .unwrap();
    (client, server)
}

/// The server's own line of `moim cluster status`.
fn node(server: &Server) -> String {
    let status = answer(&status(server, &["--json"]));
    let nodes = status["nodes"].as_array().unwrap();
    let own = nodes.iter().find(|node| node["own"] == true).unwrap();
    own["node"].as_str().unwrap().to_owned()
}

fn slot(server: &Server) -> u16 {
    node(server).split_once('.').unwrap().0.parse().unwrap()
}

/// A shard of the rogue, on a real socket.
struct Shard {
    socket: UdpSocket,
    endpoint: Endpoint,
    /// Number and address of the shard under test.
    to: u16,
    address: SocketAddr,
    /// Links that were made, and that ended.
    connected: usize,
    ended: usize,
}

impl Shard {
    async fn new(key: &str, number: u16, server: &Server) -> Self {
        let (client, tls) = tls(key);
        let config = Config::new(client, tls, NAME, number, [9; 32]).unwrap();
        let mut ports = server.udp_ports();
        ports.remove(&server.address().port());
        // One shard, which has no relayed address.
        assert_eq!(ports.len(), 1, "{ports:?}");
        Self {
            socket: UdpSocket::bind((server.address().ip(), 0)).await.unwrap(),
            endpoint: Endpoint::new(config),
            to: slot(server) << 6,
            address: SocketAddr::new(server.address().ip(), ports.into_iter().next().unwrap()),
            connected: 0,
            ended: 0,
        }
    }

    /// Runs until `holds`, which may act, or the time is over. Returns whether it held.
    async fn run(&mut self, time: Duration, mut holds: impl FnMut(&mut Self) -> bool) -> bool {
        let end = Instant::now() + time;
        let (mut buffer, mut bytes) = (vec![0; 65_535], Vec::new());
        loop {
            let now = Instant::now();
            self.endpoint.want(now, self.to, self.address);
            self.endpoint.handle_timeout(now);
            while let Some(event) = self.endpoint.poll_event() {
                self.connected += usize::from(matches!(event, cascade::Event::Connected { .. }));
                self.ended += usize::from(matches!(event, cascade::Event::Disconnected { .. }));
            }
            let holds = holds(self);
            while let Some(transmit) = self.endpoint.poll_transmit(now, &mut bytes) {
                for datagram in bytes.chunks(transmit.segment) {
                    self.socket.send_to(datagram, transmit.to).await.unwrap();
                }
            }
            if holds || now >= end {
                return holds;
            }
            let due = self.endpoint.poll_timeout().map_or(end, |due| due.min(end));
            // A turn for whatever the test does.
            let due = due.min(now + Duration::from_millis(5));
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => {
                    let (length, from) = received.unwrap();
                    let now = Instant::now();
                    self.endpoint.handle_datagram(now, from, None, &buffer[..length]);
                }
                () = sleep_until(due.into()) => {}
            }
        }
    }

    async fn connect(&mut self) {
        let to = self.to;
        let is_connected = move |shard: &mut Self| shard.endpoint.is_connected(to);
        assert!(self.run(DEADLINE, is_connected).await, "a link with the cluster's key");
    }
}

fn random_bytes(random: &mut StdRng, longest: usize) -> Vec<u8> {
    let length = random.random_range(0..=longest);
    let mut bytes = vec![0; length];
    random.fill_bytes(&mut bytes);
    bytes
}

/// A message between shards: of any kind, about rooms, peers and tracks that are not there.
fn random_message(random: &mut StdRng) -> Vec<u8> {
    let kind = random.random_range(0..8);
    [&[kind][..], &random_bytes(random, 60)].concat()
}

/// Two servers of one shard each, with a call over both; the first has the higher slot.
async fn call(redis: &RedisProcess, key: &str) -> ([Server; 2], [Party; 2]) {
    let mut servers = servers_of_shards::<2>(redis, key, "1");
    servers.sort_by_key(|server| std::cmp::Reverse(slot(server)));
    let urls = [0, 1].map(|at: usize| url(servers[at].address()));
    let mina = Party::join(&[&urls[0]], "tea", 1);
    until("she is in", || mina.seen().sessions == 1).await;
    let ben = Party::join(&[&urls[1]], "tea", 2);
    until_all_have_all(&[(1, &mina), (2, &ben)], "both have both").await;
    (servers, [mina, ben])
}

/// The call goes on as if nothing was.
async fn assert_call_goes_on(servers: &mut [Server; 2], parties: &[Party; 2]) {
    let [mina, ben] = parties;
    // What was sent at them may have taken less than a packet's time.
    until_all_have_all(&[(1, mina), (2, ben)], "it goes on meanwhile").await;
    let (of_mina, of_ben) = (mina.seen(), ben.seen());
    for (seen, other) in [(&of_mina, 2), (&of_ben, 1)] {
        let gap = seen.from.get(&other).map(|heard| heard.longest_gap);
        // The short form shares its computer with other tests.
        assert!(gap.is_some_and(|gap| gap < SHORT || !is_whole()), "{seen:?}");
        assert_eq!((seen.sessions, seen.links), (1, 1));
    }
    parties.iter().for_each(Party::begin_measuring);
    until_all_have_all(&[(1, mina), (2, ben)], "it goes on").await;
    for server in servers {
        assert!(server.is_running(), "{}", server.log());
    }
}

/// The letter of which the cluster's key consists.
const KEY: &str = "k";

#[tokio::test(flavor = "multi_thread")]
async fn link_of_a_node_that_sends_anything_harms_no_call() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key(KEY);
    let (mut servers, parties) = call(&redis, &key).await;
    let memory = servers[0].memory();
    parties.iter().for_each(Party::begin_measuring);
    let secret = KEY.repeat(40);
    let mut random = StdRng::seed_from_u64(1);
    let mut rogue = Shard::new(&secret, 1 << 6 | 63, &servers[0]).await;
    rogue.connect().await;
    let mut rounds = 0;
    rogue
        .run(Duration::from_secs(20), |rogue| {
            let now = Instant::now();
            for _ in 0..50 {
                let (message, media) = (random_message(&mut random), random_message(&mut random));
                rogue.endpoint.send_message(now, rogue.to, &message);
                let media = Media { is_audio: true, age: Duration::MAX, bytes: &media };
                rogue.endpoint.send_media(now, rogue.to, media);
            }
            rounds += 1;
            rounds >= 200
        })
        .await;
    assert_eq!((rogue.connected, rogue.ended), (1, 0), "it may say what it wants");
    let malformed = || number(&servers[0], "moim_node_malformed_total") > 100.0;
    let to = rogue.to;
    assert!(rogue.run(DEADLINE, |_| malformed()).await, "what can't be used is counted");
    assert_call_goes_on(&mut servers, &parties).await;

    // A panic at its bytes costs its link, which is made again, and nothing else.
    parties.iter().for_each(Party::begin_measuring);
    rogue.endpoint.send_message(Instant::now(), to, PLANTED);
    let is_back = |rogue: &mut Shard| rogue.ended == 1 && rogue.endpoint.is_connected(to);
    assert!(rogue.run(DEADLINE, is_back).await, "it is linked again");
    assert_eq!(number(&servers[0], "moim_node_link_panics_total"), 1.0);
    assert_call_goes_on(&mut servers, &parties).await;

    // The number of one of the server's own shards.
    parties.iter().for_each(Party::begin_measuring);
    let mut impostor = Shard::new(&secret, 0, &servers[0]).await;
    let refused = || number(&servers[0], "moim_node_malformed_total");
    let before = refused();
    assert!(
        impostor.run(DEADLINE, |_| refused() >= before + 2.0).await,
        "its greetings are counted"
    );
    assert_eq!(impostor.connected, 0);
    assert_call_goes_on(&mut servers, &parties).await;
    assert!(servers[0].memory() < memory + GROWTH, "{} KiB, then {}", memory, servers[0].memory());
}

/// A connection of HTTP/2 to a server.
struct Streams {
    requests: http2::SendRequest<Body>,
    node: String,
}

impl Streams {
    async fn new(key: &str, server: &Server) -> Self {
        let (mut client, _) = tls(key);
        client.alpn_protocols = vec![b"moim-node/1".to_vec()];
        let stream = TcpStream::connect(server.address()).await.unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
        let stream = connector.connect(name, stream).await.unwrap();
        let io = TokioIo::new(stream);
        let (requests, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self { requests, node: node(server) }
    }

    async fn open(&mut self, path: &str) -> (Sender<Bytes>, Incoming) {
        let (sender, body) = Channel::new(16);
        let request = Request::post(format!("https://{NAME}{path}"))
            .header("moim-node", &self.node)
            .body(Body::new(body))
            .unwrap();
        let response = self.requests.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        (sender, response.into_body())
    }
}

fn frame(kind: u8, payload: &[u8]) -> Bytes {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind][..], &length, payload].concat().into()
}

fn hello(room: u64, order: u64) -> Bytes {
    frame(1, json!({ "room": room, "order": [order, 1], "peers": [] }).to_string().as_bytes())
}

fn command(random: &mut StdRng) -> Value {
    let peer = random.random::<u64>();
    let permissions = json!({ "publish": ["Camera", "Microphone"], "subscribe": true });
    let shards: Vec<u16> = (0..random.random_range(0..200)).map(|_| random.random()).collect();
    let remotes: Vec<_> = shards.iter().map(|shard| (shard, random.random::<bool>())).collect();
    let span = json!({ "shards": shards, "remotes": remotes, "tells_speakers": true });
    let what = match random.random_range(0..8) {
        0 => json!({ "Offer": [peer, "v=0\r\nm=nothing", permissions] }),
        1 => json!({ "Answer": [peer, "v=0"] }),
        2 => json!({ "Publish": [peer, [["0", "Camera"]], permissions] }),
        3 => json!({ "Subscribe": [peer, [], permissions] }),
        4 => json!({ "Span": span }),
        5 => json!({ "Later": 1 }),
        6 => json!({ "Permit": [peer, permissions] }),
        _ => json!({ "Leave": peer }),
    };
    json!({ "shard": random.random_range(0..3), "what": what })
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_a_node_that_says_anything_harm_no_call_and_leave_nothing() {
    let Some(redis) = RedisProcess::start(&[]) else { return };
    let (_folder, key) = key(KEY);
    let (mut servers, parties) = call(&redis, &key).await;
    let (peers, rooms) = ("moim_media_peers", "moim_cluster_hosted_rooms");
    let before = [peers, rooms].map(|name| number(&servers[0], name));
    let memory = servers[0].memory();
    parties.iter().for_each(Party::begin_measuring);
    let mut random = StdRng::seed_from_u64(2);
    let mut streams = Streams::new(&KEY.repeat(40), &servers[0]).await;
    for path in ["/media", "/socket"] {
        let openings = [
            random_bytes(&mut random, 3000).into(),
            // Longer than any message, and a kind that there is not.
            Bytes::from_static(&[1, 0xff, 0xff, 0xff, 0xff]),
            frame(200, b"later"),
            frame(1, b"{}"),
            frame(1, &[b'['; 100_000]),
            frame(3, b""),
        ];
        for opening in openings {
            let (mut sender, _answer) = streams.open(path).await;
            let _ = sender.send_data(opening).await;
        }
    }
    // Many rooms at once, whose answers nobody reads.
    let mut open = Vec::new();
    for room in 0..50 {
        let (mut sender, answer) = streams.open("/media").await;
        sender.send_data(hello(room, 1)).await.unwrap();
        open.push((sender, answer));
    }
    for _ in 0..200 {
        for (sender, _) in &mut open {
            let command = command(&mut random).to_string();
            // One that gets no turn in time has been stopped by its own answers.
            let sent = sender.send_data(frame(2, command.as_bytes()));
            let _ = timeout(Duration::from_millis(20), sent).await;
        }
    }
    assert!(number(&servers[0], peers) > before[0], "its peers are there");
    assert!(servers[0].memory() < memory + GROWTH, "{} KiB, then {}", memory, servers[0].memory());
    for (mut sender, answer) in open {
        drop(answer);
        let _ = timeout(Duration::from_millis(20), sender.send_data(frame(3, b""))).await;
    }
    assert_call_goes_on(&mut servers, &parties).await;
    // Some have ended without a word, and are kept for half a minute for another owner.
    let end = Instant::now() + Duration::from_secs(45);
    while [peers, rooms].map(|name| number(&servers[0], name)) != before {
        let now = [peers, rooms].map(|name| number(&servers[0], name));
        assert!(Instant::now() < end, "{before:?} before, {now:?} now");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_call_goes_on(&mut servers, &parties).await;
}
