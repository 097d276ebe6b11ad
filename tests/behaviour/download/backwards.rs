//! A server's file on SQLite that goes back in time.

use super::on_sqlite::{Conn, Server};
use super::{Mobile, ids, run, steady};
use carburetor::{Everyone, Scoped, Token};
use diesel::connection::{Connection, InstrumentationEvent};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

fn group() -> Scoped<'static, (super::User, super::Game), Everyone> {
    Mobile::scoped(&Everyone).assuming(steady())
}

fn add(conn: &mut Conn, game: i32) {
    run(
        conn,
        &format!("insert into games (id, team) values ({game}, 'red')"),
    );
}

/// A copy of an hour ago, which knows of no pause since, and the token of somebody who has seen more.
fn gone_back() -> (Server, Token) {
    let server = Server::new();
    let conn = &mut server.connect();
    add(conn, 1);
    let backup = server.copy();
    run(
        &mut backup.connect(),
        "delete from carburetor_pause; update carburetor_clock set now = now - 3600000000; update carburetor_synced_table set horizon = horizon - 3600000000",
    );
    add(conn, 2);
    let token = group().download(conn, (None, None)).unwrap().next();
    wait_for_a_later_time();
    (backup, token)
}

/// The clock counts milliseconds: a copy takes the place of its original in a later one than that of the original's last write.
fn wait_for_a_later_time() {
    std::thread::sleep(std::time::Duration::from_millis(2));
}

#[test]
fn a_token_that_is_ahead_of_the_file_begins_every_table_again() {
    let (backup, token) = gone_back();
    let said = group().download(&mut backup.connect(), token).unwrap();
    assert!(said.0.reset && said.1.reset);
    assert_eq!(ids(&said.1), [1]);
}

#[test]
fn a_file_that_has_gone_back_is_noticed_after_it_was_written_again() {
    let (backup, token) = gone_back();
    let conn = &mut backup.connect();
    add(conn, 3);
    let said = group().download(conn, token.clone()).unwrap();
    assert!(said.0.reset && said.1.reset);
    assert_eq!(ids(&said.1), [1, 3]);
    // Those of the file as it is go on.
    let next = said.next();
    add(conn, 4);
    let more = group().download(conn, next.clone()).unwrap();
    assert_eq!(
        (more.0.reset, more.1.reset, ids(&more.1)),
        (false, false, vec![4])
    );
    // Another pause changes nothing for either.
    run(
        conn,
        "drop trigger carburetor_pause; update carburetor_clock set now = now - 120000000; update carburetor_synced_table set horizon = horizon - 240000000",
    );
    super::Everything::tracking::<super::on_sqlite::DB>()
        .install(conn)
        .unwrap();
    assert!(group().download(conn, token).unwrap().1.reset);
}

#[test]
fn a_file_that_has_gone_back_by_seconds_is_noticed_when_the_program_begins_again() {
    let install = |conn: &mut Conn| {
        super::Everything::tracking::<super::on_sqlite::DB>()
            .install(conn)
            .unwrap();
    };
    let server = Server::new();
    let conn = &mut server.connect();
    add(conn, 1);
    let healthy = group().download(conn, (None, None)).unwrap().next();
    let backup = server.copy();
    add(conn, 2);
    let token = group().download(conn, (None, None)).unwrap().next();
    wait_for_a_later_time();
    let conn = &mut backup.connect();
    install(conn);
    add(conn, 3);
    let said = group().download(conn, token).unwrap();
    assert!(said.1.reset);
    assert_eq!(ids(&said.1), [1, 3]);
    // What was given before the backup goes on, however often a program begins.
    install(conn);
    let said = group().download(conn, healthy).unwrap();
    assert_eq!((said.1.reset, ids(&said.1)), (false, vec![3]));
    let next = said.next();
    install(conn);
    add(conn, 4);
    let said = group().download(conn, next).unwrap();
    assert_eq!((said.1.reset, ids(&said.1)), (false, vec![4]));
}

#[test]
fn a_pause_of_the_clock_is_no_step_back() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "update carburetor_clock set now = now - 3600000000; update carburetor_synced_table set horizon = horizon - 7200000000",
    );
    let before = group().download(conn, (None, None)).unwrap().next();
    add(conn, 1);
    let after = group().download(conn, before).unwrap();
    assert_eq!((after.1.reset, ids(&after.1)), (false, vec![1]));
    add(conn, 2);
    let last = group().download(conn, after.next()).unwrap();
    assert_eq!((last.1.reset, ids(&last.1)), (false, vec![2]));
}

#[test]
fn the_look_for_a_step_back_reads_one_pause_however_many_there_are() {
    let server = Server::new();
    let conn = &mut server.connect();
    add(conn, 1);
    let token = group().download(conn, (None, None)).unwrap().next();
    // Pauses of long ago, whose ends are no numbers: whoever looks at one fails.
    run(
        conn,
        "drop trigger carburetor_pause; drop table carburetor_pause;
create table pauses (began integer primary key, length integer);
create view carburetor_pause as select began, iif(length, began + length, abs(-9223372036854775807 - 1)) as ended from pauses;
with recursive minutes (at) as (select 1 union all select at + 1 from minutes where at < 100)
insert into pauses (began, length) select at * 60000000, 0 from minutes;
insert into pauses (began, length) select now - 60000000, 30000000 from carburetor_clock",
    );
    let said = group().download(conn, token.clone()).unwrap();
    assert!(!said.0.reset && !said.1.reset);
    run(conn, "update pauses set length = 90000000 where length > 0");
    let said = group().download(conn, token).unwrap();
    assert!(said.0.reset && said.1.reset);
}

#[test]
fn whatever_clock_is_asked_with_the_statements_are_the_same() {
    let server = Server::new();
    let conn = &mut server.connect();
    let texts = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&texts);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::CacheQuery { sql, .. } = event {
            seen.lock().unwrap().insert(sql.to_owned());
        }
    });
    let mut token = group().download(conn, (None, None)).unwrap().next();
    let mut counts = Vec::new();
    for game in 1..4 {
        add(conn, game);
        token = group().download(conn, token).unwrap().next();
        counts.push(texts.lock().unwrap().len());
    }
    assert!(counts[0] > 0);
    assert_eq!(counts, [counts[0]; 3], "{:#?}", texts.lock().unwrap());
}
