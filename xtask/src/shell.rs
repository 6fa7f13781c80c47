//! Child processes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, bail, ensure};

/// The repository's root, independent of the current folder.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Cargo's target folder.
pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

/// Runs `program` in `dir` and fails unless it succeeds.
pub(crate) fn run(dir: &str, program: &str, args: &[&str]) -> anyhow::Result<()> {
    run_with(dir, program, args, &[])
}

/// [`run`], with additional environment variables.
pub(crate) fn run_with(
    dir: &str,
    program: &str,
    args: &[&str],
    environment: &[(&str, &str)],
) -> anyhow::Result<()> {
    let shown = format!("{program} {}", args.join(" "));
    eprintln!("\x1b[2m{dir}$ {shown}\x1b[0m");
    let status = Command::new(program)
        .args(args)
        .current_dir(dir)
        .envs(environment.iter().copied())
        .status()
        .with_context(|| format!("can't run `{program}`: is it installed?"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// True if `program` runs with `probe` and succeeds.
pub(crate) fn has(program: &str, probe: &[&str]) -> bool {
    Command::new(program)
        .args(probe)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// True in CI, where nothing may be skipped.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !value.is_empty() && value != "false")
}

/// The output of a program, which must succeed.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("can't run {shown}: is it installed?"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{shown} failed ({}): {errors}", output.status);
    Ok(output.stdout)
}

/// [`output`] as text.
pub(crate) fn text(command: &mut Command) -> anyhow::Result<String> {
    Ok(String::from_utf8(output(command)?)?)
}
