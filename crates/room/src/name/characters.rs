//! Character properties that decide whether a name may contain a character (UAX #44).

use unicode_normalization::char::canonical_combining_class;
use unicode_properties::{
    EmojiStatus, GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
};
use unicode_script::{Script, UnicodeScript};

pub(super) const ZWNJ: char = '\u{200c}';
pub(super) const ZWJ: char = '\u{200d}';
pub(super) const KEYCAP: char = '\u{20e3}';
pub(super) const BLACK_FLAG: char = '\u{1f3f4}';

/// Direction and byte order marks that come along with pasted text: the isolates and implicit marks
/// of UAX #9, and U+FEFF.
pub(super) fn is_pasted(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2066}'..='\u{2069}')
}

/// Any space, including the blank Braille pattern.
pub(super) fn is_space(c: char) -> bool {
    c == '\u{2800}' || c == '\t' || c.general_category() == GeneralCategory::SpaceSeparator
}

/// Embeddings and overrides of UAX #9, which disguise the following text.
pub(super) fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}')
}

/// Invisible on its own: format characters, line separators, Default_Ignorable_Code_Point, and the
/// null notehead.
pub(super) fn is_invisible(c: char) -> bool {
    use GeneralCategory::{Format, LineSeparator, ParagraphSeparator};
    matches!(c.general_category(), Format | LineSeparator | ParagraphSeparator)
        || is_default_ignorable(c)
        || c == '\u{1d159}'
}

/// From DerivedCoreProperties.txt, which reserves whole ranges so that the list is stable.
fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Unassigned, noncharacter or private use.
pub(super) fn is_unassigned(c: char) -> bool {
    matches!(c.general_category(), GeneralCategory::Unassigned | GeneralCategory::PrivateUse)
}

/// A combining mark without advance width.
pub(super) fn is_stacking_mark(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark};
    matches!(c.general_category(), NonspacingMark | EnclosingMark)
}

/// Any combining mark, including spacing ones.
pub(super) fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

pub(super) fn is_letter(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Letter
}

/// Virama: suppresses a vowel and joins consonants, so a joiner beside it has an effect.
pub(super) fn is_virama(c: char) -> bool {
    canonical_combining_class(c) == 9
}

/// Returns the cursive script of a letter, whose shape depends on its neighbors.
pub(super) fn cursive_script(c: char) -> Option<Script> {
    let script = c.script();
    let is_cursive = matches!(
        script,
        Script::Arabic
            | Script::Syriac
            | Script::Mandaic
            | Script::Nko
            | Script::Mongolian
            | Script::Phags_Pa
            | Script::Manichaean
            | Script::Psalter_Pahlavi
            | Script::Sogdian
            | Script::Adlam
            | Script::Hanifi_Rohingya
    );
    (is_cursive && is_letter(c)).then_some(script)
}

pub(super) fn is_mongolian_letter(c: char) -> bool {
    cursive_script(c) == Some(Script::Mongolian)
}

pub(super) fn is_han(c: char) -> bool {
    c.script() == Script::Han
}

/// Pictograph that may be part of an emoji sequence (UTS #51); no digit, no regional indicator.
pub(super) fn is_pictograph(c: char) -> bool {
    c.is_emoji_char()
        && !c.is_ascii()
        && !matches!(c, '\u{1f1e6}'..='\u{1f1ff}')
        && c.emoji_status() != EmojiStatus::NonEmojiButEmojiComponent
}

/// Base of a keycap sequence.
pub(super) fn is_keycap_base(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*')
}

/// Selects a variant of the preceding character; invisible itself.
pub(super) fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
        || is_mongolian_variation_selector(c)
}

pub(super) fn is_mongolian_variation_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}')
}

/// Separates a final vowel from its stem in Mongolian.
pub(super) const MONGOLIAN_VOWEL_SEPARATOR: char = '\u{180e}';
