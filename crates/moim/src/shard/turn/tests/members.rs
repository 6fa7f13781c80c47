//! Credentials of participants, until they leave their rooms.

use turn::rest;

use super::*;
use crate::{
    net::reachability::Reachability,
    shard::{keep_informed, turn::RelayAccess},
};

const MINUTES: Duration = Duration::from_secs(600);

async fn world_with_rooms() -> (World, RoomCredentials) {
    let rooms = RoomCredentials::new(b"the secret of the rooms alone");
    let world = world_with(Ipv4Addr::LOCALHOST.into(), 2, &[], Some(&rooms)).await;
    let addresses = Reachability::default().changes();
    tokio::spawn(keep_informed(world.shards.clone(), Some(rooms.clone()), addresses));
    (world, rooms)
}

fn with(access: &RelayAccess, mut client: Client) -> Client {
    client.credential = access.mint(MINUTES);
    client
}

/// Waits until `left` allocations are left.
async fn allocations(world: &World, left: usize) {
    let settled = async {
        while world.shards.report().await.turn.allocations != left {
            tokio::task::yield_now().await;
        }
    };
    timeout(TIMEOUT, settled).await.unwrap();
}

#[tokio::test]
async fn leave_ends_only_the_allocations_of_a_participant_on_every_shard() {
    let (world, rooms) = world_with_rooms().await;
    let ann = rooms.admit("ann").unwrap();
    let ben = rooms.admit("ben").unwrap();
    let mut of_ann = Vec::new();
    for _ in 0..8 {
        of_ann.push(with(&ann, Client::udp(world.address).await));
    }
    of_ann.push(with(&ann, Client::tcp(world.address).await));
    for client in &mut of_ann {
        client.allocated().await;
    }
    let mut of_ben = with(&ben, Client::udp(world.address).await);
    let relayed = of_ben.allocated().await;
    allocations(&world, 10).await;

    let kept = ann.mint(MINUTES);
    drop(ann);
    allocations(&world, 1).await;
    for client in &mut of_ann {
        assert_eq!(client.allocate().await.error(), Some(401));
    }
    let mut again = Client::udp(world.address).await;
    again.credential = kept;
    assert_eq!(again.allocate().await.error(), Some(401));
    // Ben keeps his allocation.
    let mut cem = Client::udp(world.address).await;
    let of_cem = cem.allocated().await;
    assert_eq!(of_ben.bind(0x4000, of_cem).await, None);
    assert_eq!(cem.bind(0x4000, relayed).await, None);
    cem.channel(0x4000, b"hello").await;
    assert_eq!(of_ben.channel_data().await, (0x4000, b"hello".to_vec()));
}

#[tokio::test]
async fn room_credentials_are_not_signed_with_an_operators_secret() {
    let (world, rooms) = world_with_rooms().await;
    let access = rooms.admit("ann").unwrap();
    let mut forged = Client::udp(world.address).await;
    forged.credential = access.mint(MINUTES);
    forged.credential.password = rest::password(SECRET, &forged.credential.username);
    forged.allocated().await;
    drop(access);
    // The operator's user of that name does not depend on rooms.
    assert_eq!(forged.bind(0x4000, forged.local()).await, Some(403));
    allocations(&world, 1).await;
}

#[tokio::test]
async fn participant_gets_no_tcp_allocation_but_an_operators_user_does() {
    let (world, rooms) = world_with_rooms().await;
    let access = rooms.admit("ann").unwrap();
    let mut ann = with(&access, Client::tcp(world.address).await);
    let mut user = Client::tcp(world.address).await;
    for (client, expected) in [(&mut ann, Some(442)), (&mut user, None)] {
        let response = client.request(Method::ALLOCATE, |request| {
            request.attribute(REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
        });
        assert_eq!(response.await.error(), expected);
    }
}
