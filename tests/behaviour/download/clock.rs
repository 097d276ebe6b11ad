//! The clock that a download carries: what is written after it wins against all that the download showed.

use super::super::{Game, Mobile, Note, Task, User, removed, run, steady};
use super::{Conn, DB, REMOVED_AT, Server, by_hand};
use carburetor::backend::SyncBackend;
use carburetor::clock::{Clock, Ticker, TimeSource};
use carburetor::group::DownloadTables;
use carburetor::testing::ManualTime;
use carburetor::{Everyone, Response, Scoped, Since, SyncGroup, TableNews, Timestamps};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::ops::RangeInclusive;

fn group<T>() -> Scoped<'static, T, Everyone> {
    SyncGroup::<T>::scoped(&Everyone).assuming(steady())
}

fn download<T>(conn: &mut Conn, since: impl Into<Timestamps<SyncGroup<T>>>) -> Response<T>
where
    T: DownloadTables<DB, Everyone>,
{
    group().download(conn, since).unwrap()
}

/// The greatest clock of the rows.
fn of_users(news: &TableNews<User>) -> Clock {
    let stamps = news.rows.iter().map(|row| row.updated_at);
    stamps.map(Clock::of_database).max().unwrap_or_default()
}

fn of_games(news: &TableNews<Game>) -> Clock {
    let stamps = news.rows.iter().map(|row| row.updated_at);
    stamps.map(Clock::of_database).max().unwrap_or_default()
}

/// The database has accepted a clock that is ahead of its own.
fn accept(conn: &mut Conn, ahead: Clock) {
    run(conn, &format!("update {} set ahead = '{ahead}'", DB::CLOCK));
}

fn ahead() -> Clock {
    Clock::of_database(Utc::now() + TimeDelta::seconds(30))
}

fn filled(conn: &mut Conn, ids: RangeInclusive<i32>) {
    for id in ids {
        run(
            conn,
            &format!(
                "insert into users (id, name) values ('{id:02}', 'n'); insert into games (id, team) values ({id}, 'red')"
            ),
        );
    }
}

#[test]
fn a_download_carries_the_clock_of_its_latest_row() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 1..=3);
    let first = download::<(User, Game)>(conn, (None, None));
    assert_eq!(first.clock(), of_users(&first.0).max(of_games(&first.1)));
    assert_eq!(first.clock(), of_games(&first.1));
    run(conn, "update users set name = 'm' where id = '02'");
    for since in [
        Timestamps::from((Some(first.0.cutoff), Some(first.1.cutoff))),
        first.next().into(),
    ] {
        let news = download::<(User, Game)>(conn, since);
        assert_eq!(news.clock(), of_users(&news.0));
        assert!(news.clock() > first.clock());
    }
}

#[test]
fn every_storage_of_a_stamp_has_its_clock() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into notes (id, body) values (1, 'a'); insert into tasks (id) values (1), (2)",
    );
    by_hand(conn, "tasks", "update tasks set at = null where id = 2");
    let notes = download::<(Note,)>(conn, (None,));
    let stamp = notes.0.rows[0].at.and_utc();
    assert_eq!(notes.clock(), Clock::of_database(stamp));
    let tasks = download::<(Task,)>(conn, (None,));
    let stamps = tasks.0.rows.iter().filter_map(|row| row.at);
    let stamps: Vec<_> = stamps
        .map(|stamp| Clock::of_database(stamp.and_utc()))
        .collect();
    assert_eq!((tasks.0.rows.len(), stamps), (2, vec![tasks.clock()]));
}

#[test]
fn a_removal_has_its_clock_too() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 1..=2);
    run(conn, "insert into notes (id, body) values (1, 'a')");
    let first = download::<(Game, Note)>(conn, (None, None));
    run(conn, "delete from games where id = 2");
    #[derive(QueryableByName)]
    struct At {
        #[diesel(sql_type = BigInt)]
        at: i64,
    }
    let At { at } = diesel::sql_query(format!("select {REMOVED_AT} as at"))
        .get_result(conn)
        .unwrap();
    let deleted = Clock::of_database(DateTime::from_timestamp_micros(at).unwrap());
    let news = download::<(Game, Note)>(conn, first.next());
    assert_eq!((removed(&news.0), news.clock()), (vec![2], deleted));
    let mut pages = group::<(Game, Note)>().pages(first.next(), 10);
    assert_eq!(pages.next(conn).unwrap().unwrap().clock(), deleted);
    // So has one that a flag says.
    run(conn, "update notes set gone = true");
    let news = download::<(Game, Note)>(conn, news.next());
    assert_eq!(removed(&news.1), [1]);
    assert!(news.clock() > deleted);
}

