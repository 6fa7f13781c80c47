//! Public keys of tokens, fetched from their URL or file.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use access::{JwksCache, KeySet, UnixTime};
use anyhow::{Context, ensure};
use axum::http::{Request, header};
use bytes::Bytes;
use parking_lot::Mutex;

use super::clock::now;
use crate::{
    config::JwksSource,
    net::http_client::{Bounds, HttpClient},
};

/// Time for a fetch: a socket that joins waits for it, and clients give up after 10 s.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 256 * 1024 };

/// Public keys. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct PublishedKeys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// The flag that names their place.
    flag: &'static str,
    client: HttpClient,
    state: Mutex<State>,
    /// Held during a fetch: whoever needs keys meanwhile waits for the same.
    fetching: tokio::sync::Mutex<()>,
    /// Number of finished fetches.
    fetched: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    source: Option<JwksSource>,
    cache: JwksCache,
    /// The cache's keys, shared.
    keys: Option<Arc<KeySet>>,
}

impl PublishedKeys {
    /// None yet, of the place that a flag names.
    pub(crate) fn new(flag: &'static str) -> Self {
        Self(Arc::new(Shared {
            flag,
            client: HttpClient::default(),
            state: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
            fetched: AtomicU64::new(0),
        }))
    }

    /// Replaces the source. The same one is fetched again at the next need; until then its keys
    /// count, and they end at the age at which they would have ended.
    pub(crate) fn set_source(&self, source: Option<JwksSource>) {
        let mut state = self.0.state.lock();
        if state.source == source {
            state.cache.refetch();
        } else {
            *state = State { source, ..State::default() };
        }
    }

    /// The keys as known.
    pub(crate) fn current(&self, now: UnixTime) -> Option<Arc<KeySet>> {
        let state = self.0.state.lock();
        let is_stale = state.cache.has_keys() && state.cache.keys(now).is_none();
        state.keys.clone().filter(|_| !is_stale)
    }

    /// True if there is a source, but no keys.
    pub(super) fn are_missing(&self, now: UnixTime) -> bool {
        self.0.state.lock().source.is_some() && self.current(now).is_none()
    }

    /// Fetches the keys if that is due, or if another key is needed; returns whether they were
    /// fetched, by this call or another one meanwhile.
    pub(crate) async fn refresh(&self, now: UnixTime, is_missed: bool) -> bool {
        if self.0.state.lock().source.is_none() {
            return false;
        }
        let before = self.0.fetched.load(Ordering::Acquire);
        let _fetching = self.0.fetching.lock().await;
        if self.0.fetched.load(Ordering::Acquire) != before {
            return true;
        }
        let source = {
            let mut state = self.0.state.lock();
            let Some(source) = state.source.clone() else { return false };
            if !state.cache.begin_fetch(now, is_missed) {
                return false;
            }
            source
        };
        let result = self.fetch(&source).await;
        self.0.fetched.fetch_add(1, Ordering::AcqRel);
        match result.and_then(|document| self.take(&source, &document)) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("can't fetch the public keys of {}: {error:#}", self.0.flag);
                false
            }
        }
    }

    /// Begins a fetch if one is due. Nobody waits for it.
    pub(crate) fn refresh_in_background(&self, now: UnixTime) {
        if self.0.state.lock().needs_fetch(now) {
            let keys = self.clone();
            tokio::spawn(async move { keys.refresh(now, false).await });
        }
    }

    fn take(&self, source: &JwksSource, document: &[u8]) -> anyhow::Result<()> {
        let mut state = self.0.state.lock();
        // A reload may have replaced the source.
        if state.source.as_ref() == Some(source) {
            state.cache.handle_fetched(now(), document)?;
            state.keys = state.cache.keys(now()).cloned().map(Arc::new);
        }
        Ok(())
    }

    async fn fetch(&self, source: &JwksSource) -> anyhow::Result<Bytes> {
        match source {
            JwksSource::Url(url) => {
                let request = Request::get(url.clone())
                    .header(header::ACCEPT, "application/json")
                    .body(Bytes::new())?;
                let response = self.0.client.send(request, BOUNDS).await?;
                let status = response.status();
                ensure!(status.is_success(), "{url} answered {status}");
                Ok(response.into_body())
            }
            JwksSource::File(path) => {
                let owned = path.clone();
                let read = tokio::task::spawn_blocking(move || std::fs::read(owned)).await?;
                let bytes = read.with_context(|| format!("can't read {}", path.display()))?;
                ensure!(bytes.len() <= BOUNDS.bytes, "{} is too large", path.display());
                Ok(bytes.into())
            }
        }
    }
}

impl State {
    fn needs_fetch(&self, now: UnixTime) -> bool {
        self.source.is_some() && self.cache.is_due(now)
    }
}
