//! Sites that may show the page in a frame (`--embed`), and what the page is told of them.

use std::fmt::Write;

use axum::response::Response;

use super::{headers::Framable, link_preview::Escaped};
use crate::config::{Live, Origin};

/// The origins of `--embed`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Embedders(Live<Vec<Origin>>);

impl Embedders {
    pub(crate) fn new(origins: Vec<Origin>) -> Self {
        Self(Live::new(origins))
    }

    /// Replaces the origins.
    pub(crate) fn replace(&self, origins: Vec<Origin>) {
        self.0.replace(origins);
    }

    /// The tag of the page's head that names the origins, from which alone the page takes orders;
    /// empty without any.
    pub(super) fn tag(&self) -> String {
        let list = self.list();
        let mut tag = String::new();
        if !list.is_empty() {
            let _ = write!(tag, "<meta name=\"moim-embed\" content=\"{}\" />", Escaped(&list));
        }
        tag
    }

    /// Lets the origins frame this response.
    pub(super) fn permit(&self, response: &mut Response) {
        let list = self.list();
        let framable = if list.is_empty() { None } else { Framable::by(&list) };
        if let Some(framable) = framable {
            response.extensions_mut().insert(framable);
        }
    }

    fn list(&self) -> String {
        let origins = self.0.load();
        let origins: Vec<&str> = origins.iter().map(Origin::as_str).collect();
        origins.join(" ")
    }
}
