//! `cargo xtask portable`: a binary for older Linux systems than this one, linked by Zig against an
//! older glibc. A static musl binary would lose jemalloc, and a static glibc `getaddrinfo`.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, bail, ensure};

use crate::{
    build,
    shell::{cargo, run, run_with, target_dir},
};

/// The oldest glibc that the binary runs with: Debian 10, Ubuntu 18.10, RHEL 8.
const GLIBC: (u32, u32) = (2, 28);
/// From PyPI, where both are prebuilt.
const TOOLS: &[&str] = &["cargo-zigbuild==0.24.0", "ziglang==0.17.0"];

/// Builds `target/portable/moim`, with a profile of Cargo's.
pub(crate) fn portable(profile: &str) -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("this build is for Linux, on Linux");
    }
    let place = std::path::absolute(target_dir().join("portable"))?;
    let tools = place.join("tools");
    let bin = tools.join("bin");
    if !bin.join("cargo-zigbuild").exists() {
        run(".", "python3", &["-m", "venv", "--clear", text(&tools)?])?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        run(".", text(&bin.join("python"))?, &[&install[..], TOOLS].concat())?;
    }
    build::page()?;
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", text(&bin)?);
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target = format!("{triple}.{}.{}", GLIBC.0, GLIBC.1);
    let arguments = ["zigbuild", "--locked", "--package", "moim", "--profile", profile];
    let arguments = [&arguments[..], &["--target", &target]].concat();
    let program = text(&bin.join("cargo-zigbuild"))?.to_owned();
    run_with(".", &program, &arguments, &[("PATH", &path), ("CARGO", &cargo())])?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let built = target_dir().join(triple).join(folder).join("moim");
    check(&built)?;
    let binary = place.join("moim");
    fs::copy(built, &binary)?;
    run(".", text(&binary)?, &["--version"])
}

/// Checks that the binary needs no newer glibc.
fn check(binary: &Path) -> anyhow::Result<()> {
    let output = Command::new("objdump").arg("-T").arg(binary).output()?;
    let symbols = String::from_utf8(output.stdout)?;
    let newest = symbols.split_whitespace().filter_map(glibc).max();
    let newest = newest.context("objdump lists no symbols of glibc")?;
    ensure!(newest <= GLIBC, "the binary needs glibc {}.{}", newest.0, newest.1);
    eprintln!("the binary needs glibc {}.{} or newer", newest.0, newest.1);
    Ok(())
}

/// The version in a word such as `(GLIBC_2.17)`.
fn glibc(word: &str) -> Option<(u32, u32)> {
    let version = word.trim_matches(['(', ')']).strip_prefix("GLIBC_")?;
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_compared_as_numbers() {
        assert_eq!(glibc("(GLIBC_2.2.5)"), Some((2, 2)));
        assert!(glibc("GLIBC_2.34").unwrap() > GLIBC && glibc("GLIBC_2.4").unwrap() < GLIBC);
        assert_eq!(glibc("GLIBC_PRIVATE"), None);
        assert_eq!(glibc("memcpy"), None);
    }
}
