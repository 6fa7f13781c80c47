//! Changes to texts of the engine: names, credentials, sources.

/// Puts our own credentials in place of those that the engine made up.
pub(crate) fn replace_credentials(sdp: &str, from: (&str, &str), to: (&str, &str)) -> String {
    sdp.replace(&format!("a=ice-ufrag:{}\r\n", from.0), &format!("a=ice-ufrag:{}\r\n", to.0))
        .replace(&format!("a=ice-pwd:{}\r\n", from.1), &format!("a=ice-pwd:{}\r\n", to.1))
}

/// Takes the user name fragment out of candidates: it is optional there, and the engine keeps the
/// one that it made up.
pub(crate) fn plain_candidates(sdp: &str) -> String {
    let plain = sdp.split_inclusive("\r\n").map(|line| match line.split_once(" ufrag ") {
        Some((candidate, _)) if line.starts_with("a=candidate:") => format!("{candidate}\r\n"),
        _ => line.to_owned(),
    });
    plain.collect()
}

/// Whether a section is none: its port is zero (RFC 8829 §5.2.2).
fn is_rejected(section: &str) -> bool {
    section.split(' ').nth(1) == Some("0")
}

/// Calls a source by its stream, as all that is to be in step has one name (RFC 3550 §6.5.1).
pub(crate) fn with_one_name(told: &str) -> String {
    let stream = lines(told).find_map(|line| line.split_once(" msid:")?.1.split(' ').next());
    let Some(stream) = stream else { return told.to_owned() };
    let renamed = told.split_inclusive("\r\n").map(|line| match line.split_once(" cname:") {
        Some((source, _)) => format!("{source} cname:{stream}\r\n"),
        None => line.to_owned(),
    });
    renamed.collect()
}

/// Has the lines that tell of a section's source replaced, by the section's id and what they are.
/// Sections that were rejected stay as they are.
pub(crate) fn with_sources(sdp: &str, mut replace: impl FnMut(&str, &str) -> String) -> String {
    let mut told = String::with_capacity(sdp.len());
    let mut rest = sdp;
    while !rest.is_empty() {
        let end =
            rest.get(1..).and_then(|rest| rest.find("\r\nm=")).map_or(rest.len(), |at| at + 3);
        let (section, behind) = rest.split_at(end);
        rest = behind;
        let tells = |line: &&str| line.starts_with("a=ssrc");
        let mid = lines(section).find_map(|line| line.strip_prefix("a=mid:"));
        let Some(mid) = mid.filter(|_| section.starts_with("m=") && !is_rejected(section)) else {
            told.push_str(section);
            continue;
        };
        told.extend(section.split_inclusive("\r\n").filter(|line| !tells(line)));
        let source: String = section.split_inclusive("\r\n").filter(tells).collect();
        told.push_str(&replace(mid, &source));
    }
    told
}

/// SSRC, that of its repairs, and the name of the source that these lines tell of.
pub(crate) fn source(told: &str) -> Option<(u32, Option<u32>, &str)> {
    let group = lines(told).find_map(|line| line.strip_prefix("a=ssrc-group:FID "));
    let (ssrc, cname) = lines(told).find_map(|line| {
        let (ssrc, cname) = line.strip_prefix("a=ssrc:")?.split_once(" cname:")?;
        Some((ssrc.parse().ok()?, cname))
    })?;
    match group.and_then(|group| group.split_once(' ')) {
        Some((ssrc, repairs)) => Some((ssrc.parse().ok()?, repairs.trim().parse().ok(), cname)),
        None => Some((ssrc, None, cname)),
    }
}

fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.split(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ssrc:7 cname:c\r\na=ssrc:7 msid:s a\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=ssrc:8 cname:c\r\na=ssrc:9 cname:c\r\n\
        a=ssrc-group:FID 8 9\r\na=rtcp-mux\r\n";

    #[test]
    fn sources_of_one_stream_have_one_name() {
        let told = "a=ssrc:7 cname:a\r\na=ssrc:7 msid:s a\r\na=ssrc:8 cname:b\r\n";
        let expected = "a=ssrc:7 cname:s\r\na=ssrc:7 msid:s a\r\na=ssrc:8 cname:s\r\n";
        assert_eq!(with_one_name(told), expected);
        assert_eq!(with_one_name("a=ssrc:7 cname:a\r\n"), "a=ssrc:7 cname:a\r\n");
    }

    #[test]
    fn sources_are_read_and_replaced_section_by_section() {
        let mut told = Vec::new();
        let same = with_sources(OFFER, |mid, lines| {
            told.push((mid.to_owned(), source(lines).map(|(a, b, c)| (a, b, c.to_owned()))));
            lines.to_owned()
        });
        let c = || "c".to_owned();
        let expected =
            [("0".to_owned(), Some((7, None, c()))), ("1".to_owned(), Some((8, Some(9), c())))];
        assert_eq!(told, expected);
        assert_eq!(same.len(), OFFER.len(), "{same}");
        let other = with_sources(OFFER, |mid, _| format!("a=ssrc:{mid} cname:d\r\n"));
        assert_eq!(other.matches("a=ssrc").count(), 2);
        assert!(other.ends_with("a=rtcp-mux\r\na=ssrc:1 cname:d\r\n"), "{other}");
        assert_eq!(with_sources("no sdp", |_, _| String::new()), "no sdp");
        let rejected = OFFER.replace("m=video 9", "m=video 0");
        assert_eq!(with_sources(&rejected, |_, _| String::new()).matches("a=ssrc").count(), 3);
    }
}
