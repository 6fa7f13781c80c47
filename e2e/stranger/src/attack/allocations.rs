//! As many TURN allocations as one address can have (security T02).

use tokio::task::JoinSet;

use super::Counts;
use crate::{relay::RelayClient, target::Target};

/// User names are free: each participant gets one.
const USERS: usize = 130;
/// Tried with each.
const EACH: usize = 100;

pub(super) async fn run(target: Target, counts: Counts) {
    let mut users = JoinSet::new();
    for user in 0..USERS {
        let (target, counts) = (target.clone(), counts.clone());
        users.spawn(async move { allocate(&target, &counts, user).await });
    }
    // What was had is held until the end.
    let _held = users.join_all().await;
    std::future::pending::<()>().await;
}

async fn allocate(target: &Target, counts: &Counts, user: usize) -> Vec<RelayClient> {
    let room = format!("allocations-{}", user % 20);
    let mut held = Vec::new();
    let Ok(mut joined) = target.join(&room, "Relayed").await else {
        counts.add("not joined", 1);
        return held;
    };
    let credential = joined.credential.clone();
    tokio::spawn(async move { while joined.socket.hear().await.is_ok() {} });
    for _ in 0..EACH {
        counts.add("tried", 1);
        let client = RelayClient::allocate(target.address(), credential.clone()).await;
        counts.outcome(&client);
        held.extend(client);
    }
    held
}
