//! `cargo xtask types`: the native protocol's types in TypeScript.

use anyhow::{Context, ensure};

const FILE: &str = "web/packages/client/src/protocol.ts";

/// Writes the file if it changed.
pub(crate) fn write() -> anyhow::Result<()> {
    let text = room::protocol::typescript();
    if std::fs::read_to_string(FILE).ok().as_ref() != Some(&text) {
        std::fs::write(FILE, text).with_context(|| format!("can't write {FILE}"))?;
    }
    Ok(())
}

/// Fails if the committed file differs from the Rust types.
pub(crate) fn check() -> anyhow::Result<()> {
    let written = std::fs::read_to_string(FILE).with_context(|| format!("can't read {FILE}"))?;
    ensure!(
        written == room::protocol::typescript(),
        "{FILE} is not current: run `cargo xtask types` and commit it"
    );
    Ok(())
}
