//! A connection of PostgreSQL's asynchronous client for a thread that waits, each time within a
//! limit: a server that accepts and then says nothing must not hold the thread.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};
use tokio_postgres::{
    AsyncMessage, Client, Config, Connection, Error, Socket, tls::MakeTlsConnect,
};

use super::error::{SqlError, SqlResult};

/// Passes messages between the client and the server; completes when the connection ends.
type Exchange = Pin<Box<dyn Future<Output = Option<Error>> + Send>>;

/// A connection and the runtime that drives it, only while the thread waits.
pub(super) struct Blocking {
    /// `None` once dropped.
    runtime: Option<Runtime>,
    client: Client,
    /// `None` once the connection has ended.
    exchange: Option<Exchange>,
}

impl Blocking {
    /// Connects, and fails if that takes longer than the limit with TLS and authentication.
    pub(super) fn connect<T>(config: &Config, tls: T, limit: Duration) -> SqlResult<Self>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(SqlError::System)?;
        let connected = runtime.block_on(async { timeout(limit, config.connect(tls)).await });
        match connected {
            Ok(Ok((client, connection))) => {
                let exchange: Exchange = Box::pin(exchange(connection));
                Ok(Self { runtime: Some(runtime), client, exchange: Some(exchange) })
            }
            failed => {
                // Without waiting for the resolver of names.
                runtime.shutdown_background();
                Err(failed.map_or(SqlError::Silent, |failed| failed.err().into()))
            }
        }
    }

    /// Does something with the client, within a limit if there is one. After a failure by the limit
    /// the connection is of no use any more.
    pub(super) fn run<T>(
        &mut self,
        limit: Option<Duration>,
        work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> SqlResult<T> {
        let Some(runtime) = &self.runtime else { return Err(SqlError::Silent) };
        let (client, exchange) = (&self.client, &mut self.exchange);
        let done = async {
            let Some(running) = exchange else { return work(client).await.map_err(SqlError::from) };
            let ended = tokio::select! {
                biased;
                done = work(client) => return done.map_err(SqlError::from),
                ended = running => ended,
            };
            *exchange = None;
            Err(ended.into())
        };
        runtime.block_on(async {
            match limit {
                None => done.await,
                Some(limit) => timeout(limit, done).await.unwrap_or(Err(SqlError::Silent)),
            }
        })
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        // Also within a task, and without waiting for the resolver of names.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn exchange<T>(mut connection: Connection<Socket, T>) -> Option<Error>
where
    T: tokio_postgres::tls::TlsStream + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!(%notice, "the store's database says");
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => return Some(error),
            None => return None,
        }
    }
}

/// The reason for which a connection has ended; without one, the server just closed it.
impl From<Option<Error>> for SqlError {
    fn from(error: Option<Error>) -> Self {
        error.map_or(Self::Closed, Self::from)
    }
}
