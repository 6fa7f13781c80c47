//! Checks of the packages, with the tools of those who receive them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};
use serde_json::{Map, Value};

use super::{
    chroot::{Debian, Server},
    deb,
    image::{self, MAX_BYTES},
    packages, service,
};
use crate::{
    python,
    shell::{has, is_ci, output, run, target_dir, text},
};

/// Exposure of the unit that `systemd-analyze security` may find, in tenths.
const MAX_EXPOSURE: &str = "20";
const UNIT: &str = "packaging/systemd/moim.service";

/// Programs that the checks run.
const PROGRAMS: &[&str] = &[
    "chroot",
    "dpkg-deb",
    "dpkg-shlibdeps",
    "lintian",
    "mmdebstrap",
    "nsenter",
    "python3",
    "skopeo",
    "strip",
    "systemd-analyze",
    "umoci",
    "unshare",
];

/// A binary and its packages.
struct Built {
    binary: PathBuf,
    deb: PathBuf,
    image: PathBuf,
}

type Check = (&'static str, fn(&Built) -> anyhow::Result<()>);

const CHECKS: &[Check] = &[
    ("P1 lintian is silent", lintian),
    ("P1 package installs, serves, is restored and purged", install),
    ("P2 unit is hardened", unit),
    ("P3, P4 systemd starts, reloads, watches and warmly restarts it", under_systemd),
    ("P7 image serves with a read-only root", image_layout),
    ("P8 packages are reproducible", twice),
    ("P9 manifests fit their schemas", manifests),
];

/// Packages the release build, and checks the packages.
pub(crate) fn check() -> anyhow::Result<()> {
    check_binary(&target_dir().join("release/moim"))
}

/// Packages `binary`, and checks the packages.
pub(crate) fn check_binary(binary: &Path) -> anyhow::Result<()> {
    let there = |program: &str| has("sh", &["-c", &format!("command -v {program}")]);
    let mut missing: Vec<_> = PROGRAMS.iter().copied().filter(|program| !there(program)).collect();
    if !has("sh", &["-c", "test $(id -u) = 0"]) {
        missing.push("root");
    }
    if !is_ci() && !missing.is_empty() {
        eprintln!("\x1b[1;33mSKIPPED: checks of packages need {}\x1b[0m", missing.join(", "));
        return Ok(());
    }
    ensure!(missing.is_empty(), "checks of packages need {}", missing.join(", "));
    let built =
        Built { binary: binary.to_owned(), deb: deb::build(binary)?, image: image::build(binary)? };
    for (name, check) in CHECKS {
        check(&built).with_context(|| format!("check {name}"))?;
        eprintln!("  ok  {name}");
    }
    Ok(())
}

/// The unit is hardened, and systemd understands all of it.
fn unit(built: &Built) -> anyhow::Result<()> {
    let threshold = format!("--threshold={MAX_EXPOSURE}");
    let security = ["security", "--offline=true", "--no-pager", &threshold, UNIT];
    output(Command::new("systemd-analyze").args(security))?;
    // The program and its manual need not be installed here.
    let unit = fs::read_to_string(UNIT)?;
    let program = fs::canonicalize(&built.binary)?;
    let unit = unit.replace("/usr/bin/moim", program.to_str().context("path is not UTF-8")?);
    fs::create_dir_all(packages())?;
    let copy = packages().join("moim.service");
    fs::write(&copy, unit)?;
    let mut verify = Command::new("systemd-analyze");
    let told = verify.args(["verify", "--man=no"]).arg(copy).output()?;
    let told = (told.status, String::from_utf8(told.stderr)?);
    ensure!(told.0.success() && told.1.is_empty(), "systemd-analyze verify: {told:?}");
    Ok(())
}

/// lintian is silent.
fn lintian(built: &Built) -> anyhow::Result<()> {
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]).arg(&built.deb);
    let told = text(&mut lintian)?;
    ensure!(told.is_empty(), "lintian: {told}");
    Ok(())
}

