//! A folder that becomes a package: the same input gives the same files, times and modes.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, ensure};

use crate::shell::{output, text};

/// A tree of files to be packaged.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// An empty folder at `root`, in place of an older one.
    pub(super) fn create(root: PathBuf) -> anyhow::Result<Self> {
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        fs::create_dir_all(&root)?;
        fs::set_permissions(&root, fs::Permissions::from_mode(0o755))?;
        Ok(Self { root })
    }

    /// The folder's path.
    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// Creates a folder in it.
    pub(super) fn folder(&self, name: &str, mode: u32) -> anyhow::Result<PathBuf> {
        let mut path = self.root.clone();
        for part in Path::new(name) {
            path.push(part);
            if !path.exists() {
                fs::create_dir(&path)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        Ok(path)
    }

    /// Writes a file in it.
    pub(super) fn write(&self, name: &str, text: &[u8], mode: u32) -> anyhow::Result<()> {
        let path = self.root.join(name);
        if let Some((parent, _)) = name.rsplit_once('/') {
            self.folder(parent, 0o755)?;
        }
        fs::write(&path, text)?;
        Ok(fs::set_permissions(&path, fs::Permissions::from_mode(mode))?)
    }

    /// Writes a compressed file in it, without a name or time inside.
    pub(super) fn write_gz(&self, name: &str, text: &[u8]) -> anyhow::Result<()> {
        let compressed = filter(Command::new("gzip").args(["-9", "-n"]), text)?;
        self.write(name, &compressed, 0o644)
    }

    /// Copies the program into it, without symbols: panics are logged with file and line.
    pub(super) fn program(&self, binary: &Path, name: &str) -> anyhow::Result<()> {
        let program = fs::read(binary)
            .with_context(|| format!("can't read {}: build it first", binary.display()))?;
        self.write(name, &program, 0o755)?;
        let mut strip = Command::new("strip");
        strip.args(["--strip-all", "--remove-section=.comment", "--remove-section=.note"]);
        output(strip.arg(self.root.join(name)))?;
        Ok(())
    }

    /// Gives every file the time of the source.
    pub(super) fn settle_times(&self) -> anyhow::Result<()> {
        let time = format!("@{}", source_date()?);
        let mut touch = Command::new("find");
        touch.arg(&self.root).args(["-exec", "touch", "--no-dereference", "--date", &time]);
        output(touch.args(["{}", "+"]))?;
        Ok(())
    }
}

/// `SOURCE_DATE_EPOCH`, or the time of the last commit.
pub(super) fn source_date() -> anyhow::Result<u64> {
    if let Ok(given) = std::env::var("SOURCE_DATE_EPOCH") {
        return given.parse().context("SOURCE_DATE_EPOCH is no number of seconds");
    }
    let time = text(Command::new("git").args(["log", "-1", "--format=%ct"]))?;
    time.trim().parse().context("git names no time of the last commit: set SOURCE_DATE_EPOCH")
}

/// The output of a program that is given `input`.
pub(super) fn filter(command: &mut Command, input: &[u8]) -> anyhow::Result<Vec<u8>> {
    let shown = format!("{command:?}");
    let scratch = std::env::temp_dir().join(format!("moim-xtask-{}", std::process::id()));
    fs::write(&scratch, input)?;
    let result = fs::File::open(&scratch).map_err(Into::into).and_then(|file| {
        let output = command.stdin(file).output()?;
        ensure!(output.status.success(), "{shown} failed ({})", output.status);
        Ok(output.stdout)
    });
    fs::remove_file(&scratch)?;
    result
}
