//! Tags of the page's head for programs that show a preview of a link (<https://ogp.me>).
//!
//! They say what the address says and nothing else: the server does not look up whether a room
//! exists, since an unlisted room is as private as its name.

use std::fmt::{self, Write};

use axum::http::{HeaderMap, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use room::name::RoomName;

/// The image of a preview, below the server's origin; its size in pixels.
const IMAGE: (&str, u16, u16) = ("/icons/preview.png", 1200, 630);

/// The title of the page as it is built, in place of which the tags stand.
const BUILT_TITLE: &str = "<title>moim</title>";

/// Texts of a preview in one language.
struct Texts {
    locale: &'static str,
    home: &'static str,
    room: &'static str,
}

const EN: Texts = Texts {
    locale: "en_US",
    home: "Video calls that anyone can host, right in the browser.",
    room: "You're invited to a video call. It opens right in the browser.",
};

const KO: Texts = Texts {
    locale: "ko_KR",
    home: "누구나 열 수 있는 화상 통화예요. 브라우저에서 바로 만나요.",
    room: "화상 통화에 초대받았어요. 브라우저에서 바로 열려요.",
};

/// The preview of a link.
pub(super) struct LinkPreview<'a> {
    /// The origin by which the server was reached; without it, no absolute address is written.
    pub(super) origin: Option<String>,
    /// The room in the address.
    pub(super) room: Option<&'a RoomName>,
    /// The reader prefers Korean.
    pub(super) is_korean: bool,
}

impl LinkPreview<'_> {
    /// The page with the tags and `more` in its head. A page without our title stays as it is.
    pub(super) fn insert(&self, page: &str, more: &str) -> String {
        page.replacen(BUILT_TITLE, &format!("{self}{more}"), 1)
    }
}

impl fmt::Display for LinkPreview<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = if self.is_korean { KO } else { EN };
        let (title, description) = match self.room {
            Some(room) => (room.as_str(), texts.room),
            None => ("moim", texts.home),
        };
        match self.room {
            // Rooms are no business of search engines.
            Some(_) => write!(
                f,
                "<title>{} · moim</title><meta name=\"robots\" content=\"noindex\" />",
                Escaped(title)
            )?,
            None => f.write_str(BUILT_TITLE)?,
        }
        let mut tag = |property: &str, content: &str| {
            write!(f, "<meta property=\"og:{property}\" content=\"{}\" />", Escaped(content))
        };
        tag("type", "website")?;
        tag("site_name", "moim")?;
        tag("locale", texts.locale)?;
        tag("title", title)?;
        tag("description", description)?;
        let Some(origin) = &self.origin else { return Ok(()) };
        let path = self.room.map(|room| utf8_percent_encode(room.as_str(), NON_ALPHANUMERIC));
        let path = path.map_or("/".to_owned(), |room| format!("/r/{room}"));
        let (image, width, height) = IMAGE;
        tag("url", &format!("{origin}{path}"))?;
        tag("image", &format!("{origin}{image}"))?;
        tag("image:width", &width.to_string())?;
        tag("image:height", &height.to_string())?;
        f.write_str("<meta name=\"twitter:card\" content=\"summary_large_image\" />")
    }
}

/// True if the first language that the client accepts is Korean.
pub(super) fn is_korean(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let first = accepted.and_then(|accepted| accepted.split([',', ';', '-']).next());
    first.is_some_and(|first| first.trim().eq_ignore_ascii_case("ko"))
}

/// Text inside an element or a quoted attribute of HTML.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<head><title>moim</title></head>";

    fn of_room(name: &str) -> String {
        let room = RoomName::new(name).unwrap();
        let origin = Some("https://meet.example".to_owned());
        LinkPreview { origin, room: Some(&room), is_korean: false }.insert(PAGE, "")
    }

    #[test]
    fn room_is_named_once_escaped_for_html_and_once_for_its_address() {
        let page = of_room("\"><script>alert('tea & milk')</script>");
        assert!(!page.contains("<script"), "{page}");
        let title = "&quot;&gt;&lt;script&gt;alert(&#39;tea &amp; milk&#39;)&lt;/script&gt;";
        assert!(page.contains(&format!("<title>{title} · moim</title>")), "{page}");
        assert!(page.contains(&format!("property=\"og:title\" content=\"{title}\"")), "{page}");
        assert!(page.contains("content=\"https://meet.example/r/%22%3E%3Cscript%3E"), "{page}");
        assert_eq!(page.matches('\'').count(), 0, "{page}");
    }

    #[test]
    fn addresses_are_absolute_or_absent() {
        assert!(of_room("tea").contains("content=\"https://meet.example/icons/preview.png\""));
        let preview = LinkPreview { origin: None, room: None, is_korean: true };
        let page = preview.insert(PAGE, "<meta name=\"x\" />");
        assert!(page.contains(KO.home) && page.contains("<meta name=\"x\" /></head>"), "{page}");
        assert!(!page.contains("og:url") && !page.contains("og:image"), "{page}");
        assert_eq!(preview.insert("<head></head>", ""), "<head></head>");
    }

    #[test]
    fn language_is_the_first_that_is_accepted() {
        for (accepted, is_first) in [
            ("ko", true),
            ("ko-KR,ko;q=0.9,en;q=0.8", true),
            ("en,ko;q=0.9", false),
            ("kok", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accepted.parse().unwrap());
            assert_eq!(is_korean(&headers), is_first, "{accepted}");
        }
    }
}
