//! Certificates from a public CA.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};

use super::{
    DomainName, Options, Problems,
    acme_choices::{AcmeMode, ChallengeChoice, Port80},
};

/// CAs by name, with the URLs of their directories.
const DIRECTORIES: [(&str, &str); 4] = [
    ("letsencrypt", "https://acme-v02.api.letsencrypt.org/directory"),
    ("letsencrypt-staging", LETS_ENCRYPT_STAGING),
    ("zerossl", "https://acme.zerossl.com/v2/DV90"),
    ("google", "https://dv.acme-v02.api.pki.goog/directory"),
];

const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// The most names: each has its own certificate and counts towards the CA's limits.
const MAX_DOMAINS: usize = 20;

/// The profile of Let's Encrypt that admits addresses.
const ADDRESS_PROFILE: &str = "shortlived";

/// What certificates to get, and from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Acme {
    /// Names, each of which gets a certificate.
    pub(crate) domains: Vec<DomainName>,
    /// Each announced address gets one too.
    pub(crate) addresses: bool,
    /// The URL of the CA's directory.
    pub(crate) directory: String,
    /// A root certificate that replaces those of the system, for connections to the CA.
    pub(crate) root: Option<PathBuf>,
    /// The contact of the account.
    pub(crate) email: Option<String>,
    /// The account outside ACME that the CA demands (RFC 8555 §7.3.4).
    pub(crate) eab: Option<Eab>,
    /// The profile that the operator chose.
    profile: Option<String>,
    /// The kind of proof.
    pub(crate) challenge: ChallengeChoice,
    /// Port 80 may be bound during an order.
    pub(crate) may_bind_80: bool,
}

/// An external account.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Eab {
    /// The key's id.
    pub(crate) kid: String,
    /// The HMAC key.
    pub(crate) key: Vec<u8>,
}

impl Acme {
    pub(super) fn resolve(options: &mut Options, problems: &mut Problems) -> Option<Self> {
        let mut domains = options.domain.take().unwrap_or_default();
        domains.sort();
        domains.dedup();
        problems.ensure(domains.len() <= MAX_DOMAINS, || {
            format!("--domain takes at most {MAX_DOMAINS} names: leave some out")
        });
        let addresses = options.acme_address.unwrap_or_default();
        let has_announced = options.announce.as_ref().is_some_and(|list| !list.is_empty());
        problems.ensure(!addresses || has_announced, || {
            "--acme-address needs the public address: add --announce IP".to_owned()
        });
        let directory = options.acme_directory.take().unwrap_or_else(|| "letsencrypt".to_owned());
        let directory = problems.take(directory_url(&directory));
        let eab = problems.take(eab(options.acme_eab_kid.take(), options.acme_eab_key_file.take()));
        let email = options.acme_email.take();
        problems.ensure(email.as_ref().is_none_or(|email| email.contains('@')), || {
            "--acme-email is no mail address: write it as in ann@example.org".to_owned()
        });
        let is_off = options.acme == Some(AcmeMode::Off) || (domains.is_empty() && !addresses);
        let acme = Self {
            domains,
            addresses,
            directory: directory?,
            root: options.acme_root.take(),
            email,
            eab: eab?,
            profile: options.acme_profile.take(),
            challenge: options.acme_challenge.unwrap_or_default(),
            may_bind_80: options.acme_http != Some(Port80::Off),
        };
        (!is_off).then_some(acme)
    }

    /// The profile for certificates of names.
    pub(crate) fn profile_for_names(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The profile for certificates of addresses.
    pub(crate) fn profile_for_addresses(&self) -> &str {
        self.profile.as_deref().unwrap_or(ADDRESS_PROFILE)
    }

    /// A text that changes with the configuration, the secret key included: to be hashed.
    pub(crate) fn fingerprint(&self) -> String {
        let key = self.eab.as_ref().map(|eab| BASE64_STANDARD.encode(&eab.key));
        format!("{self:?} {key:?}")
    }

    /// The directory for rehearsals, whose limits are far wider.
    pub(crate) fn staging(&self) -> Option<&'static str> {
        let is_lets_encrypt = DIRECTORIES.first().is_some_and(|(_, url)| *url == self.directory);
        is_lets_encrypt.then_some(LETS_ENCRYPT_STAGING)
    }
}

