//! Connections that send the beginning of a request or a handshake, and nothing more.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::sleep,
};

use super::Counts;
use crate::target::Target;

const CONNECTIONS: usize = 1900;

/// Incomplete HTTP, TLS, TURN over TCP and ICE-TCP, and no data at all.
const PREFIXES: &[&[u8]] = &[
    b"GET /r/tea HTTP/1.1\r\nHost: moim.example\r\nX: ",
    &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
    &[0, 3, 0, 8, 0x21, 0x12, 0xa4, 0x42],
    &[0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42],
    b"",
];

pub(super) async fn run(target: Target, counts: Counts) {
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let (target, counts) = (target.clone(), counts.clone());
        let prefix = PREFIXES.get(number % PREFIXES.len()).copied().unwrap_or_default();
        connections.spawn(async move {
            loop {
                counts.add("tried", 1);
                match hold(&target, prefix).await {
                    Ok(()) => counts.add("closed by the server", 1),
                    Err(_) => counts.add("refused or reset", 1),
                }
                sleep(Duration::from_millis(500)).await;
            }
        });
        if number % 50 == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    }
    connections.join_all().await;
}

/// Holds a connection open until the server closes it.
async fn hold(target: &Target, prefix: &[u8]) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(target.address()).await?;
    stream.write_all(prefix).await?;
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
