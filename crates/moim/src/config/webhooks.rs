//! Configuration of webhooks.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use axum::http::Uri;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use clap::Args;
use serde::Deserialize;

use super::{
    Problems,
    merging::{first_of, one_or_many},
};

/// Maximum length of a URL, in bytes.
const MAX_URL_BYTES: usize = 2048;
/// The beginning of a secret.
const SECRET_PREFIX: &str = "whsec_";
/// Length of a secret's key, in bytes.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Length of a generated one.
const GENERATED_BYTES: usize = 32;

/// Options about webhooks, each optional. In the file they stand at the top.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WebhookOptions {
    /// URL that is sent what happens in rooms, by the rules of Standard Webhooks; may be repeated
    #[arg(long, env = "MOIM_WEBHOOK", value_name = "URL", value_delimiter = ',')]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) webhook: Option<Vec<String>>,

    /// Secret that signs what the URLs of --webhook are sent: whsec_ and 24 to 64 bytes in base64
    #[arg(long, env = "MOIM_WEBHOOK_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(super) webhook_secret: Option<String>,

    /// File with --webhook-secret
    #[arg(long, env = "MOIM_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    pub(super) webhook_secret_file: Option<PathBuf>,

    /// The same in the form of LiveKit's server, signed with the first --api-key; may be repeated
    #[arg(long, env = "MOIM_WEBHOOK_LIVEKIT", value_name = "URL", value_delimiter = ',')]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) webhook_livekit: Option<Vec<String>>,

    /// Allow webhooks to private addresses, this computer and http:// URLs
    #[arg(long, env = "MOIM_WEBHOOK_PRIVATE", value_name = "BOOL", num_args = 0..=1,
        default_missing_value = "true", require_equals = true)]
    pub(super) webhook_private: Option<bool>,
}

/// Validated configuration of webhooks.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebhookConfig {
    /// Receivers, each with the name of the API key that signs in LiveKit's form; `None` for the
    /// standard form.
    pub(crate) receivers: Vec<(WebhookUrl, Option<String>)>,
    /// Signs in the standard form.
    pub(crate) secret: Option<WebhookSecret>,
    /// Private addresses and plain HTTP are allowed.
    pub(crate) allows_private: bool,
}

/// URL of a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WebhookUrl {
    text: String,
    is_secure: bool,
}

/// A secret of Standard Webhooks. Its `Debug` text is redacted.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WebhookSecret(String);

impl WebhookOptions {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; webhook, webhook_secret, webhook_secret_file, webhook_livekit,
            webhook_private)
    }
}

impl WebhookConfig {
    /// Resolves the options; mistakes go to `problems`. `api_key`: name of the first one.
    pub(super) fn resolve(
        options: WebhookOptions,
        api_key: Option<&str>,
        problems: &mut Problems,
    ) -> Self {
        let allows_private = options.webhook_private.unwrap_or_default();
        let secret = options.webhook_secret.and_then(|text| {
            let secret = WebhookSecret::parse(&text).context(
                "--webhook-secret must be whsec_ and 24 to 64 random bytes in base64: make one \
                 with `echo whsec_$(openssl rand -base64 32)`",
            );
            problems.take(secret)
        });
        let standard = options.webhook.unwrap_or_default();
        problems.ensure(standard.is_empty() || secret.is_some(), || {
            "--webhook needs --webhook-secret, by which receivers know this server: make one with \
             `echo whsec_$(openssl rand -base64 32)`"
                .to_owned()
        });
        let livekit = options.webhook_livekit.unwrap_or_default();
        problems.ensure(livekit.is_empty() || api_key.is_some(), || {
            "--webhook-livekit needs an --api-key, by which receivers know this server".to_owned()
        });
        let mut receivers = Vec::new();
        let keys = [("webhook", standard, None), ("webhook-livekit", livekit, api_key)];
        for (flag, urls, key) in keys {
            for text in urls {
                let url = problems.take(url(flag, &text, allows_private));
                receivers.extend(url.map(|url| (url, key.map(str::to_owned))));
            }
        }
        Self { receivers, secret, allows_private }
    }
}

fn url(flag: &str, text: &str, allows_private: bool) -> anyhow::Result<WebhookUrl> {
    let url = WebhookUrl::parse(text).with_context(|| {
        format!("--{flag} {text:?} is no URL of a receiver: write https://HOST/PATH")
    })?;
    ensure!(
        url.is_secure || allows_private,
        "--{flag} {text} must begin with https://: others could read what it is sent. \
         --webhook-private allows it in your own network"
    );
    Ok(url)
}

