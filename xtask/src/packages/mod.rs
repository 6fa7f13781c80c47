//! Packages of the built binary: a Debian package, a container image.

mod booted;
mod checks;
mod chroot;
mod deb;
mod folder;
mod image;
mod licences;
mod service;

use std::path::PathBuf;

pub(crate) use checks::{check, check_binary};

use crate::{build, shell::target_dir};

/// The folder of finished packages.
fn packages() -> PathBuf {
    target_dir().join("packages")
}

/// The binary to package: the given one, or a release build.
fn binary(given: Option<&str>) -> anyhow::Result<PathBuf> {
    if let Some(path) = given {
        return Ok(PathBuf::from(path));
    }
    build::build()?;
    Ok(target_dir().join("release/moim"))
}

/// `cargo xtask deb [BINARY]`: builds the Debian package.
pub(crate) fn deb(given: Option<&str>) -> anyhow::Result<()> {
    let package = deb::build(&binary(given)?)?;
    eprintln!("{}", package.display());
    Ok(())
}

/// `cargo xtask image [BINARY]`: builds the container image.
pub(crate) fn image(given: Option<&str>) -> anyhow::Result<()> {
    let image = image::build(&binary(given)?)?;
    eprintln!("{}", image.display());
    Ok(())
}
