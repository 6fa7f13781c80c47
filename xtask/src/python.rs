//! Python packages of tests, in a virtual environment below the build folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::shell::{run, target_dir};

const REQUIREMENTS: &str = "e2e/headless/requirements.txt";

/// Installs the packages unless they are current; returns the environment's Python.
pub(crate) fn install() -> anyhow::Result<PathBuf> {
    let environment = std::path::absolute(target_dir().join("python"))?;
    let python = environment.join("bin/python");
    let required = fs::read(REQUIREMENTS)?;
    let stamp = environment.join("installed.txt");
    if fs::read(&stamp).is_ok_and(|installed| installed == required) {
        return Ok(python);
    }
    run(".", "python3", &["-m", "venv", "--clear", text(&environment)?])?;
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    run(".", text(&python)?, &[&quiet[..], &["--requirement", REQUIREMENTS]].concat())?;
    fs::write(stamp, required)?;
    Ok(python)
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
