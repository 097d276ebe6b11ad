//! A page as a message.

use crate::clock::Clock;
use crate::hex::hex;
use crate::wire::WireError;
use sha2::{Digest, Sha256};
use std::ops::Range;

/// A page as a message, written by [`Pages::next_json`](super::Pages::next_json): a download with the member `more`.
///
#[doc = include_str!("../../docs/examples/page.md")]
#[derive(Clone, Default)]
pub struct Page {
    pub(crate) json: Vec<u8>,
    pub(crate) more: bool,
    /// Where the cutoffs stand.
    pub(crate) cutoffs: Vec<Range<usize>>,
    /// Where `more` and the token begin.
    pub(crate) content: usize,
    /// What the message says of the clock.
    pub(crate) clock: Clock,
    /// Something besides cutoffs is in it.
    pub(crate) has_news: bool,
    /// Where the token stands.
    pub(crate) next: Range<usize>,
    pub(crate) unreadable: Vec<WireError>,
}

impl Page {
    /// The message.
    ///
    /// ```
    /// assert!(carburetor::download::Page::default().json().is_empty());
    /// ```
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The message, without a copy.
    ///
    /// ```
    /// assert!(carburetor::download::Page::default().into_json().is_empty());
    /// ```
    pub fn into_json(self) -> Vec<u8> {
        self.json
    }

    /// What comes next is asked for with the message's token. `false`: the page is the whole download, and with it the tables are of one
    /// instant.
    ///
    /// ```
    /// assert!(!carburetor::download::Page::default().more());
    /// ```
    pub fn more(&self) -> bool {
        self.more
    }

    /// It says nothing but cutoffs: no row, no removal, no reset, and nothing of a row that can't travel.
    ///
    /// ```
    /// assert!(carburetor::download::Page::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        !self.has_news
    }

    /// What the message says of rows that can't travel, each told once: they are not among its rows, and come with a later page when they can.
    ///
    /// ```
    /// assert!(carburetor::download::Page::default().unreadable().is_empty());
    /// ```
    pub fn unreadable(&self) -> &[WireError] {
        &self.unreadable
    }

    /// The text of the token that asks for what comes next, `next` of the message.
    ///
    /// ```
    /// assert_eq!(carburetor::download::Page::default().next(), "");
    /// ```
    pub fn next(&self) -> &str {
        // Base64.
        std::str::from_utf8(&self.json[self.next.clone()]).unwrap_or_default()
    }

    /// A name for what the page says, the same for one that differs in nothing but its cutoffs and its token: an HTTP `ETag`, to be put
    /// between quotes.
    ///
    /// ```
    /// let page = carburetor::download::Page::default();
    /// assert_eq!(page.tag(), page.clone().tag());
    /// ```
    pub fn tag(&self) -> String {
        let mut hash = Sha256::new();
        let mut from = 0;
        for cutoff in &self.cutoffs {
            hash.update(&self.json[from..cutoff.start]);
            from = cutoff.end;
        }
        hash.update(&self.json[from..self.content]);
        hash.update([u8::from(self.more)]);
        hex(&hash.finalize()[..16])
    }
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("bytes", &self.json.len())
            .field("more", &self.more)
            .finish_non_exhaustive()
    }
}
