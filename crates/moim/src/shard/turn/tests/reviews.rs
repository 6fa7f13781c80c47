//! TCP connections that stay open, and those that are closed.

use super::*;

#[tokio::test]
async fn stream_of_another_protocol_is_closed() {
    let world = world(&[]).await;
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(b"\x00\x01\x00\x00 no cookie").await.unwrap();
    let mut rest = Vec::new();
    // With bytes unread, the kernel may send a reset.
    let ended = timeout(TIMEOUT, stream.read_to_end(&mut rest)).await.unwrap();
    assert!(ended.is_err() || rest.is_empty());
}

#[tokio::test(start_paused = true)]
async fn silent_stream_without_allocation_is_closed() {
    let world = world(&[]).await;
    let (mut ours, theirs) = tokio::io::duplex(64);
    let connection = Connection::new("127.0.0.1:9".parse().unwrap(), world.address, false);
    let served = tokio::spawn({
        let shards = world.shards.clone();
        async move { shards.serve_turn(theirs, connection).await }
    });
    // Half a header.
    ours.write_all(&[0, 1, 0]).await.unwrap();
    served.await.unwrap();
    assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
}

/// Binding requests are answered without authentication, and don't keep a connection open.
#[tokio::test(start_paused = true)]
async fn unauthenticated_requests_do_not_keep_a_stream() {
    let world = world(&[]).await;
    let (mut ours, theirs) = tokio::io::duplex(1024);
    let connection = Connection::new("127.0.0.1:9".parse().unwrap(), world.address, false);
    let mut served = tokio::spawn({
        let shards = world.shards.clone();
        async move { shards.serve_turn(theirs, connection).await }
    });
    let mut request = Vec::new();
    let transaction = TransactionId([1; 12]);
    Writer::new(&mut request, Class::Request, Method::BINDING, transaction);
    // Shards use the real clock.
    let deadline = std::time::Instant::now() + TIMEOUT;
    while std::time::Instant::now() < deadline {
        if ours.write_all(&request).await.is_err() {
            break;
        }
        if timeout(Duration::from_secs(5), &mut served).await.is_ok() {
            return;
        }
    }
    assert!(served.is_finished(), "still open");
}

#[tokio::test]
async fn silent_stream_with_an_allocation_stays_open() {
    let world = world(&[]).await;
    let mut client = Client::tcp(world.address).await;
    client.allocated().await;
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(300)).await;
    tokio::time::resume();
    assert_eq!(client.bind(0x4000, "198.51.100.7:9".parse().unwrap()).await, None);
}
