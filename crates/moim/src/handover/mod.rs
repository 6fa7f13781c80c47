//! Warm restart: the state that this process leaves to the next one, and the change of program.
//!
//! The state is a private file, in memory where systemd has a folder for it, else in the data folder.
//! It is removed before it is used, and ignored if
//! it is old or of another version, so a failure at any point is an ordinary start.

#[cfg(target_os = "linux")]
mod next_process;
mod place;

use std::{
    fmt, fs,
    io::{self, BufWriter, Write},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};
use turn::NonceKey;

#[cfg(target_os = "linux")]
pub(crate) use next_process::NextProcess;
use place::FILE;
pub(crate) use place::HandoverPlace;

use crate::{
    data::DataFolder,
    net::tls::FrozenKey,
    shard::turn::FrozenRelay,
    signaling::{Frozen, FrozenRoom, ListedRoom},
};

/// Raised whenever an older program could not read the file.
const VERSION: u32 = 1;
/// Age at which participants have given up.
const MAX_AGE: Duration = Duration::from_secs(60);
/// Limit of the file. A writer that would exceed it sheds logs, which may take several times their
/// memory here.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The state of a process, for the next one.
#[derive(Serialize, Deserialize)]
#[serde(from = "ReadState")]
pub(crate) struct Handover {
    /// Secret of the rooms' TURN credentials, in base64.
    credentials: String,
    #[serde(flatten)]
    pub(crate) signaling: Frozen,
    /// The nonces of the relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    nonces: Option<NonceState>,
    /// Keys of TLS session tickets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tickets: Vec<FrozenKey>,
    /// Allocations of the relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    relay: Option<FrozenRelay>,
    /// Time since the writing.
    #[serde(skip)]
    age: Duration,
}

/// [`Handover`] as it is read: serde would first gather all that is flattened, which doubles time and
/// memory.
#[derive(Deserialize)]
struct ReadState {
    credentials: String,
    rooms: Vec<FrozenRoom>,
    #[serde(default)]
    listed: Vec<ListedRoom>,
    #[serde(default)]
    nonces: Option<NonceState>,
    #[serde(default)]
    tickets: Vec<FrozenKey>,
    #[serde(default)]
    relay: Option<FrozenRelay>,
}

impl From<ReadState> for Handover {
    fn from(state: ReadState) -> Self {
        let ReadState { credentials, rooms, listed, nonces, tickets, relay } = state;
        let signaling = Frozen { rooms, listed };
        Self { credentials, signaling, nonces, tickets, relay, age: Duration::ZERO }
    }
}

/// The key and the clock of nonces.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct NonceState {
    /// In base64.
    key: String,
    seconds: u64,
}

/// Hides the secret and the rooms' tokens.
impl fmt::Debug for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handover")
            .field("rooms", &self.signaling.rooms.len())
            .finish_non_exhaustive()
    }
}

/// The part of the file that every version has, at its begin.
#[derive(Serialize)]
struct Head {
    version: u32,
    /// Time of writing, in milliseconds since 1970.
    written: u64,
}

#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    head: Head,
    state: &'a Handover,
}

/// Reads the file in one pass. What follows the head is not looked at if this program can't use it.
struct Reader {
    now: SystemTime,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Version,
    Written,
    State,
    #[serde(other)]
    Unknown,
}

impl<'de> Visitor<'de> for Reader {
    type Value = Handover;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a handover")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Handover, A::Error> {
        let (mut is_known, mut age, mut state) = (false, None, None);
        while let Some(part) = parts.next_key()? {
            match part {
                Part::Version => {
                    let version: u32 = parts.next_value()?;
                    is_known = version == VERSION;
                    if !is_known {
                        let told = format!("it has version {version}, this program has {VERSION}");
                        return Err(A::Error::custom(told));
                    }
                }
                Part::Written => {
                    let written = milliseconds(self.now).abs_diff(parts.next_value()?);
                    let since = Duration::from_millis(written);
                    if since > MAX_AGE {
                        return Err(A::Error::custom(format!("it is {} s old", since.as_secs())));
                    }
                    age = Some(since);
                }
                Part::State if is_known && age.is_some() => state = Some(parts.next_value()?),
                Part::State => return Err(A::Error::custom("its head is missing")),
                Part::Unknown => {
                    parts.next_value::<IgnoredAny>()?;
                }
            }
        }
        let state: Handover = state.ok_or_else(|| A::Error::missing_field("state"))?;
        Ok(Handover { age: age.unwrap_or_default(), ..state })
    }
}

