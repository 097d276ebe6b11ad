//! What requests and answers say of their form: media types, encodings, tags.

use super::problem::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

/// The media type of messages.
pub(super) const JSON: &str = "application/json";

/// The media type of messages in lines.
pub(super) const LINES: &str = "application/x-ndjson";

/// What one address answers differs by these; a cache that keeps answers in spite of `no-store` shall not mix them up.
pub(super) const VARY: (HeaderName, &str) = (header::VARY, "accept, authorization, cookie");

/// Refuses a body that is no message: one that a form could send in the name of whoever looks at a page, or one that is compressed still.
pub(super) fn admit(headers: &HeaderMap) -> Result<(), Problem> {
    let refuse = |code, detail, remedy| {
        Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            code,
            detail,
            remedy,
        ))
    };
    let mut kinds = headers.get_all(header::CONTENT_TYPE).iter();
    let is_json = |kind: &HeaderValue| {
        let kind = kind.to_str().unwrap_or_default();
        essence(kind).eq_ignore_ascii_case(JSON)
    };
    if !kinds.next().is_some_and(is_json) || kinds.next().is_some() || !is_utf8(headers) {
        return refuse(
            "type",
            "the body of an upload is `application/json` in UTF-8",
            "send it with `Content-Type: application/json`",
        );
    }
    let encodings = headers.get_all(header::CONTENT_ENCODING);
    let mut encodings = encodings
        .iter()
        .flat_map(|encodings| encodings.as_bytes().split(|byte| *byte == b','));
    let is_plain = |encoding: &[u8]| encoding.trim_ascii().eq_ignore_ascii_case(b"identity");
    match encodings.all(is_plain) {
        true => Ok(()),
        false => refuse(
            "encoding",
            "the body is compressed, and nothing here takes that apart",
            "send it without `Content-Encoding`",
        ),
    }
}

/// Whether a body is in UTF-8, which JSON is where nothing else is said.
pub(super) fn is_utf8(headers: &HeaderMap) -> bool {
    let kinds = headers.get_all(header::CONTENT_TYPE);
    let kinds = kinds.iter().filter_map(|kind| kind.to_str().ok());
    let mut parameters = kinds.flat_map(|kind| kind.split(';').skip(1));
    parameters.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            let charset = charset.trim().trim_matches('"');
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        }
        _ => true,
    })
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

/// Whether lines are asked for, rather than the form that is sent otherwise.
pub(super) fn wants_lines(headers: &HeaderMap, otherwise: &str) -> bool {
    match named(headers, LINES) {
        None | Some(0) => false,
        Some(lines) => {
            let family = otherwise.split('/').next().unwrap_or_default();
            let other = named(headers, otherwise)
                .or_else(|| named(headers, &format!("{family}/*")))
                .or_else(|| named(headers, "*/*"));
            lines >= other.unwrap_or(0)
        }
    }
}

/// How much `kind` is wanted, in thousandths, where it is named.
fn named(headers: &HeaderMap, kind: &str) -> Option<u32> {
    let accepted = headers.get_all(header::ACCEPT);
    let accepted = accepted.iter().filter_map(|value| value.to_str().ok());
    let mut accepted = accepted.flat_map(|value| value.split(','));
    let accepted = accepted.find(|accepted| essence(accepted).eq_ignore_ascii_case(kind))?;
    let mut parameters = accepted.split(';').skip(1);
    let weight = parameters.find_map(|parameter| {
        let (name, weight) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(weight)
    });
    Some(weight.map_or(1000, thousandths))
}

/// A weight between `0` and `1.000`; what can't be read wants nothing.
fn thousandths(weight: &str) -> u32 {
    let weight: f64 = weight.trim().parse().unwrap_or(0.0);
    (0..=1000)
        .rev()
        .find(|part| f64::from(*part) <= weight * 1000.0)
        .unwrap_or(0)
}

