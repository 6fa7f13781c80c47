//! Query parameters of Engine.IO requests.
//!
//! ```text
//!   ?EIO=4&transport=polling&t=OYBzxyz&sid=l2wcqR5nQ-SYbT0jkcqDJw
//! ```

/// Known parameters, unescaped values as written: no valid value needs escaping. The first of
/// repeated parameters counts.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Query<'a> {
    pub(super) eio: Option<&'a str>,
    pub(super) transport: Option<&'a str>,
    pub(super) sid: Option<&'a str>,
    /// A timestamp is present, as in requests of JavaScript clients.
    pub(super) is_stamped: bool,
}

impl<'a> Query<'a> {
    pub(super) fn parse(query: Option<&'a str>) -> Self {
        let mut parsed = Self::default();
        for (name, value) in query.unwrap_or("").split('&').filter_map(|pair| pair.split_once('='))
        {
            let known = match name {
                "EIO" => &mut parsed.eio,
                "transport" => &mut parsed.transport,
                "sid" => &mut parsed.sid,
                "t" => {
                    parsed.is_stamped = true;
                    continue;
                }
                _ => continue,
            };
            known.get_or_insert(value);
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_parameters_are_parsed() {
        let query = Query::parse(Some("b64=1&EIO=4&t=x&transport=polling&sid=a&&=&sid=b"));
        let known =
            Query { eio: Some("4"), transport: Some("polling"), sid: Some("a"), is_stamped: true };
        assert_eq!(query, known);
        assert_eq!(Query::parse(None), Query::default());
    }
}
