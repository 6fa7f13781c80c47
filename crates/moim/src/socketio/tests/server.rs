//! A listener on loopback.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, runtime::Runtime};

use super::echo::{Echo, Seen};
use crate::{
    net::tcp::Connection,
    socketio::{Config, HeldBytes, router},
};

/// Serves an [`Echo`] until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) seen: mpsc::Receiver<Seen>,
    pub(super) held: Arc<HeldBytes>,
    pub(super) _runtime: Runtime,
}

impl Server {
    pub(super) fn start(config: Config) -> Self {
        Self::start_in(Runtime::new().unwrap(), "127.0.0.1:0", [config])
    }

    /// Serves the mounts of each configuration.
    pub(super) fn start_in(
        runtime: Runtime,
        address: &str,
        configs: impl IntoIterator<Item = Config>,
    ) -> Self {
        let listener = runtime.block_on(TcpListener::bind(address)).unwrap();
        let address = listener.local_addr().unwrap();
        let (app, seen) = Echo::new();
        let held = Arc::clone(&app.held);
        let mounts = |all: axum::Router, config| all.merge(router(Arc::clone(&app), config));
        let all = configs.into_iter().fold(axum::Router::new(), mounts);
        runtime.spawn(serve(listener, all));
        Self { address, seen, held, _runtime: runtime }
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
