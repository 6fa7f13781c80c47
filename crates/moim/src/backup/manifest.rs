//! The first entry of a backup.

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// The format of backups that this program writes and reads.
const FORMAT: u32 = 1;

/// A description of a backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// Version of the program that made the backup.
    moim: String,
    created: String,
    /// The backup has the keys and secrets too.
    pub(super) keys: bool,
}

impl Manifest {
    /// Name of the entry.
    pub(super) const NAME: &str = "moim-backup.json";
    /// Limit of its size.
    pub(super) const MAX_BYTES: u64 = 64 << 10;

    /// The manifest of a backup that is made now.
    pub(super) fn new(keys: bool) -> anyhow::Result<Self> {
        let created = OffsetDateTime::now_utc().replace_nanosecond(0)?.format(&Rfc3339)?;
        Ok(Self { format: FORMAT, moim: env!("CARGO_PKG_VERSION").to_owned(), created, keys })
    }

    /// Checks that this program can read the backup. A newer one may hold what it doesn't know.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let own = env!("CARGO_PKG_VERSION");
        let version = numbers(&self.moim).context("The backup names no version of moim")?;
        if self.format > FORMAT || Some(version) > numbers(own) {
            bail!(
                "moim {}, which is newer than this {own}, made the backup: install that version \
                 first",
                self.moim
            );
        }
        Ok(())
    }

    /// When and by which version the backup was made.
    pub(super) fn origin(&self) -> String {
        format!("{} by moim {}", self.created, self.moim)
    }
}

/// The numbers of a version.
fn numbers(version: &str) -> Option<[u32; 3]> {
    let core = version.split(['-', '+']).next()?;
    let mut numbers = core.split('.').map(str::parse);
    let three = [numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?];
    numbers.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made_by(format: u32, moim: &str) -> Manifest {
        Manifest { format, moim: moim.to_owned(), created: String::new(), keys: true }
    }

    #[test]
    fn backups_of_newer_programs_are_refused() {
        assert!(Manifest::new(true).unwrap().check().is_ok());
        assert!(made_by(1, "0.0.9").check().is_ok());
        for newer in [made_by(FORMAT + 1, "0.1.0"), made_by(1, "99.0.0"), made_by(1, "0.100.0")] {
            let error = newer.check().unwrap_err().to_string();
            assert!(error.contains("install that version first"), "{error}");
        }
        assert!(made_by(1, "soon").check().is_err());
    }
}
