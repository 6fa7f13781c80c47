//! `cargo xtask build`: the page, and the release binary that embeds it.

use crate::{
    npm,
    shell::{cargo, run},
    types,
};

/// Builds `target/release/moim` with the page.
pub(crate) fn build() -> anyhow::Result<()> {
    page()?;
    run(".", &cargo(), &["build", "--release", "--locked", "--package", "moim"])
}

/// Builds `web/dist`.
pub(crate) fn page() -> anyhow::Result<()> {
    types::write()?;
    npm::install("web")?;
    run("web", "npm", &["run", "--silent", "build"])
}
