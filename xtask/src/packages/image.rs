//! The container image as an OCI image layout, without a container engine: one layer with the
//! program, the system's libraries that it loads, root certificates, and an empty `/data`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::{
    folder::{Folder, filter, source_date},
    licences, packages,
};
use crate::shell::{output, text};

/// The user and group of the program, as in distroless images.
const USER: &str = "65532:65532";
const USER_ID: &str = "65532";
const PORT: u16 = 4000;
const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Copyright files of the packages whose files are in the image.
const COPYRIGHTS: &[&str] = &["libc6", "libgcc-s1", "ca-certificates"];
/// Limit of the image's size, compressed.
pub(super) const MAX_BYTES: u64 = 40_000_000;

/// Builds the image of `binary`; returns the path of its layout.
pub(super) fn build(binary: &Path) -> anyhow::Result<PathBuf> {
    let folder = Folder::create(packages().join("image-root"))?;
    fill(&folder, binary)?;
    folder.settle_times()?;
    let layout = Folder::create(packages().join("image"))?;
    let layer = layer(&folder)?;
    let compressed = filter(Command::new("gzip").args(["-9", "-n"]), &layer)?;
    let mut blobs = Blobs { layout: &layout };
    let layer = blobs.add("application/vnd.oci.image.layer.v1.tar+gzip", &compressed, &layer)?;
    let version = text(Command::new(folder.path().join("moim")).arg("--version"))?;
    let version = version.trim().trim_start_matches("moim ").to_owned();
    let config = serde_json::to_vec(&config(&layer.content, &version)?)?;
    let config = blobs.add("application/vnd.oci.image.config.v1+json", &config, &config)?;
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.descriptor,
        "layers": [layer.descriptor],
        "annotations": annotations(&version)?,
    }))?;
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = blobs.add(kind, &manifest, &manifest)?;
    let index = json!({ "schemaVersion": 2, "manifests": [manifest.named("latest")] });
    layout.write("index.json", &serde_json::to_vec(&index)?, 0o644)?;
    layout.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
    Ok(layout.path().to_owned())
}

/// Fills the root file system.
fn fill(folder: &Folder, binary: &Path) -> anyhow::Result<()> {
    folder.program(binary, "moim")?;
    for library in libraries(binary)? {
        let name = library.trim_start_matches('/');
        // The libraries are where the loader looks first, under the names it looks for.
        folder.write(name, &fs::read(&library)?, 0o755)?;
    }
    let roots =
        fs::read(ROOTS).with_context(|| format!("can't read {ROOTS}: install ca-certificates"))?;
    folder.write(ROOTS.trim_start_matches('/'), &roots, 0o644)?;
    let users = format!("root:x:0:0::/:/\nmoim:x:{USER}::/data:/\n");
    folder.write("etc/passwd", users.as_bytes(), 0o644)?;
    folder.write("etc/group", format!("root:x:0:\nmoim:x:{USER_ID}:\n").as_bytes(), 0o644)?;
    folder.write("etc/nsswitch.conf", b"hosts: files dns\n", 0o644)?;
    for package in COPYRIGHTS {
        let path = format!("usr/share/doc/{package}/copyright");
        let text = fs::read(format!("/{path}")).with_context(|| format!("/{path} is missing"))?;
        folder.write(&path, &text, 0o644)?;
    }
    folder.write_gz("usr/share/doc/moim/third-party.txt.gz", licences::text()?.as_bytes())?;
    folder.folder("data", 0o700)?;
    folder.folder("tmp", 0o1777)?;
    Ok(())
}

/// The shared libraries that the program loads, and the loader.
fn libraries(binary: &Path) -> anyhow::Result<BTreeSet<String>> {
    let printed = text(Command::new("ldd").arg(binary))?;
    let paths: BTreeSet<_> = printed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(str::to_owned)
        .collect();
    ensure!(!paths.is_empty(), "`ldd` lists no libraries");
    Ok(paths)
}

