//! The report as text and JSON: the verdict first, then the rest, then the table of checks.

use std::fmt::Write as _;

use doctor::{
    Certainty, Finding, Language, Report, Severity,
    server::{Check, Examined, Outcome, PublicAddress, Skip},
    visitor::{Attempt, check_title},
};
use serde_json::{Value, json};

use crate::http::ToldFinding;

/// Columns of the table's titles.
const TITLE_COLUMNS: usize = 24;

/// Escape sequences of a terminal, or nothing.
struct Style {
    is_terminal: bool,
}

impl Style {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.is_terminal { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn of(&self, severity: Severity, text: &str) -> String {
        self.paint(
            match severity {
                Severity::Broken => "1;31",
                Severity::Degraded => "1;33",
                Severity::Advice => "1;36",
            },
            text,
        )
    }
}

/// The report for people.
pub(super) fn text(
    place: &PublicAddress,
    rows: &[Examined],
    report: &Report,
    language: Language,
    is_terminal: bool,
) -> String {
    let style = Style { is_terminal };
    let mut text = format!("moim doctor · {}:{}\n\n", bracketed(&place.address), place.port);
    match report.verdict() {
        None => {
            let _ = writeln!(text, "{}", style.paint("1;32", nothing(language)));
        }
        Some(verdict) => write_finding(&mut text, verdict, language, &style, true),
    }
    for finding in report.findings().iter().skip(1) {
        text.push('\n');
        write_finding(&mut text, finding, language, &style, false);
    }
    text.push('\n');
    for row in rows {
        write_row(&mut text, row, language, &style);
    }
    if let Some(hint) = hint(rows, language) {
        let _ = writeln!(text, "\n{hint}");
    }
    text
}

/// A finding in one language.
struct Told<'a> {
    code: &'a str,
    severity: Severity,
    certainty: Certainty,
    sentence: &'a str,
    remedy: &'a str,
}

fn write_finding(
    text: &mut String,
    finding: &Finding,
    language: Language,
    style: &Style,
    is_verdict: bool,
) {
    let told = Told {
        code: finding.code.as_str(),
        severity: finding.code.severity(),
        certainty: finding.certainty,
        sentence: &finding.sentence(language),
        remedy: &finding.remedy(language),
    };
    write_told(text, &told, language, style, is_verdict);
}

fn write_told(
    text: &mut String,
    told: &Told<'_>,
    language: Language,
    style: &Style,
    is_verdict: bool,
) {
    let sentence = told.sentence;
    let painted = is_verdict.then(|| style.of(told.severity, sentence));
    let sentence = painted.as_deref().unwrap_or(sentence);
    let code = style.of(told.severity, told.code);
    let certainty = match (told.certainty, language) {
        (Certainty::Certain, _) => "",
        (Certainty::Likely, Language::En) => " (likely)",
        (Certainty::Possible, Language::En) => " (possible)",
        (Certainty::Likely, Language::Ko) => " (가능성 높음)",
        (Certainty::Possible, Language::Ko) => " (가능성 있음)",
    };
    let _ = writeln!(text, "{sentence}");
    let _ = writeln!(text, "  → {}", told.remedy);
    let _ = writeln!(text, "  {code}{certainty}");
}

/// The findings of a phone's test.
pub(super) fn of_phone(findings: &[ToldFinding], language: Language, is_terminal: bool) -> String {
    let style = Style { is_terminal };
    let mut text = String::from("\n");
    if findings.is_empty() {
        let _ = writeln!(text, "{}", style.paint("1;32", nothing_there(language)));
    }
    for (index, finding) in findings.iter().enumerate() {
        let told = Told {
            code: &finding.code,
            severity: finding.severity,
            certainty: finding.certainty,
            sentence: &finding.sentence,
            remedy: &finding.remedy,
        };
        write_told(&mut text, &told, language, &style, index == 0);
    }
    text
}

