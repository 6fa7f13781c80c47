//! TLS between nodes: certificates of an authority that comes from the cluster's key, so that
//! whoever has the key is a node, and nobody else.

use std::sync::Arc;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
    version::TLS13,
};

use super::keys;
use crate::{config::Secret, net::tls::NODE_PROTOCOL};

/// The name in each node's certificate. The node itself is told by its id.
pub(super) const NAME: &str = "node.moim.invalid";
/// The head of an Ed25519 key in PKCS #8 (RFC 8410 §7), before its 32 bytes.
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// This node's TLS towards others.
pub(super) struct Identity {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
}

impl Identity {
    /// A new certificate, for a key that only this process has.
    pub(super) fn new(key: &Secret) -> anyhow::Result<Self> {
        let (authority, issuer) = authority(key)?;
        let own = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = dated(CertificateParams::new([NAME.to_owned()])?);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let chain = vec![params.signed_by(&own, &issuer)?.der().clone()];
        let own = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.serialize_der()));
        let mut roots = RootCertStore::empty();
        roots.add(authority)?;
        let roots = Arc::new(roots);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                .build()?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), own.clone_key())?;
        server.alpn_protocols = vec![NODE_PROTOCOL.to_vec()];
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, own)?;
        client.alpn_protocols = vec![NODE_PROTOCOL.to_vec()];
        Ok(Self { server: Arc::new(server), client: Arc::new(client) })
    }
}

/// TLS of media between nodes, which shards exchange over QUIC.
///
/// # Errors
/// The key can't be used.
pub(crate) fn media_tls(key: &Secret) -> anyhow::Result<MediaTls> {
    let Identity { server, client } = Identity::new(key)?;
    Ok(MediaTls { client, server, name: NAME })
}

/// TLS of media between nodes.
pub(crate) struct MediaTls {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
    /// The name in the certificate of each node.
    pub(crate) name: &'static str,
}

/// The same authority on each node: its key comes from the cluster's, and its certificate only names
/// it.
fn authority(key: &Secret) -> anyhow::Result<(CertificateDer<'static>, Issuer<'static, KeyPair>)> {
    let seed = keys::derive(key, "authority of nodes");
    let der = PrivatePkcs8KeyDer::from([&PKCS8_HEAD[..], &seed].concat());
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)
        .context("The key of the cluster can't be used")?;
    let mut params = dated(CertificateParams::default());
    params.distinguished_name.push(DnType::CommonName, "moim cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let certificate = params.self_signed(&key)?.der().clone();
    Ok((certificate, Issuer::new(params, key)))
}

/// Valid by each node's clock: the key of a certificate ends with its process.
fn dated(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

#[cfg(test)]
mod tests {
    use rustls::{ClientConnection, ServerConnection, pki_types::ServerName};

    use super::*;

    fn identity(key: &str) -> Identity {
        Identity::new(&Secret::new(key.to_owned()).unwrap()).unwrap()
    }

    /// Completes a handshake in memory.
    fn shake(client: &Identity, server: &Identity) -> Result<(), rustls::Error> {
        let name = ServerName::try_from(NAME).unwrap();
        let mut client = ClientConnection::new(Arc::clone(&client.client), name)?;
        let mut server = ServerConnection::new(Arc::clone(&server.server))?;
        while client.is_handshaking() || server.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).unwrap();
            server.read_tls(&mut bytes.as_slice()).unwrap();
            server.process_new_packets()?;
            let mut bytes = Vec::new();
            server.write_tls(&mut bytes).unwrap();
            client.read_tls(&mut bytes.as_slice()).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn nodes_with_the_same_key_trust_each_other_and_no_others() {
        let [one, two, other] = ["k", "k", "l"].map(identity);
        assert_eq!(shake(&one, &two), Ok(()));
        assert!(shake(&one, &other).is_err());
        assert!(shake(&other, &one).is_err());
    }
}
