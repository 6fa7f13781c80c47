//! Has the program built anew when the page it embeds was.

use std::{fs, path::Path};

fn main() {
    let dist = Path::new("../../web/dist");
    // Cargo watches only what is there. The folder is ignored by git, and empty it means that
    // there is no page yet; where it can't be made there will be none.
    let _ = fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", dist.display());
}
