//! What people are told of a server that doesn't answer as it should.

use super::device::Folder;
use axum::Router;
use axum::extract::Path;
use axum::response::{Html, IntoResponse, Response};
use carburetor::replica::{Cause, Http, Status};
use futures_util::StreamExt;
use std::pin::pin;

async fn answer(Path((status, _)): Path<(u16, String)>) -> Response {
    match status {
        200 => Html("<h1>Welcome to our hotel</h1>").into_response(),
        status => {
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            let body = match status.as_u16() {
                500 => r#"{"code":"setup","detail":"a table is missing","remedy":"migrate"}"#,
                _ => "",
            };
            (status, body).into_response()
        }
    }
}

/// What a device is told that syncs with the group at `url`.
async fn told(url: &str) -> (String, Status) {
    let folder = Folder::new();
    let replica = folder.open(Http::new(url).unwrap()).unwrap();
    let error = replica.sync().await.unwrap_err();
    let status = pin!(replica.status()).next().await.unwrap();
    (error.to_string(), status)
}

#[tokio::test]
async fn a_refusal_without_a_reason_names_the_address_and_the_remedy() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/{status}/{task}", axum::routing::any(answer));
    let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    for (status, cause, text) in [
        (
            404,
            Cause::Refused,
            "the server refuses (404): nothing is served at @/404/download; give `Http` the group's address, with the path where the server's routes are nested, and the group's name at the end, as `https://example.org/sync/web`",
        ),
        (
            401,
            Cause::Unauthorized,
            "the server refuses (401): @/401/download doesn't know who asks; sign in; `Http::header` says who asks",
        ),
        (
            403,
            Cause::Unauthorized,
            "the server refuses (403): @/403/download doesn't let in who asks; sign in as somebody whom the server lets in",
        ),
        (
            503,
            Cause::Busy,
            "the server refuses (503): @/503/download can't answer at present",
        ),
        (
            500,
            Cause::Setup,
            "the server refuses (500 setup): a table is missing; migrate",
        ),
        (
            200,
            Cause::Unreadable,
            "the server's answer can't be read: @/200/download answers with a page for people: open it in a browser, whether a network asks for a sign-in there; or give `Http` the group's address",
        ),
    ] {
        let (error, seen) = told(&format!("http://me:secret@{address}/{status}")).await;
        assert_eq!(error, text.replace('@', &format!("http://{address}")));
        assert_eq!(seen.obstacles[0].cause, cause);
    }
    task.abort();
}

#[tokio::test]
async fn a_server_that_is_not_reached_is_named_with_the_reason() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (error, seen) = told(&format!("http://me:secret@{address}/sync/web")).await;
    let text = format!("the server can't be reached: http://{address}/sync/web/download: ");
    let why = error
        .strip_prefix(&text)
        .unwrap_or_else(|| panic!("{error}"));
    assert!(why.starts_with("Connection refused"), "{why}");
    assert_eq!(seen.obstacles[0].cause, Cause::Unreachable);
}

#[test]
fn an_address_without_a_scheme_is_refused_with_what_to_write() {
    let error = Http::new("localhost:3000/sync/web").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`localhost:3000/sync/web` is no address of a group: write http:// or https:// before it, for example `https://localhost:3000/sync/web`"
    );
}