#[test]
fn a_clock_that_was_accepted_from_ahead_comes_with_every_download() {
    let server = Server::new();
    let conn = &mut server.connect();
    let empty = download::<(User, Game)>(conn, (None, None));
    assert_eq!(empty.clock(), Clock::ZERO);
    let accepted = ahead();
    accept(conn, accepted);
    // Without rows, then with some.
    for last in [0, 2] {
        filled(conn, 1..=last);
        let all = download::<(User, Game)>(conn, (None, None));
        assert_eq!(all.clock(), accepted);
        let since = download::<(User, Game)>(conn, empty.next());
        assert_eq!((since.0.reset, since.clock()), (false, accepted));
        let consistent = group::<(User, Game)>().download_consistent(conn, empty.next());
        assert_eq!(consistent.unwrap().clock(), accepted);
        for since in [Timestamps::default(), empty.next().into()] {
            let mut pages = group::<(User, Game)>().pages(since, 1);
            while let Some(page) = pages.next(conn).unwrap() {
                assert_eq!(page.clock(), accepted);
            }
        }
    }
}

#[test]
fn whoever_has_seen_a_row_and_then_writes_writes_later() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 1..=1);
    let accepted = ahead();
    accept(conn, accepted);
    let response = download::<(User, Game)>(conn, (None, None));
    let slow = ManualTime::at(Utc::now() - TimeDelta::days(1));
    let ticker = Ticker::new(7, slow.clone());
    // The replica's time is a day behind, so it asks the server for its own.
    assert!(ticker.observe(response.clock()).is_err());
    ticker.follow(slow.now() + TimeDelta::days(1));
    ticker.observe(response.clock()).unwrap();
    let edit = ticker.tick().unwrap();
    assert!(edit > accepted && edit > of_users(&response.0));
}

#[test]
fn the_clock_of_a_page_covers_its_rows_and_those_before() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 1..=1);
    let first = download::<(User, Game)>(conn, (None, None));
    filled(conn, 2..=9);
    for since in [Timestamps::default(), first.next().into()] {
        let (mut pages, mut known, mut count) =
            (group::<(User, Game)>().pages(since, 3), Clock::ZERO, 0);
        while let Some(page) = pages.next(conn).unwrap() {
            known = known.max(of_users(&page.0)).max(of_games(&page.1));
            assert_eq!(page.clock(), known);
            count += 1;
        }
        assert!(count > 3);
    }
}

#[test]
fn a_message_carries_the_clock() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 1..=2);
    for _ in 0..2 {
        let clock = download::<(User, Game)>(conn, (None, None)).clock();
        let mut json = Vec::new();
        group::<(User, Game)>()
            .download_json(conn, (None, None), &mut json)
            .unwrap();
        let read = Mobile::read_json::<DB>(&json).unwrap();
        assert_eq!(read.clock(), clock);
        let written = read.to_json::<DB>().unwrap();
        assert_eq!(Mobile::read_json::<DB>(&written).unwrap().clock(), clock);
        let text = String::from_utf8(json).unwrap();
        let member = format!("\"clock\":\"{clock}\",");
        assert!(text.contains(&format!("}}}},{member}\"scope\":\"")));
        // An older server has none.
        let older = Mobile::read_json::<DB>(text.replace(&member, "").as_bytes());
        assert_eq!(older.unwrap().clock(), Clock::ZERO);
        let spoilt = text.replace(&member, "\"clock\":\"soon\",");
        let error = Mobile::read_json::<DB>(spoilt.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("not a clock"), "{error}");
        accept(conn, ahead());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_downloads_carry_the_same_clock() {
    let server = tokio::task::spawn_blocking(Server::new).await.unwrap();
    let (first, clock) = tokio::task::block_in_place(|| {
        let conn = &mut server.connect();
        filled(conn, 1..=3);
        let first = download::<(User, Game)>(conn, (None, None));
        run(conn, "delete from users where id = '01'");
        let clock = download::<(User, Game)>(conn, first.next()).clock();
        (first, clock)
    });
    let accepted = ahead();
    assert!(clock > first.clock());
    let conn = &mut server.connect_async().await;
    for expected in [(first.clock(), clock), (accepted, accepted)] {
        let group = group::<(User, Game)>();
        // Statements that are prepared already travel in another way.
        for _ in 0..3 {
            let all = group.download_async(conn, (None, None)).await.unwrap();
            let since = group.download_async(conn, first.next()).await.unwrap();
            assert_eq!((all.clock(), since.clock()), expected);
        }
        let since = group.download_consistent_async(conn, first.next()).await;
        let mut json = Vec::new();
        let written = group.download_json_async(conn, first.next(), &mut json);
        written.await.unwrap();
        let read = Mobile::read_json::<DB>(&json).unwrap();
        assert_eq!(
            (since.unwrap().clock(), read.clock()),
            (expected.1, expected.1)
        );
        let mut pages = group.pages(first.next(), 100);
        let page = pages.next_async(conn).await.unwrap().unwrap();
        assert_eq!(page.clock(), expected.1);
        tokio::task::block_in_place(|| accept(&mut server.connect(), accepted));
    }
}

#[test]
fn what_is_not_read_has_no_clock() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 1..=2);
    let first = download::<(User, Game)>(conn, (None, None));
    let skipped = download::<(User, Game)>(conn, (Since::Skip, Since::Skip));
    assert_eq!(skipped.clock(), Clock::ZERO);
    let users = download::<(User, Game)>(conn, (Since::Beginning, Since::Skip));
    assert_eq!(users.clock(), of_users(&first.0));
}
