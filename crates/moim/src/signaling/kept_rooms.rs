//! Settings of rooms that outlive the process: after a crash a locked room is locked, and a large
//! one is large. One file in the data folder, until there is a store.

use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA512};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::{Mutex, MutexGuard};
use room::{
    Settings,
    name::RoomName,
    password::Password,
    protocol::{ErrorBody, ErrorCode, TopologyChoice},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Notify, Semaphore},
    time::Instant,
};

use super::{guesses::Guesses, hub::Hub};
use crate::data::DataFolder;

const FILE: &str = "rooms.json";
const VERSION: u32 = 1;
/// Rooms whose settings are kept; the settings of more are lost with the process.
const MAX_ROOMS: usize = 4096;
/// The largest file that is read: more than so many rooms take.
const MAX_BYTES: usize = 4 << 20;
/// Changes of this time are written together.
const PACE: Duration = Duration::from_millis(200);
/// As OWASP advises for PBKDF2 with SHA-512 (2023).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(210_000).expect("not zero");
/// Passwords compared at once, each of which takes a core for a tenth of a second.
const COMPARED_AT_ONCE: usize = 1;

/// The rooms whose settings are kept.
#[derive(Debug)]
pub(super) struct KeptRooms {
    folder: Option<DataFolder>,
    rooms: Mutex<BTreeMap<RoomName, Kept>>,
    changed: Notify,
    comparing: Semaphore,
}

#[derive(Debug, Clone)]
struct Kept {
    capacity: u32,
    topology: TopologyChoice,
    password: Option<Secret>,
    stays_empty: Duration,
    /// It was open before a restart, and is not open yet; forgotten at this time.
    until: Option<Instant>,
    /// Made with the first password that is given for it while it is not open.
    guesses: Option<Arc<Guesses>>,
}

/// A room's password, or what is left of it after a restart.
#[derive(Debug, Clone)]
enum Secret {
    Plain(Password),
    Hashed(PasswordHash),
}

/// PBKDF2 (RFC 8018) of a password; `iterations` as it was made.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct PasswordHash {
    salt: String,
    hash: String,
    iterations: NonZeroU32,
}

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    rooms: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: RoomName,
    capacity: u32,
    topology: TopologyChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<PasswordHash>,
    stays_empty_seconds: u64,
}

impl KeptRooms {
    /// Those of the folder's file, if there is a folder; each `stays` so long for somebody to
    /// enter.
    pub(super) fn open(folder: Option<DataFolder>, stays: Duration) -> Self {
        let rooms = folder.as_ref().map(|folder| load(folder, stays)).unwrap_or_default();
        Self {
            folder,
            rooms: Mutex::new(rooms),
            changed: Notify::new(),
            comparing: Semaphore::new(COMPARED_AT_ONCE),
        }
    }

    /// A room of the native protocol has opened. One that any join would make so needs no keeping.
    pub(super) fn keep(&self, name: &RoomName, settings: &Settings) {
        if settings.password.is_none() && settings.stays_empty.is_zero() {
            return;
        }
        let mut rooms = self.rooms();
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(name) {
            tracing::warn!(most = MAX_ROOMS, "a room's settings would not outlive a restart");
            return;
        }
        let kept = Kept {
            capacity: settings.capacity,
            topology: settings.topology,
            password: settings.password.clone().map(Secret::Plain),
            stays_empty: settings.stays_empty,
            until: None,
            guesses: None,
        };
        rooms.insert(name.clone(), kept);
        drop(rooms);
        self.changed.notify_one();
    }

    /// A room has closed.
    pub(super) fn forget(&self, name: &RoomName) {
        if self.rooms().remove(name).is_some() {
            self.changed.notify_one();
        }
    }

    /// Whether a room of that name is to open as it was before a restart.
    pub(super) fn holds(&self, name: &RoomName) -> bool {
        self.found(name).is_some()
    }

    /// The settings by which a room opens again for whoever gives its password; none where nothing
    /// is kept of it.
    ///
    /// # Errors
    /// What a room that is open would answer.
    pub(super) async fn reopen(
        &self,
        name: &RoomName,
        given: Option<&Password>,
    ) -> Result<Option<Settings>, ErrorBody> {
        let Some(kept) = self.found(name) else { return Ok(None) };
        let password = match (&kept.password, given) {
            (None, _) => None,
            (Some(_), None) => return Err(room::Refusal::PasswordRequired.into()),
            (Some(secret), Some(given)) if self.matches(secret.clone(), given.clone()).await? => {
                Some(given.clone())
            }
            (Some(_), Some(_)) => return Err(room::Refusal::WrongPassword.into()),
        };
        let Kept { capacity, topology, stays_empty, .. } = kept;
        Ok(Some(Settings { capacity, password, topology, stays_empty, dialect: None }))
    }

