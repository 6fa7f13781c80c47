//! As many TURN allocations as one address can get.

use tokio::task::JoinSet;

use super::Counts;
use crate::{target::Target, turn_client::TurnClient};

/// Number of TURN users: every participant gets its own credential.
const USERS: usize = 130;
const ALLOCATIONS_PER_USER: usize = 100;

pub(super) async fn run(target: Target, counts: Counts) {
    let mut users = JoinSet::new();
    for user in 0..USERS {
        let (target, counts) = (target.clone(), counts.clone());
        users.spawn(async move { allocate(&target, &counts, user).await });
    }
    // Keeps the allocations until the end.
    let _clients = users.join_all().await;
    std::future::pending::<()>().await;
}

async fn allocate(target: &Target, counts: &Counts, user: usize) -> Vec<TurnClient> {
    let room = format!("allocations-{}", user % 20);
    let mut clients = Vec::new();
    let Ok(mut participant) = target.join(&room, "Relayed").await else {
        counts.add("not joined", 1);
        return clients;
    };
    let credential = participant.credential.clone();
    tokio::spawn(async move { while participant.socket.receive().await.is_ok() {} });
    for _ in 0..ALLOCATIONS_PER_USER {
        counts.add("tried", 1);
        let client = TurnClient::allocate(target.address(), credential.clone()).await;
        counts.outcome(&client);
        clients.extend(client);
    }
    clients
}
