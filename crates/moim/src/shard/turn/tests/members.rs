//! Participants of rooms, from when they are let in to when they leave.

use turn::rest;

use super::*;
use crate::shard::turn::{RelayAccess, RoomCredentials, keep_up};

const MINUTES: Duration = Duration::from_secs(600);

async fn world_with_rooms() -> (World, RoomCredentials) {
    let rooms = RoomCredentials::random().unwrap();
    let world = world_with(Ipv4Addr::LOCALHOST.into(), 2, &[], Some(&rooms)).await;
    tokio::spawn(keep_up(world.shards.clone(), Some(rooms.clone())));
    (world, rooms)
}

fn with(access: &RelayAccess, mut client: Client) -> Client {
    client.credential = access.mint(MINUTES);
    client
}

/// Returns once so many allocations are left.
async fn allocations(world: &World, left: usize) {
    let settled = async {
        while world.shards.report().await.relay.allocations != left {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, settled).await.unwrap();
}

#[tokio::test]
async fn leaving_ends_what_a_participant_has_on_every_shard_and_nothing_else() {
    let (world, rooms) = world_with_rooms().await;
    let (ann, ben) = (rooms.admit("ann").unwrap(), rooms.admit("ben").unwrap());
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
    // Ben is still there, and reached.
    let mut cem = Client::udp(world.address).await;
    let of_cem = cem.allocated().await;
    assert_eq!(of_ben.bind(0x4000, of_cem).await, None);
    assert_eq!(cem.bind(0x4000, relayed).await, None);
    cem.channel(0x4000, b"hello").await;
    assert_eq!(of_ben.channel_data().await, (0x4000, b"hello".to_vec()));
}

#[tokio::test]
async fn a_room_credential_is_made_with_no_secret_of_an_operator() {
    let (world, rooms) = world_with_rooms().await;
    let access = rooms.admit("ann").unwrap();
    let mut forged = Client::udp(world.address).await;
    forged.credential = access.mint(MINUTES);
    forged.credential.password = rest::password(SECRET, &forged.credential.username);
    forged.allocated().await;
    drop(access);
    // It is the operator's own user of that name, whom leaving a room does not concern.
    assert_eq!(forged.bind(0x4000, forged.local()).await, Some(403));
    allocations(&world, 1).await;
}

#[tokio::test]
async fn a_participant_has_no_tcp_allocation_and_an_operators_user_has() {
    let (world, rooms) = world_with_rooms().await;
    let access = rooms.admit("ann").unwrap();
    let mut ann = with(&access, Client::tcp(world.address).await);
    let mut user = Client::tcp(world.address).await;
    for (client, expected) in [(&mut ann, Some(442)), (&mut user, None)] {
        let asked = client.request(Method::ALLOCATE, |request| {
            request.attribute(REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
        });
        assert_eq!(asked.await.error(), expected);
    }
}

#[test]
fn links_of_this_machine_are_read_with_their_prefixes() {
    let interfaces = crate::shard::turn::Interfaces::read();
    let loopback = Ipv4Addr::LOCALHOST.into();
    assert!(interfaces.addresses.contains(&loopback));
    assert!(interfaces.links.iter().any(|link| link.bits() == 8 && link.contains(loopback)));
}