    /// The wrong passwords at a room that is not open again yet.
    pub(super) fn guesses(&self, name: &RoomName) -> Option<Arc<Guesses>> {
        let mut rooms = self.rooms();
        let kept = rooms.get_mut(name)?;
        let new = || Guesses::new(Instant::now());
        Some(Arc::clone(kept.guesses.get_or_insert_with(new)))
    }

    fn found(&self, name: &RoomName) -> Option<Kept> {
        let now = Instant::now();
        let mut rooms = self.rooms();
        let kept = rooms.get(name).cloned()?;
        if kept.until.is_some_and(|until| until <= now) {
            rooms.remove(name);
            return None;
        }
        Some(kept)
    }

    async fn matches(&self, secret: Secret, given: Password) -> Result<bool, ErrorBody> {
        match secret {
            Secret::Plain(password) => Ok(password.matches(&given)),
            Secret::Hashed(hash) => {
                let failed =
                    || ErrorBody::new(ErrorCode::Internal, "the password can't be checked");
                let _turn = self.comparing.acquire().await.map_err(|_| failed())?;
                let compared = tokio::task::spawn_blocking(move || hash.is_of(&given));
                compared.await.map_err(|_| failed())
            }
        }
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomName, Kept>> {
        self.rooms.lock()
    }

    /// Writes what there is now. Takes as long as its new passwords take to hash.
    fn write(&self) -> anyhow::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let now = Instant::now();
        let rooms = {
            let mut rooms = self.rooms();
            rooms.retain(|_, kept| kept.until.is_none_or(|until| until > now));
            rooms.clone()
        };
        let rows = rooms.into_iter().map(|(name, kept)| {
            let password = match kept.password {
                None => None,
                Some(Secret::Hashed(hash)) => Some(hash),
                Some(Secret::Plain(password)) => Some(self.hashed(&name, &password)?),
            };
            Ok(Row {
                name,
                capacity: kept.capacity,
                topology: kept.topology,
                password,
                stays_empty_seconds: kept.stays_empty.as_secs(),
            })
        });
        let file = File { version: VERSION, rooms: rows.collect::<anyhow::Result<_>>()? };
        folder.write(FILE, &serde_json::to_string(&file)?)
    }

    /// The hash of a room's password, made once: what is kept of the room is the hash from then on.
    fn hashed(&self, name: &RoomName, password: &Password) -> anyhow::Result<PasswordHash> {
        let hash = PasswordHash::of(password)?;
        if let Some(kept) = self.rooms().get_mut(name)
            && let Some(Secret::Plain(now)) = &kept.password
            && now.matches(password)
        {
            kept.password = Some(Secret::Hashed(hash.clone()));
        }
        Ok(hash)
    }
}

impl PasswordHash {
    fn of(password: &Password) -> anyhow::Result<Self> {
        let (mut salt, mut hash) = ([0; 16], [0; 32]);
        getrandom::fill(&mut salt)?;
        let secret = String::from(password.clone());
        pbkdf2::derive(PBKDF2_HMAC_SHA512, ITERATIONS, &salt, secret.as_bytes(), &mut hash);
        let (salt, hash) = (STANDARD.encode(salt), STANDARD.encode(hash));
        Ok(Self { salt, hash, iterations: ITERATIONS })
    }

    /// Compares in constant time. A hash that was written by hand matches nothing.
    fn is_of(&self, given: &Password) -> bool {
        let (Ok(salt), Ok(hash)) = (STANDARD.decode(&self.salt), STANDARD.decode(&self.hash))
        else {
            return false;
        };
        let secret = String::from(given.clone());
        let iterations = self.iterations.min(ITERATIONS);
        !hash.is_empty()
            && pbkdf2::verify(PBKDF2_HMAC_SHA512, iterations, &salt, secret.as_bytes(), &hash)
                .is_ok()
    }
}

