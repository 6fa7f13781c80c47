//! What a CA's error means for the plan, and in words. Pure.

use instant_acme::{Error, Problem as AcmeProblem};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

use super::{
    plan::Outcome,
    problem::{Code, Problem},
    target::Identifier,
    verdict::port_words,
};

/// The prefix of error types (RFC 8555 §6.7).
const ERROR: &str = "urn:ietf:params:acme:error:";

/// The kind of errors of this side.
pub(super) const OWN: &str = "moim";

/// Longest text of a CA that is repeated.
const MAX_DETAIL: usize = 300;

/// What is being asked for.
pub(super) struct Context<'a> {
    pub(super) identifier: &'a Identifier,
    /// The host of the CA.
    pub(super) ca: &'a str,
    /// Our port.
    pub(super) port: u16,
    /// The time that the CA's headers name.
    pub(super) retry_after: Option<OffsetDateTime>,
}

/// The outcome of an attempt that ended with `error`.
pub(super) fn outcome(error: &Error, context: &Context<'_>) -> Outcome {
    match error {
        Error::Api(problem) => refused(problem, context),
        // The CA knows nothing of predecessors.
        Error::Unsupported(_) => Outcome::AlreadyReplaced,
        error => unanswered(&chain(error), context),
    }
}

fn unanswered(text: &str, context: &Context<'_>) -> Outcome {
    if text.contains("replaces field mismatch") {
        return Outcome::AlreadyReplaced;
    }
    let ca = context.ca;
    let is_of_dates = ["Expired", "expired", "NotValidYet", "not valid yet"];
    let problem = match is_of_dates.iter().any(|sign| text.contains(sign)) {
        true => Problem::new(
            Code::Clock,
            format!(
                "The certificate of {ca} itself is not valid by this computer's clock, which shows \
                 {}: set it ({text}).",
                minute(OffsetDateTime::now_utc())
            ),
        ),
        false => Problem::new(Code::CaDown, format!("{ca} does not answer: {text}.")),
    };
    Outcome::Unanswered(problem)
}