/// The layer, uncompressed: sorted, and of fixed owners.
fn layer(folder: &Folder) -> anyhow::Result<Vec<u8>> {
    let archive = packages().join("layer.tar");
    let tar = |args: &[&str]| {
        let mut tar = Command::new("tar");
        tar.args(["--format=gnu", "--sort=name", "--numeric-owner"]).args(args);
        tar.arg("--file").arg(&archive).arg("--directory").arg(folder.path());
        tar
    };
    let mtime = format!("--mtime=@{}", source_date()?);
    let root = ["--create", "--owner=0", "--group=0", &mtime, "--exclude=./data"];
    output(tar(&root).arg("."))?;
    let (user, group) = (format!("--owner={USER_ID}"), format!("--group={USER_ID}"));
    output(tar(&["--append", &user, &group, &mtime]).arg("./data"))?;
    Ok(fs::read(archive)?)
}

/// The image's configuration.
fn config(layer: &str, version: &str) -> anyhow::Result<Value> {
    let created = created()?;
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let second = 1_000_000_000_u64;
    Ok(json!({
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": USER,
            "ExposedPorts": { format!("{PORT}/tcp"): {}, format!("{PORT}/udp"): {} },
            "Env": ["PATH=/", format!("SSL_CERT_FILE={ROOTS}")],
            "Entrypoint": ["/moim"],
            "Cmd": ["serve"],
            "Volumes": { "/data": {} },
            "WorkingDir": "/data",
            "StopSignal": "SIGTERM",
            "Labels": annotations(version)?,
            // Docker's and podman's extension; others ignore it.
            "Healthcheck": {
                "Test": ["CMD", "/moim", "ctl", "ready"],
                "Interval": 15 * second,
                "Timeout": 5 * second,
                "StartPeriod": 10 * second,
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [layer] },
        "history": [{ "created": created, "created_by": "cargo xtask image" }],
    }))
}

fn annotations(version: &str) -> anyhow::Result<Value> {
    Ok(json!({
        "org.opencontainers.image.title": "moim",
        "org.opencontainers.image.description":
            "Video calls that anyone can host: one program, one port",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "MIT OR Apache-2.0",
        "org.opencontainers.image.created": created()?,
    }))
}

fn created() -> anyhow::Result<String> {
    let date = format!("@{}", source_date()?);
    let date = text(Command::new("date").args(["--utc", "--date", &date, "+%Y-%m-%dT%H:%M:%SZ"]))?;
    Ok(date.trim().to_owned())
}

/// Content-addressed files of a layout.
struct Blobs<'a> {
    layout: &'a Folder,
}

/// A written blob.
struct Blob {
    descriptor: Value,
    /// Digest of the uncompressed content.
    content: String,
}

impl Blob {
    /// The descriptor of an image that has a name in its layout.
    fn named(&self, name: &str) -> Value {
        let mut descriptor = self.descriptor.clone();
        if let Some(fields) = descriptor.as_object_mut() {
            let annotations = json!({ "org.opencontainers.image.ref.name": name });
            fields.insert("annotations".to_owned(), annotations);
        }
        descriptor
    }
}

impl Blobs<'_> {
    fn add(&mut self, kind: &str, stored: &[u8], content: &[u8]) -> anyhow::Result<Blob> {
        let digest = sha256(stored)?;
        self.layout.write(&format!("blobs/sha256/{digest}"), stored, 0o644)?;
        Ok(Blob {
            descriptor: json!({
                "mediaType": kind,
                "digest": format!("sha256:{digest}"),
                "size": stored.len(),
            }),
            content: format!("sha256:{}", sha256(content)?),
        })
    }
}

fn sha256(bytes: &[u8]) -> anyhow::Result<String> {
    let printed = String::from_utf8(filter(&mut Command::new("sha256sum"), bytes)?)?;
    Ok(printed.split_whitespace().next().context("sha256sum printed nothing")?.to_owned())
}
