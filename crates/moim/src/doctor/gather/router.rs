//! The router's answer, if the configuration has the server ask it.

use doctor::server::{
    Looked, Skip,
    router::{Facts, Forwarding},
};
use tokio::runtime::Builder;

use crate::net::port_mapping::probe;

pub(super) fn gather(ask_router: bool) -> Looked<Facts> {
    if !ask_router {
        return Err(Skip::NothingConfigured);
    }
    let runtime = Builder::new_current_thread().enable_all().build();
    let answer = runtime.map_err(|_| Skip::Unavailable)?.block_on(probe());
    let answer = answer
        .map(|(address, protocol)| Forwarding { address, protocol: protocol.to_owned() })
        .map_err(|error| format!("{error:#}"));
    Ok(Facts { answer })
}