impl WebhookUrl {
    /// A URL that begins with http:// or https:// and has a host, and no user in front.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_URL_BYTES || text.contains('#') {
            return None;
        }
        let url: Uri = text.parse().ok()?;
        let authority = url.authority()?;
        let is_secure = match url.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let is_plain = !authority.host().is_empty() && !authority.as_str().contains('@');
        is_plain.then(|| Self { text: text.to_owned(), is_secure })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Nobody on the way can read what it is sent.
    pub(crate) fn is_secure(&self) -> bool {
        self.is_secure
    }
}

impl WebhookSecret {
    /// A secret in its text form; `None` if it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let secret = Self(text.to_owned());
        SECRET_BYTES.contains(&secret.key().len()).then_some(secret)
    }

    /// A new one; `None` if the system has no random bytes.
    pub(crate) fn generate() -> Option<Self> {
        let mut key = [0; GENERATED_BYTES];
        getrandom::fill(&mut key).ok()?;
        Some(Self(format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(key))))
    }

    /// The text form.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of the HMAC; empty for a text that is no secret.
    pub(crate) fn key(&self) -> Vec<u8> {
        let text = self.0.strip_prefix(SECRET_PREFIX).unwrap_or_default();
        let decoded = BASE64_STANDARD_NO_PAD.decode(text.trim_end_matches('='));
        decoded.unwrap_or_default()
    }
}

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn resolve(options: WebhookOptions, key: Option<&str>) -> Result<WebhookConfig, String> {
        let mut problems = Problems::default();
        let config = WebhookConfig::resolve(options, key, &mut problems);
        let told: Vec<_> = problems.iter().map(str::to_owned).collect();
        if told.is_empty() { Ok(config) } else { Err(told.join("\n")) }
    }

    fn options(webhook: &str, secret: Option<&str>) -> WebhookOptions {
        let webhook = Some(vec![webhook.to_owned()]);
        let webhook_secret = secret.map(str::to_owned);
        WebhookOptions { webhook, webhook_secret, ..WebhookOptions::default() }
    }

    #[test]
    fn urls_have_a_scheme_a_host_and_no_user() {
        for (url, is_secure) in [
            ("https://a.example/hook?x=1", true),
            ("http://10.0.0.2:8080", false),
            ("https://[2001:db8::1]/", true),
        ] {
            assert_eq!(WebhookUrl::parse(url).unwrap().is_secure(), is_secure, "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        for url in ["", "a.example", "ftp://a.example", "https://u:p@a.example", "https://", &long]
        {
            assert!(WebhookUrl::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn receivers_need_what_signs_for_them_and_https() {
        let config = resolve(options("https://a.example", Some(SECRET)), None).unwrap();
        assert_eq!(config.receivers.len(), 1);
        assert_eq!(config.secret.unwrap().key().len(), 24);
        for (options, about) in [
            (options("https://a.example", None), "--webhook-secret"),
            (options("https://a.example", Some("hunter2")), "whsec_"),
            (options("https://a.example", Some("whsec_c2hvcnQ=")), "24 to 64"),
            (options("http://a.example", Some(SECRET)), "--webhook-private"),
            (options("a.example", Some(SECRET)), "no URL"),
        ] {
            let told = resolve(options, None).unwrap_err();
            assert!(told.contains(about) && !told.contains("hunter2"), "{told}");
        }
        let mut inside = options("http://10.0.0.2", Some(SECRET));
        inside.webhook_private = Some(true);
        assert!(resolve(inside, None).unwrap().allows_private);
        let webhook_livekit = Some(vec!["https://a.example".to_owned()]);
        let livekit = WebhookOptions { webhook_livekit, ..WebhookOptions::default() };
        assert!(resolve(livekit.clone(), None).unwrap_err().contains("--api-key"));
        let config = resolve(livekit, Some("app")).unwrap();
        assert_eq!(config.receivers[0].1.as_deref(), Some("app"));
    }

    #[test]
    fn generated_secrets_are_valid_and_hidden() {
        let secret = WebhookSecret::generate().unwrap();
        assert_eq!(WebhookSecret::parse(secret.as_str()), Some(secret.clone()));
        assert_eq!(secret.key().len(), GENERATED_BYTES);
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
    }
}
