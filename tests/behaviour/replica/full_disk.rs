//! Disks without room: on the device, on the server.

use super::super::device::{Folder, Group, run};
use super::super::models::NOTES;
use super::world::{Device, Served, Teams, note, notes_in};
use super::{Conn, Server};
use carburetor::replica::{InProcess, Phase, Replica};
use diesel::RunQueryDsl;
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use futures_util::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const FULL: &str = "database or disk is full";

/// SQLite says so, and has rolled everything back by itself, whenever a note is written.
const FILL: &str = "create trigger full before insert on notes begin select raise(rollback, 'database or disk is full'); end";

fn served() -> Server {
    let server = Server::new();
    server.run("insert into notes (id, title, team) values ('a', 'one', 'red')");
    server
}

/// A device on which nothing of the server's has arrived yet.
fn full_device(server: &Server) -> Device {
    let mut device = server.device();
    server.run("insert into notes (id, title, team) values ('b', 'two', 'red')");
    device.run(FILL);
    device
}

#[test]
fn a_sync_on_a_full_disk_says_so_and_goes_on_with_room() {
    let server = served();
    let mut device = full_device(&server);
    for _ in 0..2 {
        let error = device.try_sync().unwrap_err();
        assert_eq!(error.to_string(), FULL);
    }
    assert_eq!(device.notes(), [note("a", "one")]);
    device.run("drop trigger full");
    device.sync();
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
}

#[test]
fn a_run_on_a_full_disk_says_so_and_goes_on_with_room() {
    let server = served();
    let mut device = full_device(&server);
    let mut conn = device.replica.connection().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap();
    let mut statuses = Box::pin(device.replica.status());
    let mut until = async |is_it: &dyn Fn(&Phase) -> bool| {
        let found = async { while !is_it(&statuses.next().await.unwrap().phase) {} };
        let found = tokio::time::timeout(Duration::from_secs(60), found).await;
        found.expect("the phase comes");
    };
    runtime.block_on(async {
        tokio::select! {
            ended = device.replica.run() => panic!("{ended:?}"),
            () = async {
                until(&|phase| matches!(phase, Phase::Offline { reason, .. } if reason == FULL)).await;
                run(&mut conn, "drop trigger full");
                until(&|phase| *phase == Phase::Live).await;
            } => {}
        }
    });
    assert_eq!(device.notes(), [note("a", "one"), note("b", "two")]);
}

/// All connections of a shared cache have one file, so that the bound of one is the bound of all.
#[test]
fn a_file_that_can_not_grow_keeps_what_it_has_and_goes_on_with_room() {
    let (server, folder) = (Server::new(), Folder::new());
    let body = "x".repeat(1000);
    server.run(&format!(
        "with recursive n(n) as (select 1 union all select n + 1 from n where n < 500)
insert into notes (id, title, team, body) select 'n' || n, 'one', 'red', '{body}' from n"
    ));
    let path = folder.file("device").to_str().unwrap().to_owned();
    let path = format!("file:{path}?cache=shared");
    let mut conn = SqliteConnection::establish(&path).unwrap();
    run(&mut conn, NOTES);
    let way: InProcess<Served, Teams, Conn> =
        InProcess::new(Teams(vec!["red".into()]), server.connector());
    let replica: Replica<Group> = Replica::open(&path, way).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    run(&mut conn, "pragma max_page_count = 60");
    for _ in 0..2 {
        let error = runtime.block_on(replica.sync()).unwrap_err();
        assert_eq!(error.to_string(), FULL);
    }
    assert_eq!(notes_in(&mut conn), []);
    run(&mut conn, "pragma max_page_count = 1000000");
    runtime.block_on(replica.sync()).unwrap();
    assert_eq!(notes_in(&mut conn).len(), 500);
}

#[test]
fn an_upload_that_fills_the_servers_disk_is_refused_as_a_whole_and_goes_on_with_room() {
    let (server, folder) = (served(), Folder::new());
    let is_full = Arc::new(AtomicBool::new(true));
    let (connect, full) = (server.connector(), is_full.clone());
    let connect = move || {
        let mut conn = connect()?;
        if full.load(Ordering::Relaxed) {
            // As many as there are, or a few more.
            conn.batch_execute("pragma max_page_count = 60")
                .map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
        }
        Ok(conn)
    };
    let way: InProcess<Served, Teams, Conn> = InProcess::new(Teams(vec!["red".into()]), connect);
    let replica = folder.open(way).unwrap();
    let mut conn = replica.connection().unwrap();
    let body = "x".repeat(1000);
    run(
        &mut conn,
        &format!(
            "with recursive n(n) as (select 1 union all select n + 1 from n where n < 500)
insert into notes (id, title, team, body) select 'n' || n, 'one', 'red', '{body}' from n"
        ),
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let error = runtime.block_on(replica.sync()).unwrap_err();
    assert!(error.to_string().contains(FULL), "{error}");
    assert_eq!(
        (server.notes().len(), replica.rejected().unwrap().len()),
        (1, 0)
    );
    is_full.store(false, Ordering::Relaxed);
    runtime.block_on(replica.sync()).unwrap();
    assert_eq!((server.notes().len(), replica.pending().unwrap()), (501, 0));
}

#[test]
fn what_is_written_after_an_untracked_write_that_sqlite_has_rolled_back_is_recorded() {
    let server = served();
    let mut device = full_device(&server);
    let swallowed = carburetor::replica::untracked(&mut device.conn, |conn| {
        let insert = "insert into notes (id, title, team) values ('c', 'three', 'red')";
        assert_eq!(conn.batch_execute(insert).unwrap_err().to_string(), FULL);
        diesel::QueryResult::Ok(())
    });
    assert!(swallowed.is_err(), "nothing was written");
    device.run("drop trigger full; update notes set title = 'mine'");
    assert_eq!(device.pending(), 1);
    device.sync();
    assert_eq!(server.notes()[0], note("a", "mine"));
}

#[test]
fn the_servers_untracked_write_says_what_ended_it() {
    let server = served();
    let mut conn = server.connect();
    conn.batch_execute(FILL).unwrap();
    let error = carburetor::untracked(&mut conn, |conn| {
        diesel::sql_query("insert into notes (id, title, team) values ('c', 'three', 'red')")
            .execute(conn)
    });
    assert_eq!(error.unwrap_err().to_string(), FULL);
}