impl Handover {
    /// A handover of these rooms.
    pub(crate) fn new(
        credentials: &[u8; 32],
        nonces: &NonceKey,
        tickets: Vec<FrozenKey>,
        signaling: Frozen,
    ) -> Self {
        let nonces = NonceState { key: STANDARD.encode(nonces.key), seconds: nonces.seconds };
        let credentials = STANDARD.encode(credentials);
        let (relay, age) = (None, Duration::ZERO);
        Self { credentials, signaling, nonces: Some(nonces), tickets, relay, age }
    }

    /// Adds the relay's allocations.
    pub(crate) fn with_relay(self, relay: FrozenRelay) -> Self {
        Self { relay: Some(relay), ..self }
    }

    /// The relay's allocations, and the time since they were frozen.
    pub(crate) fn take_relay(&mut self) -> (FrozenRelay, Duration) {
        (self.relay.take().unwrap_or_default(), self.age)
    }

    /// The key and the clock of nonces, at the time of writing.
    pub(crate) fn nonces(&self) -> Option<NonceKey> {
        let NonceState { key, seconds } = self.nonces.as_ref()?;
        let key = STANDARD.decode(key).ok()?.try_into().ok()?;
        Some(NonceKey { key, seconds: *seconds })
    }

    /// Keys of TLS session tickets.
    pub(crate) fn tickets(&self) -> &[FrozenKey] {
        &self.tickets
    }

    /// The secret of the rooms' TURN credentials.
    pub(crate) fn credentials(&self) -> Option<[u8; 32]> {
        STANDARD.decode(&self.credentials).ok()?.try_into().ok()
    }

    /// Writes the file. If the logs of rooms make it too large, the largest are left out:
    /// participants who have missed an event of one join again.
    pub(crate) fn write(&mut self, place: &HandoverPlace) -> anyhow::Result<()> {
        let mut written = Ok(());
        for folder in place.folders() {
            written = self.write_within(folder, MAX_FILE_BYTES);
            match &written {
                Ok(()) => break,
                Err(error) => tracing::warn!("the handover is not written: {error:#}"),
            }
        }
        written
    }

    fn write_within(&mut self, folder: &DataFolder, max_bytes: u64) -> anyhow::Result<()> {
        let excess = self.write_up_to(folder, max_bytes)?;
        if excess == 0 {
            return Ok(());
        }
        let shed = self.signaling.shed_logs(excess);
        tracing::warn!(
            rooms = shed,
            "the logs of the largest rooms are left out of the handover, which would have \
             {excess} bytes too many: participants who missed something there join again"
        );
        let mut rest = self.write_up_to(folder, max_bytes)?;
        if rest > 0
            && let Some(relay) = self.relay.take()
        {
            tracing::warn!(
                allocations = relay.allocations(),
                "the relay's allocations are left out of the handover: their clients allocate again"
            );
            rest = self.write_up_to(folder, max_bytes)?;
        }
        ensure!(rest == 0, "the handover has {rest} bytes too many");
        Ok(())
    }

    /// Writes the file, and returns 0; or nothing, and returns how many bytes it has too many.
    fn write_up_to(&self, folder: &DataFolder, max_bytes: u64) -> anyhow::Result<u64> {
        let head = Head { version: VERSION, written: milliseconds(SystemTime::now()) };
        let mut excess = 0;
        folder.write_volatile(FILE, |file| {
            // Written through: all of it in memory would double what the logs take.
            let mut limited = Limited { file: BufWriter::new(file), left: max_bytes, excess: 0 };
            serde_json::to_writer(&mut limited, &Written { head, state: self })?;
            excess = limited.excess;
            limited.file.flush()?;
            Ok(excess == 0)
        })?;
        Ok(excess)
    }

    /// Takes what the process before this one left, if it was just now.
    pub(crate) fn take(place: &HandoverPlace) -> Option<Self> {
        // All are read, so that none stays.
        let found: Vec<_> = place.folders().filter_map(Self::take_from).collect();
        found.into_iter().next()
    }

    fn take_from(folder: &DataFolder) -> Option<Self> {
        read(folder, SystemTime::now()).unwrap_or_else(|error| {
            tracing::warn!("starting without the state of the process before: {error:#}");
            None
        })
    }
}

/// Counts what exceeds a limit instead of writing it.
struct Limited<W: Write> {
    file: BufWriter<W>,
    left: u64,
    excess: u64,
}

