//! S13: a loop through the relay over each transport, with real credentials: two allocations send
//! data to each other.

use std::{net::SocketAddr, thread, time::Instant};

use doctor::server::{
    Looked, Skip,
    relay::{Attempt, Facts},
};

use super::{
    port::local,
    turn_client::{Client, Credential, StepError},
    wire::Transport,
};
use crate::admin::Vitals;

pub(super) fn gather(vitals: Option<&Vitals>) -> Looked<Facts> {
    let vitals = vitals.ok_or(Skip::NotRunning)?;
    let server = local(*vitals.addresses.first().ok_or(Skip::Unavailable)?);
    let credential = Credential { username: &vitals.turn_user, password: &vitals.turn_password };
    let mut transports = vec![Transport::Udp, Transport::Tcp, Transport::Tls];
    // With an RSA key there is no DTLS, which the log says at the start.
    transports.extend(Some(Transport::Dtls).filter(|_| vitals.dtls));
    let attempts = thread::scope(|scope| {
        let running: Vec<_> = transports
            .iter()
            .map(|transport| {
                (transport, scope.spawn(|| attempt_twice(*transport, server, credential)))
            })
            .collect();
        running
            .into_iter()
            .filter_map(|(transport, attempt)| {
                let result = attempt.join().ok()?.map_err(|StepError(reason)| reason);
                Some(Attempt { transport: transport.name(), result })
            })
            .collect()
    });
    Ok(Facts { attempts })
}

/// A loop, again if it fails: a busy machine is no fault of the relay.
fn attempt_twice(
    transport: Transport,
    server: SocketAddr,
    credential: Credential<'_>,
) -> Result<u64, StepError> {
    attempt(transport, server, credential).or_else(|_| attempt(transport, server, credential))
}

/// The round trip of a loop in microseconds.
fn attempt(
    transport: Transport,
    server: SocketAddr,
    credential: Credential<'_>,
) -> Result<u64, StepError> {
    let started = Instant::now();
    let mut near = Client::connect(transport, server, credential)?;
    let mut far = Client::connect(transport, server, credential)?;
    let relays = near.allocate()?.zip(far.allocate()?);
    let mut elapsed = started.elapsed();
    // The operator may deny peers on this network, or a second allocation; then an answer must do.
    if let Some((near_relay, far_relay)) = relays
        && near.permit(far_relay)?
        && far.permit(near_relay)?
    {
        exchange(&mut near, &mut far, near_relay, far_relay)?;
        elapsed = started.elapsed();
    }
    near.close();
    far.close();
    Ok(u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX))
}

fn exchange(
    near: &mut Client<'_>,
    far: &mut Client<'_>,
    near_relay: SocketAddr,
    far_relay: SocketAddr,
) -> Result<(), StepError> {
    const MESSAGE: &[u8] = b"moim doctor";
    // Datagrams may be lost.
    for _ in 0..3 {
        near.send(far_relay, MESSAGE)?;
        if !far.receive_data(MESSAGE)? {
            continue;
        }
        far.send(near_relay, MESSAGE)?;
        if near.receive_data(MESSAGE)? {
            return Ok(());
        }
    }
    Err(StepError("relayed data does not arrive".to_owned()))
}
