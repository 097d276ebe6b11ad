//! Downloads by pages as messages.

use super::super::{Game, Mobile, User, run, steady};
use super::{Conn, DB, Server, by_hand};
use carburetor::download::Page;
use carburetor::{Everyone, Pages, SyncGroup, Token};
use serde_json::Value;
use std::collections::BTreeSet;

type Games = SyncGroup<(Game,)>;

fn filled(conn: &mut Conn, games: i32) {
    for id in 1..=games {
        run(
            conn,
            &format!("insert into games (id, team) values ({id}, 'red')"),
        );
    }
    run(
        conn,
        "insert into users (id, name) values ('a', 'a'), ('b', 'b'), ('c', 'c')",
    );
}

fn all(
    conn: &mut Conn,
    mut pages: Pages<'_, (User, Game), Everyone, DB>,
) -> (Vec<Page>, Option<Token>) {
    let mut read = Vec::new();
    while let Some(page) = pages.next_json(conn).unwrap() {
        read.push(page);
    }
    (read, pages.token().unwrap())
}

fn message(page: &Page) -> Value {
    serde_json::from_slice(page.json()).unwrap()
}

fn games(pages: &[Page]) -> Vec<i64> {
    let ids = |page: &Page| -> Vec<i64> {
        let message = message(page);
        let rows = message["tables"]["games"]["rows"].as_array().unwrap();
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    pages.iter().flat_map(ids).collect()
}

#[test]
fn a_page_says_what_the_same_page_of_structs_says() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 9);
    for limit in [1, 4, 12, 100] {
        let pages = || {
            Mobile::scoped(&Everyone)
                .assuming(steady())
                .pages((None, None), limit)
        };
        let (json, token) = all(conn, pages());
        let mut structs = pages();
        for page in &json {
            let expected = structs.next(conn).unwrap().unwrap();
            let read = Mobile::read_json::<DB>(page.json()).unwrap();
            assert_eq!(
                (&read.0.rows, &read.1.rows),
                (&expected.0.rows, &expected.1.rows)
            );
            assert_eq!(
                (read.0.reset, read.1.reset),
                (expected.0.reset, expected.1.reset)
            );
            assert_eq!(read.clock(), expected.clock());
        }
        assert!(structs.next(conn).unwrap().is_none());
        let last = json.last().unwrap();
        assert_eq!(message(last)["next"], token.unwrap().to_string());
    }
}

#[test]
fn only_a_download_that_is_complete_in_its_first_page_asks_for_no_more() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 9);
    let said = |pages: &[Page]| pages.iter().map(Page::more).collect::<Vec<_>>();
    let group = || Mobile::scoped(&Everyone).assuming(steady());
    let (pages, token) = all(conn, group().pages((None, None), 100));
    assert_eq!(said(&pages), [false]);
    assert!(String::from_utf8_lossy(pages[0].json()).contains(r#","more":false,"next":""#));
    // Nothing is new, and one page says so.
    let (pages, _) = all(conn, group().pages(token.unwrap(), 1));
    assert_eq!(said(&pages), [false]);
    // The rows came with several instants, so something may be lacking that only another download tells.
    let (pages, token) = all(conn, group().pages((None, None), 7));
    assert_eq!(said(&pages), [true, true]);
    let (pages, _) = all(conn, group().pages(token.unwrap(), 7));
    assert_eq!(said(&pages), [false]);
}

#[test]
fn the_end_of_a_run_that_another_connection_began_asks_for_more() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 9);
    let group = || Mobile::scoped(&Everyone).assuming(steady());
    let mut first = group().pages((None, None), 7);
    let mut pages = vec![first.next_json(conn).unwrap().unwrap()];
    // Each request begins with the token alone, as one over HTTP.
    while pages.last().unwrap().more() {
        let token: Token = message(pages.last().unwrap())["next"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let mut next = group().pages(token, 7);
        pages.push(next.next_json(conn).unwrap().unwrap());
    }
    assert_eq!(pages.len(), 3);
    assert_eq!(games(&pages).into_iter().collect::<BTreeSet<_>>().len(), 9);
}

