//! The server, put together from its parts, from start to stop.

use std::{io, net::TcpListener, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{runtime::Runtime, time::timeout};

use crate::{
    banner::{self, Urls},
    config::{Config, Origin},
    dispatch::Services,
    http::{self, Basics, Ingress, KnownHosts},
    metrics::Metrics,
    net::{
        descriptors,
        drain::{Drain, DrainStart, drain},
        tcp::{self, Admission, Bound, Tally},
        tls::{self, Current, Upkeep},
    },
    parts,
    shard::{self, turn::RoomCredentials},
    signaling::Signaling,
    socket, workers,
};

/// How long connections may take to end by themselves when the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// How many ports are tried where the system chooses.
const PORT_TRIES: u32 = 8;

/// A server that has its port and everything it needs, and does nothing yet.
pub(crate) struct Server {
    runtime: Runtime,
    listeners: Vec<TcpListener>,
    urls: Urls,
    signaling: Option<Arc<Signaling>>,
    services: Arc<Services>,
    upkeep: Upkeep,
    stop: DrainStart,
    drain: Drain,
}

/// Takes the port and sets everything up.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(crate) fn prepare(config: &Config) -> anyhow::Result<Server> {
    let runtime = workers::start().context("This system gives no threads or no timers")?;
    let _inside = runtime.enter();
    descriptors::raise_for(config.limits.connections);
    let folder = config.folder.as_deref().map(http::Folder::open).transpose()?;
    let tls = tls::prepare(config)?;
    let rooms = (!config.turn.only).then(RoomCredentials::random).transpose();
    let rooms = rooms.context("This system gives no randomness")?;
    let (bound, shards) = take_port(config, rooms.as_ref(), &tls.certificate)?;
    let own_ca = tls.certificate.authority().is_some();
    let urls = Urls::of(&bound.addresses, &config.announce, own_ca, config.turn.only);
    let (stop, drain) = drain();
    tokio::spawn(shard::turn::keep_up(shards.clone(), rooms.clone()));
    let signaling = rooms.map(|rooms| Signaling::new(parts::signaling(config, rooms, &shards)));
    let (admission, tally) = (Admission::new(&config.limits), Arc::new(Tally::default()));
    let metrics =
        Metrics::new(shards.clone(), Arc::clone(&tally), admission.clone(), signaling.clone());
    let origin_hosts = config.origins.iter().filter_map(Origin::host);
    let certificate = Arc::clone(&tls.certificate);
    let hosts = KnownHosts::new(config.hosts.clone(), origin_hosts, certificate);
    let basics = Basics {
        ingress: Ingress::new(hosts, config.trusted_proxies.clone()),
        has_https_port: bound.addresses.iter().any(|address| address.port() == 443),
        drain: drain.clone(),
        shards: shards.health(),
        certificate: tls.certificate,
        metrics: Arc::new(metrics),
        metrics_token: config.metrics_token.clone(),
    };
    let router = match &signaling {
        Some(signaling) => {
            let sockets = socket::router(Arc::clone(signaling), parts::socket(config));
            http::router(basics, folder, sockets)
        }
        None => http::relay_router(basics),
    };
    let limits = config.limits;
    let proxies = config.trusted_proxies.clone();
    let services =
        Services { admission, tally, limits, tls: tls.acceptor, shards, router, proxies };
    Ok(Server {
        listeners: bound.listeners,
        urls,
        signaling,
        services: Arc::new(services),
        upkeep: tls.upkeep,
        stop,
        drain,
        runtime,
    })
}

/// Takes the same port of TCP and of UDP.
fn take_port(
    config: &Config,
    rooms: Option<&RoomCredentials>,
    certificate: &Arc<Current>,
) -> anyhow::Result<(Bound, shard::Handle)> {
    let mut tries = 0..PORT_TRIES;
    loop {
        let bound = tcp::bind(&config.listen)?;
        match shard::start(&parts::shards(config, rooms, bound.addresses.clone(), certificate)) {
            Ok(shards) => return Ok((bound, shards)),
            // A port the system chose for TCP may be taken on UDP.
            Err(error)
                if config.listen.is_left_to_system()
                    && error.error.kind() == io::ErrorKind::AddrInUse
                    && tries.next().is_some() => {}
            Err(error) => return Err(tcp::sentence(error.address, &error.error)),
        }
    }
}

impl Server {
    /// Serves until a signal says to stop.
    pub(crate) fn run(self) -> ExitCode {
        let Self { runtime, listeners, urls, signaling, services, upkeep, stop, drain } = self;
        let code = runtime.block_on(async {
            let mut signals = Signals::install()?;
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                tokio::spawn(tcp::accept(listener, Arc::clone(&services), drain.clone()));
            }
            tokio::spawn(upkeep.run());
            banner::print(&urls);
            signals.next().await;
            tracing::info!(connections = services.admission.count(), "stopping");
            stop.begin();
            tokio::select! {
                () = empty(signaling.as_deref(), &services) => io::Result::Ok(ExitCode::SUCCESS),
                () = signals.next() => Ok(ExitCode::FAILURE),
            }
        });
        runtime.shutdown_background();
        code.unwrap_or_else(|error| {
            tracing::error!(%error, "the server can't run");
            ExitCode::FAILURE
        })
    }
}

/// Tells clients that the server goes away, and gives their connections time to end.
async fn empty(signaling: Option<&Signaling>, services: &Services) {
    let emptied = timeout(DRAIN_TIME, async {
        if let Some(signaling) = signaling {
            signaling.drain(DRAIN_TIME).await;
        }
        services.shards.shutdown().await;
        services.admission.empty().await;
    });
    if emptied.await.is_err() {
        tracing::warn!(cut = services.admission.count(), "not all connections ended in time");
    }
    let unanswered = signaling.map_or(0, Signaling::untold_refusals);
    tracing::info!("stopped; connections: {}; {unanswered} refusals nobody heard", services.tally);
}

/// What an operator sends to stop the server.
#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn install() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let terminate = signal(SignalKind::terminate())?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns when the next one comes.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn install() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a console nobody can interrupt.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
