//! What browsers say of the page that asks, and of the form in which they ask.

use super::Server;
use carburetor::server::Limits;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY};
use serde_json::{Value, json};

/// An insert, as a form with `enctype="text/plain"` sends it too: unknown members are skipped.
fn insert(id: &str) -> String {
    let clock = carburetor::clock::Clock::new(chrono::Utc::now().timestamp_millis() as u64, 0, 9);
    let change = json!({"table": "notes", "id": id, "clock": clock, "insert": {"id": id, "title": "t", "team": "red"}});
    json!({"carburetor": 1, "changes": [change], "x": "="}).to_string()
}

#[test]
fn a_page_of_another_site_can_not_upload() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let own = format!("http://{}", program.address);
    let send = |id: &str, headers: &[(&str, &str)]| {
        let mut request = program
            .client("red")
            .post(program.url("web/upload"))
            .body(insert(id));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = program.send(request);
        let (status, kind) = (
            answer.status(),
            answer.headers().get(ACCEPT_ENCODING).cloned(),
        );
        let said = program.runtime.block_on(answer.text()).unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(status == StatusCode::UNSUPPORTED_MEDIA_TYPE, kind.is_some());
        let code = said["code"].as_str().unwrap_or("applied").to_owned();
        (status.as_u16(), code)
    };
    const JSON: (&str, &str) = ("content-type", "application/json");
    let before = server.notes("red");
    for headers in [
        &[
            ("content-type", "text/plain"),
            ("origin", "https://evil.example"),
        ][..],
        &[
            ("content-type", "text/plain;charset=UTF-8"),
            ("origin", own.as_str()),
        ],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[],
    ] {
        let (status, code) = send("form", headers);
        assert!(
            matches!((status, &*code), (415, "type") | (403, "origin")),
            "{headers:?}: {status} {code}"
        );
    }
    for site in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://evil.example"),
        ],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let headers = [&[JSON], site].concat();
        assert_eq!(send("other", &headers), (403, "origin".into()), "{site:?}");
    }
    for encoding in ["gzip", "br"] {
        let headers = [JSON, ("content-encoding", encoding)];
        assert_eq!(send("packed", &headers), (415, "encoding".into()));
    }
    assert_eq!(server.notes("red"), before);
    for (number, headers) in [
        &[JSON][..],
        &[("content-type", "Application/JSON; charset=utf-8")],
        &[
            JSON,
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://behind.a.proxy"),
        ],
        &[JSON, ("origin", own.as_str())],
        &[
            JSON,
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://friend.example"),
        ],
        &[JSON, ("content-encoding", "identity")],
    ]
    .iter()
    .enumerate()
    {
        let id = format!("good{number}");
        assert_eq!(send(&id, headers), (200, "applied".into()), "{headers:?}");
        assert!(server.notes("red").iter().any(|(known, _)| *known == id));
    }
}

#[test]
fn a_form_is_chosen_by_its_weight_and_named_to_caches() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    for (accept, path, kind) in [
        (
            "application/x-ndjson",
            "web/download",
            "application/x-ndjson",
        ),
        (
            "application/x-ndjson;q=0",
            "web/download",
            "application/json",
        ),
        (
            "application/x-ndjson;q=0.1, application/json",
            "web/download",
            "application/json",
        ),
        (
            "application/x-ndjson;q=0, */*",
            "web/feed",
            "text/event-stream",
        ),
        (
            "application/x-ndjson;q=0.5",
            "web/feed",
            "application/x-ndjson",
        ),
    ] {
        let request = program.client("red").get(program.url(path));
        let answer = program.send(request.header(ACCEPT, accept));
        assert_eq!(answer.headers()[CONTENT_TYPE], kind, "{accept}");
        let vary = answer.headers()[VARY].to_str().unwrap().to_lowercase();
        for name in ["accept", "authorization", "cookie"] {
            assert!(vary.split(", ").any(|said| said == name), "{vary}");
        }
    }
}

#[test]
fn a_page_is_known_by_its_tag_in_every_form() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let ask = |known: &str| {
        let request = program.client("red").get(program.url("web/download"));
        program.send(request.header(IF_NONE_MATCH, known))
    };
    let tag = ask("\"none\"").headers()[ETAG].to_str().unwrap().to_owned();
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".into(),
    ] {
        let answer = ask(&known);
        assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(answer.headers()[ETAG], tag);
        assert!(answer.headers().contains_key(VARY));
    }
    assert_eq!(ask("W/\"none\"").status(), StatusCode::OK);
}
