//! Redis or Valkey, from 6.2 on, as the engine of a cluster.
//!
//! An [`Engine`] carries out the [requests](cluster::Request) of the core, each as one script, which
//! the server runs whole or not at all. It keeps one connection. When it breaks, all requests on
//! their way end [unanswered](RequestError), and a new one is made, to the primary that Sentinel
//! names at that time. What the server stores is sealed, and ends by itself.

mod connect;
mod endpoint;
mod engine;
mod error;
mod reply;
mod scripts;
mod seal;

pub use endpoint::{Endpoint, ParseEndpointError};
pub use engine::{Engine, EngineStatus};
pub use error::{ConnectError, RequestError};