impl<W: Write> Write for Limited<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        if self.excess > 0 || length > self.left {
            self.excess += length - std::mem::take(&mut self.left).min(length);
            return Ok(bytes.len());
        }
        self.left -= length;
        self.file.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn read(folder: &DataFolder, now: SystemTime) -> anyhow::Result<Option<Handover>> {
    let path = folder.path().join(FILE);
    let too_large = fs::metadata(&path).is_ok_and(|about| about.len() > MAX_FILE_BYTES);
    let text = if too_large { Ok(None) } else { folder.read(FILE) };
    // First of all, so that a state which crashes this program does so once.
    match fs::remove_file(&path) {
        Err(error) if too_large || !matches!(text, Ok(None)) => {
            return Err(error).context("the file can't be removed");
        }
        _ => {}
    }
    ensure!(!too_large, "it has more than {MAX_FILE_BYTES} bytes");
    text?.map(|text| parse(&text, now)).transpose()
}

fn parse(text: &str, now: SystemTime) -> anyhow::Result<Handover> {
    let mut text = serde_json::Deserializer::from_str(text);
    let handover = text.deserialize_map(Reader { now })?;
    text.end()?;
    Ok(handover)
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use room::DeviceSecret;

    use super::*;

    /// A file of version 1. It is never changed: every later program must read it, or refuse it.
    const FIXTURE: &str = include_str!("fixtures/version-1.json");

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(parent.path()).unwrap();
        (parent, folder)
    }

    fn place(folder: &DataFolder) -> HandoverPlace {
        HandoverPlace::new(None, folder)
    }

    fn written(text: &str) -> SystemTime {
        let text: serde_json::Value = serde_json::from_str(text).unwrap();
        UNIX_EPOCH + Duration::from_millis(text["written"].as_u64().unwrap())
    }

    #[test]
    fn file_is_private_and_read_once() {
        let (parent, folder) = folder();
        let nonces = NonceKey { key: [8; 32], seconds: 9 };
        let tickets = || vec![serde_json::from_str(r#"{"key":"AA==","created":5}"#).unwrap()];
        let mut left = Handover::new(&[7; 32], &nonces, tickets(), Frozen::default());
        left.write(&place(&folder)).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let about = fs::metadata(parent.path().join(FILE)).unwrap();
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
        let handover = Handover::take(&place(&folder)).unwrap();
        assert_eq!(handover.credentials(), Some([7; 32]));
        assert_eq!(handover.nonces(), Some(nonces));
        assert_eq!(handover.tickets().len(), 1);
        assert!(!parent.path().join(FILE).exists());
        assert!(Handover::take(&place(&folder)).is_none());
    }

    #[test]
    fn state_is_in_the_folder_that_ends_with_the_service() {
        let ((parent, folder), runtime) = (self::folder(), tempfile::tempdir().unwrap());
        let place = HandoverPlace::new(Some(runtime.path().into()), &folder);
        let nonces = NonceKey { key: [8; 32], seconds: 9 };
        let mut left = Handover::new(&[7; 32], &nonces, Vec::new(), Frozen::default());
        left.write(&place).unwrap();
        assert!(runtime.path().join(FILE).exists() && !parent.path().join(FILE).exists());
        // Of a process before this unit had such a folder.
        let other = [6; 32];
        let mut earlier = Handover::new(&other, &nonces, Vec::new(), Frozen::default());
        earlier.write(&self::place(&folder)).unwrap();
        assert_eq!(Handover::take(&place).unwrap().credentials(), Some([7; 32]));
        let is_gone = || !runtime.path().join(FILE).exists() && !parent.path().join(FILE).exists();
        assert!(is_gone());
        earlier.write(&self::place(&folder)).unwrap();
        assert_eq!(Handover::take(&place).unwrap().credentials(), Some(other));
        left.write(&place).unwrap();
        place.clear();
        assert!(is_gone() && Handover::take(&place).is_none());
        // Memory is full: what it has no place for goes to the disk.
        fs::create_dir(runtime.path().join(FILE)).unwrap();
        left.write(&place).unwrap();
        assert!(parent.path().join(FILE).exists());
    }

    fn hash(secret: &str) -> String {
        DeviceSecret::try_from(secret.to_owned()).unwrap().hash().into()
    }

    #[test]
    fn version_1_is_read() {
        let handover = parse(FIXTURE, written(FIXTURE)).unwrap();
        assert_eq!(handover.credentials(), Some([7; 32]));
        assert_eq!(handover.signaling.rooms.len(), 2);
        let again = serde_json::to_value(&handover).unwrap();
        // Secrets of devices that return, or must not, are hashes now, and policies have one more
        // rule.
        let now = FIXTURE
            .replace(
                "\"newcomers\": \"speaker\"",
                "\"newcomers\": \"speaker\", \"private\": \"everybody\"",
            )
            .replace("[\"device-secret-0002\"", &format!("[\"{}\"", hash("device-secret-0002")))
            .replace("[\"device-secret-0003\"]", &format!("[\"{}\"]", hash("device-secret-0003")));
        let fixture: serde_json::Value = serde_json::from_str(&now).unwrap();
        assert_eq!(again, fixture["state"]);
    }

    #[test]
    fn handover_that_is_too_large_sheds_logs_and_keeps_rooms() {
        let (_parent, folder) = folder();
        let whole = || parse(FIXTURE, written(FIXTURE)).unwrap();
        let size = |handover: &Handover| serde_json::to_string(&handover).unwrap().len() as u64;
        let mut bare = whole();
        bare.signaling.shed_logs(u64::MAX);
        let (bare, all) = (size(&bare), size(&whole()));
        assert!(bare < all, "the fixture has logs");
        let head = 200;
        whole().write_within(&folder, all + head).unwrap();
        assert_eq!(size(&Handover::take(&place(&folder)).unwrap()), all, "it fits");
        whole().write_within(&folder, all - 1).unwrap();
        let taken = Handover::take(&place(&folder)).unwrap();
        assert_eq!(taken.signaling.rooms.len(), whole().signaling.rooms.len());
        assert!(size(&taken) < all);
        let error = whole().write_within(&folder, bare / 2).unwrap_err().to_string();
        assert!(error.contains("too many"), "{error}");
        assert!(Handover::take(&place(&folder)).is_none(), "half a state is none");
    }

    #[test]
    fn allocations_are_left_out_before_the_rooms() {
        let allocation = r#"{"client":"192.0.2.1:5000","server":"192.0.2.2:4000",
            "relayed":{"advertised":"192.0.2.2:50000","local":"10.0.0.2:50000"},"username":"ann",
            "is_member":false,"key":"AAAAAAAAAAAAAAAAAAAAAA==","left":600000,"permissions":[],
            "channels":[],"request":{"transaction":[1,2,3,4,5,6,7,8,9,10,11,12],
            "fingerprinted":true,"sha256":false,"lifetime":600}}"#;
        let shard = format!(
            r#"{{"ports":{{"start":49152,"end":65535}},"allocations":[{}]}}"#,
            [allocation; 20].join(",")
        );
        let relay = || serde_json::from_str(&format!(r#"{{"shards":[{shard},null]}}"#)).unwrap();
        let (_parent, folder) = folder();
        let whole = || parse(FIXTURE, written(FIXTURE)).unwrap().with_relay(relay());
        let mut bare = whole();
        bare.signaling.shed_logs(u64::MAX);
        let bare = serde_json::to_string(&bare).unwrap().len() as u64;
        whole().write_within(&folder, bare + 1000).unwrap();
        let mut taken = Handover::take(&place(&folder)).unwrap();
        assert_eq!(taken.take_relay().0.allocations(), 20, "logs are left out first");
        whole().write_within(&folder, bare - 1000).unwrap();
        let mut taken = Handover::take(&place(&folder)).unwrap();
        assert_eq!(taken.take_relay().0.allocations(), 0);
        assert_eq!(taken.signaling.rooms.len(), whole().signaling.rooms.len());
    }

    #[test]
    fn old_unknown_and_damaged_files_are_ordinary_starts() {
        let (parent, folder) = folder();
        let at = written(FIXTURE);
        let late = at + MAX_AGE + Duration::from_secs(1);
        assert!(parse(FIXTURE, late).unwrap_err().to_string().contains("61 s old"));
        assert!(parse(FIXTURE, at - MAX_AGE - Duration::from_secs(1)).is_err(), "clock set back");
        let other = FIXTURE.replacen("\"version\": 1", "\"version\": 2", 1);
        assert!(parse(&other, at).unwrap_err().to_string().contains("version 2"));
        for length in (0..FIXTURE.len()).filter(|length| FIXTURE.is_char_boundary(*length)) {
            let cut = FIXTURE.get(..length).unwrap();
            assert!(
                cut.trim().len() == FIXTURE.trim().len() || parse(cut, at).is_err(),
                "{length}"
            );
        }
        folder.write(FILE, "{").unwrap();
        assert!(Handover::take(&place(&folder)).is_none());
        assert!(!parent.path().join(FILE).exists(), "a bad file is not tried again");
    }
}
