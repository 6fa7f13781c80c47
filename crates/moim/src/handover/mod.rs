//! Warm restart: the state that this process leaves to the next one, and the change of program.
//!
//! The state is a private file in the data folder. It is removed before it is used, and ignored if
//! it is old or of another version, so a failure at any point is an ordinary start.

#[cfg(target_os = "linux")]
mod next_process;

use std::{
    fmt, fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use turn::NonceKey;

#[cfg(target_os = "linux")]
pub(crate) use next_process::NextProcess;

use crate::{data::DataFolder, signaling::Frozen};

/// The file in the data folder.
const FILE: &str = "handover";
/// Raised whenever an older program could not read the file.
const VERSION: u32 = 1;
/// Age at which participants have given up.
const MAX_AGE: Duration = Duration::from_secs(60);
/// Limit of the file: the memory budget of logs is lower.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The state of a process, for the next one.
#[derive(Serialize, Deserialize)]
pub(crate) struct Handover {
    /// Secret of the rooms' TURN credentials, in base64.
    credentials: String,
    #[serde(flatten)]
    pub(crate) signaling: Frozen,
    /// The nonces of the relay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonces: Option<NonceState>,
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

/// The part of the file that every version has.
#[derive(Serialize, Deserialize)]
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

#[derive(Deserialize)]
struct Read {
    state: Handover,
}

impl Handover {
    /// A handover of these rooms.
    pub(crate) fn new(credentials: &[u8; 32], nonces: &NonceKey, signaling: Frozen) -> Self {
        let nonces = NonceState { key: STANDARD.encode(nonces.key), seconds: nonces.seconds };
        Self { credentials: STANDARD.encode(credentials), signaling, nonces: Some(nonces) }
    }

    /// The key and the clock of nonces, at the time of writing.
    pub(crate) fn nonces(&self) -> Option<NonceKey> {
        let NonceState { key, seconds } = self.nonces.as_ref()?;
        let key = STANDARD.decode(key).ok()?.try_into().ok()?;
        Some(NonceKey { key, seconds: *seconds })
    }

    /// The secret of the rooms' TURN credentials.
    pub(crate) fn credentials(&self) -> Option<[u8; 32]> {
        STANDARD.decode(&self.credentials).ok()?.try_into().ok()
    }

    /// Writes the file.
    pub(crate) fn write(&self, folder: &DataFolder) -> anyhow::Result<()> {
        let head = Head { version: VERSION, written: milliseconds(SystemTime::now()) };
        folder.write(FILE, &serde_json::to_string(&Written { head, state: self })?)
    }

    /// Takes what the process before this one left, if it was just now.
    pub(crate) fn take(folder: &DataFolder) -> Option<Self> {
        match read(folder, SystemTime::now()) {
            Ok(handover) => handover,
            Err(error) => {
                tracing::warn!("starting without the state of the process before: {error:#}");
                None
            }
        }
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
    let head: Head = serde_json::from_str(text)?;
    if head.version != VERSION {
        bail!("it has version {}, this program has {VERSION}", head.version);
    }
    let age = Duration::from_millis(milliseconds(now).abs_diff(head.written));
    ensure!(age <= MAX_AGE, "it is {} s old", age.as_secs());
    Ok(serde_json::from_str::<Read>(text)?.state)
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

    fn written(text: &str) -> SystemTime {
        let head: Head = serde_json::from_str(text).unwrap();
        UNIX_EPOCH + Duration::from_millis(head.written)
    }

    #[test]
    fn file_is_private_and_read_once() {
        let (parent, folder) = folder();
        let nonces = NonceKey { key: [8; 32], seconds: 9 };
        Handover::new(&[7; 32], &nonces, Frozen::default()).write(&folder).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let about = fs::metadata(parent.path().join(FILE)).unwrap();
            assert_eq!(about.permissions().mode() & 0o777, 0o600);
        }
        let handover = Handover::take(&folder).unwrap();
        assert_eq!(handover.credentials(), Some([7; 32]));
        assert_eq!(handover.nonces(), Some(nonces));
        assert!(!parent.path().join(FILE).exists());
        assert!(Handover::take(&folder).is_none());
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
        // Secrets of devices that return, or must not, are hashes now.
        let hashed = FIXTURE
            .replace("[\"device-secret-0002\"", &format!("[\"{}\"", hash("device-secret-0002")))
            .replace("[\"device-secret-0003\"]", &format!("[\"{}\"]", hash("device-secret-0003")));
        let fixture: serde_json::Value = serde_json::from_str(&hashed).unwrap();
        assert_eq!(again, fixture["state"]);
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
        assert!(Handover::take(&folder).is_none());
        assert!(!parent.path().join(FILE).exists(), "a bad file is not tried again");
    }
}
