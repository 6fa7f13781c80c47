//! `moim backup` and `moim restore`: the data folder as one file, a tar.gz whose first entry is a
//! [`manifest::Manifest`]. The server may run while a backup is made, since it replaces its files
//! atomically.

mod contents;
mod last;
mod manifest;
mod place;
mod restore;
mod staging;
mod write;

pub(crate) use last::last;
pub(crate) use restore::restore;
pub(crate) use write::backup;