/// Reads the file; one that can't be understood is set aside, and the server starts without it.
fn load(folder: &DataFolder, stays: Duration) -> BTreeMap<RoomName, Kept> {
    match parse(folder) {
        Ok(rows) => {
            let until = Some(Instant::now() + stays);
            let kept = |row: Row| {
                let Row { name, capacity, topology, password, stays_empty_seconds } = row;
                let password = password.map(Secret::Hashed);
                let stays_empty = Duration::from_secs(stays_empty_seconds).min(stays);
                let guesses = None;
                (name, Kept { capacity, topology, password, stays_empty, until, guesses })
            };
            rows.into_iter().take(MAX_ROOMS).map(kept).collect()
        }
        Err(error) => {
            let (path, aside) = (folder.path().join(FILE), folder.path().join("rooms.json.bad"));
            let moved = std::fs::rename(&path, &aside);
            tracing::warn!(
                path = %path.display(), aside = %aside.display(), moved = moved.is_ok(),
                "the rooms of before are lost: {error:#}"
            );
            BTreeMap::new()
        }
    }
}

fn parse(folder: &DataFolder) -> anyhow::Result<Vec<Row>> {
    let path = folder.path().join(FILE);
    if std::fs::metadata(&path).is_ok_and(|about| about.len() > MAX_BYTES as u64) {
        anyhow::bail!("it has more than {MAX_BYTES} bytes");
    }
    let Some(text) = folder.read(FILE)? else { return Ok(Vec::new()) };
    let file: File = serde_json::from_str(&text)?;
    anyhow::ensure!(file.version == VERSION, "it is of version {}", file.version);
    Ok(file.rooms)
}

/// Writes changes as they come, off the runtime.
pub(super) async fn write(hub: Arc<Hub>) {
    loop {
        hub.kept.changed.notified().await;
        tokio::time::sleep(PACE).await;
        let writer = Arc::clone(&hub);
        let written = tokio::task::spawn_blocking(move || writer.kept.write()).await;
        if let Ok(Err(error)) = written {
            tracing::warn!("rooms would not outlive a restart: {error:#}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(capacity: u32, password: Option<&str>) -> Settings {
        Settings {
            capacity,
            password: password.map(|password| Password::new(password).unwrap()),
            topology: TopologyChoice::Auto,
            stays_empty: Duration::from_secs(600),
            dialect: None,
        }
    }

    fn name(name: &str) -> RoomName {
        RoomName::new(name).unwrap()
    }

    const STAYS: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn a_locked_room_is_locked_after_a_restart_and_its_password_is_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let rooms = KeptRooms::open(Some(data.clone()), STAYS);
        rooms.keep(&name("tea"), &settings(13, Some("sesame")));
        rooms.keep(&name("closed"), &settings(5, None));
        rooms.forget(&name("closed"));
        rooms.write().unwrap();
        let text = data.read(FILE).unwrap().unwrap();
        assert!(text.contains("tea") && !text.contains("sesame") && !text.contains("closed"));

        let again = KeptRooms::open(Some(data), STAYS);
        assert!(again.holds(&name("tea")) && !again.holds(&name("closed")));
        let tea = name("tea");
        let code = |refused: Result<_, ErrorBody>| refused.map(|_| ()).unwrap_err().code;
        let (wrong, right) = (Password::new("x").unwrap(), Password::new("sesame").unwrap());
        assert_eq!(code(again.reopen(&tea, None).await), ErrorCode::PasswordRequired);
        assert_eq!(code(again.reopen(&tea, Some(&wrong)).await), ErrorCode::WrongPassword);
        let opened = again.reopen(&tea, Some(&right)).await.unwrap().unwrap();
        assert_eq!(opened.capacity, 13);
        assert!(opened.password.unwrap().matches(&right));
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_that_nobody_enters_after_a_restart_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let rooms = KeptRooms::open(Some(data.clone()), STAYS);
        rooms.keep(&name("tea"), &settings(13, None));
        rooms.write().unwrap();
        let again = KeptRooms::open(Some(data), STAYS);
        tokio::time::advance(STAYS).await;
        assert!(!again.holds(&name("tea")));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_understood_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let large = " ".repeat(MAX_BYTES + 1);
        for bad in ["{", "[]", r#"{"version":99,"rooms":[]}"#, &*large] {
            data.write(FILE, bad).unwrap();
            assert!(KeptRooms::open(Some(data.clone()), STAYS).rooms().is_empty());
            assert_eq!(std::fs::read_to_string(folder.path().join("rooms.json.bad")).unwrap(), bad);
            assert_eq!(data.read(FILE).unwrap(), None);
        }
    }

    #[tokio::test]
    async fn rooms_beyond_the_most_are_not_kept() {
        let rooms = KeptRooms::open(None, STAYS);
        for number in 0..=MAX_ROOMS {
            rooms.keep(&name(&number.to_string()), &settings(2, None));
        }
        assert_eq!(rooms.rooms().len(), MAX_ROOMS);
        assert!(!rooms.holds(&name(&MAX_ROOMS.to_string())));
    }
}
