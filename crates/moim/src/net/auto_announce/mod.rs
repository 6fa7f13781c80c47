//! `--announce auto`: finds the public addresses of this server without asking a third party.
//!
//! They are those of its interfaces, else those of its names. A wrong one would send media of calls
//! astray, so a visitor must not be able to name one: see `choose`.

mod choose;
mod visited;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{
    reachability::{AddressChanges, Reachability},
    tls::{Answer, Looker},
};
use crate::config::AutoAnnounce;
use choose::{Choice, NamedAddress, Trust, choose, is_public};
pub(crate) use visited::VisitedNames;

/// Interval at which names are resolved: those of a dial-up line change their addresses.
const INTERVAL: Duration = Duration::from_secs(60);
/// Interval at which visitors' names may cause that, too.
const VISITED_INTERVAL: Duration = Duration::from_secs(10);
/// Time for which an address that answered as this server is believed to be its own.
const PROVEN_TIME: Duration = Duration::from_secs(3600);
/// Time for which any other answer counts.
const OTHER_TIME: Duration = Duration::from_secs(300);
/// The most names; the operator's come first.
const MAX_NAMES: usize = 32;
/// The most addresses of a name.
const MAX_ADDRESSES: usize = 8;

/// The part of the configuration that concerns announced addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnnounceConfig {
    /// Addresses are to be found.
    pub(crate) auto: Option<AutoAnnounce>,
    /// Clients learn no addresses of interfaces.
    pub(crate) announce_only: bool,
    /// Names of this server.
    pub(crate) names: Vec<String>,
}

/// Finds addresses, and announces them.
pub(crate) struct AutoAnnouncer {
    wanted: watch::Receiver<AnnounceConfig>,
    reachability: Reachability,
    addresses: AddressChanges,
    looker: Looker,
    visited: VisitedNames,
    known: BTreeMap<String, Known>,
    told: Option<Choice>,
}

/// What is known of a name.
#[derive(Debug, Clone)]
struct Known {
    trust: Trust,
    answers: BTreeMap<IpAddr, (Instant, Answer)>,
}

/// The server's own part in the choice.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Own {
    listen: Vec<SocketAddr>,
    /// Public addresses of interfaces.
    public: Vec<IpAddr>,
}

impl AutoAnnouncer {
    pub(crate) fn new(
        wanted: watch::Receiver<AnnounceConfig>,
        reachability: Reachability,
        looker: Looker,
        visited: VisitedNames,
    ) -> Self {
        let addresses = reachability.changes();
        let known = BTreeMap::new();
        Self { wanted, reachability, addresses, looker, visited, known, told: None }
    }