/// One check of a phone's test.
pub(super) fn step(
    check: &str,
    outcome: Attempt,
    ms: u32,
    language: Language,
    is_terminal: bool,
) -> String {
    let style = Style { is_terminal };
    let mark = match outcome {
        Attempt::Passed => style.paint("32", "✔"),
        Attempt::Failed => style.paint("1;31", "✘"),
        Attempt::Unknown => style.paint("2", "–"),
    };
    let title = padded(check_title(check, language).unwrap_or(check));
    format!("{mark} {title} {ms} ms\n")
}

fn write_row(text: &mut String, row: &Examined, language: Language, style: &Style) {
    let title = padded(row.check.title(language));
    let (mark, detail) = match &row.outcome {
        Outcome::Passed { detail } => (style.paint("32", "✔"), detail.clone()),
        Outcome::Skipped(skip) => (style.paint("2", "–"), skip.words(language).to_owned()),
        Outcome::Found(findings) => {
            let worst = findings.iter().map(|finding| finding.code.severity()).min();
            let worst = worst.unwrap_or(Severity::Advice);
            let mark = if worst == Severity::Advice { "!" } else { "✘" };
            let mut codes: Vec<_> = findings.iter().map(|f| f.code.as_str()).collect();
            codes.dedup();
            (style.of(worst, mark), codes.join(", "))
        }
    };
    let _ = writeln!(text, "{mark} {title} {detail}");
}

/// `title` with spaces up to the next column. Hangul takes two columns each.
fn padded(title: &str) -> String {
    let columns: usize = title.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let missing = TITLE_COLUMNS.saturating_sub(columns);
    format!("{title}{}", " ".repeat(missing))
}

fn bracketed(address: &str) -> String {
    if address.contains(':') { format!("[{address}]") } else { address.to_owned() }
}

fn nothing(language: Language) -> &'static str {
    match language {
        Language::En => "Nothing is wrong, as far as this computer can see.",
        Language::Ko => "이 컴퓨터에서 볼 수 있는 범위에서는 문제가 없습니다.",
    }
}

fn nothing_there(language: Language) -> &'static str {
    match language {
        Language::En => "Calls work well on the phone's network.",
        Language::Ko => "휴대전화의 네트워크에서 통화가 잘 됩니다.",
    }
}

/// The next step if nobody has tried from outside.
fn hint(rows: &[Examined], language: Language) -> Option<&'static str> {
    let outside = rows.iter().find(|row| row.check == Check::Outside)?;
    if outside.outcome != Outcome::Skipped(Skip::NoVisitors) {
        return None;
    }
    Some(match language {
        Language::En => {
            "Nobody has come from outside yet: run `moim doctor --phone`, and open its link on a \
             phone that uses mobile data."
        }
        Language::Ko => {
            "아직 외부에서 접속한 사람이 없습니다. `moim doctor --phone`을 실행하고, 모바일 데이터를 쓰는 \
             휴대전화로 링크를 여세요."
        }
    })
}

/// The report for programs.
pub(super) fn json(
    place: &PublicAddress,
    rows: &[Examined],
    report: &Report,
    language: Language,
) -> Value {
    let checks: Vec<_> = rows.iter().map(|row| json_row(row, language)).collect();
    json!({
        "address": place.address,
        "port": place.port,
        "verdict": report.verdict().map(|finding| finding.code),
        "severity": report.severity(),
        "findings": report.told(language),
        "checks": checks,
    })
}

fn json_row(row: &Examined, language: Language) -> Value {
    let (check, title) = (row.check, row.check.title(language));
    match &row.outcome {
        Outcome::Passed { detail } => {
            json!({ "check": check, "title": title, "outcome": "passed", "detail": detail })
        }
        Outcome::Skipped(skip) => json!({
            "check": check, "title": title, "outcome": "skipped",
            "reason": skip, "words": skip.words(language),
        }),
        Outcome::Found(findings) => {
            let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
            json!({ "check": check, "title": title, "outcome": "found", "codes": codes })
        }
    }
}
