//! Settings of rooms that survive a restart: locked rooms stay locked and large rooms large. Stored
//! in one file in the data folder.

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

use super::guesses::Guesses;
use crate::data::DataFolder;

const FILE: &str = "rooms.json";
const VERSION: u32 = 1;
/// Maximum number of kept rooms; the settings of further rooms do not survive a restart.
const MAX_ROOMS: usize = 4096;
/// Maximum size of the file, more than `MAX_ROOMS` rooms take.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Interval in which changes are coalesced.
const WRITE_DELAY: Duration = Duration::from_millis(200);
/// OWASP's recommendation for PBKDF2 with SHA-512 (2023).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(210_000).expect("not zero");
/// Concurrent password comparisons; each occupies a core for 0.1 s.
const MAX_COMPARISONS: usize = 1;

/// Rooms whose settings are kept.
#[derive(Debug)]
pub(super) struct KeptRooms {
    folder: Option<DataFolder>,
    rooms: Mutex<BTreeMap<RoomName, KeptRoom>>,
    changed: Notify,
    comparing: Semaphore,
}

#[derive(Debug, Clone)]
struct KeptRoom {
    capacity: u32,
    topology: TopologyChoice,
    password: Option<Secret>,
    stays_empty: Duration,
    /// The room was open before a restart and is not open yet; dropped at this time.
    until: Option<Instant>,
    /// Created by the first password attempt while it is not open.
    guesses: Option<Arc<Guesses>>,
}

/// A room's password, or its hash after a restart.
#[derive(Debug, Clone)]
enum Secret {
    Plain(Password),
    Hashed(PasswordHash),
}

/// PBKDF2 hash (RFC 8018) of a password.
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
    /// Loads the kept rooms from the folder, if any. Each is kept for `stays` until a client
    /// enters.
    pub(super) fn open(folder: Option<DataFolder>, stays: Duration) -> Self {
        let rooms = folder.as_ref().map(|folder| load(folder, stays)).unwrap_or_default();
        Self {
            folder,
            rooms: Mutex::new(rooms),
            changed: Notify::new(),
            comparing: Semaphore::new(MAX_COMPARISONS),
        }
    }

    /// Keeps the settings of an opened native room, unless they are the defaults of a join.
    pub(super) fn keep(&self, name: &RoomName, settings: &Settings) {
        if settings.password.is_none() && settings.stays_empty.is_zero() {
            return;
        }
        let mut rooms = self.rooms();
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(name) {
            tracing::warn!(
                most = MAX_ROOMS,
                "too many rooms: settings of a room would not survive a restart"
            );
            return;
        }
        let kept = KeptRoom {
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

    /// Drops the settings of a closed room.
    pub(super) fn forget(&self, name: &RoomName) {
        if self.rooms().remove(name).is_some() {
            self.changed.notify_one();
        }
    }

    /// Returns whether settings of a room from before a restart are kept.
    pub(super) fn holds(&self, name: &RoomName) -> bool {
        self.find(name).is_some()
    }

    /// Returns the kept settings of a room, if any, after checking the password.
    ///
    /// # Errors
    /// The rejections of an open room.
    pub(super) async fn reopen(
        &self,
        name: &RoomName,
        given: Option<&Password>,
    ) -> Result<Option<Settings>, ErrorBody> {
        let Some(kept) = self.find(name) else { return Ok(None) };
        let password = match (&kept.password, given) {
            (None, _) => None,
            (Some(_), None) => return Err(room::Rejection::PasswordRequired.into()),
            (Some(secret), Some(given)) if self.matches(secret.clone(), given.clone()).await? => {
                Some(given.clone())
            }
            (Some(_), Some(_)) => return Err(room::Rejection::WrongPassword.into()),
        };
        let KeptRoom { capacity, topology, stays_empty, .. } = kept;
        Ok(Some(Settings { password, topology, stays_empty, ..Settings::new(capacity) }))
    }

    /// Password attempts at a kept room that is not open yet.
    pub(super) fn guesses(&self, name: &RoomName) -> Option<Arc<Guesses>> {
        let mut rooms = self.rooms();
        let kept = rooms.get_mut(name)?;
        let new = || Guesses::new(Instant::now());
        Some(Arc::clone(kept.guesses.get_or_insert_with(new)))
    }

    /// Writes changes as they occur, off the runtime.
    pub(super) async fn run(self: &Arc<Self>) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(WRITE_DELAY).await;
            let rooms = Arc::clone(self);
            let written = tokio::task::spawn_blocking(move || rooms.write_now()).await;
            if let Ok(Err(error)) = written {
                tracing::warn!("can't save rooms; they would not survive a restart: {error:#}");
            }
        }
    }

    fn find(&self, name: &RoomName) -> Option<KeptRoom> {
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
                    || ErrorBody::new(ErrorCode::Internal, "the password could not be checked");
                let _permit = self.comparing.acquire().await.map_err(|_| failed())?;
                let compared = tokio::task::spawn_blocking(move || hash.is_of(&given));
                compared.await.map_err(|_| failed())
            }
        }
    }

    fn rooms(&self) -> MutexGuard<'_, BTreeMap<RoomName, KeptRoom>> {
        self.rooms.lock()
    }

    /// Writes the current settings. Blocks while new passwords are hashed.
    fn write_now(&self) -> anyhow::Result<()> {
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

    /// Hashes a room's password once and keeps the hash in its place.
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
        let mut salt = [0; 16];
        let mut hash = [0; 32];
        getrandom::fill(&mut salt)?;
        let secret = String::from(password.clone());
        pbkdf2::derive(PBKDF2_HMAC_SHA512, ITERATIONS, &salt, secret.as_bytes(), &mut hash);
        Ok(Self {
            salt: STANDARD.encode(salt),
            hash: STANDARD.encode(hash),
            iterations: ITERATIONS,
        })
    }

    /// Compares in constant time. A malformed hash matches nothing.
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

