//! Facts from this machine and the running server. Each file gathers those of one check.

mod caa;
mod certificate;
mod clock;
mod container;
mod data;
mod dns;
mod dtls;
mod firewall;
mod kernel;
mod load;
mod port;
mod process;
mod relay;
mod router;
mod tls;
mod turn_client;
mod udp;
mod wire;

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    thread,
};

use doctor::server::{
    Facts, Looked, PublicAddress, Skip,
    address::{self, is_global},
    config, container as judged_container, dns as names, outside, proxy,
};

use super::server::Server;
use crate::{
    admin::Vitals,
    config::{CheckedConfig, Config, Problems},
    net::addresses,
};

/// Gathers everything.
pub(super) fn facts(checked: &CheckedConfig, server: &Server) -> Facts {
    let config = checked.config();
    let vitals = server.vitals();
    let interfaces = addresses::of_interfaces();
    let listen = vitals.map_or_else(|| configured(config), |vitals| vitals.addresses.clone());
    let own = listened(&listen, &interfaces);
    thread::scope(|scope| {
        // What takes long runs beside the rest.
        let load = scope.spawn(|| load::gather(vitals));
        let relay = scope.spawn(|| relay::gather(vitals));
        let answers = scope.spawn(|| dns::answers(named(config).iter().map(String::as_str)));
        let caa = scope.spawn(|| caa::gather(config));
        let store = scope.spawn(|| data::store_problem(&config.store));
        let port = scope.spawn(|| port::gather(&listen, server));
        let router = scope.spawn(|| router::gather(config.ask_router));
        let certificate = certificate::gather(config, vitals);
        let answers = answers.join().unwrap_or_default();
        let of_names: Vec<IpAddr> = answers.iter().flat_map(|(_, answer)| global(answer)).collect();
        let place = place(config, vitals, &listen, &own, &of_names);
        let given = config.announce.iter().map(|announce| announce.ip);
        let found = vitals.into_iter().flat_map(|vitals| &vitals.announced).map(SocketAddr::ip);
        let announced: Vec<IpAddr> = given.chain(found).collect();
        let untrusted = vitals.map(|vitals| vitals.untrusted_proxies.clone());
        let behind_proxy = !config.trusted_proxies.is_empty()
            || untrusted.as_ref().is_some_and(|proxies| !proxies.is_empty());
        let engine = container::engine();
        let local_port = listen.first().map_or(place.port, SocketAddr::port);
        let has_v6 = own.iter().any(|ip| ip.is_ipv6() && is_global(*ip));
        Facts {
            config: Ok(config_facts(checked, server)),
            outside: outside(server),
            firewall: firewall::gather(local_port, has_v6),
            address: Ok(address::Facts {
                interfaces: own.clone(),
                announced: announced.clone(),
                of_names,
                behind_proxy,
            }),
            dns: if answers.is_empty() {
                Err(Skip::NothingConfigured)
            } else {
                let own = own.iter().chain(&announced).copied().collect();
                let caa = caa.join().unwrap_or_default();
                Ok(names::Facts { names: answers, own, behind_proxy, caa })
            },
            certificate: because(certificate, server),
            clock: clock::gather(),
            kernel: Ok(kernel::gather(vitals, config.limits.connections)),
            container: Ok(judged_container::Facts {
                engine: engine.map(str::to_owned),
                interfaces: own,
                announced: !announced.is_empty(),
                shared_stun: vitals.and_then(|vitals| vitals.shared_stun),
            }),
            proxy: untrusted
                .map(|untrusted| proxy::Facts { untrusted, trusted: config.trusted_proxies.len() })
                .ok_or_else(|| no_server(server)),
            data: data::gather(
                config.data.path(),
                store.join().unwrap_or_default(),
                vitals,
                engine.is_some(),
            ),
            load: load.join().unwrap_or(Err(Skip::Unavailable)),
            relay: because(relay.join().unwrap_or(Err(Skip::Unavailable)), server),
            port: port.join().map_err(|_| Skip::Unavailable),
            router: router.join().unwrap_or(Err(Skip::Unavailable)),
            place,
        }
    })
}

/// The address of the page from outside, as far as it is known without looking anything up.
pub(super) fn origin(config: &Config, vitals: &Vitals) -> String {
    let own = listened(&vitals.addresses, &addresses::of_interfaces());
    let place = place(config, Some(vitals), &vitals.addresses, &own, &[]);
    let name = named(config).into_iter().find(|name| names::is_public_name(name));
    // A proxy that clients reach by a name has the port of HTTPS.
    let is_proxied = name.is_some() && !config.trusted_proxies.is_empty();
    let port = if is_proxied { 443 } else { place.port };
    let host = name.unwrap_or(place.address);
    let host = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host };
    if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") }
}

