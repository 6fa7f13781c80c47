//! Cleaning of typed or pasted names.
//!
//! Invisible characters that come along with pasted text are removed. Characters that could
//! disguise a name or have no meaning are rejected. Joiners and variation selectors are kept only
//! where they change the rendering (RFC 5892 appendix A, UTS #51). Cleaning is idempotent.

use unicode_normalization::UnicodeNormalization;

use super::{
    characters::{
        BLACK_FLAG, KEYCAP, MONGOLIAN_VOWEL_SEPARATOR, ZWJ, ZWNJ, cursive_script, is_han,
        is_invisible, is_keycap_base, is_letter, is_mark, is_mongolian_letter,
        is_mongolian_variation_selector, is_pasted, is_pictograph, is_space, is_stacking_mark,
        is_unassigned, is_variation_selector, is_virama, turns_direction,
    },
    error::{MAX_MARKS, MAX_NAME_CHARS, NameError},
};

/// Maximum size of the input, in bytes: normalization expands one code point to at most 18.
const MAX_TYPED_BYTES: usize = MAX_NAME_CHARS * 18 * 4;

/// Passes after which a name must not change any more. Typed names need one; a removed character
/// may change what its neighbors are for.
const MAX_PASSES: usize = 4;

/// Cleans and validates a name.
pub(super) fn clean(typed: &str) -> Result<String, NameError> {
    if typed.len() > MAX_TYPED_BYTES {
        return Err(NameError::TooLong);
    }
    let mut name = tidied(typed);
    let is_stable = (0..MAX_PASSES).any(|_| {
        let again = tidied(&name);
        std::mem::replace(&mut name, again) == name
    });
    if !is_stable {
        return Err(NameError::Invisible);
    }
    check(&name)?;
    if name.chars().count() > MAX_NAME_CHARS { Err(NameError::TooLong) } else { Ok(name) }
}

/// Removes everything invalid from a name; `None` if nothing is left.
pub(super) fn salvage(name: &str) -> Option<String> {
    let mut legible = Vec::new();
    let mut marks = 0;
    for c in name.chars().filter(|c| is_plain(*c) && !is_pasted(*c)) {
        marks = if is_stacking_mark(c) { marks + 1 } else { 0 };
        let is_stray = is_mark(c) && legible.is_empty();
        if marks <= MAX_MARKS && !is_stray && legible.len() < MAX_NAME_CHARS {
            legible.push(c);
        }
    }
    // Normalization may lengthen it.
    let cut: String = tidied(&String::from_iter(legible)).chars().take(MAX_NAME_CHARS).collect();
    clean(&cut).ok()
}

/// Removes characters without visible effect, collapses spaces and normalizes (NFC): macOS sends
/// decomposed Hangul, and the same link must find the same room.
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
            // Browsers render a run of spaces as one.
            ' ' => kept.last() != Some(&' '),
            _ => true,
        };
        if has_effect {
            kept.push(c);
        }
    }
    String::from_iter(kept).trim_matches(' ').nfc().collect()
}

/// Returns whether a joiner changes the rendering: between cursive letters, beside a virama, or in
/// an emoji sequence.
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

/// Returns whether a variation selector changes the rendering: after a pictograph, in a keycap, or
/// after a Han or Mongolian character.
fn selector_shows(selector: char, before: &[char], after: &[char]) -> bool {
    let Some(base) = before.last().copied() else { return false };
    match selector {
        '\u{fe0f}' if is_keycap_base(base) => after.first() == Some(&KEYCAP),
        '\u{fe0e}' | '\u{fe0f}' => is_pictograph(base),
        c if is_mongolian_variation_selector(c) => is_mongolian_letter(base),
        _ => is_han(base),
    }
}

/// Validates a tidied name.
fn check(name: &str) -> Result<(), NameError> {
    let chars: Vec<char> = name.chars().collect();
    let (mut at, mut marks, mut is_visible) = (0, 0, false);
    while let Some(c) = chars.get(at).copied() {
        at += 1;
        if c == BLACK_FLAG {
            at += tags_of_flag(chars.get(at..).unwrap_or_default());
        }
        // Kept joiners and selectors have an effect; they don't interrupt a run of marks.
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

/// Number of tag characters that turn a black flag into a regional one: a region code such as
/// `gbsct` and an end tag (UTS #51 §1.4.6). 0 if they don't.
fn tags_of_flag(after: &[char]) -> usize {
    let region = after.iter().take_while(|c| is_tag_of_region(**c)).count();
    let is_ended = after.get(region) == Some(&'\u{e007f}');
    if (3..=6).contains(&region) && is_ended { region + 1 } else { 0 }
}

/// Returns whether `c` is the tag of a digit or lower-case letter.
fn is_tag_of_region(c: char) -> bool {
    matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}')
}
