//! Transactions of the caller, and connections that a pool lends.

use super::super::{Game, Mobile, User, ids, run};
use super::{Conn, JUDGES_TRANSACTIONS, Server};
use carburetor::DownloadError;
use diesel::prelude::*;

/// A transaction that may have written is refused where the database can't say that it has not.
fn within(news: Result<carburetor::Response<(User, Game)>, DownloadError>) {
    match JUDGES_TRANSACTIONS {
        true => assert_eq!(ids(&news.unwrap().1), [1]),
        false => assert!(matches!(news, Err(DownloadError::Written))),
    }
}

#[test]
fn a_consistent_download_takes_no_part_in_a_transaction() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "insert into games (id, team) values (1, 'red')");
    conn.transaction(|conn| {
        within(Mobile::download(conn, (None, None)));
        let refused = Mobile::download_consistent(conn, (None, None)).unwrap_err();
        assert!(matches!(refused, DownloadError::Snapshot), "{refused:?}");
        let refused = Mobile::download_json(conn, (None, None), &mut Vec::new()).unwrap_err();
        assert!(matches!(refused, DownloadError::Snapshot), "{refused:?}");
        within(Mobile::download(conn, (None, None)));
        Ok::<_, DownloadError>(())
    })
    .unwrap();
    assert_eq!(
        ids(&Mobile::download_consistent(conn, (None, None)).unwrap().1),
        [1]
    );
}

#[test]
fn errors_of_a_download_roll_a_transaction_back() {
    let server = Server::new();
    let conn = &mut server.connect();
    let failed: QueryResult<()> = conn.transaction(|conn| {
        Mobile::download_consistent(conn, (None, None)).map(drop)?;
        Ok(())
    });
    let error = failed.unwrap_err().to_string();
    assert_eq!(error, DownloadError::Snapshot.to_string());
}

#[test]
fn a_table_that_is_not_tracked_is_refused_by_name() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, super::FORGET_GAMES);
    let error = Mobile::download(conn, (None, None)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "games is not tracked: run the migration that `Group::tracking()` prints, or mark the model `#[sync(untracked)]`"
    );
}

#[test]
fn a_connection_that_a_pool_lends_serves() {
    let server = Server::new();
    let manager = diesel::r2d2::ConnectionManager::<Conn>::new(server.url());
    let pool = diesel::r2d2::Pool::builder()
        .max_size(1)
        .build(manager)
        .unwrap();
    run(
        &mut *pool.get().unwrap(),
        "insert into games (id, team) values (1, 'red')",
    );
    let conn = &mut pool.get().unwrap();
    let first = Mobile::download(conn, (None, None)).unwrap();
    assert_eq!(
        ids(&Mobile::download_consistent(conn, (None, None)).unwrap().1),
        [1]
    );
    let mut json = Vec::new();
    Mobile::download_json(conn, first.next(), &mut json).unwrap();
    let mut pages = Mobile::pages(first.next(), 1);
    while pages.next(conn).unwrap().is_some() {}
    assert_eq!(
        ids(&Mobile::download(&mut **conn, (None, None)).unwrap().1),
        [1]
    );
}
