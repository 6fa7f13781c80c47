//! `rooms.json`: the settings of rooms, where there is no store. With one, what an earlier version
//! has left is moved into it.

use room::{name::RoomName, protocol::TopologyChoice};
use serde::{Deserialize, Serialize};

use super::secret::PasswordHash;
use crate::data::DataFolder;

pub(super) const FILE: &str = "rooms.json";
const VERSION: u32 = 1;
/// Maximum size of the file, more than the most rooms take.
pub(super) const MAX_FILE_BYTES: usize = 4 << 20;

#[derive(Serialize, Deserialize)]
struct File {
    version: u32,
    rooms: Vec<FileRow>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FileRow {
    pub(super) name: RoomName,
    pub(super) capacity: u32,
    pub(super) topology: TopologyChoice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<PasswordHash>,
    pub(super) stays_empty_seconds: u64,
}

/// Writes the file.
pub(super) fn write(folder: &DataFolder, rooms: Vec<FileRow>) -> anyhow::Result<()> {
    folder.write(FILE, &serde_json::to_string(&File { version: VERSION, rooms })?)
}

/// Loads the file. A malformed file is renamed and the server starts without it.
pub(super) fn load(folder: &DataFolder) -> Vec<FileRow> {
    parse(folder).unwrap_or_else(|error| {
        let path = folder.path().join(FILE);
        let aside = folder.path().join("rooms.json.bad");
        let moved = std::fs::rename(&path, &aside);
        tracing::warn!(
            path = %path.display(), aside = %aside.display(), moved = moved.is_ok(),
            "can't read the kept rooms; starting without them: {error:#}"
        );
        Vec::new()
    })
}

fn parse(folder: &DataFolder) -> anyhow::Result<Vec<FileRow>> {
    let path = folder.path().join(FILE);
    if std::fs::metadata(&path).is_ok_and(|about| about.len() > MAX_FILE_BYTES as u64) {
        anyhow::bail!("file exceeds {MAX_FILE_BYTES} bytes");
    }
    let Some(text) = folder.read(FILE)? else { return Ok(Vec::new()) };
    let file: File = serde_json::from_str(&text)?;
    anyhow::ensure!(file.version == VERSION, "unsupported version {}", file.version);
    Ok(file.rooms)
}