fn directory_url(text: &str) -> anyhow::Result<String> {
    if let Some((_, url)) = DIRECTORIES.iter().find(|(name, _)| *name == text) {
        return Ok((*url).to_owned());
    }
    let host = text.strip_prefix("https://").unwrap_or_default();
    if host.is_empty() || text.contains(char::is_whitespace) {
        bail!(
            "--acme-directory must be letsencrypt, letsencrypt-staging, zerossl, google, or an \
             https:// URL"
        );
    }
    Ok(text.to_owned())
}

fn eab(kid: Option<String>, file: Option<PathBuf>) -> anyhow::Result<Option<Eab>> {
    match (kid, file) {
        (Some(kid), Some(file)) => Ok(Some(Eab { kid, key: eab_key(&file)? })),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("--acme-eab-kid needs its key: add --acme-eab-key-file FILE"),
        (None, Some(_)) => bail!("--acme-eab-key-file needs the key's id: add --acme-eab-kid ID"),
    }
}

fn eab_key(path: &Path) -> anyhow::Result<Vec<u8>> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("Can't read {}: check --acme-eab-key-file", path.display()))?;
    let text = text.trim();
    let key = BASE64_URL_SAFE_NO_PAD
        .decode(text.trim_end_matches('='))
        .or_else(|_| BASE64_STANDARD.decode(text))
        .ok();
    let key = key.with_context(|| {
        format!("{} is not in base64url: check --acme-eab-key-file", path.display())
    })?;
    ensure!(!key.is_empty(), "{} is empty: check --acme-eab-key-file", path.display());
    Ok(key)
}

impl std::fmt::Debug for Eab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Eab").field("kid", &self.kid).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(options: &str) -> (Option<Acme>, Vec<String>) {
        let mut problems = Problems::default();
        let acme = Acme::resolve(&mut toml::from_str(options).unwrap(), &mut problems);
        (acme, problems.iter().map(str::to_owned).collect())
    }

    #[test]
    fn domain_turns_acme_on_and_off_turns_it_off() {
        assert_eq!(resolve("").0, None);
        let acme = resolve("domain = ['b.example', 'a.example', 'b.example']").0.unwrap();
        assert_eq!(acme.domains.len(), 2);
        assert_eq!(acme.directory, "https://acme-v02.api.letsencrypt.org/directory");
        assert_eq!(acme.staging(), Some(LETS_ENCRYPT_STAGING));
        assert!(acme.may_bind_80);
        assert_eq!(resolve("domain = ['a.example']\nacme = 'off'").0, None);
        let acme = resolve("acme-address = true\nannounce = ['203.0.113.7']").0.unwrap();
        assert_eq!((acme.profile_for_addresses(), acme.profile_for_names()), ("shortlived", None));
    }

    #[test]
    fn mistakes_name_the_flag_and_the_remedy() {
        for (options, told) in [
            ("acme-address = true", "--announce IP"),
            ("acme-directory = 'http://ca.example/'", "https:// URL"),
            ("acme-eab-kid = 'k'", "--acme-eab-key-file FILE"),
            ("acme-eab-key-file = '/nowhere'", "--acme-eab-kid ID"),
            ("acme-eab-kid = 'k'\nacme-eab-key-file = '/nowhere'", "Can't read /nowhere"),
            ("acme-email = 'ann'", "ann@example.org"),
        ] {
            let (_, problems) = resolve(options);
            assert!(problems.len() == 1 && problems[0].contains(told), "{options}: {problems:?}");
        }
    }

    #[test]
    fn external_account_key_is_not_shown() {
        let eab = Eab { kid: "k".to_owned(), key: b"hunter2".to_vec() };
        assert_eq!(format!("{eab:?}"), "Eab { kid: \"k\", .. }");
    }
}
