//! The asynchronous twins.

use super::super::{Game, Mobile, User, ids, removed, run, steady};
use super::scopes::Teams;
use super::{AsyncConn, DB, ENDLESS, Server, by_hand};
use carburetor::{DownloadError, Everyone, SyncGroup, tracking};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl, TransactionManager};
use std::collections::HashMap;
use std::io::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

type Web = SyncGroup<(User, Game), Teams>;

fn filled() -> Server {
    let server = Server::new();
    let conn = &mut server.connect();
    for id in 1..=30 {
        let team = if id % 3 == 0 { "blue" } else { "red" };
        run(
            conn,
            &format!(
                "insert into users (id, name, team) values ('{id:02}', 'n', '{team}'); insert into games (id, team) values ({id}, '{team}')"
            ),
        );
    }
    server
}

async fn count(conn: &mut AsyncConn) -> i64 {
    super::tables::games::table
        .count()
        .get_result(conn)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_downloads_are_the_synchronous_ones() {
    let server = tokio::task::spawn_blocking(filled).await.unwrap();
    let (first, second) = tokio::task::block_in_place(|| {
        let conn = &mut server.connect();
        let scope = Teams::of("red");
        let web = Web::scoped(&scope).assuming(steady());
        let first = web.download(conn, (None, None)).unwrap();
        run(
            conn,
            "update users set team = 'blue' where id = '01'; delete from games where id in (2, 3); update games set title = 'new' where id = 4",
        );
        let second = web.download(conn, first.next()).unwrap();
        (first, second)
    });
    let mut conn = server.connect_async().await;
    tokio::spawn(async move {
        let scope = Teams::of("red");
        let web = Web::scoped(&scope).assuming(steady());
        // Statements that are prepared already travel in another way.
        for _ in 0..3 {
            let all = web.download_async(&mut conn, (None, None)).await.unwrap();
            assert!(all.0.reset && all.1.reset && all.0.cutoff > first.0.cutoff);
            assert_eq!((all.0.rows.len(), all.1.rows.len()), (19, 19));
            for response in [
                web.download_async(&mut conn, first.next()).await.unwrap(),
                web.download_consistent_async(&mut conn, first.next())
                    .await
                    .unwrap(),
                web.download_async(&mut conn, (Some(first.0.cutoff), Some(first.1.cutoff)))
                    .await
                    .unwrap(),
            ] {
                assert!(!response.0.reset && !response.1.reset);
                assert_eq!(
                    (removed(&response.0), removed(&response.1)),
                    (vec!["01".to_owned()], vec![2])
                );
                assert_eq!(
                    (&response.0.rows, &response.1.rows),
                    (&second.0.rows, &second.1.rows)
                );
                let next = web
                    .download_async(&mut conn, response.next())
                    .await
                    .unwrap();
                assert_eq!(
                    (
                        next.0.reset,
                        next.1.reset,
                        next.1.rows.len(),
                        next.1.removed.len()
                    ),
                    (false, false, 0, 0)
                );
            }
            let mut json = Vec::new();
            web.download_json_async(&mut conn, first.next(), &mut json)
                .await
                .unwrap();
            let read = Web::read_json::<DB>(&json).unwrap();
            assert_eq!((removed(&read.1), &read.1.rows), (vec![2], &second.1.rows));
            for limit in [1, 7, 100] {
                let mut games = HashMap::new();
                let mut pages = Web::scoped(&scope).pages((None, None), limit);
                while let Some(page) = pages.next_async(&mut conn).await.unwrap() {
                    page.into_tables().1.apply(&mut games);
                }
                assert_eq!(games.len(), 19);
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_token_resets_as_in_a_synchronous_download() {
    let server = tokio::task::spawn_blocking(filled).await.unwrap();
    let mut conn = server.connect_async().await;
    let mobile = Mobile::scoped(&Everyone).assuming(steady());
    let first = mobile
        .download_async(&mut conn, (None, None))
        .await
        .unwrap();
    tokio::task::block_in_place(|| tracking::reset::<Game, _>(&mut server.connect()).unwrap());
    for _ in 0..2 {
        let second = mobile
            .download_async(&mut conn, first.next())
            .await
            .unwrap();
        assert_eq!(
            (second.0.reset, second.1.reset, second.1.rows.len()),
            (false, true, 30)
        );
        let third = mobile
            .download_async(&mut conn, second.next())
            .await
            .unwrap();
        assert_eq!(
            (third.0.reset, third.1.reset, third.1.rows.len()),
            (false, false, 0)
        );
    }
    let future = first.0.cutoff + chrono::Duration::hours(1);
    let second = mobile
        .download_async(&mut conn, (Some(future), None))
        .await
        .unwrap();
    assert_eq!((second.0.reset, ids(&second.0).len()), (true, 30));
    assert!(second.0.cutoff < future);
    let scope = Teams::of("red");
    let red = Web::scoped(&scope)
        .download_async(&mut conn, first.next())
        .await
        .unwrap();
    assert_eq!((red.0.reset, red.0.rows.len()), (true, 20));
}

/// Takes some bytes, then fails.
struct Full(usize);

impl tokio::io::AsyncWrite for Full {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => self.0 = left,
            None => return Poll::Ready(Err(Error::other("no space left"))),
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_leaves_a_connection_that_serves_on() {
    let server = tokio::task::spawn_blocking(filled).await.unwrap();
    let mut conn = server.connect_async().await;
    let conn = &mut conn;
    let error = Mobile::download_json_async(conn, (None, None), &mut Full(100))
        .await
        .unwrap_err();
    assert!(matches!(error, DownloadError::Write(_)), "{error:?}");
    assert_eq!(count(conn).await, 30);
    tokio::task::block_in_place(|| {
        let statement = format!("update games set updated_at = {ENDLESS} where id = 10");
        by_hand(&mut server.connect(), "games", &statement);
    });
    let mobile = || Mobile::scoped(&Everyone).refuse_unreadable();
    for _ in 0..2 {
        assert!(matches!(
            mobile().download_async(conn, (None, None)).await,
            Err(DownloadError::Wire(_))
        ));
        assert_eq!(count(conn).await, 30);
        assert!(matches!(
            mobile().download_consistent_async(conn, (None, None)).await,
            Err(DownloadError::Wire(_))
        ));
        assert_eq!(count(conn).await, 30);
        let error = mobile()
            .download_json_async(conn, (None, None), &mut Vec::new())
            .await
            .unwrap_err();
        assert!(matches!(error, DownloadError::Wire(_)), "{error:?}");
        assert_eq!(count(conn).await, 30);
    }
}

/// Polls `future` some times, then drops it.
async fn poll_some(future: impl Future, times: usize) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..times {
        if futures_util::poll!(&mut future).is_ready() {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_is_dropped_leaves_a_connection_that_serves_or_says_that_it_does_not() {
    let server = tokio::task::spawn_blocking(filled).await.unwrap();
    let mut finished = [false; 3];
    for times in 0..60 {
        let mut conn = server.connect_async().await;
        finished[0] |= poll_some(Mobile::download_async(&mut conn, (None, None)), times).await;
        assert_eq!(count(&mut conn).await, 30);
        assert_eq!(
            Mobile::download_async(&mut conn, (None, None))
                .await
                .unwrap()
                .1
                .rows
                .len(),
            30
        );
        finished[1] |= poll_some(
            Mobile::download_consistent_async(&mut conn, (None, None)),
            times,
        )
        .await;
        if <AsyncConn as AsyncConnection>::TransactionManager::is_broken_transaction_manager(
            &mut conn,
        ) {
            // A pool throws it away.
            conn = server.connect_async().await;
        }
        assert_eq!(
            Mobile::download_consistent_async(&mut conn, (None, None))
                .await
                .unwrap()
                .1
                .rows
                .len(),
            30
        );
        let mut pages = Mobile::pages((None, None), 40);
        let delivered = poll_some(pages.next_async(&mut conn), times).await;
        finished[2] |= delivered;
        let page = pages.next_async(&mut conn).await.unwrap().unwrap();
        // A page that was handed over is followed by the next, one that was not by itself.
        let expected = if delivered { (0, 20) } else { (30, 10) };
        assert_eq!((page.0.rows.len(), page.1.rows.len()), expected);
        if finished == [true; 3] {
            return;
        }
    }
    panic!("no download has finished in 60 polls: {finished:?}");
}
