//! Servers behind layers of the program's own.

use super::super::program::Program;
use super::Server;
use super::world::{Device, routes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::Response;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower_http::compression::CompressionLayer;

fn fill(server: &Server, count: usize) {
    let values: Vec<String> = (0..count)
        .map(|number| format!("('n{number:05}', 'the same words again and again', 'red')"))
        .collect();
    let insert = format!(
        "insert into notes (id, title, team) values {}",
        values.join(", ")
    );
    server.connect().batch_execute(&insert).unwrap();
}

#[test]
fn downloads_are_compressed_by_a_layer_in_front() {
    let server = Server::new();
    fill(&server, 5000);
    let program =
        Program::start(|| routes(server.pool(2), Limits::default()).layer(CompressionLayer::new()));
    let client = {
        let _inside = program.runtime.enter();
        reqwest::Client::builder()
            .no_gzip()
            .no_zstd()
            .build()
            .unwrap()
    };
    let get = |encoding: &str, lines: &str| {
        program.runtime.block_on(async {
            let request = client
                .get(program.url("web/download?limit=1000"))
                .header("x-team", "red");
            let request = request
                .header("accept-encoding", encoding)
                .header("accept", lines);
            let answer = request.send().await.unwrap();
            let encoding = answer.headers().get(CONTENT_ENCODING).cloned();
            assert!(encoding.is_none() || !answer.headers().contains_key(CONTENT_LENGTH));
            let encoding = encoding.map(|encoding| encoding.to_str().unwrap().to_owned());
            (encoding, answer.bytes().await.unwrap().len())
        })
    };
    for kind in ["application/x-ndjson", "application/json"] {
        let (plain, length) = get("identity", kind);
        assert_eq!(plain, None);
        for encoding in ["gzip", "zstd"] {
            let (said, compressed) = get(encoding, kind);
            assert_eq!(said.as_deref(), Some(encoding));
            assert!(compressed * 5 < length, "{compressed} of {length} bytes");
        }
    }
}

#[test]
fn a_device_takes_what_a_layer_has_compressed() {
    let server = Server::new();
    fill(&server, 25_000);
    let encodings = Arc::new(Mutex::new(Vec::new()));
    let seen = encodings.clone();
    let note = move |response: Response| {
        let encoding = response.headers().get("content-encoding").cloned();
        seen.lock()
            .unwrap()
            .push(encoding.map(|encoding| encoding.to_str().unwrap().to_owned()));
        async { response }
    };
    let program = Program::start(|| {
        routes(server.pool(2), Limits::default())
            .layer(CompressionLayer::new())
            .layer(map_response(note))
    });
    let mut device = Device::new(&program, "red");
    program.runtime.block_on(device.replica.sync()).unwrap();
    assert_eq!(device.notes(), server.notes("red"));
    let encodings = encodings.lock().unwrap();
    assert_eq!(
        encodings.first(),
        Some(&Some("zstd".to_owned())),
        "{encodings:?}"
    );
}

async fn only_with_the_password(request: Request, next: Next) -> Result<Response, StatusCode> {
    match request.headers().get("x-password") {
        Some(password) if password == "open" => Ok(next.run(request).await),
        _ => Err(StatusCode::UNAUTHORIZED),
    }
}

#[test]
fn servers_stand_under_any_prefix_behind_the_programs_own_door() {
    let server = Server::new();
    let program = Program::start(|| {
        let routes = routes(server.pool(2), Limits::default());
        axum::Router::new()
            .nest("/deep/down", routes)
            .layer(from_fn(only_with_the_password))
    });
    let client = program.client("red");
    let ask = |path: &str, password: &str| {
        program.runtime.block_on(async {
            let request = client.get(program.url(path)).header("x-password", password);
            request.send().await.unwrap().status()
        })
    };
    for path in ["web/download", "admin/download", "health", "openapi.json"] {
        let path = format!("deep/down/{path}");
        assert_eq!(ask(&path, "shut"), StatusCode::UNAUTHORIZED);
        assert_eq!(ask(&path, "open"), StatusCode::OK);
    }
    assert_eq!(ask("web/download", "open"), StatusCode::NOT_FOUND);
}

#[test]
fn what_changes_comes_at_once_through_a_layer_that_compresses() {
    let server = Server::new();
    let program =
        Program::start(|| routes(server.pool(4), Limits::default()).layer(CompressionLayer::new()));
    for encoding in ["gzip", "zstd", "identity"] {
        for form in ["application/x-ndjson", "text/event-stream"] {
            let client = program.client("red");
            let request = client.get(program.url("web/feed"));
            let request = request
                .header("accept-encoding", encoding)
                .header("accept", form);
            // The client decodes what is encoded as it has asked for.
            let mut answer = program.runtime.block_on(request.send()).unwrap();
            // The layer leaves events alone, and compresses lines.
            let is_lines = form == "application/x-ndjson";
            let mut varies = answer.headers().get_all("vary").iter();
            assert_eq!(varies.any(|vary| vary == "accept-encoding"), is_lines);
            let title = format!("over {encoding} as {form}");
            let insert = format!(
                "insert into notes (id, title, team) values ('c', '{title}', 'red') on conflict (id) do update set title = excluded.title"
            );
            server.connect().batch_execute(&insert).unwrap();
            let mut seen = Vec::new();
            program.runtime.block_on(async {
                let told = async {
                    while !String::from_utf8_lossy(&seen).contains(&title) {
                        seen.extend(answer.chunk().await.unwrap().expect("the feed goes on"));
                    }
                };
                let told = tokio::time::timeout(Duration::from_secs(60), told).await;
                told.unwrap_or_else(|_| panic!("nothing has come {title}"));
            });
        }
    }
}
