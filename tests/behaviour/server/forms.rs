//! What requests say in a form that is none, and what they are told.

use super::super::program::Program;
use super::Server;
use axum::http::{StatusCode, header};
use carburetor::server::Limits;
use futures_util::SinkExt;
use serde_json::{Value, json};

fn detail(problem: &Value) -> (&str, &str) {
    let text = |member: &str| problem[member].as_str().unwrap_or_default();
    (text("detail"), text("remedy"))
}

#[test]
fn a_limit_that_is_none_is_told_as_it_was_said() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    for (said, told) in [
        ("-1", "`limit` is -1, a page has 1 row at least"),
        ("0", "`limit` is 0, a page has 1 row at least"),
        ("abc", "`limit` is `abc`, which is no whole number"),
        ("1.5", "`limit` is `1.5`, which is no whole number"),
        ("", "`limit` is ``, which is no whole number"),
        ("%2D", "`limit` is `-`, which is no whole number"),
    ] {
        let (status, problem) = program.get(red, &format!("web/download?limit={said}"));
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("query")));
        assert_eq!(detail(&problem).0, told);
        assert!(detail(&problem).1.contains("1 row or more"), "{problem}");
    }
    for said in [json!("5"), json!(-1), json!(1.5), json!([1]), json!(0)] {
        let asked = json!({ "limit": said }).to_string();
        let (status, problem) = program.post(red, "web/download", asked.into());
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (400, &json!("query")),
            "{said}"
        );
        assert!(detail(&problem).0.contains(&said.to_string()), "{problem}");
    }
    let (status, problem) = program.get(red, "web/download?limit=1&limit=2");
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(detail(&problem).1.contains("once"), "{problem}");
    for said in ["1", "7", "99999999999999999999"] {
        let (status, _) = program.get(red, &format!("web/download?limit={said}"));
        assert_eq!(status, StatusCode::OK, "{said}");
    }
    let null = json!({"since": null, "limit": null, "keys": null}).to_string();
    assert_eq!(
        program.post(red, "web/download", null.into()).0,
        StatusCode::OK
    );
}

#[test]
fn an_array_is_no_object() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let red = &program.client("red");
    let (status, problem) = program.post(red, "web/download", b"[null,1,null]".to_vec());
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (400, &json!("query")),
        "{problem}"
    );
    let clock = "018bcfe568000001000000000000002a";
    let change = json!(["notes", "a", clock, null, null, null, true, null]);
    for upload in [
        json!([1, null, null, []]),
        json!({"carburetor": 1, "changes": [change]}),
    ] {
        let (status, problem) = program.post(red, "web/upload", upload.to_string().into());
        assert_eq!(
            (status.as_u16(), &problem["code"]),
            (400, &json!("message")),
            "{upload}"
        );
        assert!(detail(&problem).0.contains("an object"), "{problem}");
    }
    assert_eq!(server.notes("red").len(), 2);
}

#[test]
fn a_body_in_another_encoding_than_utf_8_is_refused() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let status = |path: &str, kind: &str, body: &str| {
        let request = program.client("red").post(program.url(path));
        let request = request.header("content-type", kind).body(body.to_owned());
        program.send(request).status().as_u16()
    };
    let upload = json!({"carburetor": 1, "changes": []}).to_string();
    for (path, body) in [("web/upload", upload.as_str()), ("web/download", "{}")] {
        for kind in [
            "application/json; charset=utf-16",
            "application/json;charset=\"latin1\"",
        ] {
            assert_eq!(status(path, kind, body), 415, "{path} {kind}");
        }
        for kind in ["application/json", "application/json; charset=UTF-8"] {
            assert_eq!(status(path, kind, body), 200, "{path} {kind}");
        }
    }
}

#[test]
fn whoever_asks_by_post_is_sent_the_page() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let ask = |request: reqwest::RequestBuilder| {
        let request = request.header("if-none-match", "*");
        program.send(request).status()
    };
    let (red, url) = (program.client("red"), program.url("web/download"));
    let post = red.post(&url).header("content-type", "application/json");
    assert_eq!(ask(post.body("{}")), StatusCode::OK);
    assert_eq!(ask(red.get(&url)), StatusCode::NOT_MODIFIED);
}

#[test]
fn a_handshake_without_an_upgrade_is_told_what_it_lacks() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let ask = |headers: &[(&str, &str)]| {
        let request = program.client("red").get(program.url("web/feed"));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        program.send(request)
    };
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let version = ("sec-websocket-version", "13");
    for headers in [
        &[key, version][..],
        &[key, version, ("upgrade", "websocket")],
        &[key, version, ("connection", "upgrade")],
        &[
            key,
            ("sec-websocket-version", "8"),
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
        ],
    ] {
        let refused = ask(headers);
        assert_eq!(
            refused.status(),
            StatusCode::UPGRADE_REQUIRED,
            "{headers:?}"
        );
        assert_eq!(refused.headers()[header::UPGRADE], "websocket");
        assert_eq!(refused.headers()[header::SEC_WEBSOCKET_VERSION], "13");
        let problem = program.runtime.block_on(refused.text()).unwrap();
        assert!(problem.contains("\"code\":\"upgrade\""), "{problem}");
    }
    assert_eq!(ask(&[]).status(), StatusCode::OK, "events");
}

#[test]
fn whoever_says_too_much_on_a_web_socket_is_told_so() {
    use tokio_tungstenite::tungstenite::Message;
    let server = Server::new();
    let program: Program = server.serve(2, Limits::default());
    let mut socket = program.socket("red", "web/feed", None).unwrap();
    socket.next(&program).unwrap();
    let long = Message::Text("z".repeat(5000).into());
    program.runtime.block_on(socket.0.send(long)).unwrap();
    assert_eq!(socket.closed(&program), Some(1009));
}
