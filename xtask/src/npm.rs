//! npm packages of a folder, from its lock file.

use std::{fs, path::Path};

use crate::shell::run;

/// Installs the packages of `dir`, unless those of its lock file are installed.
pub(crate) fn install(dir: &str) -> anyhow::Result<()> {
    let lock = fs::read(Path::new(dir).join("package-lock.json"))?;
    let stamp = Path::new(dir).join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(dir, "npm", &["ci", "--no-fund", "--no-audit"])?;
    fs::write(stamp, lock)?;
    Ok(())
}
