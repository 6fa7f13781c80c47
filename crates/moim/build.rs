//! Rebuilds the binary when the page that it embeds was rebuilt.

use std::{fs, path::Path};

fn main() {
    let dist = Path::new("../../web/dist");
    // Cargo watches only existing paths. Git ignores the folder; while it is empty there is no page.
    // Failure to create it has the same effect.
    let _ = fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());
}
