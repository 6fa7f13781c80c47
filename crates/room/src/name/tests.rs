use proptest::prelude::*;
use unicode_properties::{GeneralCategory as Category, UnicodeGeneralCategory};

use super::*;

fn cleaned(typed: &str) -> Result<String, NameError> {
    DisplayName::new(typed).map(String::from)
}

#[test]
fn decomposed_hangul_names_the_same_room() {
    assert_eq!(RoomName::new("\u{1106}\u{1169}\u{110b}\u{1175}\u{11b7}"), RoomName::new("모임"));
}

#[test]
fn any_name_can_be_sanitized() {
    assert_eq!(RoomName::sanitize("tea \u{202e}room\n").as_str(), "tea room");
    assert_eq!(RoomName::sanitize(&"a".repeat(1000)).as_str(), "a".repeat(MAX_NAME_CHARS));
    assert_eq!(
        RoomName::sanitize(&format!("a{}", "\u{334}".repeat(99))).as_str(),
        "a\u{334}\u{334}\u{334}\u{334}"
    );
    for nothing in ["", " ", "\u{0}\u{200b}", "\u{3164}", "\u{301}", "..", "\u{fffff}"] {
        assert_eq!(RoomName::sanitize(nothing).as_str(), "—", "{nothing:?}");
    }
}

#[test]
fn misleading_names_are_rejected() {
    for (typed, error) in [
        ("  ", NameError::Empty),
        ("ann\u{202e}nna", NameError::Direction),
        ("\u{202a}ann\u{202c}", NameError::Direction),
        ("a\nb", NameError::Control),
        ("a\0", NameError::Control),
        ("a\u{2028}b", NameError::Invisible),
        ("a\u{200b}b", NameError::Invisible),
    ] {
        assert_eq!(cleaned(typed), Err(error), "{typed:?}");
    }
    assert_eq!(cleaned(&"a".repeat(65)), Err(NameError::TooLong));
    assert_eq!(cleaned(&"a".repeat(10 << 20)), Err(NameError::TooLong));
    assert_eq!(RoomName::new(" .. "), Err(NameError::Dots));
    assert_eq!(RoomName::new("\u{200e}.\u{200f}."), Err(NameError::Dots));
    assert!(RoomName::new("...").is_ok() && DisplayName::new("..").is_ok());
    assert!(DisplayName::new("<b>Ann</b> sfu").is_ok(), "markup is text");
}

#[test]
fn invisible_names_are_rejected() {
    for blank in [
        '\u{ad}',
        '\u{34f}',
        '\u{115f}',
        '\u{1160}',
        '\u{17b4}',
        '\u{180b}',
        '\u{180e}',
        '\u{200b}',
        '\u{200c}',
        '\u{200d}',
        '\u{200e}',
        '\u{2060}',
        '\u{2064}',
        '\u{2066}',
        '\u{206a}',
        '\u{2800}',
        '\u{3000}',
        '\u{3164}',
        '\u{fe00}',
        '\u{fe0f}',
        '\u{feff}',
        '\u{ffa0}',
        '\u{fff9}',
        '\u{1bca0}',
        '\u{1d159}',
        '\u{1d173}',
        '\u{e0001}',
        '\u{e0041}',
        '\u{e007f}',
        '\u{e0100}',
        '\u{301}',
        '\u{20dd}',
        '\u{a0}',
        '\u{2028}',
    ] {
        for typed in [String::from(blank), format!("{blank}{blank}"), format!(" {blank}\u{200f} ")]
        {
            assert!(cleaned(&typed).is_err(), "{typed:?} is let in");
            assert!(RoomName::new(&typed).is_err(), "{typed:?} is let in");
        }
    }
    assert_eq!(cleaned("\u{200c}\u{200d}"), Err(NameError::Empty));
    assert_eq!(cleaned("\u{3164}"), Err(NameError::Invisible));
}

#[test]
fn unassigned_and_private_use_characters_are_rejected() {
    for c in ['\u{378}', '\u{e000}', '\u{fdd0}', '\u{ffff}', '\u{1fffe}', '\u{f0000}', '\u{10ffff}']
    {
        assert_eq!(cleaned(&format!("Ann{c}")), Err(NameError::Unassigned), "{:x}", u32::from(c));
    }
}

