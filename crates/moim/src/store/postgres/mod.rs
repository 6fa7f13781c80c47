//! A PostgreSQL database as the place of the store: its server, its schema, and the thread that
//! reads.

mod lock;
mod reader;
mod schema;
mod server;
mod tls;

pub(super) use self::{lock::DatabaseLock, reader::Reader, schema::migrate};
pub(crate) use self::{schema::connect_to_read, server::PostgresServer};
