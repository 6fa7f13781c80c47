//! Entity tags for conditional requests (RFC 9110 §8.8.3).

use axum::http::{HeaderMap, header};

use super::encoding::Encoding;

/// A strong tag. It differs by content coding (RFC 9110 §8.8.3.3).
pub(super) fn of_hash(hash: &[u8; 32], encoding: Encoding) -> String {
    use std::fmt::Write;
    let mut tag = String::from("\"");
    for byte in hash.iter().take(12) {
        let _ = write!(tag, "{byte:02x}");
    }
    if let Some(name) = encoding.name() {
        let _ = write!(tag, "-{name}");
    }
    tag.push('"');
    tag
}

/// True if the client has this version (`If-None-Match`, RFC 9110 §13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|theirs| theirs == "*" || theirs.strip_prefix("W/").unwrap_or(theirs) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_none_match_is_recognised_in_all_forms() {
        let tag = of_hash(&[7; 32], Encoding::Brotli);
        let asks = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, value.parse().unwrap());
            is_known(&headers, &tag)
        };
        assert!(asks(&tag));
        assert!(asks(&format!("\"x\", W/{tag}")));
        assert!(asks("*"));
        assert!(!asks(&of_hash(&[7; 32], Encoding::Identity)));
    }
}
