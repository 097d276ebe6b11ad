//! Writes without stamps, on both backends.

use super::*;
use carburetor::{SyncConnection, untracked};
use diesel::result::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Ids of the rows whose stamp an update of all changes.
fn stamped(conn: &mut PgConnection) -> i64 {
    conn.batch_execute("create temp table before as select id, updated_at from users; update users set name = name || '!'")
        .unwrap();
    let count = number(
        conn,
        "(select count(*) from users u join before b using (id) where u.updated_at > b.updated_at)",
    );
    conn.batch_execute("drop table before").unwrap();
    count
}

fn people() -> PgConnection {
    let (_, mut conn) = tracked_server();
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'red')")
        .unwrap();
    conn
}

#[test]
fn rows_keep_their_stamps_and_removals_are_written() {
    let mut conn = people();
    let conn = &mut conn;
    conn.batch_execute("update carburetor.synced_table set horizon = '2000-01-01'")
        .unwrap();
    untracked(conn, |conn| {
        assert_eq!(stamped(conn), 0);
        conn.batch_execute("delete from users where id = 'b'")
    })
    .unwrap();
    assert_eq!(
        number(conn, "(select count(*) from carburetor.removal_users)"),
        1
    );
    assert_eq!(stamped(conn), 1);

    let mut conn = tracked_file();
    let conn = &mut conn;
    conn.batch_execute(
        "insert into notes (id, body, team) values (1, 'x', 'red'), (2, 'y', 'red')",
    )
    .unwrap();
    let first = Notes::download(conn, (None,)).unwrap();
    untracked(conn, |conn| {
        conn.batch_execute("update notes set body = 'z'; delete from notes where id = 2")
    })
    .unwrap();
    let news = Notes::download(conn, first.next()).unwrap();
    assert!(news.0.rows.is_empty());
    assert_eq!(news.0.removed, [2]);
}

/// What must hold on both backends: after each kind of exit, stamps are on again within the outer transaction, and after it.
fn every_exit<C>(conn: &mut C, is_on: fn(&mut C) -> bool)
where
    C: SyncConnection,
{
    conn.transaction(|conn| {
        untracked(conn, |conn| {
            assert!(!is_on(conn));
            untracked(conn, |conn| {
                assert!(!is_on(conn));
                Ok::<_, Error>(())
            })?;
            assert!(!is_on(conn), "the inner call switched the outer one off");
            let failed = untracked(conn, |_| Err::<(), _>(Error::NotFound));
            assert_eq!(failed, Err(Error::NotFound));
            assert!(!is_on(conn), "the inner error switched the outer one off");
            Ok::<_, Error>(())
        })?;
        assert!(is_on(conn), "on after a success");
        let failed = untracked(conn, |_| Err::<(), _>(Error::NotFound));
        assert_eq!(failed, Err(Error::NotFound));
        assert!(is_on(conn), "on after an error");
        let broken = untracked(conn, |conn| conn.batch_execute("select nonsense"));
        assert!(broken.is_err());
        assert!(is_on(conn), "on after a failed query");
        Ok::<_, Error>(())
    })
    .unwrap();
    assert!(is_on(conn), "on after the transaction");
}

#[test]
fn the_switch_is_back_after_every_exit() {
    every_exit(&mut people(), |conn| {
        text(
            conn,
            "coalesce(current_setting('carburetor.untracked', true), '')",
        ) != "on"
    });
    every_exit(&mut tracked_file(), |conn| {
        number(conn, "(select count(*) from carburetor_flag)") == 0
    });
}

#[test]
fn a_panic_leaves_nothing_behind_for_others() {
    let path = std::env::temp_dir().join(format!("carburetor-panic-{}.sqlite", std::process::id()));
    let connect = || SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let mut other = connect();
    other
        .batch_execute(
            "create table notes (id integer primary key, body text not null, team text not null)",
        )
        .unwrap();
    Notes::tracking::<Sqlite>().install(&mut other).unwrap();
    let mut conn = connect();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        untracked(&mut conn, |_| -> Result<(), Error> { panic!("on purpose") })
    }));
    assert!(panicked.is_err());
    drop(conn);
    assert_eq!(
        number(&mut other, "(select count(*) from carburetor_flag)"),
        0
    );
    other
        .batch_execute("insert into notes (id, body, team) values (1, 'x', 'red')")
        .unwrap();
    std::fs::remove_file(path).unwrap();
}
