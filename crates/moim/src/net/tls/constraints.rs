//! Name constraints of the local CA (RFC 5280 §4.2.1.10).

use std::net::IpAddr;

use rcgen::CustomExtension;

use super::{names::Names, private};

/// The extension's object identifier.
const OID: [u64; 4] = [2, 5, 29, 30];

/// Tags of the constrained kinds of general names (RFC 5280 §4.2.1.6).
const RFC822_NAME: u8 = 0x81;
const DNS_NAME: u8 = 0x82;
const URI: u8 = 0x86;
const IP_ADDRESS: u8 = 0x87;
const SEQUENCE: u8 = 0x30;
/// `permittedSubtrees`.
const PERMITTED: u8 = 0xa0;

/// A host that can't exist (RFC 6761 §6.4). Permitting only this one excludes all mail addresses
/// and URIs; excluding the empty name instead has no effect in OpenSSL.
const NO_HOST: &str = "invalid";

/// Permits private names and networks, and `names`; excludes all mail addresses and URIs. Directory
/// names are not constrained: rustls and Go reject every certificate below a CA that does.
pub(super) fn extension(names: &Names) -> CustomExtension {
    let own = names.dns.iter().map(String::as_str).filter(|name| !may_cover_others(name));
    let own = own.filter(|name| !private::is_in_private_domain(name));
    let domains = private::DOMAINS.into_iter().chain(own);
    let networks = private::NETWORKS
        .into_iter()
        .filter_map(|(network, bits)| Some((network.parse().ok()?, bits)))
        .chain(names.ips.iter().map(|ip| (*ip, if ip.is_ipv4() { 32 } else { 128 })));
    let mut subtrees: Vec<Vec<u8>> = domains
        .map(|domain| der(DNS_NAME, domain.as_bytes()))
        .chain(networks.map(|(network, bits)| der(IP_ADDRESS, &subnet(network, bits))))
        .collect();
    subtrees.push(der(RFC822_NAME, NO_HOST.as_bytes()));
    subtrees.push(der(URI, NO_HOST.as_bytes()));
    let subtrees: Vec<u8> = subtrees.iter().flat_map(|base| der(SEQUENCE, base)).collect();
    let content = der(SEQUENCE, &der(PERMITTED, &subtrees));
    let mut extension = CustomExtension::from_oid_content(&OID, content);
    extension.set_criticality(true);
    extension
}

/// True if a constraint on `name`, which includes all names below, may cover other owners' names: a
/// single label may be a top-level domain (`dev`, `app`, `zip`), and a short label before a country
/// code may be a registry (`co.uk`).
pub(super) fn may_cover_others(name: &str) -> bool {
    let is_registry = match name.split_once('.') {
        None => true,
        Some((first, last)) => !last.contains('.') && last.len() == 2 && first.len() <= 3,
    };
    is_registry && !private::is_in_private_domain(name)
}

/// Encodes address and mask.
fn subnet(network: IpAddr, bits: u8) -> Vec<u8> {
    let (octets, width) = match network {
        IpAddr::V4(network) => (network.octets().to_vec(), 32),
        IpAddr::V6(network) => (network.octets().to_vec(), 128),
    };
    let bits = u32::from(bits).min(width);
    let mask = u128::MAX.checked_shl(width - bits).unwrap_or(0).to_be_bytes();
    let mask = mask.get(mask.len() - octets.len()..).unwrap_or_default();
    [&octets, mask].concat()
}

/// Encodes a value in DER (X.690 §8.1): tag, length, content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let bytes = length.to_be_bytes();
    let mut value = vec![tag];
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => value.push(short),
        _ => {
            let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            value.push(0x80 | u8::try_from(significant.len()).unwrap_or(0));
            value.extend(significant);
        }
    }
    value.extend(content);
    value
}
