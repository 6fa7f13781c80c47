//! The crates and npm packages in the program, with their licences.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use anyhow::Context;
use serde_json::Value;

use crate::shell::{cargo, output};

/// Beginnings of the names of files with a licence or a notice.
const NAMES: &[&str] = &["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"];
/// npm packages that the page contains beside its direct dependencies.
const NODE_MODULES: &str = "web/node_modules";

/// A part of the program.
struct Part {
    name: String,
    licence: String,
    texts: BTreeSet<String>,
}

/// A list of all parts, then each text once, with the parts it is for.
pub(super) fn text() -> anyhow::Result<String> {
    let mut parts = crates()?;
    parts.extend(npm_packages()?);
    let mut list = "moim contains these crates and npm packages:\n\n".to_owned();
    let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for part in &parts {
        let _ = writeln!(list, "{:<40} {}", part.name, part.licence);
        for text in &part.texts {
            texts.entry(text).or_default().push(&part.name);
        }
    }
    for (text, names) in texts {
        let _ = write!(list, "\n{}\n{}\n\n{text}", "=".repeat(78), names.join(", "));
    }
    Ok(list)
}

/// The crates of the binary on this platform.
fn crates() -> anyhow::Result<Vec<Part>> {
    let tree = ["tree", "--locked", "--package", "moim", "--edges", "normal", "--prefix", "none"];
    let mut command = Command::new(cargo());
    command.args(tree).args(["--no-dedupe", "--format", "{p}"]);
    let printed = String::from_utf8(output(&mut command)?)?;
    // A line is `name vVERSION`, and ` (path)` for ours.
    let used: BTreeSet<(&str, &str)> = printed
        .lines()
        .filter(|line| !line.contains('('))
        .filter_map(|line| line.split_once(" v"))
        .collect();
    let metadata = ["metadata", "--locked", "--format-version", "1"];
    let metadata: Value = serde_json::from_slice(&output(Command::new(cargo()).args(metadata))?)?;
    let mut parts = Vec::new();
    for package in list(&metadata, "packages")? {
        let field = |name: &str| field(package, name);
        if !used.contains(&(field("name"), field("version"))) {
            continue;
        }
        let folder = Path::new(field("manifest_path")).parent().context("a crate has no folder")?;
        parts.push(Part {
            name: format!("{} {}", field("name"), field("version")),
            licence: field("license").to_owned(),
            texts: texts_in(folder)?,
        });
    }
    parts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(parts)
}

/// The npm packages that the page may contain: those of its lock file that are no tools.
fn npm_packages() -> anyhow::Result<Vec<Part>> {
    let lock: Value = serde_json::from_slice(&fs::read("web/package-lock.json")?)?;
    let mut parts = Vec::new();
    let packages = lock.get("packages").and_then(Value::as_object);
    for (path, package) in packages.context("the lock file has no packages")? {
        let is_tool = package.get("dev").is_some_and(|dev| dev == true);
        // A link is a package of this repository.
        let is_own = package.get("link").is_some_and(|link| link == true);
        let name = path.strip_prefix("node_modules/").filter(|_| !is_tool && !is_own);
        if let Some(name) = name {
            parts.push(Part {
                name: format!("{name} {}", field(package, "version")),
                licence: field(package, "license").to_owned(),
                texts: texts_in(&Path::new(NODE_MODULES).join(name))?,
            });
        }
    }
    Ok(parts)
}

fn list<'a>(value: &'a Value, name: &str) -> anyhow::Result<&'a Vec<Value>> {
    value.get(name).and_then(Value::as_array).with_context(|| format!("there are no {name}"))
}

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn texts_in(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut texts = BTreeSet::new();
    for entry in fs::read_dir(folder).with_context(|| format!("{} is missing", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_uppercase();
        if entry.file_type()?.is_file() && NAMES.iter().any(|begin| name.starts_with(begin)) {
            texts.insert(String::from_utf8_lossy(&fs::read(entry.path())?).into_owned());
        }
    }
    Ok(texts)
}
