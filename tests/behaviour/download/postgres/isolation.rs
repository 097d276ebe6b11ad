//! Levels of isolation, of the server's default and of the caller's transaction.

use super::super::{Game, ids};
use super::{run, tracked};
use carburetor::{DownloadError, Everyone, SyncGroup, testing};
use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;

type Games = SyncGroup<(Game,)>;

const GAMES: &str = "create table games (id int primary key, title text, team text not null default 'red', published bool not null default true,
    updated_at timestamptz not null default now());
    insert into games values (1)";

#[tokio::test(flavor = "multi_thread")]
async fn the_default_level_does_not_matter_outside_of_a_transaction() {
    let (database, mut conn) = tracked::<(Game,)>(GAMES);
    let conn = &mut conn;
    let mut asynchronous = database.connect_async().await;
    for level in ["repeatable read", "serializable", "read uncommitted"] {
        let set = format!("set default_transaction_isolation = '{level}'");
        run(conn, &set);
        diesel_async::SimpleAsyncConnection::batch_execute(&mut asynchronous, &set)
            .await
            .unwrap();
        assert_eq!(ids(&Games::download(conn, (None,)).unwrap().0), [1]);
        assert_eq!(
            ids(&Games::download_consistent(conn, (None,)).unwrap().0),
            [1]
        );
        let news = Games::download_async(&mut asynchronous, (None,))
            .await
            .unwrap();
        assert_eq!(ids(&news.0), [1]);
        let inside = conn.transaction(|conn| Games::download(conn, (None,)));
        match level {
            "read uncommitted" => assert_eq!(ids(&inside.unwrap().0), [1]),
            _ => assert!(matches!(inside, Err(DownloadError::Snapshot)), "{level}"),
        }
    }
}

#[test]
fn a_transaction_that_diesel_does_not_know_shows_itself_by_its_level() {
    let (_, mut conn) = tracked::<(Game,)>(GAMES);
    run(&mut conn, "begin isolation level repeatable read; select 1");
    let refused = Games::download(&mut conn, (None,)).unwrap_err();
    assert!(matches!(refused, DownloadError::Snapshot), "{refused:?}");
}

#[test]
fn a_test_may_write_but_not_keep_a_snapshot() {
    let (_, mut conn) = tracked::<(Game,)>(GAMES);
    let conn = &mut conn;
    conn.begin_test_transaction().unwrap();
    conn.batch_execute("set transaction isolation level repeatable read")
        .unwrap();
    testing::allow(conn).unwrap();
    run(conn, "update games set title = 't'");
    let refused = Games::download(conn, (None,)).unwrap_err();
    assert!(matches!(refused, DownloadError::Snapshot), "{refused:?}");
}

#[test]
fn a_later_page_sees_a_transaction_that_diesel_does_not_know() {
    let (_, mut conn) = tracked::<(Game,)>(GAMES);
    let conn = &mut conn;
    run(conn, "insert into games values (2), (3)");
    for (begins, is_written) in [
        ("begin; insert into games values (9)", true),
        ("begin isolation level repeatable read; select 1", false),
    ] {
        let mut pages = Games::scoped(&Everyone).pages::<Pg>((None,), 1);
        pages.next(conn).unwrap();
        run(conn, begins);
        let refused = pages.next(conn).unwrap_err();
        match is_written {
            true => assert!(matches!(refused, DownloadError::Written), "{refused:?}"),
            false => assert!(matches!(refused, DownloadError::Snapshot), "{refused:?}"),
        }
        run(conn, "rollback");
        assert_eq!(ids(&pages.next(conn).unwrap().unwrap().0), [2]);
    }
}

#[test]
fn a_later_page_in_a_transaction_that_only_reads_is_read() {
    let (_, mut conn) = tracked::<(Game,)>(GAMES);
    let conn = &mut conn;
    run(conn, "insert into games values (2)");
    let mut pages = Games::scoped(&Everyone).pages::<Pg>((None,), 1);
    pages.next(conn).unwrap();
    let page = conn.transaction(|conn| {
        conn.batch_execute("select count(*) from games")?;
        pages.next(conn)
    });
    assert_eq!(ids(&page.unwrap().unwrap().0), [2]);
}
