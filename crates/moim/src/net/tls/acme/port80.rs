//! Port 80 for the time of an order, where nobody else has it.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use axum::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::TcpStream,
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::proof::Proofs;
use crate::{
    config::Listen,
    net::{inherited::InheritedSockets, tcp},
};

const PORT: u16 = 80;
/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most connections at a time.
const MAX_CONNECTIONS: usize = 32;
/// Time for a connection.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers at port 80 until this is dropped.
pub(super) struct Port80 {
    _tasks: JoinSet<()>,
}

impl Port80 {
    /// Binds the port of each family that has it free. `None` if none has, or without the
    /// permission.
    pub(super) fn open(proofs: &Arc<Proofs>) -> Option<Self> {
        let any = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        let mut tasks = JoinSet::new();
        for ip in any {
            let listen =
                Listen { required: vec![SocketAddr::new(ip, PORT)], where_possible: Vec::new() };
            match tcp::bind(&listen, &mut InheritedSockets::default()) {
                Ok(bound) => {
                    for listener in bound.listeners {
                        tasks.spawn(serve(listener, Arc::clone(proofs)));
                    }
                }
                Err(error) => tracing::debug!("port 80 can't be had for the CA: {error}"),
            }
        }
        (!tasks.is_empty()).then_some(Self { _tasks: tasks })
    }
}

async fn serve(listener: TcpListener, proofs: Arc<Proofs>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            // Such as a lack of descriptors, which lasts: trying on would keep a core busy.
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let proofs = Arc::clone(&proofs);
        connections.spawn(async move {
            let _ = timeout(TIMEOUT, answer(stream, proofs)).await;
            drop(permit);
        });
    }
}

async fn answer(stream: TcpStream, proofs: Arc<Proofs>) {
    let service = service_fn(async |request: Request<hyper::body::Incoming>| {
        let body = proofs.http(request.uri().path()).flatten();
        let mut response = Response::new(Full::new(Bytes::new()));
        match body {
            Some(body) => *response.body_mut() = Full::new(body.into()),
            None => *response.status_mut() = StatusCode::NOT_FOUND,
        }
        Ok::<_, Infallible>(response)
    });
    let mut builder = hyper::server::conn::http1::Builder::new();
    let served = builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a client of port 80 failed");
    }
}