/// Whether whoever asks has what `tag` names. By POST nobody asks whether he has.
pub(super) fn is_known(method: &Method, headers: &HeaderMap, tag: &str) -> bool {
    matches!(*method, Method::GET | Method::HEAD) && has(headers, tag)
}

fn has(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH);
    let known = known.iter().filter_map(|value| value.to_str().ok());
    let mut known = known.flat_map(|value| value.split(',')).map(str::trim);
    // Tags are compared weakly here, whoever has weakened them.
    known.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saying(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let values = values.iter().copied().map(HeaderValue::from_static);
        values.map(|value| (name.clone(), value)).collect()
    }

    #[test]
    fn lines_are_sent_to_whoever_wants_them_no_less_than_the_other_form() {
        let wants = |accepted: &[&'static str]| {
            wants_lines(&saying(header::ACCEPT, accepted), "text/event-stream")
        };
        for accepted in [
            &["application/x-ndjson"][..],
            &["Application/X-NDJSON ; q=0.5"],
            &["application/x-ndjson, */*"],
            &["text/html", "application/x-ndjson;q=1"],
            &["text/event-stream;q=0.3, application/x-ndjson;q=0.4"],
            &["application/x-ndjson;q=0.2, */*;q=0.1"],
        ] {
            assert!(wants(accepted), "{accepted:?}");
        }
        for accepted in [
            &[][..],
            &["*/*"],
            &["application/*"],
            &["application/x-ndjson;q=0"],
            &["application/x-ndjson; Q=0.000, */*"],
            &["application/x-ndjson;q=nonsense"],
            &["application/x-ndjsonish"],
            &["text/event-stream, application/x-ndjson;q=0.9"],
            &["text/*, application/x-ndjson;q=0.9"],
        ] {
            assert!(!wants(accepted), "{accepted:?}");
        }
    }

    #[test]
    fn a_tag_is_known_in_a_list_and_weakened() {
        let knows = |known: &[&'static str]| {
            is_known(
                &Method::GET,
                &saying(header::IF_NONE_MATCH, known),
                "\"abc\"",
            )
        };
        for known in [
            &["\"abc\""][..],
            &["W/\"abc\""],
            &["\"other\" , W/\"abc\""],
            &["\"other\"", "\"abc\""],
            &["*"],
        ] {
            assert!(knows(known), "{known:?}");
        }
        for known in [
            &[][..],
            &["abc"],
            &["\"other\""],
            &["w/\"abc\""],
            &["\"ab\", c\""],
        ] {
            assert!(!knows(known), "{known:?}");
        }
    }

    #[test]
    fn a_message_is_json_and_not_compressed() {
        let refused = |kind: &[&'static str], encoding: &[&'static str]| {
            let mut headers = saying(header::CONTENT_TYPE, kind);
            headers.extend(saying(header::CONTENT_ENCODING, encoding));
            admit(&headers)
                .err()
                .map(|problem| problem.code().to_owned())
        };
        for kind in [
            "application/json",
            "Application/JSON;charset=utf-8",
            "application/json ; x=y",
            "application/json; charset=\"UTF-8\"",
        ] {
            assert_eq!(refused(&[kind], &[]), None);
            assert_eq!(refused(&[kind], &["identity"]), None);
            for encoding in [&["gzip"][..], &["identity, br"], &["identity", "gzip"]] {
                assert_eq!(refused(&[kind], encoding).as_deref(), Some("encoding"));
            }
        }
        for kinds in [
            &[][..],
            &["text/plain"],
            &["text/plain; application/json"],
            &["text/plain, application/json"],
            &["text/plain", "application/json"],
            &["application/json", "text/plain"],
            &["application/json-seq"],
            &["application/json; charset=utf-16"],
            &["application/json;Charset=\"iso-8859-1\""],
            &["multipart/form-data; boundary=application/json"],
            &[""],
        ] {
            assert_eq!(refused(kinds, &[]).as_deref(), Some("type"), "{kinds:?}");
        }
    }
}
