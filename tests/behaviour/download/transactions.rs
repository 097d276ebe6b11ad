//! Pages that are asked for within a transaction of the caller's: each one is judged, not only the first.

use super::super::{Game, run, steady};
use super::{AsyncConn, Conn, DB, JUDGES_TRANSACTIONS, Server};
use carburetor::{DownloadError, Everyone, Pages, SyncGroup};
use diesel::connection::{AnsiTransactionManager, Connection, TransactionManager};
use diesel_async::{AsyncConnection, SimpleAsyncConnection, TransactionManager as _};

type Games = SyncGroup<(Game,)>;
type Manager = AnsiTransactionManager;
type AsyncManager = <AsyncConn as AsyncConnection>::TransactionManager;

/// A transaction of which every statement sees what its first one saw.
const OLD_SNAPSHOT: &str = match JUDGES_TRANSACTIONS {
    true => "set transaction isolation level repeatable read; select 1 from games",
    false => "select 1 from games",
};

const WRITES: &str =
    "insert into games (id, team) values (99, 'red'); update games set title = 'new' where id = 2";

fn filled() -> Server {
    let server = Server::new();
    run(
        &mut server.connect(),
        "insert into games (id, team) values (1, 'red'), (2, 'red'), (3, 'red')",
    );
    server
}

fn pages() -> Pages<'static, (Game,), Everyone, DB> {
    Games::scoped(&Everyone)
        .assuming(steady())
        .pages((None,), 1)
}

fn assert_refused<T>(page: Result<T, DownloadError>) {
    match page {
        Err(DownloadError::Written | DownloadError::Snapshot) => {}
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a page was read"),
    }
}

/// The ids that the rest of the pages bring.
fn rest(conn: &mut Conn, pages: &mut Pages<'_, (Game,), Everyone, DB>) -> Vec<i32> {
    let mut ids = Vec::new();
    while let Some(page) = pages.next(conn).unwrap() {
        ids.extend(page.0.rows.iter().map(|row| row.id));
    }
    ids
}

#[test]
fn a_later_page_in_a_transaction_that_has_written_is_refused() {
    let server = filled();
    let conn = &mut server.connect();
    let mut structs = pages();
    let mut messages = pages();
    structs.next(conn).unwrap();
    messages.next_json(conn).unwrap();
    Manager::begin_transaction(conn).unwrap();
    run(conn, WRITES);
    assert_refused(structs.next(conn));
    assert_refused(messages.next_json(conn));
    Manager::rollback_transaction(conn).unwrap();
    // What was refused can be asked for again.
    assert_eq!(rest(conn, &mut structs), [2, 3]);
    assert!(messages.next_json(conn).unwrap().is_some());
}

#[test]
fn a_later_page_in_an_older_snapshot_is_refused() {
    let server = filled();
    let (conn, other) = (&mut server.connect(), &mut server.connect());
    let mut structs = pages();
    let mut messages = pages();
    Manager::begin_transaction(other).unwrap();
    run(other, OLD_SNAPSHOT);
    // SQLite shows no reader an old state while there is no write-ahead log: there it is the order alone that matters.
    if JUDGES_TRANSACTIONS {
        run(conn, "insert into games (id, team) values (4, 'red')");
    }
    structs.next(conn).unwrap();
    messages.next_json(conn).unwrap();
    assert_refused(structs.next(other));
    assert_refused(messages.next_json(other));
    Manager::rollback_transaction(other).unwrap();
    let expected: &[i32] = if JUDGES_TRANSACTIONS {
        &[2, 3, 4]
    } else {
        &[2, 3]
    };
    assert_eq!(rest(conn, &mut structs), expected);
}

#[test]
fn a_later_page_of_what_changed_is_judged_as_one_from_the_beginning() {
    let server = filled();
    let conn = &mut server.connect();
    let token = Games::download(conn, (None,)).unwrap().next();
    run(conn, "update games set title = 'other'");
    let group = || Games::scoped(&Everyone).assuming(steady());
    let mut structs: Pages<'_, (Game,), Everyone, DB> = group().pages(token, 1);
    structs.next(conn).unwrap();
    Manager::begin_transaction(conn).unwrap();
    run(conn, WRITES);
    assert_refused(structs.next(conn));
    Manager::rollback_transaction(conn).unwrap();
    assert!(!rest(conn, &mut structs).contains(&99));
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_later_pages_in_a_transaction_are_refused() {
    let server = tokio::task::spawn_blocking(filled).await.unwrap();
    let mut conn = server.connect_async().await;
    for begins in [WRITES, OLD_SNAPSHOT] {
        let mut structs = pages();
        let mut messages = pages();
        structs.next_async(&mut conn).await.unwrap();
        messages.next_json_async(&mut conn).await.unwrap();
        AsyncManager::begin_transaction(&mut conn).await.unwrap();
        conn.batch_execute(begins).await.unwrap();
        assert_refused(structs.next_async(&mut conn).await);
        assert_refused(messages.next_json_async(&mut conn).await);
        AsyncManager::rollback_transaction(&mut conn).await.unwrap();
        let page = structs.next_async(&mut conn).await.unwrap().unwrap();
        assert_eq!(page.0.rows.len(), 1);
    }
}

#[test]
fn a_test_reads_pages_within_its_own_transaction() {
    let server = filled();
    let conn = &mut server.connect();
    conn.test_transaction(|conn| {
        carburetor::testing::allow(conn)?;
        run(conn, WRITES);
        let mut structs = pages();
        assert_eq!(rest(conn, &mut structs), [1, 2, 3, 99]);
        Ok::<_, DownloadError>(())
    });
}
