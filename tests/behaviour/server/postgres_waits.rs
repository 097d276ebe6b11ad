//! Statements end with the request that waits for them.

use super::super::program::Program;
use super::cancellation::upload;
use super::world::routes;
use super::{Pool, Server};
use carburetor::server::Limits;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;
use reqwest::StatusCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const WAITING: &str = "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
const SERVING: &str = "select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and application_name = 'pooled'";

fn count(conn: &mut PgConnection, of: &str) -> i64 {
    diesel::select(sql::<BigInt>(&format!(
        "(select count(*) from ({of}) found)"
    )))
    .get_result(conn)
    .unwrap()
}

/// Asks until so many are found.
fn until(conn: &mut PgConnection, of: &str, wanted: i64) {
    let begun = Instant::now();
    loop {
        let found = count(conn, of);
        if found == wanted {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "{found} instead of {wanted}: {of}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A connection that holds the row `a`.
fn holder(server: &Server) -> PgConnection {
    let mut holder = server.connect();
    holder
        .batch_execute("begin; update notes set title = 'held' where id = 'a'")
        .unwrap();
    holder
}

fn pool(server: &Server, size: usize, settings: &str) -> Pool {
    let url = format!("{}?application_name=pooled{settings}", server.url());
    Pool::builder(AsyncDieselConnectionManager::<AsyncPgConnection>::new(url))
        .max_size(size)
        .build()
        .unwrap()
}

fn serve(server: &Server, size: usize, limits: Limits) -> Program {
    let pool = pool(server, size, "");
    Program::start(|| routes(pool, limits))
}

/// An upload that is under way.
fn send(program: &Program, id: &str) -> tokio::task::JoinHandle<StatusCode> {
    let request = program.client("red").post(program.url("web/upload"));
    let request = request.header("content-type", "application/json");
    let request = request.body(upload(id));
    program
        .runtime
        .spawn(async move { request.send().await.unwrap().status() })
}

/// An upload that waits for nobody.
fn free(program: &Program, id: &str) -> StatusCode {
    let mut body: serde_json::Value = serde_json::from_slice(&upload(id)).unwrap();
    body["changes"].as_array_mut().unwrap().truncate(1);
    let red = &program.client("red");
    program.post(red, "web/upload", body.to_string().into()).0
}

#[test]
fn a_client_that_goes_away_waits_for_no_row() {
    let server = Server::new();
    let program = serve(&server, 2, Limits::default());
    let held = holder(&server);
    let conn = &mut server.connect();
    for round in 0..6 {
        let sending = send(&program, "gone");
        until(conn, WAITING, 1);
        sending.abort();
        until(conn, WAITING, 0);
        assert_eq!(free(&program, &format!("free {round}")), StatusCode::OK);
    }
    drop(held);
    let sending = send(&program, "gone");
    let status = program.runtime.block_on(sending).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(server.count("gone"), 1);
}

#[test]
fn uploads_whose_time_is_up_leave_no_more_backends_than_the_pool_has() {
    let server = Server::new();
    let limits = Limits {
        time: Duration::from_secs(1),
        ..Limits::default()
    };
    let program = Arc::new(serve(&server, 4, limits));
    let held = holder(&server);
    let conn = &mut server.connect();
    let done = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..6)
        .map(|sender| {
            let program = Arc::clone(&program);
            std::thread::spawn(move || {
                for round in 0..4 {
                    let sending = send(&program, &format!("{sender} {round}"));
                    let status = program.runtime.block_on(sending).unwrap();
                    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                }
            })
        })
        .collect();
    let watching = {
        let (done, mut conn) = (Arc::clone(&done), server.connect());
        std::thread::spawn(move || {
            let mut most = (0, 0);
            while !done.load(Ordering::SeqCst) {
                most.0 = count(&mut conn, WAITING).max(most.0);
                most.1 = count(&mut conn, SERVING).max(most.1);
            }
            most
        })
    };
    for sender in senders {
        sender.join().unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let (waiting, serving) = watching.join().unwrap();
    assert!((1..=4).contains(&waiting), "{waiting} wait");
    // One that was closed may still be going while the next one comes.
    assert!(serving <= 8, "{serving} are there");
    until(conn, WAITING, 0);
    // With the row still held; a machine that is busy may need more than one request's time for it.
    let frees = || free(&program, "free") == StatusCode::OK;
    assert!((0..60).any(|_| frees()));
    drop(held);
}

#[test]
fn a_statement_takes_no_longer_than_its_request_and_its_commit_is_on_disk() {
    let server = Server::new();
    server
        .connect()
        .batch_execute(
            "create table settings (name text, durable text, time text);
create function note_settings() returns trigger language plpgsql as $$ begin
  insert into settings values (new.id, current_setting('synchronous_commit'), current_setting('statement_timeout'));
  return new; end $$;
create trigger note_settings after insert on notes for each row execute function note_settings()",
        )
        .unwrap();
    let limits = Limits {
        time: Duration::from_secs(20),
        ..Limits::default()
    };
    let mut noted = Vec::new();
    for (name, settings) in [
        ("plain", ""),
        (
            "off",
            "&options=-c%20synchronous_commit%3Doff%20-c%20statement_timeout%3D5s",
        ),
        (
            "local",
            "&options=-c%20synchronous_commit%3Dlocal%20-c%20statement_timeout%3D1min",
        ),
    ] {
        let pool = pool(&server, 1, settings);
        let program = Program::start(|| routes(pool.clone(), limits));
        assert_eq!(free(&program, name), StatusCode::OK);
        // The session is as it was.
        let mut lent = program.runtime.block_on(pool.get()).unwrap();
        let after = sql::<diesel::sql_types::Text>(
            "current_setting('synchronous_commit') || ' ' || current_setting('statement_timeout')",
        );
        let after: String = program
            .runtime
            .block_on(async {
                diesel_async::RunQueryDsl::get_result(diesel::select(after), &mut lent).await
            })
            .unwrap();
        let within = diesel::select(sql::<diesel::sql_types::Text>(&format!(
            "(select durable || ' ' || time from settings where name = '{name}')"
        )))
        .get_result::<String>(&mut server.connect())
        .unwrap();
        noted.push((name, within, after));
    }
    let expected = [
        ("plain", "on 20s", "on 0"),
        ("off", "on 5s", "off 5s"),
        ("local", "local 20s", "local 1min"),
    ];
    let expected =
        expected.map(|(name, within, after)| (name, within.to_owned(), after.to_owned()));
    assert_eq!(noted, expected);
}

#[test]
fn a_connection_that_is_killed_leaves_a_server_that_serves_on() {
    let server = Server::new();
    let program = serve(&server, 1, Limits::default());
    let conn = &mut server.connect();
    let mut held = holder(&server);
    let sending = send(&program, "killed");
    until(conn, WAITING, 1);
    conn.batch_execute(&format!(
        "select pg_terminate_backend(pid) from ({WAITING}) waiting"
    ))
    .unwrap();
    let status = program.runtime.block_on(sending).unwrap();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(free(&program, "killed"), StatusCode::OK);
    held.batch_execute("rollback").unwrap();
    let sending = send(&program, "other");
    let status = program.runtime.block_on(sending).unwrap();
    assert_eq!(status, StatusCode::OK);
    assert_eq!(server.count("other"), 1);
    assert_eq!(server.is_quiet(Duration::from_secs(60)), None);
}
