//! Names and places of backups.

use std::path::{Path, PathBuf};

use crate::data;

/// The folder's name begins so; below it are the files that a restore replaced.
pub(super) const REPLACED: &str = "replaced-";
/// The folder's name begins so; it holds a restore's files until all of them are there.
pub(super) const RESTORING: &str = "restoring-";

/// Files that every data folder of a server has one of.
const EXPECTED: &[&str] = &["ca.pem", "turn.secret", "rooms.json", "moim.toml", "acme"];

/// The data folder: as given, or as the server would choose it, or the package's if only that one
/// has a server's files.
pub(super) fn data_folder(given: Option<&PathBuf>) -> anyhow::Result<PathBuf> {
    if let Some(path) = given {
        return Ok(path.clone());
    }
    let package = Path::new(data::PACKAGE_FOLDER);
    match data::choose_folder() {
        Ok((path, _)) if is_of_server(&path) || !is_of_server(package) => Ok(path),
        Err(error) if !is_of_server(package) => Err(error),
        _ => Ok(package.to_owned()),
    }
}

/// True if a server has used the folder.
pub(super) fn is_of_server(folder: &Path) -> bool {
    EXPECTED.iter().any(|name| folder.join(name).exists())
}

/// True for standard input or output.
pub(super) fn is_stream(file: &Path) -> bool {
    file == Path::new("-")
}