/// The package installs, serves as the unit starts it, keeps what an operator changed, backs up,
/// and leaves nothing when it is purged.
fn install(built: &Built) -> anyhow::Result<()> {
    let debian = Debian::unpack()?;
    fs::copy(&built.deb, debian.path().join("moim.deb"))?;
    debian.run("dpkg --install /moim.deb")?;
    debian.run("test -L /etc/systemd/system/multi-user.target.wants/moim.service")?;
    debian.run("moim config check /etc/moim/moim.toml && moim --version")?;
    debian.run("install -d -m 700 -o nobody -g nogroup /var/lib/moim")?;

    let server = debian.serve(&["--config", "/etc/moim/moim.toml"])?;
    server.expect("/", "<div id=\"root\">")?;
    debian.run("moim ctl ready")?;
    debian.run("moim backup /root/backup.tar.gz")?;
    server.stop()?;
    debian.run("moim restore --replace /root/backup.tar.gz")?;
    debian.run("rm -r /var/lib/moim/replaced-*")?;
    let others = debian.run("find /var/lib/moim ! -user nobody")?;
    ensure!(others.is_empty(), "the restored server can't read {others}");
    debian.serve(&["--config", "/etc/moim/moim.toml"])?.stop()?;

    debian.run("echo 'shards = 1' >> /etc/moim/moim.toml && dpkg --install /moim.deb")?;
    debian.run("tail -n 1 /etc/moim/moim.toml | grep -q 'shards = 1'")?;
    debian.run("dpkg --remove moim && test -e /etc/moim/moim.toml -a -e /var/lib/moim/ca.pem")?;
    debian.run("dpkg --purge moim")?;
    let left = debian.run(
        "rm -r /root/backup.tar.gz /moim.deb; find / -xdev -name '*moim*' ! -path '/proc/*'",
    )?;
    ensure!(left.is_empty(), "a purge leaves {left}");
    Ok(())
}

/// The unit works under the systemd of the release.
fn under_systemd(built: &Built) -> anyhow::Result<()> {
    let debian = Debian::unpack()?;
    fs::copy(&built.deb, debian.path().join("moim.deb"))?;
    service::check(debian.path())
}

/// The image is small, and serves as another user with a read-only root.
fn image_layout(built: &Built) -> anyhow::Result<()> {
    let layout = &built.image;
    let size = text(Command::new("du").args(["--summarize", "--bytes"]).arg(layout))?;
    let size: u64 = size.split_whitespace().next().context("`du` printed nothing")?.parse()?;
    ensure!(size < MAX_BYTES, "the image has {size} bytes");

    let name = format!("oci:{}:latest", layout.display());
    let config = output(Command::new("skopeo").args(["inspect", "--config", &name]))?;
    let config: Value = serde_json::from_slice(&config)?;
    for (pointer, wanted) in [
        ("/config/User", Value::from("65532:65532")),
        ("/config/StopSignal", Value::from("SIGTERM")),
        ("/config/Entrypoint/0", Value::from("/moim")),
        ("/config/Volumes/~1data", Value::Object(Map::new())),
        ("/config/ExposedPorts/4000~1tcp", Value::Object(Map::new())),
        ("/config/ExposedPorts/4000~1udp", Value::Object(Map::new())),
    ] {
        let found = config.pointer(pointer);
        ensure!(found == Some(&wanted), "{pointer} of the image is {found:?}, not {wanted}");
    }
    output(Command::new("skopeo").args(["inspect", &name]))?;

    let bundle = packages().join("bundle");
    let _ = fs::remove_dir_all(&bundle);
    let source = format!("{}:latest", layout.display());
    output(Command::new("umoci").args(["unpack", "--image", &source]).arg(&bundle))?;
    let root = fs::canonicalize(bundle.join("rootfs"))?;
    let mut unshare = Command::new("unshare");
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" &&
        mount -t tmpfs -o uid=65532,gid=65532,mode=700 data \"$0/data\" &&
        exec env -i PATH=/usr/sbin:/usr/bin chroot --userspec=65532:65532 \"$0\" /moim serve \"$@\"";
    unshare.args(["--mount", "sh", "-euc", script]).arg(&root);
    let server = Server::start(unshare)?;
    server.expect("/", "<div id=\"root\">")?;
    let mut healthcheck = Command::new("nsenter");
    healthcheck.arg(format!("--mount=/proc/{}/ns/mnt", server.id()));
    healthcheck.args(["env", "-i", "PATH=/usr/sbin:/usr/bin", "chroot"]);
    healthcheck.arg("--userspec=65532:65532").arg(&root).args(["/moim", "ctl", "ready"]);
    output(&mut healthcheck)?;
    server.stop()?;
    fs::remove_dir_all(bundle)?;
    Ok(())
}

/// Packages of one binary are equal bit by bit. `cargo xtask reproduce` builds the binary twice.
fn twice(built: &Built) -> anyhow::Result<()> {
    let (deb, index) = (fs::read(&built.deb)?, fs::read(built.image.join("index.json"))?);
    let again = fs::read(deb::build(&built.binary)?)?;
    ensure!(deb == again, "two builds of the Debian package differ");
    let again = fs::read(image::build(&built.binary)?.join("index.json"))?;
    ensure!(index == again, "two builds of the image differ");
    Ok(())
}

/// The manifests fit the schemas of Kubernetes, and the rules of ours.
fn manifests(_: &Built) -> anyhow::Result<()> {
    let python = python::install()?;
    run(".", python.to_str().context("path is not UTF-8")?, &["packaging/check.py"])
}