#[test]
fn a_page_has_no_more_bytes_than_it_may() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 40);
    let long = "x".repeat(1000);
    run(
        conn,
        &format!("update games set title = '{long}' where id between 10 and 20"),
    );
    let pages = Mobile::scoped(&Everyone)
        .assuming(steady())
        .pages((None, None), 1000);
    let (pages, token) = all(conn, pages.page_bytes(4000));
    assert!(pages.len() > 4, "{} pages", pages.len());
    for page in &pages {
        assert!(page.json().len() < 6000, "{} bytes", page.json().len());
    }
    assert_eq!(games(&pages), (1..=40).collect::<Vec<_>>());
    // What changed comes in order of the stamp, and no less bounded.
    run(
        conn,
        &format!("update games set title = '{long}y' where id between 12 and 20"),
    );
    let pages = Mobile::scoped(&Everyone)
        .assuming(steady())
        .pages(token.unwrap(), 1000);
    let (pages, _) = all(conn, pages.page_bytes(2500));
    let changed: BTreeSet<i64> = games(&pages).into_iter().collect();
    assert!(
        pages.len() > 4 && (12..=20).all(|id| changed.contains(&id)),
        "{changed:?}"
    );
}

#[test]
fn a_row_that_is_larger_than_a_page_travels_alone() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 3);
    run(
        conn,
        &format!(
            "update games set title = '{}' where id = 2",
            "x".repeat(5000)
        ),
    );
    let mut pages = Games::scoped(&Everyone)
        .assuming(steady())
        .pages((None,), 10)
        .page_bytes(500);
    let mut read = Vec::new();
    while let Some(page) = pages.next_json(conn).unwrap() {
        read.push(page);
    }
    assert_eq!(games(&read), [1, 2, 3]);
}

#[test]
fn the_first_page_of_what_changed_has_no_end() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 3);
    let group = || Mobile::scoped(&Everyone).assuming(steady());
    let (_, token) = all(conn, group().pages((None, None), 100));
    // Written after the cutoff was read, before the snapshot was taken: its stamp is later than the cutoff's clock.
    by_hand(
        conn,
        "games",
        "update games set updated_at = '2090-01-01 00:00:00.000000+00:00' where id = 2",
    );
    let (pages, _) = all(conn, group().pages(token.unwrap(), 100));
    assert!(games(&pages).contains(&2) && !pages[0].more());
}

#[test]
fn a_page_without_news_keeps_its_tag() {
    let server = Server::new();
    let conn = &mut server.connect();
    filled(conn, 3);
    let page = |conn: &mut Conn| {
        let mut pages = Mobile::scoped(&Everyone)
            .assuming(steady())
            .pages((None, None), 100);
        pages.next_json(conn).unwrap().unwrap()
    };
    let first = page(conn);
    run(
        conn,
        "insert into seats (room, place, holder) values ('a', 1, 'x')",
    );
    let second = page(conn);
    assert!(
        first.json() != second.json(),
        "the cutoff has moved with the other table"
    );
    assert_eq!(first.tag(), second.tag());
    run(conn, "update games set title = 'other' where id = 3");
    assert_ne!(page(conn).tag(), second.tag());
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_pages_as_messages_are_the_synchronous_ones() {
    let server = tokio::task::spawn_blocking(Server::new).await.unwrap();
    let pages = |bytes| {
        let pages = Mobile::scoped(&Everyone)
            .assuming(steady())
            .pages((None, None), 5);
        pages.page_bytes(bytes)
    };
    for bytes in [600, 100_000] {
        let (expected, _) = tokio::task::block_in_place(|| {
            let conn = &mut server.connect();
            run(conn, "delete from games; delete from users");
            filled(conn, 9);
            all(conn, pages(bytes))
        });
        let mut conn = server.connect_async().await;
        let mut read = pages(bytes);
        for expected in expected {
            let page = read.next_json_async(&mut conn).await.unwrap().unwrap();
            assert_eq!((page.tag(), page.more()), (expected.tag(), expected.more()));
        }
        assert!(read.next_json_async(&mut conn).await.unwrap().is_none());
    }
}
