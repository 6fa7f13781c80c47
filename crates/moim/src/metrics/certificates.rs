//! Metrics of certificates and of the CA that issues them.

use super::{page::Page, readings::Readings};

/// Adds the metrics of certificates.
pub(super) fn write(page: &mut Page, readings: &Readings<'_>) {
    let expiries = readings.expiries.iter().map(|expiry| {
        #[expect(clippy::cast_precision_loss, reason = "seconds are exact up to 2^53")]
        let ends = expiry.ends.unix_timestamp() as f64;
        ([("source", expiry.source.to_owned())], ends)
    });
    let help = "Expiry of the certificate that expires first, by source: files, local or acme";
    page.gauges("certificate_expiry_timestamp_seconds", help, expiries);
    let help = "Certificates of the CA with less than a quarter of their lives left";
    page.gauge("acme_certificates_expiring", help, readings.acme_expiring);
    let problems = readings.acme_problems.iter().map(|(code, count)| {
        #[expect(clippy::cast_precision_loss, reason = "there are few names")]
        let count = *count as f64;
        ([("code", (*code).to_owned())], count)
    });
    let help = "Names without a certificate of the CA, or without its renewal, by code";
    page.gauges("acme_problems", help, problems);
    page.counters(
        "acme_failures",
        "Failed attempts to get a certificate from the CA, by code",
        "code",
        &readings.acme_failures,
    );
}
