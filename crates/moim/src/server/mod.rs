//! The server's life: set-up, service until a signal, graceful shutdown.

mod attending;
mod end;
mod opening;
mod restart;
mod signals;

use std::{
    io,
    net::TcpListener,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use tokio::{runtime::Runtime, sync::watch, task::JoinSet, time::timeout};
use turn::NonceKey;

#[cfg(unix)]
use crate::admin;
use crate::{
    access::Access,
    accounts::{self, Accounts},
    api,
    banner::{self, Urls},
    cluster::Cluster,
    config::{Config, Live, Problems},
    data::DataLock,
    dispatch::{Services, UNTRUSTED_PROXY_INTERVAL, dispatch},
    forward,
    handover::{Handover, HandoverPlace},
    hot::HotParts,
    http::{self, BaseRoutes, Doctor, Embedders, FollowedTests, Ingress, KnownHosts},
    log_throttle::LogThrottle,
    metrics::{self, Metrics},
    net::{
        auto_announce::{AutoAnnouncer, VisitedNames},
        descriptors,
        drain::{Drain, DrainStart, drain},
        port_mapping::PortMapper,
        reach::ReachLog,
        reachability::Reachability,
        tcp::{self, Admission, ConnectionCounters},
        tls::{self, Renewal},
    },
    oidc::{People, SignIns},
    order::{self, OrderReceiver},
    reload::Reloaded,
    shard::{
        self,
        turn::{RelayHandover, RelayState, RoomCredentials},
    },
    signaling::{self, Signaling},
    socketio,
    store::Store,
    supervisor::Supervisor,
    webhooks::{Deliveries, Webhooks},
    wiring, workers,
};
use attending::attend;
use end::{CLOSE_TIMEOUT, End, Ending};
use opening::{bind_port, open_store};
use restart::Restart;
use signals::Signals;

/// The same before a warm restart, while calls go on.
const STORE_RESTART_TIMEOUT: Duration = Duration::from_millis(500);
/// Time for the store to write what waits when the server stops.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);

/// Time for webhooks to take in what has happened in rooms, before the process ends.
const WEBHOOKS_TIMEOUT: Duration = Duration::from_millis(500);

/// A server that has bound its port but accepts nothing yet.
pub(crate) struct Server {
    runtime: Runtime,
    lock: DataLock,
    /// The admin socket and its routes.
    #[cfg(unix)]
    admin: Option<(admin::AdminSocket, axum::Router)>,
    orders: OrderReceiver,
    restart: Restart,
    listeners: Vec<TcpListener>,
    urls: Urls,
    signaling: Option<Arc<Signaling>>,
    services: Arc<Services>,
    renewal: Renewal,
    announcer: AutoAnnouncer,
    mapper: Option<PortMapper>,
    ports: Vec<u16>,
    store: Store,
    webhooks: Webhooks,
    deliveries: Deliveries,
    stop: DrainStart,
    drain: Drain,
    drain_timeout: Live<Option<Duration>>,
}

/// Binds the port and builds all components.
///
/// # Errors
/// A message for the operator, with the remedy.
pub(crate) fn prepare(
    config: &Config,
    examine: Option<api::Examine>,
) -> anyhow::Result<(Server, HotParts)> {
    let runtime = workers::start().context("The system can't provide threads or timers")?;
    let _inside = runtime.enter();
    let lock = config.data.lock()?;
    descriptors::raise_for(config.limits.connections);
    let folder = config.folder.as_deref().map(http::Folder::open).transpose()?;
    let reachability = Reachability::new(&config.announce, config.announce_only);
    let tls = tls::prepare(config, &reachability)?;
    let (store, kept) = open_store(config)?;
    let reach = ReachLog::default();
    let place = HandoverPlace::of(&config.data);
    let mut handover = Handover::take(&place);
    let secret = handover.as_ref().and_then(Handover::credentials).map_or_else(random, Ok)?;
    tls.tickets.adopt(handover.as_ref().map_or(&[], Handover::tickets));
    let nonces = handover.as_ref().and_then(Handover::nonces);
    let nonces = nonces.map_or_else(|| random().map(|key| NonceKey { key, seconds: 0 }), Ok)?;
    let relay = RelayState {
        nonces: nonces.clone(),
        handover: handover.as_mut().map(|handover| {
            let (relay, elapsed) = handover.take_relay();
            RelayHandover { relay, elapsed }
        }),
    };
    let rooms = (!config.turn.only).then(|| RoomCredentials::new(&secret));
    let (bound, shards) =
        bind_port(config, rooms.as_ref(), &relay, &reachability, &tls.certificate, &reach)?;
    let sockets = bound.duplicates(shards.sockets)?;
    let tickets = tls.tickets.clone();
    let restart =
        Restart::new(config.data.clone(), place, secret, nonces, tickets, sockets, store.clone());
    let shards = shards.handle;
    let has_own_ca = tls.certificate.authority().is_some();
    let urls = Urls::of(&reachability.current(), has_own_ca, config.turn.only);
    let domains: Vec<_> = config.acme.iter().flat_map(|acme| &acme.domains).collect();
    let urls = urls.with_domains(&domains, &bound.addresses, &config.announce);
    let (stop, drain) = drain();
    let (addresses, members) = (reachability.changes(), rooms.clone());
    tokio::spawn(shard::keep_informed(shards.clone(), members, addresses));
    tokio::spawn(reachability.clone().follow());
    let cluster = config.cluster.as_ref().map(|cluster| {
        let own = reachability.current().at_interfaces();
        let address = cluster.address.or(own.first().copied()).context(
            "This computer has no address for the other servers: give one with --cluster-address",
        )?;
        Cluster::join(cluster, address, drain.clone(), shards.clone()).map(Arc::new)
    });
    let cluster = cluster.transpose()?;
    let access = Arc::new(Access::new(config.access.clone()));
    let (webhooks, deliveries, events) =
        Deliveries::new(store.clone(), &config.webhooks, Arc::clone(&access))?;
    let alive = handover.as_ref().map(|handover| handover.signaling.room_ids());
    let alive = alive.unwrap_or_default();
    match &cluster {
        Some(cluster) => {
            let lost = webhooks.lost(&alive);
            tokio::spawn(signaling::settle_lost(Arc::clone(cluster), webhooks.clone(), lost));
        }
        None => webhooks.close_lost(&alive),
    }
    let people = match &config.oidc {
        Some(oidc) => Arc::new(People::load(store.clone(), &config.data, oidc)?),
        None => Arc::new(People::none()),
    };
    let sign_ins = config.oidc.clone().map(|oidc| SignIns::new(oidc, Arc::clone(&people)));
    let sign_ins = sign_ins.transpose()?.map(Arc::new);
    let signaling = rooms.map(|rooms| {
        let reachable = reachability.clone();
        let (drain, access) = (&drain, &access);
        let config = wiring::signaling(config, rooms, &shards, reachable, &store, drain, access);
        let cluster = cluster.clone();
        Signaling::new(signaling::Config { events, kept, people, cluster, ..config })
    });
    // Rooms of a cluster are restored from their logs, by whichever node comes first.
    let handover = handover.filter(|_| cluster.is_none());
    if let (Some(signaling), Some(handover)) = (&signaling, handover) {
        let frozen = handover.signaling;
        tracing::info!(rooms = frozen.rooms.len(), "restarted; participants resume");
        signaling.restore(frozen);
    }
    let answering = shards.clone();
    tokio::spawn(async move { answering.answer_relay_requests().await });
    let admission = Admission::new(&config.limits);
    let keeper = accounts::Keeper::new(store.clone(), config.data.clone());
    let accounts = Arc::new(Accounts::load(keeper)?);
    let api = signaling.as_ref().map(|signaling| {
        api::Parts::load(api::Components {
            accounts: Arc::clone(&accounts),
            sign_ins,
            origin: urls.main().to_owned(),
            signaling: Arc::clone(signaling),
            access: Arc::clone(&access),
            store: store.clone(),
            drain: drain.clone(),
            shards: shards.health(),
            webhooks: webhooks.clone(),
            admission: admission.clone(),
            certificate: Arc::clone(&tls.certificate),
            acme: Arc::clone(&tls.acme),
            examine,
        })
    });
    let api = api.transpose()?;
    let counters = Arc::new(ConnectionCounters::default());
    let metrics = Metrics::new(metrics::Sources {
        shards: shards.clone(),
        connection_counters: Arc::clone(&counters),
        admission: admission.clone(),
        signaling: signaling.clone(),
        store: store.clone(),
        webhooks: webhooks.clone(),
        cluster: cluster.clone(),
        certificates: Arc::clone(&tls.certificate),
        acme: Arc::clone(&tls.acme),
    });
    let hosts = Live::new(wiring::host_names(config));
    let embedders = Embedders::new(config.embedders.clone());
    let metrics_token = Live::new(config.metrics_token.clone());
    let socket_config: Live<_> = wiring::socketio(config).into();
    let visited = VisitedNames::default();
    let known_hosts = KnownHosts::new(hosts.clone(), Arc::clone(&tls.certificate), visited.clone());
    let (announcing, wanted) = watch::channel(wiring::announcing(config));
    let port = bound.addresses.iter().find(|at| at.is_ipv4() && !at.ip().is_loopback());
    let port = port.filter(|_| config.ask_router).map(std::net::SocketAddr::port);
    let mapper = port.map(|port| PortMapper::new(port, reachability.clone()));
    let announcer = AutoAnnouncer::new(wanted, reachability.clone(), tls.looker, visited);
    #[cfg(unix)]
    let parts_certificate = Arc::clone(&tls.certificate);
    #[cfg(unix)]
    let parts_proofs = Arc::clone(&tls.proofs);
    let base = BaseRoutes {
        ingress: Ingress::new(known_hosts, config.trusted_proxies.clone(), reach.clone()),
        has_https_port: bound.addresses.iter().any(|address| address.port() == 443),
        drain: drain.clone(),
        shards: shards.health(),
        cluster: cluster.clone(),
        certificate: tls.certificate,
        proofs: tls.proofs,
        metrics: Arc::new(metrics),
        metrics_token: metrics_token.clone(),
    };
    let followed = FollowedTests::default();
    let mut nodes = None;
    let router = match &signaling {
        Some(signaling) => {
            let sockets = match &cluster {
                Some(cluster) => {
                    let (sockets, service) =
                        forward::router(signaling, cluster, socket_config.clone());
                    nodes = Some(service);
                    sockets
                }
                None => socketio::router(Arc::clone(signaling), socket_config.clone()),
            };
            let listen = bound.addresses.clone();
            let signaling = Arc::clone(signaling);
            let doctor = Doctor::new(
                signaling,
                &shards,
                reach.clone(),
                followed.clone(),
                store.clone(),
                config.probe_others,
                listen,
            );
            let api = api.as_ref().map(api::router).unwrap_or_default();
            http::router(base, folder, embedders.clone(), sockets.merge(api), doctor)
        }
        None => http::relay_router(base),
    };
    let (sender, orders) = order::orders();
    #[cfg(not(unix))]
    drop(sender);
    let turn_secret = config.turn.secrets.first().cloned().context("There is no TURN secret")?;
    let turn_secret = Live::new(turn_secret);
    #[cfg(unix)]
    let parts = admin::Parts {
        instance: format!("{:016x}", rand::random::<u64>()),
        started: Instant::now(),
        addresses: bound.addresses.clone(),
        admission: admission.clone(),
        drain: drain.clone(),
        shards: shards.health(),
        cluster: cluster.clone(),
        reach,
        proofs: parts_proofs,
        followed,
        turn_secret: turn_secret.clone(),
        reachability: reachability.clone(),
        certificate: parts_certificate,
        receive_buffer: shards.kernel_buffers().map(|buffers| buffers.receive as u64),
        signaling: signaling.clone(),
        acme: tls.acme,
        orders: sender,
    };
    let acceptor = tls.acceptor.with_nodes(cluster.as_ref().map(|cluster| cluster.server_config()));
    // The page is not served in place of the operator's own.
    let has_page = api.is_some() && config.folder.is_none();
    let urls = if has_page && accounts.is_empty() {
        let once = accounts.make_link(tokio::time::Instant::now())?;
        urls.with_admin(&accounts::link_path(&once))
    } else {
        urls
    };
    let limits = Live::new(config.limits);
    let drain_timeout = Live::new(config.drain_timeout);
    let proxies = config.trusted_proxies.clone();
    let hot = HotParts {
        data: config.data.clone(),
        proxies: proxies.clone(),
        reachability,
        announcing,
        turn_secret,
        acme: tls.wanted,
        hosts,
        embedders,
        metrics_token,
        access,
        webhooks: webhooks.clone(),
        limits: limits.clone(),
        admission: admission.clone(),
        sockets: socket_config,
        signaling: signaling.clone(),
        realm: config.turn.realm.clone(),
        shards: shards.clone(),
        drain_timeout: drain_timeout.clone(),
    };
    let services = Services {
        admission,
        counters,
        limits,
        tls: acceptor,
        shards,
        untrusted_proxy: LogThrottle::every(UNTRUSTED_PROXY_INTERVAL),
        router,
        nodes,
        proxies,
    };
    #[cfg(unix)]
    let admin = admin::AdminSocket::bind(config.data.path())
        .map(|socket| {
            let api = api.as_ref().map(api::trusted_router).unwrap_or_default();
            (socket, admin::router(parts).merge(api))
        })
        .inspect_err(|error| tracing::warn!(%error, "there is no admin socket for `moim ctl`"));
    let server = Server {
        lock,
        #[cfg(unix)]
        admin: admin.ok(),
        orders,
        restart,
        listeners: bound.listeners,
        urls,
        signaling,
        services: Arc::new(services),
        renewal: tls.renewal,
        announcer,
        mapper,
        ports: bound.addresses.iter().map(std::net::SocketAddr::port).collect(),
        store,
        webhooks,
        deliveries,
        stop,
        drain,
        drain_timeout,
        runtime,
    };
    Ok((server, hot))
}

impl Server {
    /// Serves until a signal stops it; calls `reload` at SIGHUP and on request.
    pub(crate) fn run(self, reload: impl AsyncFnMut() -> Result<Reloaded, Problems>) -> ExitCode {
        let Self {
            runtime,
            lock,
            #[cfg(unix)]
            admin,
            mut orders,
            mut restart,
            listeners,
            urls,
            signaling,
            services,
            renewal,
            announcer,
            mapper,
            ports,
            store,
            webhooks,
            deliveries,
            stop,
            drain,
            drain_timeout,
        } = self;
        let supervisor = Supervisor::find();
        let code = runtime.block_on(async {
            let mut signals = Signals::install()?;
            #[cfg(unix)]
            let _admin = admin.map(|(socket, router)| socket.serve(router)).transpose()?;
            let mut accepting = JoinSet::new();
            for listener in listeners {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let (services, draining) = (Arc::clone(&services), drain.clone());
                let serve = move |stream, peer| dispatch(stream, peer, &services, &draining);
                accepting.spawn(tcp::accept(listener, drain.clone(), serve));
            }
            tokio::spawn(renewal.run(ports));
            tokio::spawn(announcer.run());
            let mapper = mapper.map(PortMapper::begin);
            tokio::spawn(deliveries.run());
            banner::print(&urls);
            supervisor.keep(restart.sockets());
            supervisor.ready();
            let health = services.shards.health();
            tokio::spawn(attend(supervisor, health, signaling.clone(), drain.clone()));
            let ending = Ending {
                supervisor,
                restart: &restart,
                drain: &stop,
                drain_timeout: &drain_timeout,
                signaling: signaling.as_deref(),
                shards: &services.shards,
                nodes: services.nodes.as_ref(),
            };
            let end = ending.wait(&mut signals, &mut orders, reload).await;
            if let Some(mapper) = mapper {
                // The next process may ask again: the router may take another's word for theft.
                mapper.remove().await;
            }
            let limit = match end {
                End::Stop(limit) => limit,
                End::Execute | End::HandOver => {
                    // Clients wait in the backlog, which the next process inherits.
                    accepting.shutdown().await;
                    if end == End::Execute {
                        supervisor.reloading();
                    } else {
                        supervisor.stopping(CLOSE_TIMEOUT);
                    }
                    store.flush(STORE_RESTART_TIMEOUT);
                    restart.hand_over(signaling.as_deref(), &services.shards).await;
                    if end == End::HandOver {
                        supervisor.keep_relayed(restart.sockets());
                    }
                    let _ = timeout(WEBHOOKS_TIMEOUT, webhooks.flush()).await;
                    store.flush(STORE_RESTART_TIMEOUT);
                    if end == End::Execute {
                        let error = restart.execute();
                        let message = format!("the next program can't be executed: {error}");
                        return Err(io::Error::new(error.kind(), message));
                    }
                    return Ok(ExitCode::SUCCESS);
                }
            };
            // The next process gets the port, if there is one.
            supervisor.stopping(limit);
            supervisor.forget(restart.sockets());
            drop(restart);
            tracing::info!(connections = services.admission.count(), "stopping");
            stop.close();
            tokio::select! {
                () = shut_down(signaling.as_deref(), &services, limit) => {
                    io::Result::Ok(ExitCode::SUCCESS)
                }
                () = signals.stop() => Ok(ExitCode::FAILURE),
            }
        });
        let _ = runtime.block_on(async { timeout(WEBHOOKS_TIMEOUT, webhooks.flush()).await });
        store.flush(STORE_TIMEOUT);
        drop(lock);
        runtime.shutdown_background();
        code.unwrap_or_else(|error| {
            tracing::error!(%error, "the server ends");
            ExitCode::FAILURE
        })
    }
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("The system can't provide random bytes")?;
    Ok(bytes)
}

/// Announces the shutdown to clients and waits for their connections to close.
async fn shut_down(signaling: Option<&Signaling>, services: &Services, limit: Duration) {
    let ended = timeout(limit, async {
        if let Some(signaling) = signaling {
            signaling.drain(limit).await;
        }
        services.shards.shutdown().await;
        services.admission.empty().await;
    });
    if ended.await.is_err() {
        tracing::warn!(
            cut = services.admission.count(),
            "closed connections that did not end in time"
        );
    }
    let unanswered = signaling.map_or(0, Signaling::unacknowledged_rejections);
    tracing::info!(
        "stopped; connections: {}; {unanswered} rejections not delivered",
        services.counters
    );
}
