//! Korean particles after a filled-in value: texts write both forms, as in `을(를)`, and the one
//! that fits the last sound is kept.

/// Particles as written, after a final consonant, and after a vowel.
const PARTICLES: [(&str, &str, &str); 4] = [
    ("을(를)", "을", "를"),
    ("이(가)", "이", "가"),
    ("은(는)", "은", "는"),
    ("(으)로", "으로", "로"),
];

/// Sound at the end of a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Vowel,
    Rieul,
    Consonant,
}

/// Chooses the particles of `text`. Both forms stay after a word whose sound is unknown.
pub(crate) fn choose(mut text: String) -> String {
    for (both, after_consonant, after_vowel) in PARTICLES {
        let mut chosen = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(both) {
            chosen.push_str(before);
            let is_direction = after_vowel == "로";
            chosen.push_str(match ending(before) {
                Some(Ending::Vowel) => after_vowel,
                Some(Ending::Rieul) if is_direction => after_vowel,
                Some(_) => after_consonant,
                None => both,
            });
            rest = after;
        }
        chosen.push_str(rest);
        text = chosen;
    }
    text
}

fn ending(before: &str) -> Option<Ending> {
    let last = before.trim_end_matches(['`', '\'', '"', ')', ']']).chars().next_back()?;
    match last {
        '0' | '3' | '6' => Some(Ending::Consonant),
        '1' | '7' | '8' => Some(Ending::Rieul),
        '2' | '4' | '5' | '9' => Some(Ending::Vowel),
        '가'..='힣' => Some(match (u32::from(last) - u32::from('가')) % 28 {
            0 => Ending::Vowel,
            8 => Ending::Rieul,
            _ => Ending::Consonant,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_fit_the_last_sound() {
        for (both, expected) in [
            ("203.0.113.7을(를)", "203.0.113.7을"),
            ("203.0.113.4이(가)", "203.0.113.4가"),
            ("`0.0.0.0:4000`(으)로", "`0.0.0.0:4000`으로"),
            ("0.0.0.0:4001(으)로", "0.0.0.0:4001로"),
            ("서버은(는) 방을(를)", "서버는 방을"),
            ("meet.example은(는)", "meet.example은(는)"),
            ("(으)로", "(으)로"),
        ] {
            assert_eq!(choose(both.to_owned()), expected);
        }
    }
}
