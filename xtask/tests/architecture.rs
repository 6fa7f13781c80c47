//! House rules that the compiler doesn't check, from `cargo metadata` and the sources.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CORES: &[&str] = &[
    "moim-access",
    "moim-cluster",
    "moim-doctor",
    "moim-room",
    "moim-sfu",
    "moim-socketio",
    "moim-turn",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Dependencies that one crate switches on for all: `redis` has `combine`, by which str0m parses text,
/// read from sockets of tokio. Nothing of it is used in a core.
const SWITCHED_ON: &[(&str, &[&str])] = &[("combine", &["tokio", "tokio-util"])];

/// Direct and transitive dependencies of `package`, without dev and build dependencies.
fn dependencies_of(metadata: &serde_json::Value, package: &str) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name_of = |id: &str| {
        let found = packages.iter().find(|package| package["id"] == id).unwrap();
        found["name"].as_str().unwrap().to_owned()
    };
    let first = packages.iter().find(|candidate| candidate["name"] == package).unwrap();
    let mut open = vec![first["id"].as_str().unwrap().to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node["id"] == id.as_str()).unwrap();
        let from = name_of(&id);
        let switched_on = SWITCHED_ON.iter().find(|(name, _)| *name == from);
        let is_own = |name: &str| switched_on.is_none_or(|(_, names)| !names.contains(&name));
        for dependency in node["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let next = dependency["pkg"].as_str().unwrap();
            let is_normal = kinds.iter().any(|kind| kind["kind"].is_null());
            if is_normal && is_own(&name_of(next)) && seen.insert(name_of(next)) {
                open.push(next.to_owned());
            }
        }
    }
    seen
}

fn metadata() -> serde_json::Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// This machine's target, so that no packages of other platforms are fetched.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

#[test]
fn cores_depend_on_no_runtime_sockets_or_other_core() {
    let metadata = metadata();
    for core in CORES {
        let parts = dependencies_of(&metadata, core);
        for foreign in ["tokio", "mio", "socket2", "async-std", "hyper", "axum", "moim-testnet"] {
            assert!(!parts.contains(foreign), "{core} depends on {foreign}");
        }
        for other in CORES {
            assert!(!parts.contains(*other), "{core} depends on {other}");
        }
    }
}

#[test]
fn binary_depends_on_every_core_and_no_test_crate() {
    let parts = dependencies_of(&metadata(), "moim");
    for core in CORES {
        assert!(parts.contains(*core), "moim does not depend on {core}");
    }
    assert!(!parts.contains("moim-testnet"));
}

#[test]
fn cores_share_their_clippy_rules() {
    let rules = fs::read_to_string(root().join("crates/core.clippy.toml")).unwrap();
    for core in
        ["access", "cluster", "doctor", "headless", "room", "sfu", "socketio", "testnet", "turn"]
    {
        let own = fs::read_to_string(root().join("crates").join(core).join("clippy.toml"));
        assert_eq!(own.unwrap(), rules, "crates/{core}/clippy.toml must link to the cores' rules");
    }
}

#[test]
fn client_library_does_not_import_the_page() {
    for file in files_below(&root().join("web/packages/client/src")) {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let imports = line.contains("import") || line.contains("from ");
            let upwards = line.contains("/ui/") || line.contains("\"react");
            assert!(!(imports && upwards), "{}:{}: {line}", file.display(), number + 1);
        }
    }
}

#[test]
fn files_have_at_most_600_lines() {
    let folders = ["bench", "crates", "xtask", "web/src", "web/packages", "e2e", "fuzz"];
    for file in folders.iter().flat_map(|folder| files_below(&root().join(folder))) {
        let ours = file
            .extension()
            .is_some_and(|end| ["rs", "ts", "tsx", "css"].iter().any(|e| end == *e));
        if ours {
            let text = fs::read_to_string(&file).unwrap();
            // Generated from files that are checked themselves.
            if text.starts_with("// Written by `cargo xtask") {
                continue;
            }
            let lines = text.lines().count();
            assert!(lines <= 600, "{} has {lines} lines: look for its second noun", file.display());
        }
    }
}

/// All files below `folder`, without installed and built ones.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let skipped = ["node_modules", "target", "dist", "results", "shots"];
        if path.is_dir() && !skipped.iter().any(|name| path.ends_with(name)) {
            files.extend(files_below(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

/// A count from an untrusted packet that overflows must panic, and the panic be caught: a wrapped
/// count has made the media engine loop until memory ran out.
#[test]
fn release_builds_check_overflows_where_untrusted_numbers_are_parsed_and_unwind() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, profile) = text.split_once("[profile.release]").unwrap();
    let (profile, packages) = profile.split_once("[profile.release.package]").unwrap();
    assert!(profile.contains("panic = \"unwind\""), "{profile}");
    for name in ["str0m", "is", "sctp-proto", "dimpl", "moim-sfu", "moim-turn"] {
        let line = format!("\n{name} = {{ overflow-checks = true }}");
        assert!(packages.contains(&line), "{name}: {packages}");
    }
}
