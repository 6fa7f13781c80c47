//! Connections that break, and servers that can't be engines.

use std::time::{Duration, Instant};

use cluster::{Answer, Epoch, Payload, Request, RoomKey};
use cluster_redis::{ConnectError, Endpoint, Engine, EngineStatus, RequestError};

use crate::{SECRET, node, open, server::RedisProcess};

const ROOM: RoomKey = RoomKey([5; 16]);

fn renew(slot: u16) -> Request {
    Request::Renew { node: node(slot, 1), card: Payload::from(*b"card of a node") }
}

fn claim() -> Request {
    Request::Claim { room: ROOM, seen: None, above: Epoch::default(), node: node(1, 1) }
}

/// The state of an engine that can't be connected to.
async fn failure(endpoint: &str, secret: &[u8; 32]) -> ConnectError {
    let engine = Engine::open(endpoint.parse().unwrap(), secret).unwrap();
    let status = engine.wait_for(|status| status.failure.is_some()).await;
    assert!(!status.is_connected);
    assert_eq!(engine.request(Request::Nodes).await, Err(RequestError::Away));
    status.failure.unwrap()
}

#[tokio::test]
async fn server_that_was_killed_is_connected_to_again() {
    let Some(mut server) = RedisProcess::start(&["--appendonly", "yes"]) else { return };
    let engine = open(&server, &SECRET).await;
    assert_eq!(engine.request(renew(1)).await, Ok(Answer::Renewed));
    server.kill();
    engine.wait_for(|status| status.failure.is_some()).await;
    assert_eq!(engine.request(renew(1)).await, Err(RequestError::Away));
    server.start_again();
    let status = engine.wait_for(|status| status.is_connected).await;
    let expected = EngineStatus { is_connected: true, connections: 2, losses: 0, failure: None };
    assert_eq!(status, expected, "its memory was on the disk");
    assert_eq!(engine.request(renew(1)).await, Ok(Answer::Renewed));
}

#[tokio::test]
async fn lost_memory_is_noticed_with_the_new_connection_and_without_one() {
    let Some(mut server) = RedisProcess::start(&[]) else { return };
    let engine = open(&server, &SECRET).await;
    assert!(matches!(engine.request(claim()).await, Ok(Answer::Claimed(_))));
    server.command(&["FLUSHALL"]);
    assert_eq!(engine.request(Request::Nodes).await, Ok(Answer::Nodes(Vec::new())));
    assert_eq!(engine.status().losses, 1);
    server.kill();
    server.start_again();
    let status = engine.wait_for(|status| status.connections == 2).await;
    assert_eq!(status.losses, 2);
}

#[tokio::test]
async fn server_that_hangs_is_given_up_in_time_and_may_do_the_request_later() {
    let Some(mut server) = RedisProcess::start(&[]) else { return };
    let engine = open(&server, &SECRET).await;
    server.hang();
    let begun = Instant::now();
    assert_eq!(engine.request(claim()).await, Err(RequestError::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(!engine.status().is_connected);
    server.go_on();
    engine.wait_for(|status| status.is_connected).await;
    // It was in the server's buffers.
    let answer = engine.request(Request::Find { room: ROOM }).await;
    let Ok(Answer::Owner(Some(status))) = answer else { panic!("{answer:?}") };
    assert_eq!(status.top.writer, node(1, 1));
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let Some(server) = RedisProcess::start(&[]) else { return };
    let engine = open(&server, &SECRET).await;
    assert_eq!(engine.request(renew(1)).await, Ok(Answer::Renewed));
    server.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(engine.request(renew(1)).await, Ok(Answer::Renewed));
}

#[tokio::test]
async fn clusters_with_other_keys_do_not_meet() {
    let Some(server) = RedisProcess::start(&[]) else { return };
    let engine = open(&server, &SECRET).await;
    assert_eq!(engine.request(renew(1)).await, Ok(Answer::Renewed));
    assert_eq!(failure(&server.url(), &[8; 32]).await, ConnectError::OtherKey);
    let other = Engine::open(format!("{}/1", server.url()).parse().unwrap(), &[8; 32]).unwrap();
    other.wait_for(|status| status.is_connected).await;
    assert_eq!(other.request(Request::Nodes).await, Ok(Answer::Nodes(Vec::new())));
}

#[tokio::test]
async fn servers_that_can_not_be_engines_are_named() {
    let options = ["--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru"];
    let Some(server) = RedisProcess::start(&options) else { return };
    let evicts = ConnectError::Evicts("allkeys-lru".to_owned());
    assert_eq!(failure(&server.url(), &SECRET).await, evicts);

    let server = RedisProcess::start(&["--requirepass", "right"]).unwrap();
    let address = format!("127.0.0.1:{}", server.port);
    for login in ["", ":wrong@"] {
        let error = failure(&format!("redis://{login}{address}"), &SECRET).await;
        assert!(matches!(error, ConnectError::Login(_)), "{error:?}");
        assert!(!error.to_string().contains(":wrong"), "{error}");
    }
    let right: Endpoint = format!("redis://:right@{address}").parse().unwrap();
    let engine = Engine::open(right, &SECRET).unwrap();
    engine.wait_for(|status| status.is_connected).await;

    let server = RedisProcess::start(&["--replicaof", "127.0.0.1 1"]).unwrap();
    assert_eq!(failure(&server.url(), &SECRET).await, ConnectError::Replica);

    let nothing = failure("redis://127.0.0.1:1", &SECRET).await;
    assert!(matches!(nothing, ConnectError::Unreachable(_)), "{nothing:?}");
}

#[tokio::test]
async fn primary_that_becomes_a_replica_is_left() {
    let Some(server) = RedisProcess::start(&[]) else { return };
    let engine = open(&server, &SECRET).await;
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    assert!(matches!(engine.request(renew(1)).await, Err(RequestError::Broken(_))));
    let status = engine.wait_for(|status| status.failure.is_some()).await;
    assert_eq!(status.failure, Some(ConnectError::Replica));
    server.command(&["REPLICAOF", "NO", "ONE"]);
    engine.wait_for(|status| status.is_connected).await;
}

#[tokio::test]
async fn stored_values_show_nothing_and_end_by_themselves() {
    let Some(server) = RedisProcess::start(&[]) else { return };
    let engine = open(&server, &SECRET).await;
    engine.request(renew(1)).await.unwrap();
    engine.request(claim()).await.unwrap();
    let keys = server.command(&["KEYS", "*"]);
    assert_eq!(keys.lines().count(), 5, "{keys}");
    for key in keys.lines() {
        let rest: i64 = server.command(&["PTTL", key]).parse().unwrap();
        assert!((1..=180_000).contains(&rest), "{key}: {rest}");
    }
    assert!(!server.command(&["GET", "moim:lease:1"]).contains("card"));
}
