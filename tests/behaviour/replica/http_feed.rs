//! A feed over HTTP, as its client reads it.

use axum::Router;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::routing::get;
use bytes::Bytes;
use carburetor::replica::{Http, Transport};
use futures_util::{StreamExt, stream};
use std::pin::pin;
use std::time::Duration;

/// Says who asks for what; a while later, with a heartbeat before, in two pieces, something else; and ends.
async fn feed(RawQuery(query): RawQuery, headers: HeaderMap) -> Body {
    let accept = headers["accept"].to_str().unwrap();
    let pieces = [
        format!("{{\"asked\":\"{} {accept}\"}}\n", query.unwrap()),
        "\n".into(),
        "\n{\"more\":".into(),
        "false}\n{\"cut o".into(),
    ];
    Body::from_stream(stream::iter(pieces).then(|piece| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok::<_, std::convert::Infallible>(Bytes::from(piece))
    }))
}

#[tokio::test]
async fn messages_are_taken_line_by_line_and_heartbeats_are_none() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new().route("/sync/web/feed", get(feed));
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    let http = Http::new(&format!("http://{address}/sync/web")).unwrap();
    let messages = pin!(http.feed(Some("a b"), 7).await.unwrap());
    let messages: Vec<_> = messages.map(|line| line.unwrap()).collect().await;
    assert_eq!(
        messages,
        [
            &b"{\"asked\":\"limit=7&since=a+b application/x-ndjson\"}"[..],
            &b"{\"more\":false}"[..],
        ]
    );
    server.abort();
}
