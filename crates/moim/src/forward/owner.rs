//! Sockets of other nodes, on the owner of their room.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Request, Response, StatusCode},
};
use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use hyper::body::Incoming;
use tokio::{sync::oneshot, time::timeout};

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
    let guest = hello.is_foreign.then(|| dialects.admit(&socket));
    // Another node has dialects by now.
    if matches!(guest, Some(None)) {
        return;
    }
    let Ok(mut events) = app.connect(socket.clone(), hello.into_handshake(local)) else { return };
    events.connected().await;
    let (ended, mut end) = oneshot::channel();
    let writing = tokio::spawn(write(outbox, sender, ended));
    let why = loop {
        tokio::select! {
            why = &mut end => break why.unwrap_or(CloseReason::Lost),
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

/// Writes what the socket is sent. Tells the reason for which it ended.
async fn write(mut outbox: Outbox, mut sender: Sender<Bytes>, ended: oneshot::Sender<CloseReason>) {
    let why = loop {
        // The client of a socket that is too slow reconnects.
        let Ok(packets) = outbox.take().await else { break CloseReason::Lost };
        let mut last = None;
        for packet in packets {
            let frame = match packet {
                Outgoing::Packet(packet) => {
                    Frame::Packet(Bytes::copy_from_slice(packet.as_bytes()))
                }
                Outgoing::Disconnect => {
                    last = Some(CloseReason::ByServer);
                    Frame::Disconnect
                }
                // The native protocol has none.
                Outgoing::Binary(..) => continue,
            };
            if sender.send_data(frame.encode()).await.is_err() {
                last = Some(CloseReason::Lost);
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