    /// Announces what is found while the configuration wants that, for a server that accepts
    /// connections. Never returns.
    pub(crate) async fn run(mut self) {
        let mut visited_after = Instant::now();
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            self.visited.want(wanted.auto.is_some());
            let Some(auto) = wanted.auto else {
                (self.told, self.known) = (None, BTreeMap::new());
                if self.wanted.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            };
            let own = self.own();
            if self.told.is_none() && !own.public.is_empty() {
                // What needs no look does not wait for one.
                self.announce(auto, choose(auto, &own.public, &[]));
            }
            self.look(auto, &own, &wanted.names).await;
            self.announce(auto, choose(auto, &own.public, &self.found()));
            let end = Instant::now() + INTERVAL;
            loop {
                tokio::select! {
                    Ok(()) = self.wanted.changed() => {
                        // Whoever reloads may have changed more than the configuration.
                        self.known.values_mut().for_each(|known| known.answers.clear());
                        break;
                    }
                    Ok(()) = self.addresses.changed() => {
                        if self.own() != own {
                            break;
                        }
                    }
                    () = async {
                        sleep_until(visited_after).await;
                        self.visited.noted().await;
                    } => {
                        visited_after = Instant::now() + VISITED_INTERVAL;
                        break;
                    }
                    () = sleep(end.saturating_duration_since(Instant::now())) => break,
                }
            }
        }
    }

    fn own(&mut self) -> Own {
        let addresses = self.addresses.borrow_and_update();
        let public = addresses.at_interfaces().into_iter().map(|address| address.ip());
        let public: BTreeSet<_> = public.filter(|ip| is_public(*ip)).collect();
        Own { listen: addresses.listen().to_vec(), public: public.into_iter().collect() }
    }

    /// Resolves names, and asks addresses that have no answer yet.
    async fn look(&mut self, auto: AutoAnnounce, own: &Own, names: &[String]) {
        let visited = self.visited.take();
        self.known.retain(|name, known| {
            let is_proven = known.answers.values().any(|(_, answer)| *answer == Answer::Ours);
            names.contains(name) || (known.trust == Trust::Visitor && is_proven)
        });
        let named = names.iter().map(|name| (name.clone(), Trust::Operator));
        let visited = visited.into_iter().map(|name| (name, Trust::Visitor));
        for (name, trust) in named.chain(visited) {
            if self.known.len() < MAX_NAMES || self.known.contains_key(&name) {
                let known = self.known.entry(name);
                let known = known.or_insert_with(|| Known { trust, answers: BTreeMap::new() });
                // A name that visitors used before the operator gave it is the operator's.
                known.trust = known.trust.min(trust);
            }
        }
        let mut looks = JoinSet::new();
        for (name, known) in &self.known {
            let (looker, own) = (self.looker.clone(), own.clone());
            looks.spawn(look_at(looker, auto, own, name.clone(), known.clone()));
        }
        while let Some(Ok((name, known))) = looks.join_next().await {
            self.known.insert(name, known);
        }
    }

    fn found(&self) -> Vec<NamedAddress> {
        let of_name = |(name, known): (&String, &Known)| {
            let (name, trust) = (name.clone(), known.trust);
            let answers = known.answers.clone().into_iter();
            answers.map(move |(ip, (_, answer))| NamedAddress {
                name: name.clone(),
                trust,
                ip,
                answer,
            })
        };
        self.known.iter().flat_map(of_name).collect()
    }

    fn announce(&mut self, auto: AutoAnnounce, choice: Choice) {
        {
            // Held meanwhile: a reload that wants other addresses comes after this.
            let wanted = self.wanted.borrow();
            if wanted.auto != Some(auto) {
                return;
            }
            self.reachability.announce(&choice.announced, wanted.announce_only);
        }
        if self.told.as_ref() == Some(&choice) {
            return;
        }
        for rejected in &choice.rejected {
            tracing::warn!("{rejected}");
        }
        match choice.reasons.as_slice() {
            [] => tracing::warn!(
                "no public address is found to announce: give --domain or --host with a name that \
                 leads here, or --announce IP"
            ),
            reasons => tracing::info!("announced: {}", reasons.join(", ")),
        }
        self.told = Some(choice);
    }
}

/// Resolves a name, and asks its addresses. Those of families that have a public address of an
/// interface are left out. A resolver that finds nothing changes nothing.
async fn look_at(
    looker: Looker,
    auto: AutoAnnounce,
    own: Own,
    name: String,
    mut known: Known,
) -> (String, Known) {
    let port = |ip: IpAddr| {
        let listens = |at: &&SocketAddr| at.is_ipv4() == ip.is_ipv4() && !at.ip().is_loopback();
        own.listen.iter().find(listens).map(SocketAddr::port)
    };
    let is_wanted = |ip: &IpAddr| {
        is_public(*ip)
            && port(*ip).is_some()
            && !own.public.iter().any(|public| public.is_ipv4() == ip.is_ipv4())
    };
    let ips = match name.trim_matches(['[', ']']).parse() {
        Ok(ip) => vec![ip],
        Err(_) => looker.resolve(&name).await.unwrap_or_default(),
    };
    if !ips.is_empty() {
        let ips: Vec<_> = ips.into_iter().filter(is_wanted).take(MAX_ADDRESSES).collect();
        known.answers.retain(|ip, _| ips.contains(ip));
        for ip in ips {
            let is_fresh = known.answers.get(&ip).is_some_and(|(since, answer)| {
                let life = if *answer == Answer::Ours { PROVEN_TIME } else { OTHER_TIME };
                since.elapsed() < life
            });
            if let (Some(port), false) = (port(ip), is_fresh) {
                let asked = looker.ask(&name, auto.with(ip).at(port)).await;
                let answer = asked.unwrap_or(Answer::Silent);
                tracing::debug!(name, %ip, ?answer, "looked for an address to announce");
                known.answers.insert(ip, (Instant::now(), answer));
            }
        }
    }
    known.answers.retain(|ip, _| is_wanted(ip));
    (name, known)
}
