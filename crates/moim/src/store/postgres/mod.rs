//! A PostgreSQL database as the place of the store: its server, its schema, and the thread that
//! reads.

mod reader;
mod schema;
mod server;
mod tls;

pub(crate) use self::server::PostgresServer;
pub(super) use self::{reader::Reader, schema::migrate};
