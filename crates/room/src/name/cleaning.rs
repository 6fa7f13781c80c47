//! From a typed or pasted name to the one that is kept.
//!
//! What shows nothing and came along by accident is taken out; what could disguise a name, or says
//! nothing at all, is refused. Joiners and variation selectors stay where they change what is seen
//! (RFC 5892 appendix A, UTS #51) and nowhere else. Cleaning a clean name changes nothing.

use unicode_normalization::UnicodeNormalization;

use super::{
    MAX_MARKS, MAX_NAME_CHARS, NameError,
    characters::{
        BLACK_FLAG, KEYCAP, MONGOLIAN_VOWEL_SEPARATOR, ZWJ, ZWNJ, cursive_script, is_han,
        is_invisible, is_keycap_base, is_letter, is_mark, is_mongolian_letter,
        is_mongolian_variation_selector, is_pasted, is_pictograph, is_space, is_stacking_mark,
        is_unassigned, is_variation_selector, is_virama, turns_direction,
    },
};

/// The most bytes that are looked at: one code point grows to at most 18 by normalising.
const MAX_TYPED_BYTES: usize = MAX_NAME_CHARS * 18 * 4;

/// Cleans a name, or says why it can't be one.
pub(super) fn clean(typed: &str) -> Result<String, NameError> {
    if typed.len() > MAX_TYPED_BYTES {
        return Err(NameError::TooLong);
    }
    let name = tidied(typed);
    check(&name)?;
    if name.chars().count() > MAX_NAME_CHARS { Err(NameError::TooLong) } else { Ok(name) }
}

/// As much as can be shown of a name that follows no rules, `None` where that is nothing.
pub(super) fn salvage(name: &str) -> Option<String> {
    let (mut legible, mut marks) = (Vec::new(), 0);
    for c in name.chars().filter(|c| is_plain(*c) && !is_pasted(*c)) {
        marks = if is_stacking_mark(c) { marks + 1 } else { 0 };
        let is_stray = is_mark(c) && legible.is_empty();
        if marks <= MAX_MARKS && !is_stray && legible.len() < MAX_NAME_CHARS {
            legible.push(c);
        }
    }
    // Normalising may lengthen it.
    let cut: String = tidied(&String::from_iter(legible)).chars().take(MAX_NAME_CHARS).collect();
    clean(&cut).ok()
}

/// Without what shows nothing, on one line as far as it was, in NFC: a Mac sends Hangul decomposed,
/// and the same link must find the same room.
fn tidied(typed: &str) -> String {
    let is_trimmed = |c: char| c.is_whitespace() || is_space(c) || is_pasted(c);
    let inner = typed.trim_matches(is_trimmed).chars().filter(|c| !is_pasted(*c));
    let typed: Vec<char> = inner.map(|c| if is_space(c) { ' ' } else { c }).collect();
    let mut kept: Vec<char> = Vec::with_capacity(typed.len());
    for (at, c) in typed.iter().copied().enumerate() {
        let next = typed.get(at + 1..).unwrap_or_default();
        let has_effect = match c {
            ZWNJ | ZWJ => joiner_shows(c, &kept, next),
            MONGOLIAN_VOWEL_SEPARATOR => {
                kept.last().is_some_and(|c| is_mongolian_letter(*c))
                    && next.first().is_some_and(|c| is_mongolian_letter(*c))
            }
            c if is_variation_selector(c) => selector_shows(c, &kept, next),
            // Browsers show a run of spaces as one.
            ' ' => kept.last() != Some(&' '),
            _ => true,
        };
        if has_effect {
            kept.push(c);
        }
    }
    String::from_iter(kept).trim_matches(' ').nfc().collect()
}

/// Whether a joiner changes what is seen: between cursive letters, beside a virama, and in an emoji
/// sequence.
fn joiner_shows(joiner: char, before: &[char], after: &[char]) -> bool {
    let marks_before = before.iter().rev().take_while(|c| is_mark(**c));
    let follows_virama = marks_before.clone().any(|c| is_virama(*c));
    let base = before.iter().rev().nth(marks_before.count()).copied();
    let next = after.first().copied();
    let goes_on = next.is_some_and(|c| is_letter(c) || is_mark(c));
    if follows_virama && base.is_some_and(is_letter) && (goes_on || joiner == ZWJ) {
        return true;
    }
    let mut marks_after = after.iter().take_while(|c| is_mark(**c));
    if base.is_some_and(is_letter) && marks_after.any(|c| is_virama(*c)) {
        return true;
    }
    if base
        .and_then(cursive_script)
        .is_some_and(|script| next.and_then(cursive_script) == Some(script))
    {
        return true;
    }
    joiner == ZWJ && next.is_some_and(is_pictograph) && ends_in_pictograph(before)
}

fn ends_in_pictograph(before: &[char]) -> bool {
    match before {
        [.., pictograph, '\u{fe0f}'] => is_pictograph(*pictograph),
        [.., pictograph] => is_pictograph(*pictograph),
        [] => false,
    }
}

/// Whether a variation selector changes what is seen: one after a pictograph, in a keycap, after a
/// Han or a Mongolian character.
fn selector_shows(selector: char, before: &[char], after: &[char]) -> bool {
    let Some(base) = before.last().copied() else { return false };
    match selector {
        '\u{fe0f}' if is_keycap_base(base) => after.first() == Some(&KEYCAP),
        '\u{fe0e}' | '\u{fe0f}' => is_pictograph(base),
        c if is_mongolian_variation_selector(c) => is_mongolian_letter(base),
        _ => is_han(base),
    }
}

/// Refuses what a tidied name can't be.
fn check(name: &str) -> Result<(), NameError> {
    let chars: Vec<char> = name.chars().collect();
    let (mut at, mut marks, mut is_visible) = (0, 0, false);
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        if c == BLACK_FLAG {
            at += tags_of_flag(chars.get(at..).unwrap_or_default());
        }
        // Those that were kept have an effect; they are no rest between marks.
        if matches!(c, ZWNJ | ZWJ | MONGOLIAN_VOWEL_SEPARATOR) || is_variation_selector(c) {
            continue;
        }
        check_character(c)?;
        if is_stacking_mark(c) {
            marks += 1;
        } else if !is_mark(c) {
            marks = 0;
            is_visible |= c != ' ';
        }
        if marks > MAX_MARKS || (is_mark(c) && !is_visible) {
            return Err(NameError::Marks);
        }
    }
    if is_visible { Ok(()) } else { Err(NameError::Empty) }
}

fn check_character(c: char) -> Result<(), NameError> {
    match c {
        _ if c.is_control() => Err(NameError::Control),
        _ if turns_direction(c) => Err(NameError::Direction),
        _ if is_invisible(c) => Err(NameError::Invisible),
        _ if is_unassigned(c) => Err(NameError::Unassigned),
        _ => Ok(()),
    }
}

fn is_plain(c: char) -> bool {
    let may_show = matches!(c, ZWNJ | ZWJ) || is_variation_selector(c);
    may_show || check_character(c).is_ok()
}

/// The number of tag characters that make a flag of a black one: a country and its part, such as
/// `gbsct`, and an end (UTS #51 §1.4.6). 0 where they don't.
fn tags_of_flag(after: &[char]) -> usize {
    let region = after.iter().take_while(|c| is_tag_of_region(**c)).count();
    let is_ended = after.get(region) == Some(&'\u{e007f}');
    if (3..=6).contains(&region) && is_ended { region + 1 } else { 0 }
}

/// A tag character that stands for a digit or a small letter.
fn is_tag_of_region(c: char) -> bool {
    matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}')
}
