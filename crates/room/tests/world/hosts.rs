//! A room with hosts.

use room::{
    Admission, Connection, DeviceSecret, FileMessage, FileSharing, HostRule, Hosting, Join,
    Rejection, Reply, Request, Settings,
    protocol::{Entry, MediaState, ParticipantId, Policy, SharedFile, TopologyChoice, TrackSource},
    rights::{Role, Sources},
};

use super::{World, candidate, join, settings};

pub(crate) const ROLES: [Role; 4] = [Role::Viewer, Role::Speaker, Role::CoHost, Role::Host];

pub(crate) fn hosted() -> Settings {
    let hosts = Some(HostRule::Next);
    Settings { hosts, max_capacity: 50, topology: TopologyChoice::Sfu, ..settings(8) }
}

pub(crate) fn with_entry(entry: Entry) -> Settings {
    Settings { policy: Policy { entry, ..Policy::default() }, ..hosted() }
}

pub(crate) fn device(n: usize) -> Option<DeviceSecret> {
    Some(DeviceSecret::try_from(format!("device-secret-{n:04}")).unwrap())
}

pub(crate) fn shared_file() -> SharedFile {
    let file = serde_json::json!({ "id": "0123456789abcdef", "name": "a", "size": 1 });
    serde_json::from_value(file).unwrap()
}

pub(crate) fn file_signal(to: ParticipantId) -> FileSharing {
    let message = FileMessage::Signal(candidate("c"));
    FileSharing::Signal { to, file: shared_file().id, attempt: 1, message }
}

pub(crate) fn on() -> MediaState {
    MediaState { mic: true, camera: true, ..MediaState::default() }
}

pub(crate) fn mic() -> Sources {
    [TrackSource::Microphone].into_iter().collect()
}

/// A participant of a world.
pub(crate) struct Person {
    pub(crate) at: Connection,
    pub(crate) admission: Admission,
}

impl Person {
    pub(crate) fn id(&self) -> ParticipantId {
        self.admission.me.id.clone()
    }
}

pub(crate) fn enter(
    world: &mut World,
    name: &str,
    device: Option<DeviceSecret>,
) -> Result<Person, Rejection> {
    let at = world.connect();
    let join = Join { media: on(), sfu: true, device, ..join(name) };
    world.admitted(at, Request::from(join)).map(|admission| Person { at, admission })
}

pub(crate) fn host(world: &mut World, from: &Person, hosting: Hosting) -> Result<Reply, Rejection> {
    world.ask(from.at, Request::Host(hosting))
}

/// A room with a host and one participant of each role.
pub(crate) fn full_house(settings: Settings) -> (World, Vec<Person>) {
    let mut world = World::new(settings);
    let first = enter(&mut world, "Hana", device(0)).unwrap();
    let mut people = Vec::new();
    for (n, role) in ROLES.into_iter().enumerate() {
        let person = enter(&mut world, &format!("{role:?}"), device(n + 1)).unwrap();
        host(&mut world, &first, Hosting::Role(person.id(), role)).unwrap();
        people.push(person);
    }
    people.push(first);
    (world, people)
}

pub(crate) fn role_of(world: &World, id: &ParticipantId) -> Option<Role> {
    world.room.participants().find(|participant| participant.id == *id)?.role
}

/// State that requests may change, for comparison.
pub(crate) fn state(world: &World) -> String {
    let people: Vec<_> = world.room.participants().collect();
    format!("{people:?} {:?}", world.room.summary())
}
