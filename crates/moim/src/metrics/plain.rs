//! The same metrics in Prometheus' older text format, for programs that don't ask for OpenMetrics.
//!
//! It differs in two things: a counter's name in the comments has its suffix `_total`, and there is
//! no last line. (<https://prometheus.io/docs/instrumenting/exposition_formats/>)

/// Converts OpenMetrics text.
pub(super) fn from_openmetrics(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 1024);
    // The comments on a metric: its help comes before its type.
    let mut help = None;
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["#", "HELP", ..] => help = Some(line),
            ["#", "TYPE", name, kind] => {
                let suffix = if *kind == "counter" { "_total" } else { "" };
                let text = help.take().and_then(|help| help.splitn(4, ' ').nth(3));
                let text = text.unwrap_or_default();
                plain += &format!("# HELP {name}{suffix} {text}\n# TYPE {name}{suffix} {kind}\n");
            }
            ["#", ..] => {}
            _ => {
                plain += line;
                plain += "\n";
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_with_their_suffix() {
        let text = "# HELP moim_rooms Open rooms.\n# TYPE moim_rooms gauge\nmoim_rooms 1\n\
                    # HELP moim_links Links, by family.\n# TYPE moim_links counter\n\
                    moim_links_total{family=\"ipv4\"} 2\n# EOF\n";
        let plain = "# HELP moim_rooms Open rooms.\n# TYPE moim_rooms gauge\nmoim_rooms 1\n\
                     # HELP moim_links_total Links, by family.\n\
                     # TYPE moim_links_total counter\nmoim_links_total{family=\"ipv4\"} 2\n";
        assert_eq!(from_openmetrics(text), plain);
    }
}
