//! Dialling back, for `moim doctor --by` of another server's operator.
//!
//! Only the source address of the request is dialled, so nobody can have another machine's ports
//! tried, and few packets go there. The outcome says whether that server answered, proven by what
//! it alone can answer: an open port of another program counts as closed.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use ::doctor::server::address::is_global;
use axum::{
    Extension,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    dial::{self, Question},
    reply::{is_of_type, json},
    service::Doctor,
};
use crate::net::tcp::Connection;

/// Dials the client back at the port in the body.
pub(super) async fn dial_back(
    State(doctor): State<Arc<Doctor>>,
    Extension(connection): Extension<Connection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(recent) = &doctor.dial_back else {
        return (StatusCode::NOT_FOUND, "this server dials nobody back\n").into_response();
    };
    if !is_of_type(&headers, "application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let question: Question = match serde_json::from_slice(&body) {
        Ok(question) => question,
        Err(error) => {
            return (StatusCode::BAD_REQUEST, format!("question: {error}\n")).into_response();
        }
    };
    let client = connection.peer.ip().to_canonical();
    if let Err(reason) = judge(client, question.address) {
        return (StatusCode::FORBIDDEN, format!("{reason}\n")).into_response();
    }
    if !recent.take(client.into(), Instant::now()) {
        let text = "one test a minute for an address, and few for all\n";
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], text)
            .into_response();
    }
    json(&dial::dial(SocketAddr::new(client, question.port), &question).await)
}

/// Returns whether a client may be dialled, and why not.
fn judge(client: IpAddr, asked: Option<IpAddr>) -> Result<(), &'static str> {
    if asked.is_some_and(|asked| asked.to_canonical() != client) {
        return Err("only the address that asks is dialled back");
    }
    // A proxy that is not trusted, or this machine itself.
    if !is_global(client) {
        return Err("only public addresses are dialled back");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn d11_foreign_and_inner_addresses_are_refused() {
        let client = ip("93.184.216.34");
        assert_eq!(judge(client, None), Ok(()));
        assert_eq!(judge(client, Some(ip("::ffff:93.184.216.34"))), Ok(()));
        for foreign in ["93.184.216.35", "127.0.0.1", "2606:2800:220:1::1"] {
            assert!(judge(client, Some(ip(foreign))).is_err(), "{foreign}");
        }
        for inner in ["127.0.0.1", "10.0.0.1", "172.17.0.1", "fe80::1", "::1"] {
            assert!(judge(ip(inner), None).is_err(), "{inner}");
        }
    }
}
