//! Whether a page of another site asks, in the name of whoever looks at it: browsers send cookies along, and don't ask the server before.

use super::problem::Problem;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};

/// What browsers say of the page that asks; programs other than browsers don't say it, and scripts can't change it.
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what another site's page asks for, unless the program has named the site.
pub(super) fn admit(headers: &HeaderMap, uri: &Uri, named: &[String]) -> Result<(), Problem> {
    let origin = headers.get(header::ORIGIN);
    let origin = origin.map(|origin| origin.to_str().unwrap_or_default());
    if is_own(headers, uri, origin) {
        return Ok(());
    }
    let is_named = |origin: &str| named.iter().any(|named| is_same(named, origin));
    match origin.is_some_and(is_named) {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "origin",
            "a page of another site asks in the name of whoever looks at it",
            "name the site by `Sync::origins`",
        )),
    }
}

/// Whether a page of the server's own site asks, or no browser. A browser that says where the page is from knows it better than the header `Host`, which proxies
/// change; a page of the same site under another name is another's.
fn is_own(headers: &HeaderMap, uri: &Uri, origin: Option<&str>) -> bool {
    let mut sites = headers.get_all(SITE).iter().peekable();
    if sites.peek().is_some() {
        return sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none"));
    }
    let Some(origin) = origin else {
        return true;
    };
    let host = headers.get(header::HOST).map(|host| host.to_str());
    let host = match host {
        Some(host) => host.ok(),
        // HTTP/2 says it there.
        None => uri.authority().map(|authority| authority.as_str()),
    };
    let own = origin.split_once("://");
    own.zip(host).is_some_and(|((scheme, authority), host)| {
        port_apart(scheme, authority).eq_ignore_ascii_case(port_apart(scheme, host))
    })
}

/// Whether both name one site: browsers write no slash at the end, no capitals, and no port that the scheme implies.
fn is_same(named: &str, origin: &str) -> bool {
    let named = named.trim_end_matches('/');
    match (named.split_once("://"), origin.split_once("://")) {
        (Some((scheme, named)), Some((other, origin))) => {
            scheme.eq_ignore_ascii_case(other)
                && port_apart(other, named).eq_ignore_ascii_case(port_apart(other, origin))
        }
        _ => named == origin,
    }
}

/// An authority without the port that its scheme implies.
fn port_apart<'a>(scheme: &str, authority: &'a str) -> &'a str {
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return authority,
    };
    authority.strip_suffix(port).unwrap_or(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn admitted(said: &[(&'static str, &'static str)]) -> bool {
        let headers = said.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        let named = ["https://friend.example/".to_owned()];
        admit(&headers.collect(), &Uri::from_static("/web/upload"), &named).is_ok()
    }

    #[test]
    fn a_page_of_another_site_is_refused_however_it_is_said() {
        const HOST: (&str, &str) = ("host", "app.example");
        let site = |site| ("sec-fetch-site", site);
        let origin = |origin| ("origin", origin);
        for said in [
            &[HOST, site("cross-site")][..],
            &[HOST, site("same-site")],
            &[HOST, site("cross-site"), origin("https://evil.example")],
            &[HOST, site("same-site"), origin("https://other.app.example")],
            &[HOST, site("same-site"), origin("http://app.example")],
            &[HOST, site("new-word")],
            &[HOST, site("same-origin"), site("cross-site")],
            &[HOST, origin("https://evil.example")],
            &[HOST, origin("null")],
            &[HOST, origin("https://app.example.evil.example")],
            &[HOST, origin("http://friend.example")],
            &[origin("https://app.example")],
        ] {
            assert!(!admitted(said), "{said:?}");
        }
        for said in [
            &[HOST][..],
            &[HOST, site("none")],
            &[HOST, site("same-origin"), origin("https://public.example")],
            &[HOST, origin("https://app.example")],
            &[("host", "app.example:443"), origin("https://app.example")],
            &[HOST, site("cross-site"), origin("https://friend.example")],
            &[HOST, origin("https://friend.example")],
        ] {
            assert!(admitted(said), "{said:?}");
        }
    }

    #[test]
    fn the_address_of_http2_names_the_server() {
        let headers = HeaderMap::from_iter([(
            header::ORIGIN,
            HeaderValue::from_static("https://app.example"),
        )]);
        let asked = |uri| admit(&headers, &Uri::from_static(uri), &[]).is_ok();
        assert!(asked("https://app.example/web/upload"));
        assert!(!asked("https://other.example/web/upload"));
    }
}
