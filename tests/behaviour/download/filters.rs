//! Filters: rows that a group leaves out for everybody.

use super::super::{Game, ids, removed, run, steady};
use super::scopes::Teams;
use super::tables::games;
use super::{DB, Server};
use carburetor::{Everyone, Filtered, SyncFilter, SyncGroup, Visible};
use diesel::prelude::*;
use std::collections::HashMap;

struct Published;

impl SyncFilter<Game, DB> for Published {
    fn filter() -> Visible<'static, games::table, DB> {
        Visible::only(games::published.eq(true).and(games::id.lt(100)))
    }
}

struct Unpublished;

impl SyncFilter<Game, DB> for Unpublished {
    fn filter() -> Visible<'static, games::table, DB> {
        Visible::only(games::published.eq(false))
    }
}

type Shown = SyncGroup<(Filtered<Game, Published>,), Teams>;

#[test]
fn a_filter_and_a_scope_hold_together() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team, published) values (1, 'red', true), (2, 'red', false), (3, 'blue', true), (4, 'red', true), (5, 'red', true), (101, 'red', true)",
    );
    let red = Teams::of("red");
    let shown = Shown::scoped(&red).assuming(steady());
    let first = shown.download(conn, (None,)).unwrap();
    assert_eq!(ids(&first.0), [1, 4, 5]);
    run(
        conn,
        "update games set published = false where id = 1; update games set published = true where id = 2; update games set team = 'blue' where id = 4;
         update games set id = 102 where id = 5; delete from games where id in (3, 101)",
    );
    for limit in [1, 2, 100] {
        let mut pages = Shown::scoped(&red)
            .assuming(steady())
            .pages(first.next(), limit);
        let (mut rows, mut gone) = (Vec::new(), Vec::new());
        while let Some(page) = pages.next(conn).unwrap() {
            rows.extend(ids(&page.0));
            gone.extend(removed(&page.0));
        }
        gone.sort();
        assert_eq!(
            (rows, gone),
            (vec![2], vec![1, 4, 5]),
            "by pages of {limit}"
        );
    }
    let second = shown.download(conn, first.next()).unwrap();
    assert_eq!(
        (ids(&second.0), removed(&second.0)),
        (vec![2], vec![1, 4, 5])
    );
}

#[test]
fn a_table_in_two_groups_has_timestamps_of_each() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team, published) values (1, 'red', true), (2, 'red', false)",
    );
    type Drafts = SyncGroup<(Filtered<Game, Unpublished>,)>;
    let drafts = Drafts::scoped(&Everyone).assuming(steady());
    let red = Teams::of("red");
    let shown = Shown::scoped(&red).assuming(steady());
    let (one, other) = (
        shown.download(conn, (None,)).unwrap(),
        drafts.download(conn, (None,)).unwrap(),
    );
    assert_eq!((ids(&one.0), ids(&other.0)), (vec![1], vec![2]));
    run(conn, "update games set published = not published");
    let news = shown.download(conn, one.next()).unwrap();
    assert_eq!(
        (ids(&news.0), removed(&news.0), news.0.reset),
        (vec![2], vec![1], false)
    );
    let news = drafts.download(conn, other.next()).unwrap();
    assert_eq!(
        (ids(&news.0), removed(&news.0), news.0.reset),
        (vec![1], vec![2], false)
    );
    // A token of the other group fits neither.
    let news = drafts.download(conn, one.next()).unwrap();
    assert_eq!(
        (ids(&news.0), removed(&news.0), news.0.reset),
        (vec![1], vec![], true)
    );
}

#[test]
fn a_table_may_stand_twice_in_a_group() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team, published) values (1, 'red', true), (2, 'red', false)",
    );
    type Twice = SyncGroup<(Filtered<Game, Published>, Filtered<Game, Unpublished>)>;
    let twice = Twice::scoped(&Everyone).assuming(steady());
    let first = twice.download(conn, (None, None)).unwrap();
    assert_eq!((ids(&first.0), ids(&first.1)), (vec![1], vec![2]));
    run(conn, "update games set published = true where id = 2");
    let second = twice.download(conn, first.next()).unwrap();
    let (mut published, mut unpublished) = (HashMap::new(), HashMap::new());
    assert!(!second.0.reset && !second.1.reset);
    for news in [first, second] {
        let (one, other) = news.into_tables();
        one.apply(&mut published);
        other.apply(&mut unpublished);
    }
    assert_eq!((published.len(), unpublished.len()), (2, 0));
}
