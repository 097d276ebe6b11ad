//! Scopes of the form column-in-set, whose set may change without a reset.

use super::super::{Game, User, ids, removed, run, steady};
use super::tables::{games, users};
use super::{DB, Follower, Server};
use carburetor::{SyncGroup, SyncScope, Visible};
use std::collections::HashMap;

struct Teams(Vec<String>);

fn teams(names: &[&str]) -> Teams {
    Teams(names.iter().map(|&name| name.into()).collect())
}

impl SyncScope<User, DB> for Teams {
    fn filter(&self) -> Visible<'_, users::table, DB> {
        Visible::keys(users::team, self.0.clone())
    }
}

impl SyncScope<Game, DB> for Teams {
    fn filter(&self) -> Visible<'_, games::table, DB> {
        Visible::keys(games::team, self.0.clone())
    }
}

#[test]
fn a_joined_key_comes_from_the_beginning_and_a_left_one_goes() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'red'), ('2', 'b', 'blue'), ('3', 'c', 'red'), ('4', 'd', 'red'), ('5', 'e', null)",
    );
    let mut replica = Follower::<User>::new(conn, &teams(&["red", "blue"]));
    run(
        conn,
        "update users set team = 'green' where id = '1'; update users set team = 'blue' where id = '3'; insert into users (id, name, team) values ('secret', 's', 'red')",
    );
    let news = replica.follow(conn, &teams(&["blue"]));
    assert!(!news.reset);
    assert_eq!((ids(&news), removed(&news)), (vec!["3".into()], vec![]));
    assert_eq!(replica.ids(), ["2", "3"]);
    let news = replica.follow(conn, &teams(&["blue", "red"]));
    assert!(!news.reset && news.left.is_none());
    assert_eq!(
        (ids(&news), removed(&news)),
        (vec!["4".into(), "secret".into()], vec![])
    );
    let news = replica.follow(conn, &teams(&["red", "blue"]));
    assert_eq!(
        (ids(&news), removed(&news), news.left, news.reset),
        (vec![], vec![], None, false)
    );
}

#[test]
fn a_key_may_be_left_and_another_joined_at_once() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'blue'), (3, 'green')",
    );
    let mut replica = Follower::<Game>::new(conn, &teams(&["red", "blue"]));
    run(
        conn,
        "update games set team = 'green' where id = 1; update games set team = 'red' where id = 3; delete from games where id = 2",
    );
    let news = replica.follow(conn, &teams(&["green", "blue"]));
    assert!(!news.reset);
    assert_eq!(replica.ids(), [1]);
    replica.follow(conn, &teams(&[]));
    assert_eq!(replica.ids(), [] as [i32; 0]);
    replica.follow(conn, &teams(&["red"]));
    assert_eq!(replica.ids(), [3]);
}

#[test]
fn keys_may_change_between_pages() {
    for limit in [1, 2, 100] {
        let server = Server::new();
        let conn = &mut server.connect();
        for id in 1..=12 {
            run(
                conn,
                &format!(
                    "insert into games (id, team) values ({id}, '{}')",
                    ["red", "blue", "green"][id % 3]
                ),
            );
        }
        let mut replica = Follower::<Game> {
            rows: Default::default(),
            token: None,
        };
        replica.pages(conn, &teams(&["red", "blue"]), limit, |_, _| {});
        assert_eq!(replica.ids(), [1, 3, 4, 6, 7, 9, 10, 12]);
        replica.pages(conn, &teams(&["blue"]), limit, |_, _| {});
        assert_eq!(replica.ids(), [1, 4, 7, 10]);
        replica.pages(conn, &teams(&["blue", "green"]), limit, |_, _| {});
        assert_eq!(replica.ids(), [1, 2, 4, 5, 7, 8, 10, 11]);
        replica.follow(conn, &teams(&["blue", "green"]));
    }
}

