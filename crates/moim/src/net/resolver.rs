//! The system's resolver: what its errors mean.

use std::io;

/// True if the resolver says that there is no such name or address: EAI_NONAME or EAI_NODATA of
/// glibc, musl and macOS. Without a network, and if the name's own servers fail, they say EAI_AGAIN.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    let text = error.to_string();
    [
        "Name or service not known",
        "No address associated",
        "Name does not resolve",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| text.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_names_are_told_from_a_resolver_that_is_down() {
        let error =
            |text: &str| io::Error::other(format!("failed to lookup address information: {text}"));
        assert!(is_absent(&error("Name or service not known")));
        assert!(is_absent(&error("No address associated with hostname")));
        assert!(!is_absent(&error("Temporary failure in name resolution")));
        assert!(!is_absent(&io::ErrorKind::TimedOut.into()));
    }
}
