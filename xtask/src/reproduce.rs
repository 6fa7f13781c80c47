//! `cargo xtask reproduce`: builds the last commit twice, in two folders, and compares the binaries.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::shell::{self, cargo, run, target_dir};

/// Folders of the builds. Their names have different lengths, so that a path that gets into the
/// binary moves what follows.
const FOLDERS: [&str; 2] = ["a", "another-folder"];

/// Builds twice and compares. The binary remains in `target/reproduce/moim`.
pub(crate) fn reproduce() -> anyhow::Result<()> {
    let place = std::path::absolute(target_dir().join("reproduce"))?;
    // Asked once: a commit made meanwhile would be half of the comparison.
    let commit = shell::text(Command::new("git").args(["rev-parse", "HEAD"]))?;
    let mut binaries = Vec::new();
    for name in FOLDERS {
        binaries.push(build(&place.join(name), commit.trim())?);
    }
    let [first, second] = &*binaries else { unreachable!("two folders give two binaries") };
    ensure!(
        fs::read(first)? == fs::read(second)?,
        "the builds differ: `diffoscope {} {}` tells where",
        first.display(),
        second.display()
    );
    let binary = place.join("moim");
    fs::copy(first, &binary)?;
    eprintln!("both builds are equal bit by bit: {}", binary.display());
    run(".", "sha256sum", &[text(&binary)?])
}

/// Builds a commit in a folder; returns the binary.
fn build(folder: &Path, commit: &str) -> anyhow::Result<PathBuf> {
    let binary = folder.join("target/release/moim");
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let source = folder.join("source.tar");
    run(".", "git", &["archive", "--output", text(&source)?, commit])?;
    run(text(folder)?, "tar", &["--extract", "--file", "source.tar"])?;
    fs::remove_file(source)?;
    eprintln!("{}$ cargo xtask build", folder.display());
    let status = Command::new(cargo())
        .args(["run", "--quiet", "--locked", "--package", "xtask", "--", "build"])
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .envs(environment(folder)?)
        .status()?;
    ensure!(status.success(), "the build in {} failed", folder.display());
    Ok(binary)
}

/// Variables that keep the folders of a build out of its binary.
fn environment(folder: &Path) -> anyhow::Result<Vec<(&'static str, String)>> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let home = home.context("there is no CARGO_HOME and no HOME")?;
    let (folder, home) = (text(folder)?, text(&home)?);
    let maps = [(folder, "/moim"), (home, "/cargo")];
    let flags = |flag: &str| maps.map(|(from, to)| format!("{flag}={from}={to}"));
    let compiler = flags("-ffile-prefix-map").join(" ");
    Ok(vec![
        // Separated by a character that no path has.
        ("CARGO_ENCODED_RUSTFLAGS", flags("--remap-path-prefix").join("\u{1f}")),
        ("CFLAGS", compiler.clone()),
        ("CXXFLAGS", compiler.clone()),
        ("ASMFLAGS", compiler),
        ("SOURCE_DATE_EPOCH", "1".to_owned()),
        ("TZ", "UTC".to_owned()),
        ("LC_ALL", "C.UTF-8".to_owned()),
    ])
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}