#[test]
fn a_table_that_no_page_has_reached_is_told_later_what_left() {
    type Mobile = SyncGroup<(User, Game), Teams>;
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'blue'), ('2', 'b', 'blue'), ('3', 'c', 'blue');
         insert into games (id, team) values (1, 'red'), (2, 'blue')",
    );
    let (both, blue) = (teams(&["red", "blue"]), teams(&["blue"]));
    let group = |scope| Mobile::scoped(scope).assuming(steady());
    let first = group(&both).download(conn, (None, None)).unwrap();
    run(conn, "update users set name = 'z'");
    // The first page is all of users; the token after it begins another run.
    let page = group(&blue).pages(first.next(), 2).next(conn).unwrap();
    let page = page.unwrap();
    assert_eq!((page.0.rows.len(), page.1.left.is_none()), (2, true));
    let mut games = HashMap::new();
    first.into_tables().1.apply(&mut games);
    let mut token = page.next();
    page.into_tables().1.apply(&mut games);
    let mut pages = group(&blue).pages(&token, 2);
    while let Some(page) = pages.next(conn).unwrap() {
        assert!(!page.1.reset);
        token = page.next();
        page.into_tables().1.apply(&mut games);
    }
    assert_eq!(games.into_keys().collect::<Vec<_>>(), [2]);
    assert!(group(&blue).download(conn, token).unwrap().1.left.is_none());
}

#[test]
fn a_set_of_many_keys_is_told_beside_the_token() {
    let many = |first: usize| {
        Teams(
            (first..first + 5000)
                .map(|team| format!("team-{team:028}"))
                .collect(),
        )
    };
    let server = Server::new();
    let conn = &mut server.connect();
    let add = |conn: &mut super::Conn, id: i32, team: usize| {
        let insert = format!("insert into games (id, team) values ({id}, 'team-{team:028}')");
        run(conn, &insert);
    };
    add(conn, 1, 0);
    add(conn, 2, 1);
    add(conn, 3, 5000);
    let (before, after) = (many(0), many(1));
    let said = |conn: &mut super::Conn, scope: &Teams, token: &str| {
        let token: carburetor::Token = token.parse().unwrap();
        let group = SyncGroup::<(Game,), Teams>::scoped(scope).assuming(steady());
        group.download(conn, token).unwrap()
    };
    let first = SyncGroup::<(Game,), Teams>::scoped(&before)
        .assuming(steady())
        .download(conn, (None,))
        .unwrap();
    let whole = first.next().to_string();
    let (alone, keys) = whole.split_once('.').unwrap();
    assert!(alone.len() < 512 && keys.len() > 100_000);
    // With the keys and without, as long as they are the same.
    for token in [&whole[..], alone] {
        let again = said(conn, &before, token);
        assert_eq!(
            (again.0.reset, again.0.rows.len(), again.0.left.is_some()),
            (false, 0, false)
        );
        assert!(again.next().to_string().split_once('.').unwrap().1 == keys);
    }
    let exact = said(conn, &after, &whole);
    assert_eq!((exact.0.reset, ids(&exact.0)), (false, vec![3]));
    assert_eq!(
        exact.0.left.as_ref().unwrap().values,
        ["team-0000000000000000000000000000"]
    );
    let begun = said(conn, &after, alone);
    assert_eq!((begun.0.reset, ids(&begun.0)), (true, vec![2, 3]));
    // By pages as messages the keys are told once, and read back with their token.
    let scope = &before;
    let group = || SyncGroup::<(Game,), Teams>::scoped(scope).assuming(steady());
    let mut pages = group().pages((None,), 1);
    let mut told = Vec::new();
    while let Some(page) = pages.next_json(conn).unwrap() {
        let message: serde_json::Value = serde_json::from_slice(page.json()).unwrap();
        assert_eq!(message["next"], page.next());
        told.push(message["keys"].as_str().map(str::to_owned));
    }
    assert!(told[0].as_deref() == Some(keys) && told[1..].iter().all(Option::is_none));
    let mut json = Vec::new();
    group().download_json(conn, (None,), &mut json).unwrap();
    let read = SyncGroup::<(Game,), Teams>::read_json::<DB>(&json).unwrap();
    assert!(read.next().to_string().split_once('.').unwrap().1 == keys);
}
