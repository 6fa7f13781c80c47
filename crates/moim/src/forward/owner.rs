//! Sockets of other nodes, on the owner of their room.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until, timeout},
};

use super::{
    dialects::Dialects,
    wire::{ClientEvent, Hello, parse_reason},
};
use crate::{
    cluster::{Frame, Frames},
    socketio::{
        Ack, Application, CloseReason, Events, Outbox, OutboxLimits, Outgoing, Socket, SocketId,
    },
};

/// Time for the first message of a stream.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for the last messages of a stream that can no longer be written to.
const END_TIMEOUT: Duration = Duration::from_secs(5);
/// Frames that wait for the stream.
const QUEUE: usize = 16;

/// Accepts a socket of another node. `local` is this node's own end of the connection.
pub(super) fn accept<A: Application>(
    app: Arc<A>,
    dialects: Arc<Dialects>,
    local: SocketAddr,
    request: Request<Incoming>,
) -> Response<Body> {
    let (sender, body) = Channel::new(QUEUE);
    // The other node sends more only after the answer, so this one can't wait for the first message.
    tokio::spawn(serve(app, dialects, local, request.into_body(), sender));
    Response::new(Body::new(body))
}

/// An answer without a stream.
pub(super) fn refuse(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

async fn serve<A: Application>(
    app: Arc<A>,
    dialects: Arc<Dialects>,
    local: SocketAddr,
    body: Incoming,
    sender: Sender<Bytes>,
) {
    let mut frames = Frames::new(body);
    let Ok(Some(Frame::Hello(hello))) = timeout(HELLO_TIMEOUT, frames.next()).await else { return };
    let Ok(hello) = serde_json::from_slice::<Hello>(&hello) else { return };
    let id = SocketId(Arc::from(hello.id.as_str()));
    let (socket, outbox) = Socket::new(id, OutboxLimits::default());
    if hello.is_foreign {
        // The other node may drain, and so leave dialects to this one. Unplaced, it is not admitted.
        let _ = dialects.place().await;
    }
    let guest = hello.is_foreign.then(|| dialects.admit(&socket));
    // Another node has dialects by now.
    if matches!(guest, Some(None)) {
        return;
    }
    let Ok(events) = app.connect(socket.clone(), hello.into_handshake(local)) else { return };
    run(events, socket, outbox, frames, sender).await;
}

async fn run(
    mut events: impl Events,
    socket: Socket,
    outbox: Outbox,
    mut frames: Frames,
    sender: Sender<Bytes>,
) {
    events.connected().await;
    let (ended, mut end) = oneshot::channel();
    let writing = tokio::spawn(write(outbox, sender, ended));
    // Set once the stream can't be written to: the other node has ended it, and may have said why.
    let mut deadline = None;
    let why = loop {
        let until = deadline.unwrap_or_else(Instant::now);
        tokio::select! {
            end = &mut end, if deadline.is_none() => match end {
                Ok(End::Session(why)) => break why,
                Ok(End::Stream) | Err(_) => deadline = Some(Instant::now() + END_TIMEOUT),
            },
            () = sleep_until(until), if deadline.is_some() => break CloseReason::Lost,
            frame = frames.next() => match frame {
                Some(Frame::Event(event)) => {
                    // From a later version, or broken.
                    let Ok(event) = serde_json::from_slice::<ClientEvent>(&event) else { continue };
                    let ack = event.ack.map(|id| Ack { id, socket: socket.clone() });
                    events.event(event.into_incoming(ack)).await;
                }
                Some(Frame::Gone(reason)) => break parse_reason(&reason),
                Some(_) => {}
                None => break CloseReason::Lost,
            },
        }
    };
    writing.abort();
    events.gone(why).await;
}

/// The end of writing.
enum End {
    /// The socket is to be closed.
    Session(CloseReason),
    /// The stream takes no more.
    Stream,
}

/// Writes what the socket is sent. Tells why it ended.
async fn write(mut outbox: Outbox, mut sender: Sender<Bytes>, ended: oneshot::Sender<End>) {
    let why = loop {
        // The client of a socket that is too slow reconnects.
        let Ok(packets) = outbox.take().await else { break End::Session(CloseReason::Lost) };
        let mut last = None;
        for packet in packets {
            let frame = match packet {
                Outgoing::Packet(packet) => {
                    Frame::Packet(Bytes::copy_from_slice(packet.as_bytes()))
                }
                Outgoing::Disconnect => {
                    last = Some(End::Session(CloseReason::ByServer));
                    Frame::Disconnect
                }
                // The native protocol has none.
                Outgoing::Binary(..) => continue,
            };
            if sender.send_data(frame.encode()).await.is_err() {
                last = Some(End::Stream);
            }
            if last.is_some() {
                break;
            }
        }
        if let Some(why) = last {
            break why;
        }
    };
    let _ = ended.send(why);
}

#[cfg(test)]
mod tests {
    use hyper::{client, server, service::service_fn};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use parking_lot::Mutex;
    use tokio::{io::duplex, sync::mpsc, task::yield_now};

    use super::*;
    use crate::{cluster::RoomKey, forward::door::Remote};

    /// A session that handles its event when the test says so, and notes why it ended.
    struct Session {
        handling: mpsc::Sender<()>,
        handle: mpsc::Receiver<()>,
        ended: mpsc::Sender<CloseReason>,
    }

    impl Events for Session {
        async fn event(&mut self, _: crate::socketio::Incoming) {
            self.handling.send(()).await.unwrap();
            self.handle.recv().await.unwrap();
        }

        async fn gone(&mut self, why: CloseReason) {
            self.ended.send(why).await.unwrap();
        }
    }

    /// The reason that a session gets whose door leaves, with a word or without one, while the session
    /// handles an event and the socket is sent something.
    async fn reason_of_end(word: Option<CloseReason>) -> CloseReason {
        let (here, there) = duplex(64 << 10);
        let (handling, mut is_handling) = mpsc::channel(1);
        let (handle, handled) = mpsc::channel(1);
        let (ended, mut end) = mpsc::channel(1);
        let session = Session { handling, handle: handled, ended };
        let (socket, outbox) = Socket::new(SocketId("s".into()), OutboxLimits::default());
        let parts = Mutex::new(Some((session, outbox)));
        let shared = socket.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let (session, outbox) = parts.lock().take().unwrap();
            let (sender, body) = Channel::<Bytes>::new(QUEUE);
            let frames = Frames::new(request.into_body());
            tokio::spawn(run(session, shared.clone(), outbox, frames, sender));
            async move { Ok::<_, std::convert::Infallible>(Response::new(Body::new(body))) }
        });
        let http2 = server::conn::http2::Builder::new(TokioExecutor::new());
        tokio::spawn(http2.serve_connection(TokioIo::new(there), service));
        let http2 = client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(here));
        let (mut requests, connection) = http2.await.unwrap();
        tokio::spawn(connection);
        let (mut sender, body) = Channel::<Bytes>::new(QUEUE);
        let request = Request::post("https://node.moim.invalid/socket").body(body).unwrap();
        let response = requests.send_request(request).await.unwrap();
        let event = Frame::Event(Bytes::from_static(br#"{"name":"chat","args":[]}"#));
        sender.send_data(event.encode()).await.unwrap();
        is_handling.recv().await.unwrap();
        let (of_door, _packets) = Socket::new(SocketId("s".into()), OutboxLimits::default());
        let frames = Frames::new(response.into_body());
        let remote = Remote::new(RoomKey([0; 16]), sender, frames, of_door);
        match word {
            Some(why) => remote.leave(why).await,
            None => drop(remote),
        }
        socket.emit("a packet".into());
        // Turns for all others, in a runtime of one thread.
        for _ in 0..100 {
            yield_now().await;
        }
        handle.send(()).await.unwrap();
        end.recv().await.unwrap()
    }

    #[tokio::test]
    async fn last_word_of_a_door_is_read_before_the_end_of_its_stream() {
        for why in [CloseReason::ByClient, CloseReason::GoingAway, CloseReason::Lost] {
            // Which of two that are ready is looked at first differs.
            for _ in 0..20 {
                assert_eq!(reason_of_end(Some(why)).await, why);
            }
        }
    }

    #[tokio::test]
    async fn stream_that_ends_without_a_word_is_lost() {
        assert_eq!(reason_of_end(None).await, CloseReason::Lost);
    }
}