/// Loads the file. A malformed file is renamed and the server starts without it.
fn load(folder: &DataFolder, stays: Duration) -> BTreeMap<RoomName, KeptRoom> {
    match parse(folder) {
        Ok(rows) => {
            let until = Some(Instant::now() + stays);
            let kept = |row: Row| {
                let Row { name, capacity, topology, password, stays_empty_seconds } = row;
                let password = password.map(Secret::Hashed);
                let stays_empty = Duration::from_secs(stays_empty_seconds).min(stays);
                let guesses = None;
                (name, KeptRoom { capacity, topology, password, stays_empty, until, guesses })
            };
            rows.into_iter().take(MAX_ROOMS).map(kept).collect()
        }
        Err(error) => {
            let path = folder.path().join(FILE);
            let aside = folder.path().join("rooms.json.bad");
            let moved = std::fs::rename(&path, &aside);
            tracing::warn!(
                path = %path.display(), aside = %aside.display(), moved = moved.is_ok(),
                "can't read the kept rooms; starting without them: {error:#}"
            );
            BTreeMap::new()
        }
    }
}

fn parse(folder: &DataFolder) -> anyhow::Result<Vec<Row>> {
    let path = folder.path().join(FILE);
    if std::fs::metadata(&path).is_ok_and(|about| about.len() > MAX_FILE_BYTES as u64) {
        anyhow::bail!("file exceeds {MAX_FILE_BYTES} bytes");
    }
    let Some(text) = folder.read(FILE)? else { return Ok(Vec::new()) };
    let file: File = serde_json::from_str(&text)?;
    anyhow::ensure!(file.version == VERSION, "unsupported version {}", file.version);
    Ok(file.rooms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(capacity: u32, password: Option<&str>) -> Settings {
        Settings {
            password: password.map(|password| Password::new(password).unwrap()),
            stays_empty: Duration::from_secs(600),
            ..Settings::new(capacity)
        }
    }

    fn name(name: &str) -> RoomName {
        RoomName::new(name).unwrap()
    }

    const STAYS: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn locked_room_survives_restart_without_storing_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let rooms = KeptRooms::open(Some(data.clone()), STAYS);
        rooms.keep(&name("tea"), &settings(13, Some("sesame")));
        rooms.keep(&name("closed"), &settings(5, None));
        rooms.forget(&name("closed"));
        rooms.write_now().unwrap();
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
    async fn kept_room_expires_if_nobody_enters() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let rooms = KeptRooms::open(Some(data.clone()), STAYS);
        rooms.keep(&name("tea"), &settings(13, None));
        rooms.write_now().unwrap();
        let again = KeptRooms::open(Some(data), STAYS);
        tokio::time::advance(STAYS).await;
        assert!(!again.holds(&name("tea")));
    }

    #[tokio::test]
    async fn malformed_file_is_renamed() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let large = " ".repeat(MAX_FILE_BYTES + 1);
        for bad in ["{", "[]", r#"{"version":99,"rooms":[]}"#, &*large] {
            data.write(FILE, bad).unwrap();
            assert!(KeptRooms::open(Some(data.clone()), STAYS).rooms().is_empty());
            assert_eq!(std::fs::read_to_string(folder.path().join("rooms.json.bad")).unwrap(), bad);
            assert_eq!(data.read(FILE).unwrap(), None);
        }
    }

    #[tokio::test]
    async fn number_of_kept_rooms_is_limited() {
        let rooms = KeptRooms::open(None, STAYS);
        for number in 0..=MAX_ROOMS {
            rooms.keep(&name(&number.to_string()), &settings(2, None));
        }
        assert_eq!(rooms.rooms().len(), MAX_ROOMS);
        assert!(!rooms.holds(&name(&MAX_ROOMS.to_string())));
    }
}
