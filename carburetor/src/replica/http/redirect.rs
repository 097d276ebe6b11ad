//! Redirects: where a request may lead.

use super::address::shown;
use crate::replica::transport::TransportError;
use reqwest::header::LOCATION;
use reqwest::{Response, StatusCode, Url};

/// How many redirects one request follows.
const MOST: u32 = 5;

/// The way of one request.
#[derive(Default)]
pub(super) struct Redirect {
    followed: u32,
}

impl Redirect {
    /// Where the request is to be sent again, if it has not arrived; an error if that is no business of another host's.
    pub(super) fn next(
        &mut self,
        from: &Url,
        response: &Response,
    ) -> Result<Option<Url>, TransportError> {
        let status = response.status();
        let to = match status {
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = response.headers().get(LOCATION);
                let location = location.and_then(|location| location.to_str().ok());
                location.and_then(|location| from.join(location).ok())
            }
            // A client of the program's own has followed: as a GET, whatever was sent.
            _ if !status.is_success() && response.url() != from => Some(response.url().clone()),
            _ => return Ok(None),
        };
        let Some(mut to) = to else {
            return Err(refused(
                status,
                "it redirects, and doesn't say to where",
                "",
            ));
        };
        self.followed += 1;
        if self.followed > MOST {
            let round = format!("it redirects again and again, at last to {}", shown(&to));
            return Err(refused(status, &round, ""));
        }
        if !is_same_host(from, &to) {
            let elsewhere = format!("the group is elsewhere: {}", shown(&to));
            let remedy = "give `Http` that address, if it is to be trusted";
            return Err(refused(status, &elsewhere, remedy));
        }
        if to.query().is_none() {
            to.set_query(from.query());
        }
        Ok(Some(to))
    }

    /// Whether the address that was asked is no longer one.
    pub(super) fn is_for_good(&self, status: StatusCode) -> bool {
        matches!(
            status,
            StatusCode::MOVED_PERMANENTLY | StatusCode::PERMANENT_REDIRECT
        )
    }
}

/// The same server, or the same host by a safer way.
fn is_same_host(from: &Url, to: &Url) -> bool {
    let is_safer = from.scheme() == "http" && to.scheme() == "https";
    from.host() == to.host() && (is_safer || from.origin() == to.origin())
}

fn refused(status: StatusCode, detail: &str, remedy: &str) -> TransportError {
    TransportError::Refused {
        status: status.as_u16(),
        code: "redirect".into(),
        detail: detail.into(),
        remedy: remedy.into(),
        server_time: None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_host;
    use reqwest::Url;

    #[test]
    fn a_redirect_leads_to_the_same_host_and_never_from_https_to_http() {
        let is_same = |from: &str, to: &str| {
            is_same_host(&Url::parse(from).unwrap(), &Url::parse(to).unwrap())
        };
        assert!(is_same("http://a.org/x", "http://a.org/y?z"));
        assert!(is_same("http://a.org/x", "https://a.org/x"));
        assert!(is_same("http://a.org:8080/x", "https://a.org:8443/x"));
        assert!(is_same("https://a.org/x", "https://a.org:443/y"));
        for (from, to) in [
            ("https://a.org/x", "http://a.org/x"),
            ("https://a.org/x", "https://b.org/x"),
            ("http://a.org/x", "https://www.a.org/x"),
            ("https://a.org/x", "https://a.org:8443/x"),
            ("http://a.org/x", "http://a.org:8080/x"),
        ] {
            assert!(!is_same(from, to), "{from} {to}");
        }
    }
}
