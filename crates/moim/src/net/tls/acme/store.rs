//! The account, certificates and state in the data folder.

use std::collections::BTreeMap;

use instant_acme::AccountCredentials;
use serde::{Deserialize, Serialize};

use super::{
    plan::Memory,
    target::{Target, short_hash},
};
use crate::data::DataFolder;

/// The folder in the data folder, with one of each CA.
const FOLDER: &str = "acme";
const ACCOUNT: &str = "account.json";
const STATE: &str = "state.json";

/// The files of one CA. All are private, and replaced whole or not at all.
pub(super) struct Store {
    folder: DataFolder,
    state: State,
}

/// What is remembered of each identifier.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct State {
    certificates: BTreeMap<String, Memory>,
}

impl Store {
    /// The files of the CA with this directory.
    pub(super) fn open(data: &DataFolder, directory: &str) -> anyhow::Result<Self> {
        let path = data.path().join(FOLDER).join(short_hash(directory));
        let folder = DataFolder::open(&path)?;
        let text = folder.read(STATE)?;
        let state = text.map(|text| serde_json::from_str(&text)).transpose();
        let state = state.unwrap_or_else(|error| {
            // What it would say is lost; the CA's limits are then met by trying.
            tracing::warn!(%error, path = %path.join(STATE).display(), "damaged, begun anew");
            None
        });
        Ok(Self { folder, state: state.unwrap_or_default() })
    }

    /// What is remembered of a certificate.
    pub(super) fn memory(&self, target: &Target) -> Memory {
        let key = target.identifier.to_string();
        self.state.certificates.get(&key).cloned().unwrap_or_default()
    }

    /// Remembers. An attempt must not begin if that fails.
    pub(super) fn remember(&mut self, target: &Target, memory: &Memory) -> anyhow::Result<()> {
        self.state.certificates.insert(target.identifier.to_string(), memory.clone());
        self.folder.write(STATE, &serde_json::to_string_pretty(&self.state)?)
    }

    /// The key and the chain in PEM.
    pub(super) fn certificate(&self, target: &Target) -> anyhow::Result<Option<String>> {
        self.folder.read(&pem_file(target))
    }

    /// Keeps the key and the chain in PEM.
    pub(super) fn keep_certificate(&self, target: &Target, pem: &str) -> anyhow::Result<()> {
        self.folder.write(&pem_file(target), pem)
    }

    /// The account's credentials; `None` without an account. A damaged file is none.
    pub(super) fn account(&self) -> anyhow::Result<Option<AccountCredentials>> {
        let text = self.folder.read(ACCOUNT)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Forgets an account that the CA doesn't know.
    pub(super) fn forget_account(&self) {
        if let Err(error) = std::fs::remove_file(self.folder.path().join(ACCOUNT)) {
            tracing::warn!(%error, "the account of the CA can't be forgotten");
        }
    }

    /// Keeps the account's credentials.
    pub(super) fn keep_account(&self, account: &AccountCredentials) -> anyhow::Result<()> {
        self.folder.write(ACCOUNT, &serde_json::to_string(account)?)
    }
}

fn pem_file(target: &Target) -> String {
    format!("{}.pem", target.file_stem())
}

#[cfg(test)]
mod tests {
    use super::{super::target::Identifier, *};

    fn target(name: &str) -> Target {
        Target { identifier: Identifier::Name(name.to_owned()), profile: None }
    }

    #[test]
    fn store_keeps_each_ca_and_name_apart() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let store = Store::open(&data, "https://ca.example/").unwrap();
        store.keep_certificate(&target("a.example"), "pem").unwrap();
        let again = Store::open(&data, "https://ca.example/").unwrap();
        assert_eq!(again.certificate(&target("a.example")).unwrap().as_deref(), Some("pem"));
        assert_eq!(again.certificate(&target("b.example")).unwrap(), None);
        let other = Store::open(&data, "https://other.example/").unwrap();
        assert_eq!(other.certificate(&target("a.example")).unwrap(), None);
    }

    #[test]
    fn memory_survives_and_damage_begins_anew() {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        let mut store = Store::open(&data, "https://ca.example/").unwrap();
        let memory: Memory = serde_json::from_str("{\"failures\":3}").unwrap();
        store.remember(&target("a.example"), &memory).unwrap();
        let again = Store::open(&data, "https://ca.example/").unwrap();
        assert_eq!(again.memory(&target("a.example")), memory);
        std::fs::write(again.folder.path().join(STATE), "{").unwrap();
        let damaged = Store::open(&data, "https://ca.example/").unwrap();
        assert_eq!(damaged.memory(&target("a.example")), Memory::default());
    }
}
