//! Location of the state between two processes.

use std::{env, ffi::OsString, fs};

use crate::data::DataFolder;

/// The file in each folder.
pub(super) const FILE: &str = "handover";

/// The folders that may have the state.
#[derive(Debug, Clone)]
pub(crate) struct HandoverPlace {
    /// `$RUNTIME_DIRECTORY` of systemd, in memory. With `RuntimeDirectoryPreserve=restart` it is
    /// deleted when the service stops instead of restarting, which this process can't tell.
    runtime: Option<DataFolder>,
    data: DataFolder,
}

impl HandoverPlace {
    /// The places of a server with this data folder.
    pub(crate) fn of(data: &DataFolder) -> Self {
        Self::new(env::var_os("RUNTIME_DIRECTORY"), data)
    }

    pub(super) fn new(runtime_directory: Option<OsString>, data: &DataFolder) -> Self {
        // systemd separates several entries of RuntimeDirectory= by colons.
        let first = runtime_directory.and_then(|paths| env::split_paths(&paths).next());
        let path = first.filter(|path| path.is_absolute());
        let runtime = path.and_then(|path| {
            let opened = DataFolder::open(&path);
            opened.inspect_err(|error| tracing::debug!("no folder for a handover: {error:#}")).ok()
        });
        Self { runtime, data: data.clone() }
    }

    /// Folders for the state: the first one that takes it is used.
    pub(super) fn folders(&self) -> impl Iterator<Item = &DataFolder> {
        self.runtime.iter().chain([&self.data])
    }

    /// Deletes the state, since no process takes over.
    pub(crate) fn clear(&self) {
        for folder in self.folders() {
            let _ = fs::remove_file(folder.path().join(FILE));
        }
    }
}
