//! The asynchronous twins, each in a task that may move between threads.

use super::*;
use carburetor::tracking::{self, Installed, TrackingError};
use carburetor::{DownloadError, testing, untracked_async};
use diesel::result::Error;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use std::time::Duration;

/// Runs a future that must be `Send`.
async fn sent<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(future).await.unwrap()
}

async fn file_async() -> SyncConnectionWrapper<SqliteConnection> {
    let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:")
        .await
        .unwrap();
    conn.batch_execute(
        "create table notes (id integer primary key, body text not null, team text not null)",
    )
    .await
    .unwrap();
    conn
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_on_postgres() {
    let database = server();
    let mut conn = database.connect_async().await;
    sent(async move {
        let tracking = Mobile::tracking::<Pg>();
        let installed = Installed::read_async(&mut conn).await.unwrap();
        assert_eq!(installed, Installed::default());
        assert_eq!(tracking.verify_async(&mut conn).await.unwrap().len(), 2);
        tracking.install_async(&mut conn).await.unwrap();
        assert_eq!(tracking.verify_async(&mut conn).await.unwrap(), []);
        let installed = Installed::read_async(&mut conn).await.unwrap();
        assert_eq!(installed.definitions().len(), 2);

        conn.batch_execute(
            "insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'red'); delete from users where id = 'b'",
        )
        .await
        .unwrap();
        let (ann, eve) = ("a".to_owned(), "e".to_owned());
        assert!(tracking::touch_async::<User, _>(&mut conn, &ann).await.unwrap());
        assert!(!tracking::touch_async::<User, _>(&mut conn, &eve).await.unwrap());
        tracking.purge_async(&mut conn, Duration::ZERO).await.unwrap();
        let before = tracking::watermark_async(&mut conn).await.unwrap();
        assert!(tracking::watermark_async(&mut conn).await.unwrap() >= before);
        tracking::reset_async::<User, _>(&mut conn).await.unwrap();
    })
    .await;
    assert_eq!(
        database
            .text("(select generation::text from carburetor.synced_table where name = 'users')"),
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_on_sqlite() {
    let mut conn = file_async().await;
    sent(async move {
        let tracking = Notes::tracking::<Sqlite>();
        assert_eq!(tracking.verify_async(&mut conn).await.unwrap().len(), 1);
        tracking.install_async(&mut conn).await.unwrap();
        tracking.install_async(&mut conn).await.unwrap();
        assert_eq!(tracking.verify_async(&mut conn).await.unwrap(), []);
        let installed = Installed::read_async(&mut conn).await.unwrap();
        assert_eq!(installed.definitions(), tracking.definitions());

        conn.batch_execute(
            "insert into notes (id, body, team) values (1, 'x', 'red'), (2, 'y', 'red')",
        )
        .await
        .unwrap();
        let first = Notes::download_async(&mut conn, (None,)).await.unwrap();
        assert!(
            tracking::touch_async::<Note, _>(&mut conn, &2)
                .await
                .unwrap()
        );
        assert!(
            !tracking::touch_async::<Note, _>(&mut conn, &3)
                .await
                .unwrap()
        );
        let news = Notes::download_async(&mut conn, first.next())
            .await
            .unwrap();
        assert_eq!(
            news.0.rows.iter().map(|note| note.id).collect::<Vec<_>>(),
            [2]
        );
        conn.batch_execute("delete from notes where id = 2")
            .await
            .unwrap();
        tracking
            .purge_async(&mut conn, Duration::ZERO)
            .await
            .unwrap();
        tracking::reset_async::<Note, _>(&mut conn).await.unwrap();
        let again = Notes::download_async(&mut conn, news.next()).await.unwrap();
        assert!(again.0.reset);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_changes_nothing() {
    let mut conn = file_async().await;
    conn.batch_execute("alter table notes drop column team")
        .await
        .unwrap();
    let (refused, installed) = sent(async move {
        let refused = Notes::tracking::<Sqlite>().install_async(&mut conn).await;
        (refused, Installed::read_async(&mut conn).await.unwrap())
    })
    .await;
    assert!(matches!(refused, Err(TrackingError::Refused(problems)) if problems.len() == 1));
    assert_eq!(installed, Installed::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn untracked_writes_have_no_stamp_and_later_ones_do_on_postgres() {
    let database = server();
    let mut conn = database.connect_async().await;
    Mobile::tracking::<Pg>()
        .install_async(&mut conn)
        .await
        .unwrap();
    conn.batch_execute(
        "insert into users values ('a', 'Ann', 'red'); create table before as table users",
    )
    .await
    .unwrap();
    let moved =
        "(select (u.updated_at > b.updated_at)::text from users u join before b using (id))";
    let name = "Bea".to_owned();
    let mut conn: AsyncPgConnection = sent(async move {
        // The closure borrows what is around it.
        let written: Result<usize, Error> = untracked_async(&mut conn, async |conn| {
            conn.batch_execute(&format!("update users set name = '{name}'"))
                .await?;
            Ok(name.len())
        })
        .await;
        assert_eq!(written, Ok(3));
        conn
    })
    .await;
    assert_eq!(database.text(moved), "false");
    assert_eq!(database.text("(select name from users)"), "Bea");
    let failed: Result<(), Error> = untracked_async(&mut conn, async |conn| {
        conn.batch_execute("update users set name = 'lost'").await?;
        Err(Error::NotFound)
    })
    .await;
    assert_eq!(failed, Err(Error::NotFound));
    assert_eq!(database.text("(select name from users)"), "Bea");
    // Within a transaction of the caller's the switch is put back by hand.
    conn.transaction(async |conn| {
        untracked_async(conn, async |conn| conn.batch_execute("select 1").await).await?;
        conn.batch_execute("update users set name = 'Cleo'").await
    })
    .await
    .unwrap();
    assert_eq!(database.text(moved), "true");
}

#[tokio::test(flavor = "multi_thread")]
async fn untracked_writes_have_no_stamp_and_later_ones_do_on_sqlite() {
    let mut conn = file_async().await;
    sent(async move {
        let conn = &mut conn;
        Notes::tracking::<Sqlite>()
            .install_async(conn)
            .await
            .unwrap();
        conn.batch_execute("insert into notes (id, body, team) values (1, 'x', 'red')")
            .await
            .unwrap();
        let first = Notes::download_async(conn, (None,)).await.unwrap();
        untracked_async(conn, async |conn| {
            untracked_async(conn, async |conn| conn.batch_execute("select 1").await).await?;
            conn.batch_execute("update notes set body = 'y'").await
        })
        .await
        .unwrap();
        let news = Notes::download_async(conn, first.next()).await.unwrap();
        assert!(news.0.rows.is_empty());
        conn.batch_execute("update notes set body = 'z'")
            .await
            .unwrap();
        let news = Notes::download_async(conn, news.next()).await.unwrap();
        assert_eq!(news.0.rows[0].body, "z");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_downloads_what_its_transaction_wrote() {
    let mut conn = file_async().await;
    let mut server = server().connect_async().await;
    sent(async move {
        let refused = testing::allow_async(&mut conn).await;
        assert!(matches!(refused, Err(Error::NotInTransaction)));
        Notes::tracking::<Sqlite>()
            .install_async(&mut conn)
            .await
            .unwrap();
        conn.begin_test_transaction().await.unwrap();
        conn.batch_execute("insert into notes (id, body, team) values (1, 'x', 'red')")
            .await
            .unwrap();
        let refused = Notes::download_async(&mut conn, (None,)).await;
        assert!(matches!(refused, Err(DownloadError::Written)));
        testing::allow_async(&mut conn).await.unwrap();
        let news = Notes::download_async(&mut conn, (None,)).await.unwrap();
        assert_eq!(news.0.rows.len(), 1);

        Mobile::tracking::<Pg>()
            .install_async(&mut server)
            .await
            .unwrap();
        server.begin_test_transaction().await.unwrap();
        testing::allow_async(&mut server).await.unwrap();
        server
            .batch_execute("insert into users values ('a', 'Ann', 'red')")
            .await
            .unwrap();
        let news = Mobile::download_async(&mut server, (None, None))
            .await
            .unwrap();
        assert_eq!(news.0.rows.len(), 1);
    })
    .await;
}
