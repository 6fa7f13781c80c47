//! `cargo xtask test`: all checks and tests, cheapest first.

use std::time::{Duration, Instant};

#[cfg(unix)]
use crate::packages;
use crate::{
    background::BackgroundBuild,
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

/// Release builds that the browser tests need. The server is built alone first, as its dependencies
/// have other features beside the link emulator.
const RELEASE_BUILDS: &[&[&str]] = &[&["moim"], &["moim", "moim-stranger"], &["moim-wire"]];

/// Runs the steps in order; stops at the first failure.
pub(crate) fn test(extent: Extent) -> anyhow::Result<()> {
    let mut steps = Steps::default();
    steps.run("protocol types", types::check)?;
    steps.run("dashboard", dashboard::check)?;
    steps.run("format", format)?;
    steps.run("page", page)?;
    let is_whole = extent == Extent::Whole;
    let release = is_whole.then(|| BackgroundBuild::start(RELEASE_BUILDS)).transpose()?;
    steps.run("lints", lints)?;
    steps.run("Rust tests", rust_tests)?;
    steps.run("benches", benches)?;
    steps.run("fuzz targets", fuzz_targets)?;
    steps.run("licences and sources", deny)?;
    if let Some(mut release) = release {
        steps.run("tools", install::browsers_and_networks)?;
        steps.run("release build", || release.finish())?;
        #[cfg(unix)]
        steps.run("packages", packages::check)?;
        steps.run("TURN interoperability", relay::suites)?;
        steps.run("relay beside coturn", beside_coturn)?;
        steps.run("browsers and networks", browsers)?;
    }
    steps.report();
    Ok(())
}

/// The steps that have succeeded, with their times.
#[derive(Default)]
struct Steps(Vec<(&'static str, Duration)>);

impl Steps {
    fn run(
        &mut self,
        name: &'static str,
        step: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        eprintln!("\n\x1b[1m== {name}\x1b[0m");
        let start = Instant::now();
        step()?;
        self.0.push((name, start.elapsed()));
        Ok(())
    }

    fn report(&self) {
        eprintln!("\nall green:");
        for (name, time) in &self.0 {
            eprintln!("{:>6}  {name}", seconds(*time));
        }
    }
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
    run("web", "npm", &["run", "--silent", "test"])?;
    run("web", "npm", &["run", "--silent", "packages"])
}

/// Runs all of them, so that one run tells of every failure.
fn rust_tests() -> anyhow::Result<()> {
    install::rust_test_tools()?;
    // Tests of clients of others run them from there.
    npm::install("e2e")?;
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
        let args = ["nextest", "run", "--locked", "--workspace", "--no-fail-fast"];
        run_with(".", &cargo(), &args, &environment)?;
        return run(".", &cargo(), &["test", "--locked", "--workspace", "--doc", "--quiet"]);
    }
    let args = ["test", "--locked", "--workspace", "--no-fail-fast"];
    run_with(".", &cargo(), &args, &environment)
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
    npm::install("e2e")?;
    let python = python::install()?;
    let python = python.to_string_lossy();
    let environment = [("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"), ("MOIM_PYTHON", &python)];
    run_with("e2e", "npm", &["test", "--silent"], &environment)
}
