//! Downloads that end early leave a connection that serves on.

use super::super::{Game, Mobile, Note, User, ids, run, steady};
use super::tables::games;
use super::{Conn, ENDLESS, Follower, Server, by_hand, pass_horizon};
use carburetor::{DownloadError, Everyone, SyncGroup};
use diesel::prelude::*;
use std::collections::HashMap;
use std::io::{Error, Write};

fn filled(server: &Server) -> Conn {
    let mut conn = server.connect();
    run(&mut conn, "insert into users (id, name) values ('a', 'a')");
    for id in 1..=2000 {
        run(
            &mut conn,
            &format!(
                "insert into games (id, title, team) values ({id}, '{}', 'red')",
                "x".repeat(80)
            ),
        );
    }
    conn
}

fn still_serves(conn: &mut Conn) {
    assert_eq!(games::table.count().get_result::<i64>(conn), Ok(2000));
    assert_eq!(
        conn.transaction(|conn| games::table.count().get_result::<i64>(conn)),
        Ok(2000)
    );
    assert_eq!(
        Mobile::download_consistent(conn, (None, None))
            .unwrap()
            .1
            .rows
            .len(),
        2000
    );
}

/// Takes some bytes, then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or_else(|| Error::other("no space left"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_in_the_middle() {
    let server = Server::new();
    let conn = &mut filled(&server);
    let error = Mobile::download_json(conn, (None, None), &mut Full(100_000)).unwrap_err();
    assert!(matches!(error, DownloadError::Write(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the response could not be written: no space left"
    );
    still_serves(conn);
}

#[test]
fn a_value_that_can_not_travel() {
    let server = Server::new();
    let conn = &mut filled(&server);
    by_hand(
        conn,
        "games",
        &format!("update games set updated_at = {ENDLESS} where id = 1000"),
    );
    let read = |conn: &mut Conn| games::table.count().get_result::<i64>(conn);
    let mobile = || Mobile::scoped(&Everyone).refuse_unreadable();
    assert!(matches!(
        mobile().download(conn, (None, None)),
        Err(DownloadError::Wire(_))
    ));
    assert_eq!(read(conn), Ok(2000));
    assert!(matches!(
        mobile().download_consistent(conn, (None, None)),
        Err(DownloadError::Wire(_))
    ));
    assert_eq!(read(conn), Ok(2000));
    let error = mobile()
        .download_json(conn, (None, None), &mut Vec::new())
        .unwrap_err();
    assert!(matches!(error, DownloadError::Wire(_)), "{error:?}");
    assert!(
        error.to_string().starts_with("games.updated_at of 1000: "),
        "{error}"
    );
    assert_eq!(read(conn), Ok(2000));
    conn.transaction(|conn| {
        assert!(mobile().download(conn, (None, None)).is_err());
        assert_eq!(read(conn), Ok(2000));
        diesel::QueryResult::Ok(())
    })
    .unwrap();
    // A stamp that is no instant holds nothing back: it is later than all.
    let mobile = || Mobile::scoped(&Everyone).assuming(steady());
    let news = mobile().download(conn, (None, None)).unwrap();
    assert_eq!((news.1.rows.len(), news.1.unreadable.len()), (1999, 1));
    let timestamps = (Some(news.0.cutoff), Some(news.1.cutoff));
    assert!(!mobile().download(conn, timestamps).unwrap().1.reset);
}

#[test]
fn a_restart_after_the_header() {
    let server = Server::new();
    let conn = &mut filled(&server);
    let first = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    run(conn, "update games set title = 'new'");
    pass_horizon(conn);
    let second = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, first.next())
        .unwrap();
    assert!(second.1.reset);
    assert_eq!(second.1.rows.len(), 2000);
    still_serves(conn);
}

/// Makes the next statement that reads `notes` fail, and undoes that.
fn broken(conn: &mut Conn, read: impl FnOnce(&mut Conn)) {
    run(conn, "alter table notes rename to away");
    read(conn);
    run(conn, "alter table away rename to notes");
}

#[test]
fn a_page_whose_second_table_fails_can_be_asked_for_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'red'), (3, 'red'); insert into notes (id, body) values (1, 'a'), (2, 'b')",
    );
    type Both = SyncGroup<(Game, Note)>;
    let mut pages = Both::scoped(&Everyone)
        .assuming(steady())
        .pages((None, None), 2);
    let first = pages.next(conn).unwrap().unwrap();
    assert_eq!(ids(&first.0), [1, 2]);
    let token = pages.token().unwrap();
    broken(conn, |conn| {
        assert!(matches!(pages.next(conn), Err(DownloadError::Query(_))));
        assert_eq!(pages.token().unwrap(), token);
    });
    let second = pages.next(conn).unwrap().unwrap();
    assert_eq!((ids(&second.0), ids(&second.1)), (vec![3], vec![1]));
    let third = pages.next(conn).unwrap().unwrap();
    assert_eq!((ids(&third.0), ids(&third.1)), (vec![], vec![2]));
}

#[test]
fn the_first_page_can_be_asked_for_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'); insert into notes (id, body) values (1, 'a')",
    );
    type Both = SyncGroup<(Game, Note)>;
    let mut pages = Both::scoped(&Everyone).pages((None, None), 3);
    broken(conn, |conn| assert!(pages.next(conn).is_err()));
    let first = pages.next(conn).unwrap().unwrap();
    assert_eq!((ids(&first.0), ids(&first.1)), (vec![1], vec![1]));
    assert!(first.0.reset && first.1.reset);
}

#[test]
fn a_follower_survives_a_failed_download() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "insert into users (id, name) values ('a', 'a')");
    let mut replica = Follower::<User>::new(conn, &Everyone);
    run(
        conn,
        "update users set name = 'b'; alter table users rename to away",
    );
    let failed = SyncGroup::<(User,)>::download(conn, replica.token.clone().unwrap());
    assert!(failed.is_err());
    run(conn, "alter table away rename to users");
    assert_eq!(ids(&replica.follow(conn, &Everyone)), ["a"]);
    let _: HashMap<String, User> = replica.rows;
}
