//! The server's side of the page `/doctor`, which anybody may open: iceServers for the length of a
//! visit, probes of the media server, and the judgement of what the page found.
//!
//! Visits and probes are limited by client address and in total. All requests have a media type for
//! which browsers ask before another site may send them.

mod judge;
mod probe;
mod visit;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use parking_lot::Mutex;
use serde::Serialize;

use crate::{
    net::{client_prefix::ClientPrefix, quota::Quota, reach::ReachLog},
    shard,
    signaling::Signaling,
};
use probe::ProbePort;

/// Limit of a request's body.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// What the routes share.
pub(crate) struct Doctor {
    signaling: Arc<Signaling>,
    probes: ProbePort,
    visits: Places,
    reach: ReachLog,
    /// Addresses that are listened on.
    listen: Vec<SocketAddr>,
}

impl Doctor {
    /// A doctor of the server that listens on `listen`.
    pub(crate) fn new(
        signaling: Arc<Signaling>,
        shards: &shard::Handle,
        reach: ReachLog,
        listen: Vec<SocketAddr>,
    ) -> Self {
        let probes = ProbePort::new(shards.room_commands());
        Self { signaling, probes, visits: Places::default(), reach, listen }
    }
}

/// The routes below `/api/doctor`.
pub(super) fn router(doctor: Doctor) -> Router {
    Router::new()
        .route("/api/doctor/visit", post(visit::begin))
        .route("/api/doctor/probe", post(probe::open))
        .route("/api/doctor/judge", post(judge::judge))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(doctor))
}

/// Places in use at once, of all clients and of one.
#[derive(Clone)]
struct Places(Arc<Mutex<Quota>>);

/// Places of all clients: a probe costs a handshake and 100 packets a second.
const MAX_PLACES: usize = 64;
/// Places of one address: the probes over UDP and TCP of three people behind one NAT.
const MAX_PLACES_PER_ADDRESS: usize = 6;

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Quota::new(MAX_PLACES, MAX_PLACES_PER_ADDRESS))))
    }
}

impl Places {
    /// Takes a place, if there is one.
    fn take(&self, prefix: ClientPrefix) -> Option<Place> {
        self.0.lock().take(prefix).ok()?;
        Some(Place { places: self.clone(), prefix })
    }
}

/// A place, until it is dropped.
struct Place {
    places: Places,
    prefix: ClientPrefix,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.lock().release(self.prefix);
    }
}

/// Returns whether a request has the media type, parameters aside.
fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(media_type))
}

fn json(body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => {
            let headers =
                [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn busy() -> Response {
    let text = "too many tests at once from this address or in all; try again in 15 s\n";
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "15")], text).into_response()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn places_are_six_of_an_address_and_sixty_four_in_all() {
        let places = Places::default();
        let from = |last: u8| ClientPrefix::from(IpAddr::from([192, 0, 2, last]));
        let mut taken: Vec<_> = (0..6).map(|_| places.take(from(1)).unwrap()).collect();
        assert!(places.take(from(1)).is_none());
        taken.pop();
        taken.push(places.take(from(1)).unwrap());
        for last in 2..=64 {
            taken.extend(std::iter::from_fn(|| places.take(from(last))));
        }
        assert_eq!(taken.len(), 64);
        assert!(places.take(from(65)).is_none());
        drop(taken);
        assert_eq!(places.0.lock().held(), 0);
    }

    #[test]
    fn media_type_is_compared_without_parameters() {
        let with = |value: &'static str| {
            let value = header::HeaderValue::from_static(value);
            HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
        };
        assert!(is_of_type(&with("Application/JSON; charset=utf-8"), "application/json"));
        assert!(!is_of_type(&with("text/plain"), "application/json"));
        assert!(!is_of_type(&HeaderMap::new(), "application/json"));
    }
}
