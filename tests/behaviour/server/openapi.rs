//! The OpenAPI document. What `Program` is answered in all the other tests is compared with it too.

use super::Server;
use carburetor::server::Limits;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn the_document_describes_what_is_mounted() {
    let server = Server::new();
    let limits = Limits {
        page: 77,
        ..Limits::default()
    };
    let program = server.serve(2, limits);
    let document = program.document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["servers"], json!([{"url": "."}]));
    let paths = document["paths"].as_object().unwrap();
    let names: Vec<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "/admin/download",
            "/admin/feed",
            "/admin/upload",
            "/health",
            "/web/download",
            "/web/feed",
            "/web/upload"
        ]
    );
    let limit = &paths["/web/download"]["get"]["parameters"][1];
    assert_eq!(
        (&limit["name"], &limit["schema"]["default"]),
        (&json!("limit"), &json!(77))
    );
    let mut found = BTreeSet::new();
    references(document, &mut found);
    assert!(found.len() >= 6, "{found:?}");
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(place).is_some(), "{reference} is nowhere");
    }
    let operations = paths
        .values()
        .flat_map(|item| item.as_object().unwrap().values());
    let ids: Vec<&str> = operations
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn every_documented_path_is_there_and_knows_whom_it_lets_in() {
    let server = Server::new();
    let program = server.serve(2, Limits::default());
    let document = program.document();
    let nobody = {
        let _inside = program.runtime.enter();
        reqwest::Client::new()
    };
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let (status, said) = match method.as_str() {
                // A feed would not end otherwise.
                "get" => program.get(&nobody, &format!("{}?since=nothing", &path[1..])),
                _ => program.post(&nobody, &path[1..], Vec::new()),
            };
            assert_ne!(status, StatusCode::NOT_FOUND, "{method} {path}: {said}");
            let is_scoped = path.starts_with("/web/");
            assert_eq!(
                status == StatusCode::UNAUTHORIZED,
                is_scoped,
                "{method} {path}"
            );
        }
    }
}
