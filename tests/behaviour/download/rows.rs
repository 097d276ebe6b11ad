//! Rows that are new or changed.

use super::super::{Everything, Game, Mobile, Note, Task, User, ids, run, steady};
use super::{DB, Follower, REMOVED_AT, Server, by_hand};
use carburetor::{Everyone, SyncTable};
use chrono::DateTime;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

#[test]
fn the_first_download_brings_every_row_and_the_next_nothing() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('a', 'Ann', 'red'), ('b', 'Bob', null)",
    );
    let mobile = Mobile::scoped(&Everyone).assuming(steady());
    let first = mobile.download(conn, (None, None)).unwrap();
    assert!(first.0.reset && first.1.reset);
    assert_eq!(
        (ids(&first.0), ids(&first.1)),
        (vec!["a".into(), "b".into()], vec![])
    );
    assert_eq!(first.table::<User>().rows[1].team, None);
    let second = mobile.download(conn, first.next()).unwrap();
    assert!(!second.0.reset && !second.1.reset);
    assert_eq!((second.0.rows.len(), second.0.removed.len()), (0, 0));
    assert!(second.0.cutoff >= first.0.cutoff);
}

#[test]
fn only_what_was_written_since_comes_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'red'), (3, 'red')",
    );
    let mut replica = Follower::<Game>::new(conn, &Everyone);
    run(
        conn,
        "update games set title = 'Go' where id = 2; insert into games (id, team) values (4, 'red')",
    );
    assert_eq!(ids(&replica.follow(conn, &Everyone)), [2, 4]);
    assert_eq!(replica.follow(conn, &Everyone).rows, []);
}

#[test]
fn bare_timestamps_bring_what_the_token_brings() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'red')",
    );
    let mobile = Mobile::scoped(&Everyone).assuming(steady());
    let first = mobile.download(conn, (None, None)).unwrap();
    run(
        conn,
        "update games set title = 'Go' where id = 2; delete from games where id = 1",
    );
    let bare = mobile
        .download(conn, (Some(first.0.cutoff), Some(first.1.cutoff)))
        .unwrap();
    let token = mobile.download_consistent(conn, first.next()).unwrap();
    assert_eq!(
        (&bare.1.rows, &bare.1.removed),
        (&token.1.rows, &token.1.removed)
    );
    assert_eq!(
        (ids(&bare.1), &bare.1.removed, bare.1.reset),
        (vec![2], &vec![1], false)
    );
}

#[test]
fn a_row_whose_stamp_is_the_timestamp_is_not_lost() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "insert into games (id, team) values (1, 'red')");
    let first = Game::download(conn, None).unwrap();
    let again = Game::download(conn, first.rows[0].updated_at).unwrap();
    assert_eq!((again.reset, ids(&again)), (false, vec![1]));
}

#[test]
fn a_removal_whose_instant_is_the_timestamp_is_not_lost() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'); delete from games",
    );
    let micros: i64 = diesel::select(sql::<BigInt>(REMOVED_AT))
        .get_result(conn)
        .unwrap();
    let removed_at = DateTime::from_timestamp_micros(micros);
    let news = Game::download(conn, removed_at).unwrap();
    assert_eq!((news.reset, news.removed), (false, vec![1]));
    let later = removed_at.map(|instant| instant + chrono::Duration::microseconds(1));
    // Nothing else moves SQLite's clock, and a timestamp ahead of it would be a reset.
    run(conn, "insert into games (id, team) values (2, 'red')");
    let news = Game::download(conn, later).unwrap();
    assert_eq!((news.reset, news.removed), (false, vec![]));
}

#[test]
fn a_row_without_a_stamp_comes_with_everything_and_then_when_it_is_written() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "insert into tasks (id) values (1), (2)");
    by_hand(conn, "tasks", "update tasks set at = null");
    let mut replica = Follower::<Task>::new(conn, &Everyone);
    assert_eq!((replica.ids(), replica.rows[&1].at), (vec![1, 2], None));
    assert_eq!(replica.follow(conn, &Everyone).rows, []);
    run(conn, "update tasks set team = 'blue' where id = 2");
    assert_eq!(ids(&replica.follow(conn, &Everyone)), [2]);
}

#[test]
fn a_column_that_the_model_leaves_out_is_left_out() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "alter table notes add column secret text; insert into notes (id, body, secret) values (1, 'b', 's')",
    );
    let mut replica = Follower::<Note>::new(conn, &Everyone);
    run(conn, "update notes set secret = 't'");
    assert_eq!(ids(&replica.follow(conn, &Everyone)), [1]);
    let mut json = Vec::new();
    Everything::download_json(conn, carburetor::Timestamps::default(), &mut json).unwrap();
    let read = Everything::read_json::<DB>(&json).unwrap();
    assert_eq!(read.table::<Note>().rows, [replica.rows[&1].clone()]);
    assert!(!String::from_utf8(json).unwrap().contains("secret"));
}
