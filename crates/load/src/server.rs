//! The URL of a server and its TLS configuration.

use std::{
    fs,
    net::{SocketAddr, ToSocketAddrs as _},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, bail};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};

/// A resolved server URL.
#[derive(Debug, Clone)]
pub struct ServerUrl {
    /// The host name, as in the certificate.
    pub host: String,
    /// Host and port, as in the URL.
    pub authority: String,
    /// The address of signaling and media.
    pub address: SocketAddr,
    /// Uses TLS.
    pub secure: bool,
}

impl ServerUrl {
    /// Parses `http://host:port` and resolves the host.
    ///
    /// # Errors
    /// The URL is invalid or the host is unknown.
    pub fn resolve(url: &str) -> anyhow::Result<Self> {
        let (secure, rest) = match (url.strip_prefix("http://"), url.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => bail!("--url {url} is no http:// or https:// URL"),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        let port = if secure { 443 } else { 80 };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, digits)) if !digits.contains(']') => {
                (host, digits.parse().with_context(|| format!("--url {url} has no such port"))?)
            }
            _ => (authority.as_str(), port),
        };
        let host = host.trim_matches(['[', ']']).to_owned();
        let found = (host.as_str(), port).to_socket_addrs();
        let address = found.ok().and_then(|mut addresses| addresses.next());
        let address = address.with_context(|| format!("--url {url}: no such host"))?;
        Ok(Self { host, authority, address, secure })
    }

    /// The TLS configuration of an https server.
    ///
    /// # Errors
    /// The certificate authority is missing or can't be read.
    pub fn tls(&self, ca: Option<&Path>) -> anyhow::Result<Option<Arc<ClientConfig>>> {
        if !self.secure {
            return Ok(None);
        }
        let Some(file) = ca else {
            bail!("An https server needs --ca FILE: its page offers the certificate for download")
        };
        let shown = file.display();
        let pem = fs::read(file).with_context(|| format!("--ca {shown} can't be read"))?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            roots.add(certificate.with_context(|| format!("--ca {shown} is not PEM"))?)?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        Ok(Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_urls_are_parsed() {
        let url = ServerUrl::resolve("http://127.0.0.1:4001/r/tea").unwrap();
        assert_eq!((url.authority.as_str(), url.secure), ("127.0.0.1:4001", false));
        assert_eq!(url.address, "127.0.0.1:4001".parse().unwrap());
        let url = ServerUrl::resolve("https://[::1]").unwrap();
        assert_eq!((url.host.as_str(), url.address), ("::1", "[::1]:443".parse().unwrap()));
        assert!(ServerUrl::resolve("localhost:4000").is_err());
        assert!(ServerUrl::resolve("http://localhost:http").is_err());
    }

    #[test]
    fn https_server_needs_a_ca_file() {
        let url = ServerUrl::resolve("https://127.0.0.1:4001").unwrap();
        let error = url.tls(None).unwrap_err().to_string();
        assert!(error.contains("--ca"), "{error}");
    }
}