#[test]
fn tag_characters_are_rejected() {
    let tags: String =
        "hidden".chars().filter_map(|c| char::from_u32(0xe0000 + u32::from(c))).collect();
    assert_eq!(cleaned(&format!("Ann{tags}")), Err(NameError::Invisible));
    assert_eq!(cleaned(&format!("\u{1f3f4}{tags}{tags}\u{e007f}")), Err(NameError::Invisible));
    assert_eq!(cleaned(&format!("\u{1f3f4}{tags}")), Err(NameError::Invisible));
    assert_eq!(cleaned("Ann\u{e0101}\u{e0102}\u{fe0f}"), Ok("Ann".to_owned()));
    assert_eq!(cleaned("A\u{200d}n\u{200c}n"), Ok("Ann".to_owned()));
    assert_eq!(cleaned("모\u{200d}임"), Ok("모임".to_owned()));
}

#[test]
fn combining_marks_are_limited_to_four() {
    let marked = |marks| cleaned(&format!("x{}", "\u{334}".repeat(marks)));
    assert!(marked(4).is_ok());
    for marks in [5, 6, 63] {
        assert_eq!(marked(marks), Err(NameError::Marks));
    }
    assert_eq!(cleaned("\u{301}Ann"), Err(NameError::Marks));
    assert_eq!(cleaned(" \u{301}Ann"), Err(NameError::Marks));
    // A joiner between them makes no new character.
    let zalgo = "\u{915}\u{94d}\u{200d}\u{334}\u{200d}\u{334}\u{334}\u{334}\u{334}";
    assert_eq!(cleaned(zalgo), Err(NameError::Marks));
}

#[test]
fn real_world_names_are_kept() {
    for name in [
        "Ann Lee",
        "김민수",
        "Zoë",
        "Nguyễn Thị Ánh",
        "O'Brien-Łukasz",
        "Ægir 3",
        "Jürgen (Ö)",
        // Persian, with the non-joiner; Arabic and Hebrew with vowel points.
        "می\u{200c}خواهم",
        "علی\u{200c}رضا",
        "مُحَمَّد",
        "שָׁלוֹם",
        "דָּוִד",
        "דוד בן־גוריון",
        "محمد ٣",
        // Devanagari with both joiners, Bengali, Malayalam with an old chillu, Sinhala, Kannada.
        "क्\u{200d}ष",
        "क्\u{200c}ष",
        "शर्मा",
        "র\u{200d}্যাব",
        "ജോണ്\u{200d}",
        "ශ්\u{200d}රී",
        "ರ\u{200d}್ಕ",
        // Thai, Burmese, Tibetan and Khmer stack marks.
        "สมชาย ที่รัก",
        "လျှို့ဝှက်",
        "བསྒྲུབས",
        "ក្រុម",
        "தமிழ்",
        // Mongolian, and a Japanese name with a variant of its character.
        "ᠮᠣᠩᠭᠣᠯ",
        "ᠬᠠᠭᠠᠨ\u{180e}ᠠ",
        "葛\u{e0100}城",
        "山田太郎",
        "⠁⠝⠝",
        // Emoji: joined, with skin tone, text and picture style, flags, keycaps.
        "👩\u{200d}🏫",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "👍🏽",
        "👩🏽\u{200d}🚀",
        "❤\u{fe0f}",
        "❤\u{fe0e}",
        "🏳\u{fe0f}\u{200d}🌈",
        "🏴\u{200d}☠\u{fe0f}",
        "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
        "🇰🇷",
        "1\u{fe0f}\u{20e3}",
        "#\u{20e3}",
        "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        "👩\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨",
        "♀\u{fe0f}",
        "👩\u{200d}🦰",
    ] {
        assert_eq!(cleaned(name).as_deref(), Ok(name), "{}", name.escape_unicode());
    }
}

