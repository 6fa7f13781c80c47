//! A listener on loopback.

use std::{net::SocketAddr, sync::mpsc};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, runtime::Runtime};

use super::echo::{Echo, Seen};
use crate::{
    port::Connection,
    socket::{Config, router},
};

/// Serves an [`Echo`] until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) seen: mpsc::Receiver<Seen>,
    pub(super) _runtime: Runtime,
}

impl Server {
    pub(super) fn start(config: Config) -> Self {
        Self::start_at("127.0.0.1:0", config)
    }

    pub(super) fn start_at(address: &str, config: Config) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let (app, seen) = Echo::new();
        runtime.spawn(serve(listener, router(app, config)));
        Self { address, seen, _runtime: runtime }
    }
}

async fn serve(listener: TcpListener, router: axum::Router) {
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let connection = Connection::new(peer, stream.local_addr().unwrap(), false);
        let service = router.clone().layer(axum::Extension(connection));
        tokio::spawn(async move {
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection_with_upgrades(
                    TokioIo::new(stream),
                    TowerToHyperService::new(service),
                )
                .await;
        });
    }
}
