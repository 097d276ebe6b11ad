//! The library's own server, in place of axum's.

use super::super::program::Program;
use super::Server;
use super::world::with_routes;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::Notify;

#[test]
fn feeds_of_all_forms_come_by_the_librarys_server_and_end_with_it() {
    let server = Server::new();
    let (app, shutdown) = with_routes(server.pool(4), Limits::default(), Router::new());
    let mut program = Program::serve(app, &shutdown);
    let (mut lines, mut events, mut socket) = program.feeds("red", "web/feed");
    server
        .connect()
        .batch_execute("insert into notes (id, title, team) values ('c', 'three', 'red')")
        .unwrap();
    while !lines.next(&program).unwrap().to_string().contains("three") {}
    while !events
        .event(&program)
        .unwrap()
        .1
        .to_string()
        .contains("three")
    {}
    while !socket.next(&program).unwrap().to_string().contains("three") {}
    shutdown.begin();
    // Rows of a moment ago may come again before.
    while lines.next(&program).is_some() {}
    while events.event(&program).is_some() {}
    while socket.next(&program).is_some() {}
    program.ended();
    let again = program
        .runtime
        .block_on(tokio::net::TcpStream::connect(program.address));
    assert!(again.is_err(), "it still listens");
}

#[test]
fn an_answer_that_is_under_way_is_waited_for() {
    let server = Server::new();
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (asked, go_on) = (asked.clone(), go_on.clone());
        get(async move || {
            asked.notify_one();
            go_on.notified().await;
            "done"
        })
    };
    let more = Router::new().route("/slow", slow);
    let (app, shutdown) = with_routes(server.pool(1), Limits::default(), more);
    let mut program = Program::serve(app, &shutdown);
    let answer = program.client("red").get(program.url("slow")).send();
    let answer = program.runtime.spawn(answer);
    program.runtime.block_on(asked.notified());
    shutdown.begin();
    program.runtime.block_on(async {
        // It has had every occasion to end.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    });
    assert!(!program.has_ended());
    go_on.notify_one();
    let text = program
        .runtime
        .block_on(async { answer.await.unwrap().unwrap().text().await });
    assert_eq!(text.unwrap(), "done");
    program.ended();
}

#[test]
fn handlers_are_told_who_has_connected() {
    let server = Server::new();
    let who = get(async |ConnectInfo(address): ConnectInfo<SocketAddr>| address.to_string());
    let more = Router::new().route("/who", who);
    let (app, shutdown) = with_routes(server.pool(1), Limits::default(), more);
    let program = Program::serve(app, &shutdown);
    let said = program.runtime.block_on(async {
        let answer = program
            .client("red")
            .get(program.url("who"))
            .send()
            .await
            .unwrap();
        answer.text().await.unwrap()
    });
    let address: SocketAddr = said.parse().unwrap();
    assert!(
        address.ip().is_loopback() && address != program.address,
        "{address}"
    );
}