#[test]
fn pasted_direction_marks_are_removed() {
    for (typed, name) in [
        ("\u{feff}Ann", "Ann"),
        ("\tAnn\r\n", "Ann"),
        ("\u{200f}דוד\u{200e}", "דוד"),
        ("\u{2068}Ann\u{2069}", "Ann"),
        ("\u{2067}علی\u{2069} ", "علی"),
        ("\u{61c}علی", "علی"),
        ("\u{a0}Ann\u{a0}Lee\u{202f}", "Ann Lee"),
        ("山田\u{3000}太郎", "山田 太郎"),
        ("Ann\tLee", "Ann Lee"),
        ("Ann   Lee", "Ann Lee"),
        ("\u{2029}Ann\u{2028}", "Ann"),
        ("⠁⠝⠝\u{2800}⠇⠑⠑", "⠁⠝⠝ ⠇⠑⠑"),
        ("👩\u{200d}", "👩"),
        ("می\u{200c}", "می"),
        ("می\u{200c}\u{200c}\u{200d}خواهم", "می\u{200d}خواهم"),
        ("Ann\u{fe0f}", "Ann"),
        ("e\u{200d}\u{301}", "é"),
    ] {
        assert_eq!(cleaned(typed).as_deref(), Ok(name), "{}", typed.escape_unicode());
        assert_eq!(RoomName::new(typed), RoomName::new(name), "one room");
    }
}

#[test]
fn confusable_names_have_the_same_skeleton() {
    let skeleton = |name: &str| DisplayName::new(name).expect("a name").skeleton();
    for (one, other) in [
        ("Ann", "Ann"),
        ("Ann", "\u{410}nn"),
        ("paul", "раul"),
        ("Bill", "Bi1l"),
        ("е\u{301}", "é"),
    ] {
        assert_eq!(skeleton(one), skeleton(other), "{one} {other}");
    }
    for (one, other) in [("Ann", "Anna"), ("김민수", "김민주"), ("Ben", "Bén")] {
        assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
    }
}

#[test]
fn a_joiner_is_judged_by_the_neighbors_that_are_kept() {
    let name = cleaned("\u{182e}\u{94d}\u{200c}\u{fe0f}\u{200c}").unwrap();
    assert_eq!(cleaned(&name), Ok(name.clone()), "{}", name.escape_unicode());
}

#[test]
fn error_is_found_by_its_message() {
    for error in NameError::ALL {
        assert_eq!(NameError::from_message(&error.to_string()), Some(error));
    }
    assert_eq!(NameError::from_message("expected a string"), None);
}

/// Characters that the rules treat one by one, among any others.
fn typed() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "aé א\u{5b8}ی\u{200c}\u{200d}\u{94d}क\u{301}\u{334}\u{fe0f}\u{e0100}葛👩🏽1#\u{20e3}🇰🏴\u{e0067}\u{e007f}\u{180b}\u{180e}ᠮ\u{200e}\u{2068}\u{feff}\t\n\u{a0}\u{2800}\u{1106}\u{1161}\u{ad}\u{3164}.\u{93c}\u{344}\u{2001}\u{f900}"
            .chars()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(prop_oneof![4 => special, 1 => any::<char>()], 0..24)
        .prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn clean_names_are_visible_normalized_and_stable(typed in typed()) {
        if let Ok(name) = cleaned(&typed) {
            prop_assert_eq!(cleaned(&name), Ok(name.clone()), "{}", name.escape_unicode());
            prop_assert!(unicode_normalization::is_nfc(&name));
            prop_assert!((1..=MAX_NAME_CHARS).contains(&name.chars().count()));
            prop_assert!(name.chars().any(char::is_alphanumeric) || name.chars().any(|c| !c.is_whitespace()));
            prop_assert!(!name.contains("  ") && name.trim() == name);
            for c in name.chars() {
                let category = c.general_category();
                prop_assert!(!matches!(category, Category::Control | Category::Unassigned | Category::PrivateUse
                    | Category::LineSeparator | Category::ParagraphSeparator), "{:x}", u32::from(c));
                prop_assert!(category != Category::Format
                    || matches!(c, '\u{200c}' | '\u{200d}' | '\u{180e}' | '\u{e0030}'..='\u{e007f}'), "{:x}", u32::from(c));
                prop_assert!(category != Category::SpaceSeparator || c == ' ');
            }
        }
    }

    #[test]
    fn any_name_sanitizes_to_a_valid_one(typed in typed()) {
        let name = RoomName::sanitize(&typed);
        prop_assert!(name.as_str() == "—" || RoomName::new(name.as_str()).as_ref() == Ok(&name), "{}", name.as_str().escape_unicode());
    }

    #[test]
    fn decomposed_and_composed_names_are_equal(typed in typed()) {
        use unicode_normalization::UnicodeNormalization;
        let decomposed: String = typed.nfd().collect();
        if typed.len() < 1000 {
            prop_assert_eq!(cleaned(&typed).ok(), cleaned(&decomposed).ok(), "{}", typed.escape_unicode());
        }
    }
}
