//! `moim doctor --by`: another moim dials this server back.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, bail, ensure};
use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use doctor::server::{PublicAddress, outside::Witness};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::server::Server;
use crate::{
    admin::{Arrived, TestProofs, client},
    http::{Dialled, Question},
    net::http_client::{Bounds, HttpClient},
};

/// Time for the own server to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bounds of the other one's answer: it makes three attempts.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(15), bytes: 4096 };

/// Letters of the other one's refusal that are printed.
const MAX_TOLD: usize = 200;

/// Has the server at `url` test this one.
///
/// # Errors
/// A sentence for the operator: the test can't be made.
pub(super) fn ask(url: &Uri, server: &Server, place: &PublicAddress) -> anyhow::Result<Witness> {
    let Server::Running { folder, .. } = server else {
        bail!(
            "No server runs that this user may ask, so there is nothing to dial: start it, or use sudo"
        );
    };
    let folders = [folder.clone()];
    let request = |path: &str, body: &Value| {
        let response = client::request(&folders, "POST", path, body, PATIENCE)?;
        ensure!(response.is_success(), "{}", response.problems().join("; "));
        Ok(response.body)
    };
    let proofs: TestProofs = serde_json::from_value(request("/tested/begin", &Value::Null)?)?;
    let name = url.host().context("The URL of --by names no host")?.to_owned();
    let question = Question {
        port: place.port,
        address: None,
        nonce: proofs.nonce,
        answer: proofs.answer,
        transaction: proofs.transaction,
    };
    let dialled = Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(dial(url, &question))
        .with_context(|| format!("{name} can't test this server"))?;
    let arrived: Arrived =
        serde_json::from_value(request("/tested/end", &json!(question.transaction))?)?;
    // Another address than clients are told says nothing of that one.
    if let Ok(told) = place.address.parse::<IpAddr>()
        && told.is_ipv4() == dialled.address.is_ipv4()
    {
        ensure!(
            told == dialled.address,
            "{name} sees this computer at {}, but clients are told {told}: say --announce {0} if \
             that is the server's address",
            dialled.address
        );
    }
    Ok(Witness { name, udp: arrived.arrived, tcp: Some(dialled.tcp) })
}

/// Text of another server without control characters, cut to [`MAX_TOLD`].
fn printable(text: &str) -> String {
    text.trim().chars().filter(|letter| !letter.is_control()).take(MAX_TOLD).collect()
}

async fn dial(url: &Uri, question: &Question) -> anyhow::Result<Dialled> {
    let base = url.to_string();
    let request = Request::post(format!("{}/api/doctor/dial-back", base.trim_end_matches('/')))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "moim")
        .body(Bytes::from(serde_json::to_vec(question)?))?;
    let response = HttpClient::default().send(request, BOUNDS).await?;
    match response.status() {
        StatusCode::OK => Ok(serde_json::from_slice(response.body())?),
        StatusCode::NOT_FOUND => bail!("its operator does not allow that with --probe-others"),
        status => {
            bail!("{status}: {}", printable(&String::from_utf8_lossy(response.body())))
        }
    }
}