/// The facts that need no valid configuration.
pub(super) fn of_invalid(problems: &Problems, server: &Server) -> Facts {
    let vitals = server.vitals();
    Facts {
        place: PublicAddress { address: "?".to_owned(), port: 0 },
        config: Ok(config::Facts {
            own_version: env!("CARGO_PKG_VERSION").to_owned(),
            running_version: vitals.map(|vitals| vitals.version.clone()),
            folder: server.folder().map(|path| path.display().to_string()).unwrap_or_default(),
            running: server.folder().is_some(),
            problems: problems.iter().map(str::to_owned).collect(),
            warnings: Vec::new(),
            file: None,
        }),
        port: Err(Skip::ConfigInvalid),
        outside: Err(Skip::ConfigInvalid),
        firewall: Err(Skip::ConfigInvalid),
        address: Err(Skip::ConfigInvalid),
        dns: Err(Skip::ConfigInvalid),
        certificate: Err(Skip::ConfigInvalid),
        clock: clock::gather(),
        kernel: Err(Skip::ConfigInvalid),
        container: Err(Skip::ConfigInvalid),
        proxy: Err(Skip::ConfigInvalid),
        data: Err(Skip::ConfigInvalid),
        load: Err(Skip::ConfigInvalid),
        relay: Err(Skip::ConfigInvalid),
        router: Err(Skip::ConfigInvalid),
    }
}

/// The reason for not asking the server.
fn no_server(server: &Server) -> Skip {
    match server {
        Server::Forbidden { .. } => Skip::NeedsRoot,
        Server::Running { .. } | Server::Absent => Skip::NotRunning,
    }
}

/// The same with the reason for which the server was not asked.
fn because<T>(facts: Looked<T>, server: &Server) -> Looked<T> {
    facts.map_err(|skip| if skip == Skip::NotRunning { no_server(server) } else { skip })
}

fn config_facts(checked: &CheckedConfig, server: &Server) -> config::Facts {
    config::Facts {
        own_version: env!("CARGO_PKG_VERSION").to_owned(),
        running_version: server.vitals().map(|vitals| vitals.version.clone()),
        folder: checked.config().data.path().display().to_string(),
        running: server.folder().is_some(),
        problems: Vec::new(),
        warnings: checked.warnings().to_vec(),
        file: checked.file().map(|file| file.display().to_string()),
    }
}

fn outside(server: &Server) -> Looked<outside::Facts> {
    let vitals = server.vitals().ok_or_else(|| no_server(server))?;
    let facts = outside::Facts { visitors: vitals.visitors, witnesses: Vec::new() };
    if facts.has_evidence() { Ok(facts) } else { Err(Skip::NoVisitors) }
}

/// Names of the server: those of `--domain`, then those of `--host`.
fn named(config: &Config) -> Vec<String> {
    let domains = config.acme.iter().flat_map(|acme| &acme.domains);
    let domains = domains.map(|domain| domain.as_str().to_owned());
    let mut names: Vec<_> = domains.collect();
    for host in &config.hosts {
        if !names.iter().any(|name| name == host.as_str()) {
            names.push(host.as_str().to_owned());
        }
    }
    names
}

fn configured(config: &Config) -> Vec<SocketAddr> {
    config.listen.required.iter().chain(&config.listen.where_possible).copied().collect()
}

/// Addresses listened on, among those of the interfaces for a wildcard.
fn listened(listen: &[SocketAddr], interfaces: &[IpAddr]) -> Vec<IpAddr> {
    let mut own = Vec::new();
    for address in listen {
        if address.ip().is_unspecified() {
            let same = interfaces.iter().filter(|ip| ip.is_ipv4() == address.is_ipv4());
            own.extend(same.copied());
        } else {
            own.push(address.ip());
        }
    }
    let mut seen = std::collections::HashSet::new();
    own.retain(|ip| seen.insert(*ip));
    own
}

fn global(answer: &names::Answer) -> Vec<IpAddr> {
    match answer {
        names::Answer::Addresses(all) => all.iter().copied().filter(|ip| is_global(*ip)).collect(),
        names::Answer::None | names::Answer::Unknown => Vec::new(),
    }
}

/// The address and port by which visitors reach the server, as far as known.
fn place(
    config: &Config,
    vitals: Option<&Vitals>,
    listen: &[SocketAddr],
    own: &[IpAddr],
    names: &[IpAddr],
) -> PublicAddress {
    let local = listen.first().map_or(0, SocketAddr::port);
    let given = config.announce.first().map(|announce| announce.at(local));
    let announced = given.or(vitals.and_then(|vitals| vitals.announced.first().copied()));
    let public = own.iter().find(|ip| is_global(**ip)).or(names.first());
    let ip = announced.map(|at| at.ip()).or(public.copied()).or(own.first().copied());
    PublicAddress {
        address: ip.map_or_else(|| "localhost".to_owned(), |ip| ip.to_string()),
        port: announced.map_or(local, |at| at.port()),
    }
}
