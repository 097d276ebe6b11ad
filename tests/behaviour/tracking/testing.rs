//! Downloads within a transaction of the caller's, and of a test.

use super::*;
use carburetor::{DownloadError, testing};
use diesel::result::Error;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};

#[test]
fn a_transaction_on_sqlite_is_refused() {
    let mut conn = tracked_file();
    conn.transaction(|conn| {
        let refused = Notes::download(conn, (None,));
        assert!(matches!(refused, Err(DownloadError::Written)));
        let refused = Notes::download_consistent(conn, (None,));
        assert!(matches!(refused, Err(DownloadError::Snapshot)));
        Ok::<_, Error>(())
    })
    .unwrap();
    assert!(Notes::download(&mut conn, (None,)).is_ok());
}

#[tokio::test]
async fn an_asynchronous_transaction_on_sqlite_is_refused() {
    let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:")
        .await
        .unwrap();
    let up = Notes::tracking::<Sqlite>().up_sql(&mut file()).unwrap();
    conn.batch_execute(
        "create table notes (id integer primary key, body text not null, team text not null)",
    )
    .await
    .unwrap();
    conn.batch_execute(&up).await.unwrap();
    conn.begin_test_transaction().await.unwrap();
    let refused = Notes::download_async(&mut conn, (None,)).await;
    assert!(matches!(refused, Err(DownloadError::Written)));
    let refused = Notes::download_consistent_async(&mut conn, (None,)).await;
    assert!(matches!(refused, Err(DownloadError::Snapshot)));
}

#[test]
fn a_test_downloads_what_its_transaction_wrote() {
    let mut conn = tracked_file();
    conn.test_transaction::<_, Error, _>(|conn| {
        testing::allow(conn)?;
        conn.batch_execute("insert into notes (id, body, team) values (1, 'x', 'red')")?;
        assert_eq!(Notes::download(conn, (None,)).unwrap().0.rows.len(), 1);
        assert_eq!(
            Notes::download_consistent(conn, (None,))
                .unwrap()
                .0
                .rows
                .len(),
            1
        );
        Ok(())
    });
    assert_eq!(
        number(&mut conn, "(select count(*) from carburetor_flag)"),
        0
    );

    let (_, mut conn) = tracked_server();
    conn.test_transaction::<_, Error, _>(|conn| {
        testing::allow(conn)?;
        conn.batch_execute("insert into users values ('a', 'Ann', 'red')")?;
        assert_eq!(
            Mobile::download(conn, (None, None)).unwrap().0.rows.len(),
            1
        );
        let news = Mobile::download_consistent(conn, (None, None)).unwrap();
        assert_eq!(news.0.rows.len(), 1);
        Ok(())
    });
    conn.transaction(|conn| {
        conn.batch_execute("insert into users values ('a', 'Ann', 'red')")?;
        let refused = Mobile::download(conn, (None, None));
        assert!(
            matches!(refused, Err(DownloadError::Written)),
            "allowed for longer than the test"
        );
        Ok::<_, Error>(())
    })
    .unwrap();
}

#[test]
fn nothing_is_allowed_outside_of_a_transaction() {
    let refused = testing::allow(&mut tracked_file());
    assert!(matches!(refused, Err(Error::NotInTransaction)));
}
