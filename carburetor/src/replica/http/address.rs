//! Addresses: as a program writes them, and as people are shown them.

use crate::replica::transport::TransportError;
use reqwest::Url;

/// Where the group is that the program has written as `url`.
pub(super) fn group(url: &str) -> Result<Url, TransportError> {
    let (named, has_scheme) = (anonymous(url), url.contains("://"));
    let problem = match Url::parse(url) {
        Ok(mut group) if matches!(group.scheme(), "http" | "https") => {
            // What is joined to a path without a slash at its end takes the place of its last part.
            if !group.path().ends_with('/') {
                group.set_path(&format!("{}/", group.path()));
            }
            return Ok(group);
        }
        _ if !has_scheme => {
            format!("write http:// or https:// before it, for example `https://{named}`")
        }
        Ok(_) => "it begins with http:// or https://".to_owned(),
        Err(error) => format!("{error}; write it as `https://example.org/sync/web`"),
    };
    let url = named.to_owned();
    Err(TransportError::Address { url, problem })
}

/// The text without what may say who asks.
fn anonymous(url: &str) -> &str {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    url.rsplit_once('@').map_or(url, |(_, rest)| rest)
}

/// The address without what only its server is to see.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // An address that can't have them has none.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::{group, shown};
    use reqwest::Url;

    #[test]
    fn an_address_is_shown_without_tokens_and_passwords() {
        let url = Url::parse("https://me:secret@a.org/x?since=token#there").unwrap();
        assert_eq!(shown(&url), "https://a.org/x");
    }

    #[test]
    fn what_is_no_address_is_told_with_what_to_write() {
        for (url, told) in [
            (
                "example.org/sync/web",
                "`example.org/sync/web` is no address of a group: write http:// or https:// before it, for example `https://example.org/sync/web`",
            ),
            (
                "localhost:3000/sync/web",
                "`localhost:3000/sync/web` is no address of a group: write http:// or https:// before it, for example `https://localhost:3000/sync/web`",
            ),
            (
                "me:secret@example.org?token=secret",
                "`example.org` is no address of a group: write http:// or https:// before it, for example `https://example.org`",
            ),
            (
                "ws://example.org/sync/web",
                "`ws://example.org/sync/web` is no address of a group: it begins with http:// or https://",
            ),
            (
                "https://",
                "`https://` is no address of a group: empty host; write it as `https://example.org/sync/web`",
            ),
            (
                "",
                "`` is no address of a group: write http:// or https:// before it, for example `https://`",
            ),
        ] {
            assert_eq!(group(url).unwrap_err().to_string(), told);
        }
        assert_eq!(group("http://a.org/sync/web").unwrap().path(), "/sync/web/");
    }
}