fn refused(problem: &AcmeProblem, context: &Context<'_>) -> Outcome {
    let Context { identifier, ca, port, retry_after } = context;
    // The one about an identifier says more than the one about all.
    let inner = problem
        .subproblems
        .iter()
        .find_map(|sub| Some((sub.r#type.as_deref()?, sub.detail.as_deref())));
    let (kind, detail) = inner
        .filter(|_| kind_of(problem.r#type.as_deref()) == "compound")
        .unwrap_or((problem.r#type.as_deref().unwrap_or_default(), problem.detail.as_deref()));
    let detail = cut(detail.or(problem.detail.as_deref()).unwrap_or("no reason given"));
    let refused = |code, words: String| Outcome::Refused(Problem::new(code, words), *retry_after);
    let last = |code, words: String| Outcome::Final(Problem::new(code, words));
    match kind_of(Some(kind)) {
        "rateLimited" => {
            let until = retry_after.or_else(|| time_in(&detail));
            let when = until.map_or(String::new(), |at| format!(" before {}", minute(at)));
            let words = format!(
                "{ca} takes no more for {identifier}{when}: {detail}. Visitors meet the certificate \
                 of before, or the local CA's, until then."
            );
            Outcome::Refused(Problem::new(Code::Limit, words), until)
        }
        "alreadyReplaced" => Outcome::AlreadyReplaced,
        "caa" => refused(
            Code::Caa,
            format!(
                "A CAA record of {identifier} forbids {ca}: add one that permits it ({detail})."
            ),
        ),
        "dns" => {
            let words = format!("{ca} finds no address of {identifier}: {detail}.");
            refused(Code::DnsNone, words)
        }
        "connection" | "tls" => {
            let ip = identifier.to_string();
            refused(Code::Port443, format!("{} ({detail})", port_words(&ip, *port)))
        }
        "unauthorized" | "incorrectResponse" if is_of_account(&detail) => {
            last(Code::Account, format!("{ca} refuses the account: {detail}."))
        }
        "unauthorized" | "incorrectResponse" => refused(
            Code::Proof,
            format!("{ca} found another server than this one at {identifier}: {detail}."),
        ),
        "externalAccountRequired" => last(
            Code::Account,
            format!(
                "{ca} demands an account that was opened elsewhere: get a key from it and set \
                 --acme-eab-kid and --acme-eab-key-file ({detail})."
            ),
        ),
        "rejectedIdentifier" | "unsupportedIdentifier" => last(
            Code::Rejected,
            format!(
                "{ca} signs no certificate for {identifier}: {detail}. Remove it, or choose another CA."
            ),
        ),
        "invalidProfile" => last(
            Code::Rejected,
            format!("{ca} has no such profile: {detail}. Correct --acme-profile."),
        ),
        "invalidContact" | "unsupportedContact" => {
            last(Code::Account, format!("{ca} refuses --acme-email: {detail}."))
        }
        "userActionRequired" | "accountDoesNotExist" => {
            last(Code::Account, format!("{ca} refuses the account: {detail}."))
        }
        "serverInternal" => {
            let words = format!("{ca} fails: {detail}.");
            Outcome::Unanswered(Problem::new(Code::CaDown, words))
        }
        OWN => refused(Code::Other, format!("{detail}.")),
        kind => refused(Code::Other, format!("{ca} refuses: {detail} ({kind}).")),
    }
}

/// The outcome of an account that the CA did not open.
pub(super) fn account_outcome(error: &Error, context: &Context<'_>) -> Outcome {
    let Error::Api(problem) = error else { return outcome(error, context) };
    let kind = kind_of(problem.r#type.as_deref());
    let is_of_key = problem.detail.as_deref().is_some_and(|detail| {
        detail.contains("external account") || detail.contains("externalAccountBinding")
    });
    if matches!(kind, "unauthorized" | "malformed") || is_of_key {
        let detail = cut(problem.detail.as_deref().unwrap_or("no reason given"));
        let words = format!(
            "{} opens no account: {detail}. Check --acme-email, --acme-eab-kid and \
             --acme-eab-key-file.",
            context.ca
        );
        return Outcome::Final(Problem::new(Code::Account, words));
    }
    outcome(error, context)
}

/// True if the CA has forgotten the account, as test CAs do at a restart.
pub(super) fn is_unknown_account(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if kind_of(problem.r#type.as_deref()) == "accountDoesNotExist")
}

/// True if the CA has refused a request for its nonce alone.
pub(super) fn is_bad_nonce(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if kind_of(problem.r#type.as_deref()) == "badNonce")
}

fn kind_of(kind: Option<&str>) -> &str {
    let kind = kind.unwrap_or_default();
    kind.strip_prefix(ERROR).unwrap_or(kind)
}

/// Deactivated accounts have no error type of their own.
fn is_of_account(detail: &str) -> bool {
    let detail = detail.to_ascii_lowercase();
    detail.contains("account") && (detail.contains("deactivated") || detail.contains("revoked"))
}

fn cut(detail: &str) -> String {
    let plain: String = detail.chars().filter(|c| !c.is_control()).take(MAX_DETAIL).collect();
    plain.trim_end_matches('.').to_owned()
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    cut(&text)
}

/// The time in Let's Encrypt's "retry after 2026-11-29 17:40:00 UTC".
fn time_in(detail: &str) -> Option<OffsetDateTime> {
    let (_, rest) = detail.split_once("retry after ")?;
    let mut numbers = rest.get(..19)?.split(['-', ' ', 'T', ':']);
    let mut next = || numbers.next()?.parse::<u16>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hour, minute, second) = (next()?, next()?, next()?);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
    let byte = |number: u16| u8::try_from(number).ok();
    let time = Time::from_hms(byte(hour)?, byte(minute)?, byte(second)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

/// A time to the minute.
pub(super) fn minute(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!("{date} {:02}:{:02} UTC", time.hour(), time.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(kind: &str, detail: &str) -> Outcome {
        let json = serde_json::json!({ "type": format!("{ERROR}{kind}"), "detail": detail });
        let problem: AcmeProblem = serde_json::from_value(json).unwrap();
        let identifier = Identifier::Name("meet.example".to_owned());
        let context =
            Context { identifier: &identifier, ca: "ca.example", port: 4000, retry_after: None };
        outcome(&Error::Api(problem), &context)
    }

    #[test]
    fn limit_of_the_ca_names_the_time() {
        let detail = "too many certificates (5) already issued for this exact set of identifiers \
                      in the last 168h0m0s, retry after 2026-12-01 17:40:09 UTC: see https://x";
        let Outcome::Refused(problem, Some(at)) = outcome_of("rateLimited", detail) else {
            panic!("no time")
        };
        assert_eq!(problem.code, Code::Limit);
        assert!(problem.words.contains("before 2026-12-01 17:40 UTC"), "{}", problem.words);
        assert_eq!(minute(at), "2026-12-01 17:40 UTC");
    }

    #[test]
    fn hopeless_refusals_stop_and_others_do_not() {
        for (kind, code) in [
            ("rejectedIdentifier", Code::Rejected),
            ("externalAccountRequired", Code::Account),
            ("invalidProfile", Code::Rejected),
        ] {
            let outcome = outcome_of(kind, "no");
            assert!(matches!(&outcome, Outcome::Final(problem) if problem.code == code), "{kind}");
        }
        for (kind, code) in [
            ("caa", Code::Caa),
            ("dns", Code::DnsNone),
            ("connection", Code::Port443),
            ("unauthorized", Code::Proof),
            ("malformed", Code::Other),
        ] {
            let outcome = outcome_of(kind, "no");
            let is_refused =
                matches!(&outcome, Outcome::Refused(problem, None) if problem.code == code);
            assert!(is_refused, "{kind}: {outcome:?}");
        }
        let outcome =
            outcome_of("unauthorized", "Account is not valid, has status \"deactivated\"");
        assert!(matches!(outcome, Outcome::Final(problem) if problem.code == Code::Account));
        assert_eq!(outcome_of("alreadyReplaced", "no"), Outcome::AlreadyReplaced);
    }

    #[test]
    fn text_of_a_ca_is_cut_and_has_no_line_breaks() {
        let outcome = outcome_of("malformed", &format!("a\nb{}", "x".repeat(5000)));
        let Outcome::Refused(problem, _) = outcome else { panic!("{outcome:?}") };
        assert!(problem.words.len() < 400 && !problem.words.contains('\n'));
    }
}
