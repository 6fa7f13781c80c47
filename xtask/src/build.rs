//! `cargo xtask build`: the page and the release binary it is embedded in.

use crate::{
    npm,
    shell::{cargo, run},
    types,
};

/// Leaves `target/release/moim`, page included.
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
