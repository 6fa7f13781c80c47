//! `cargo xtask test`: all checks and tests, cheapest first.

use std::time::{Duration, Instant};

#[cfg(unix)]
use crate::packages;
use crate::{
    build, dashboard, install, npm, python, relay,
    shell::{cargo, has, is_ci, run, run_with, target_dir},
    types,
};

/// The selection of steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Everything.
    Whole,
    /// Everything that needs no browser.
    Quick,
}

type Step = (&'static str, fn() -> anyhow::Result<()>);

const STEPS: &[Step] = &[
    ("protocol types", types::check),
    ("dashboard", dashboard::check),
    ("format", format),
    ("page", page),
    ("lints", lints),
    ("Rust tests", rust_tests),
    ("benches", benches),
    ("fuzz targets", fuzz_targets),
    ("licences and sources", deny),
];

const BROWSER_STEPS: &[Step] = &[
    ("tools", install::browsers_and_networks),
    ("release build", build::build),
    #[cfg(unix)]
    ("packages", packages::check),
    ("TURN interoperability", relay::suites),
    ("relay beside coturn", beside_coturn),
    ("browsers and networks", browsers),
];

/// Runs the steps in order; stops at the first failure.
pub(crate) fn test(extent: Extent) -> anyhow::Result<()> {
    let browser_steps = if extent == Extent::Whole { BROWSER_STEPS } else { &[] };
    let mut times = Vec::new();
    for (name, step) in STEPS.iter().chain(browser_steps) {
        eprintln!("\n\x1b[1m== {name}\x1b[0m");
        let start = Instant::now();
        step()?;
        times.push((name, start.elapsed()));
    }
    eprintln!("\nall green:");
    for (name, time) in times {
        eprintln!("{:>6}  {name}", seconds(time));
    }
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.0} s", time.as_secs_f64())
}

fn format() -> anyhow::Result<()> {
    run(".", &cargo(), &["fmt", "--all", "--check"])
}

fn lints() -> anyhow::Result<()> {
    let deny_warnings = ["--", "--deny", "warnings"];
    let mut args = vec!["clippy", "--locked", "--workspace", "--all-targets"];
    args.extend(deny_warnings);
    run(".", &cargo(), &args)
}

/// Builds the page before the Rust tests, since the binary embeds it.
fn page() -> anyhow::Result<()> {
    build::page()?;
    run("web", "npm", &["run", "--silent", "check"])?;
    run("web", "npm", &["run", "--silent", "test"])
}

fn rust_tests() -> anyhow::Result<()> {
    install::rust_test_tools()?;
    let python = match python::install() {
        Ok(python) => python.to_string_lossy().into_owned(),
        Err(error) if is_ci() => return Err(error),
        Err(error) => {
            eprintln!("\x1b[1;33mMISSING: {error:#}\x1b[0m (tests that need it are skipped)");
            String::new()
        }
    };
    let environment = [("MOIM_PYTHON", &*python)];
    if has("cargo-nextest", &["nextest", "--version"]) {
        let args = ["nextest", "run", "--locked", "--workspace"];
        run_with(".", &cargo(), &args, &environment)?;
        return run(".", &cargo(), &["test", "--locked", "--workspace", "--doc", "--quiet"]);
    }
    run_with(".", &cargo(), &["test", "--locked", "--workspace"], &environment)
}

/// Checks that each scenario delivers everything; timing needs an idle machine.
fn benches() -> anyhow::Result<()> {
    npm::install("bench/signal-node")?;
    run(".", &bench()?, &["signal", "--smoke", "--rounds", "0"])
}

/// Builds the benchmark and the server that it runs, and returns its path. With all that the tests
/// are made of, since a selection of packages has other features of tokio and would compile nearly
/// everything anew.
fn bench() -> anyhow::Result<String> {
    run(".", &cargo(), &["build", "--locked", "--workspace", "--all-targets"])?;
    Ok(target_dir().join("debug/moim-bench").to_string_lossy().into_owned())
}

/// Compiles the fuzz targets; CONTRIBUTING.md tells how to run them. They share the workspace's
/// target folder, where most of their dependencies are checked already.
fn fuzz_targets() -> anyhow::Result<()> {
    let target = std::path::absolute(target_dir())?;
    let environment = [("CARGO_TARGET_DIR", &*target.to_string_lossy())];
    run_with("fuzz", &cargo(), &["check", "--locked", "--quiet"], &environment)
}

fn deny() -> anyhow::Result<()> {
    if !has("cargo-deny", &["--version"]) {
        if !is_ci() {
            eprintln!("\x1b[1;33mSKIPPED: cargo-deny is missing\x1b[0m (cargo install cargo-deny)");
            return Ok(());
        }
        // A debug build: an optimised one would take longer to build than it saves.
        run(".", &cargo(), &["install", "--locked", "--quiet", "--debug", "cargo-deny"])?;
    }
    run(".", &cargo(), &["deny", "check", "bans", "licenses", "sources"])
}

/// Checks that both relays deliver the benchmark's load without loss.
fn beside_coturn() -> anyhow::Result<()> {
    if !is_ci() && !has("turnserver", &["--version"]) {
        eprintln!("\x1b[1;33mSKIPPED: coturn is missing\x1b[0m");
        return Ok(());
    }
    run(".", &bench()?, &["turn", "--smoke"])
}

fn browsers() -> anyhow::Result<()> {
    // Beside the server, whose dependencies are compiled; the link emulator has other features.
    let beside_server = ["--package", "moim", "--package", "moim-stranger"];
    for tools in [&beside_server[..], &["--package", "moim-wire"]] {
        run(".", &cargo(), &[&["build", "--release", "--locked"], tools].concat())?;
    }
    npm::install("e2e")?;
    let python = python::install()?;
    let python = python.to_string_lossy();
    let environment = [("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"), ("MOIM_PYTHON", &python)];
    run_with("e2e", "npm", &["test", "--silent"], &environment)
}
