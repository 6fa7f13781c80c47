//! Each code has a string of its own and texts in each language that name the same facts.

use std::collections::BTreeSet;

use doctor::{Certainty, Code, Finding, Language, Report, server::ServerCode};

#[test]
fn codes_are_unique_and_written_alike() {
    let mut seen = BTreeSet::new();
    for code in Code::all() {
        let text = code.as_str();
        assert!(text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-'));
        assert!(seen.insert(text), "{text} twice");
    }
}

#[test]
fn each_code_has_words_in_both_languages_with_the_same_placeholders() {
    for code in Code::all() {
        let mut names = Vec::new();
        for language in Language::ALL {
            let words = code.words(language);
            for text in [words.sentence, words.remedy] {
                let ended = text.ends_with(['.', '?', '}']);
                assert!(ended, "{code}: {text}");
                assert!(!text.contains('\n') && !text.contains("  "), "{code}: {text}");
            }
            names.push(words.placeholders().collect::<BTreeSet<_>>());
        }
        assert_eq!(names[0], names[1], "{code} names other facts in Korean");
        let korean = code.words(Language::Ko);
        let hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(hangul(korean.sentence) && hangul(korean.remedy), "{code} is not in Korean");
    }
}

#[test]
fn a_finding_with_its_facts_leaves_no_placeholder() {
    for code in Code::all() {
        let empty = Finding::new(code, Certainty::Certain);
        let names = empty.unfilled();
        let full = names.iter().fold(empty.clone(), |finding, name| finding.with(name, "X"));
        assert!(full.unfilled().is_empty());
        for language in Language::ALL {
            let text = full.sentence(language) + &full.remedy(language);
            assert!(!text.contains(['{', '}']), "{code}: {text}");
        }
    }
}

#[test]
fn report_begins_with_what_breaks_calls() {
    let all: Vec<_> = Code::all().map(|code| Finding::new(code, Certainty::Likely)).collect();
    let report = Report::new(all.iter().rev().chain(&all).cloned().collect());
    assert_eq!(report.findings().len(), all.len(), "repetitions are dropped");
    let severities: Vec<_> = report.findings().iter().map(|f| f.code.severity()).collect();
    assert!(severities.is_sorted());
    assert_eq!(report.verdict().map(|f| f.code.severity()), report.severity());
}

#[test]
fn findings_are_json_with_code_words_and_facts() {
    let code = Code::Server(ServerCode::UdpClosedServer);
    let finding = Finding::new(code, Certainty::Likely).with("port", 443);
    let report = Report::new(vec![finding]);
    let json = serde_json::to_value(report.told(Language::En)).unwrap();
    assert_eq!(json[0]["code"], code.as_str());
    assert_eq!(json[0]["certainty"], "likely");
    assert_eq!(json[0]["facts"]["port"], "443");
    assert!(json[0]["sentence"].as_str().unwrap().contains("443"));
}
