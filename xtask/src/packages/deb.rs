//! The Debian package, by `dpkg-deb` (docs/decisions/packages.md).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use super::{
    folder::{Folder, source_date},
    licences, packages,
};
use crate::shell::{output, text};

/// Files of the repository in the package.
const FILES: &[(&str, &str)] = &[
    ("packaging/systemd/moim.service", "usr/lib/systemd/system/moim.service"),
    ("packaging/systemd/60-moim.conf", "usr/lib/sysctl.d/60-moim.conf"),
    ("packaging/deb/lintian-overrides", "usr/share/lintian/overrides/moim"),
];

/// Documents of the repository in the package, compressed.
const DOCUMENTS: &[(&str, &str)] =
    &[("CHANGELOG.md", "changelog.gz"), ("docs/operations.md", "operations.md.gz")];

/// Shells, and the place of their completions.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/moim"),
    ("zsh", "usr/share/zsh/vendor-completions/_moim"),
    ("fish", "usr/share/fish/vendor_completions.d/moim.fish"),
];

const SCRIPTS: &[&str] = &["postinst", "prerm", "postrm"];

/// The revision of the package.
const REVISION: u32 = 1;

/// Builds the package of `binary`; returns its path.
pub(super) fn build(binary: &Path) -> anyhow::Result<PathBuf> {
    let folder = Folder::create(packages().join("deb"))?;
    folder.program(binary, "usr/bin/moim")?;
    for (source, target) in FILES {
        folder.write(target, &read(source)?, 0o644)?;
    }
    let program = fs::canonicalize(folder.path().join("usr/bin/moim"))?;
    let run = |args: &[&str]| output(Command::new(&program).env_clear().args(args));
    folder.write("etc/moim/moim.toml", &run(&["config", "example"])?, 0o644)?;
    for (shell, target) in COMPLETIONS {
        folder.write(target, &run(&["completions", shell])?, 0o644)?;
    }
    manuals(&folder, &program)?;
    let version = version(&program)?;
    documents(&folder, &version)?;
    control(&folder, &version)?;
    folder.settle_times()?;

    let architecture = architecture()?;
    let package = packages().join(format!("moim_{version}_{architecture}.deb"));
    let mut command = Command::new("dpkg-deb");
    command.env("SOURCE_DATE_EPOCH", source_date()?.to_string());
    command.args(["--root-owner-group", "-Zxz", "--build"]);
    output(command.arg(folder.path()).arg(&package))?;
    Ok(package)
}

fn manuals(folder: &Folder, program: &Path) -> anyhow::Result<()> {
    let pages = packages().join("man");
    if pages.exists() {
        fs::remove_dir_all(&pages)?;
    }
    output(Command::new(program).env_clear().arg("man").arg(&pages))?;
    for page in fs::read_dir(&pages)? {
        let page = page?;
        let name = page.file_name();
        let name = name.to_str().context("a page's name is not UTF-8")?;
        folder.write_gz(&format!("usr/share/man/man1/{name}.gz"), &fs::read(page.path())?)?;
    }
    Ok(())
}

fn documents(folder: &Folder, version: &str) -> anyhow::Result<()> {
    let place = "usr/share/doc/moim";
    for (source, name) in DOCUMENTS {
        folder.write_gz(&format!("{place}/{name}"), &read(source)?)?;
    }
    let date = format!("@{}", source_date()?);
    let date = text(Command::new("date").args(["--utc", "--rfc-email", "--date", &date]))?;
    let changelog = format!(
        "moim ({version}) unstable; urgency=medium\n\n  * See changelog.gz beside this file.\n\n \
         -- {}  {date}",
        field(&control_template()?, "Maintainer")?,
    );
    folder.write_gz(&format!("{place}/changelog.Debian.gz"), changelog.as_bytes())?;
    let licence = fs::read_to_string("LICENSE-MIT")?;
    let terms = licence.split_once("\n\nPermission").context("LICENSE-MIT has another form")?.1;
    let terms = format!("Permission{terms}");
    let terms: Vec<_> = terms
        .trim_end()
        .lines()
        .map(|line| if line.is_empty() { " .".to_owned() } else { format!(" {line}") })
        .collect();
    let copyright = fs::read_to_string("packaging/deb/copyright")?;
    let copyright = copyright.replace("@MIT@", &terms.join("\n"));
    folder.write(&format!("{place}/copyright"), copyright.as_bytes(), 0o644)?;
    folder.write_gz(&format!("{place}/third-party.txt.gz"), licences::text()?.as_bytes())
}

fn control(folder: &Folder, version: &str) -> anyhow::Result<()> {
    let size = text(
        Command::new("du")
            .args(["--summarize", "--apparent-size", "--block-size=1K"])
            .arg(folder.path()),
    )?;
    let size = size.split_whitespace().next().context("`du` printed nothing")?;
    let control = control_template()?
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", &architecture()?)
        .replace("@SIZE@", size)
        .replace("@DEPENDS@", &dependencies(folder)?);
    folder.write("DEBIAN/control", control.as_bytes(), 0o644)?;
    folder.write("DEBIAN/conffiles", b"/etc/moim/moim.toml\n", 0o644)?;
    for script in SCRIPTS {
        let text = read(&format!("packaging/deb/{script}"))?;
        folder.write(&format!("DEBIAN/{script}"), &text, 0o755)?;
    }
    let mut sums = Command::new("sh");
    sums.args(["-c", "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum"]);
    let sums = output(sums.current_dir(folder.path()))?;
    folder.write("DEBIAN/md5sums", &sums, 0o644)
}

/// The packages of the program's shared libraries.
fn dependencies(folder: &Folder) -> anyhow::Result<String> {
    let scratch = Folder::create(packages().join("shlibs"))?;
    scratch.write(
        "debian/control",
        b"Source: moim\n\nPackage: moim\nArchitecture: any\n",
        0o644,
    )?;
    let program = fs::canonicalize(folder.path().join("usr/bin/moim"))?;
    let mut command = Command::new("dpkg-shlibdeps");
    let printed = text(command.arg("-O").arg(&program).current_dir(scratch.path()))?;
    let list = printed.trim().strip_prefix("shlibs:Depends=");
    Ok(list.context("dpkg-shlibdeps printed no dependencies")?.to_owned())
}

/// The version of the package.
fn version(program: &Path) -> anyhow::Result<String> {
    let printed = text(Command::new(program).arg("--version"))?;
    let version = printed.trim().strip_prefix("moim ").context("the binary names no version")?;
    Ok(format!("{version}-{REVISION}"))
}

fn architecture() -> anyhow::Result<String> {
    Ok(text(Command::new("dpkg").arg("--print-architecture"))?.trim().to_owned())
}

fn control_template() -> anyhow::Result<String> {
    Ok(fs::read_to_string("packaging/deb/control")?)
}

fn field(control: &str, name: &str) -> anyhow::Result<String> {
    let value = control.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Ok(value.with_context(|| format!("packaging/deb/control has no {name}"))?.to_owned())
}

fn read(path: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("can't read {path}"))
}
