//! Downloads by pages.

use super::super::{Game, Mobile, Seat, User, run, steady};
use super::scopes::Teams;
use super::{Conn, Follower, Server, by_hand};
use carburetor::{Everyone, SyncGroup, Timestamps};
use std::collections::HashMap;

fn games(conn: &mut Conn, from: i32, to: i32) {
    for id in (from..=to).step_by(2) {
        run(
            conn,
            &format!("insert into games (id, team) values ({id}, 'red')"),
        );
    }
}

fn begun<M: carburetor::SyncTable>() -> Follower<M> {
    Follower {
        rows: HashMap::new(),
        token: None,
    }
}

#[test]
fn pages_hold_at_most_what_was_asked_for_and_add_up() {
    let server = Server::new();
    let conn = &mut server.connect();
    games(conn, 2, 40);
    for limit in [1, 3, 20, 21] {
        let mut replica = begun::<Game>();
        let pages = replica.pages(conn, &Everyone, limit, |_, _| {});
        assert!(pages.iter().all(|page| page.rows.len() <= limit as usize));
        assert!(pages[0].reset && pages[1..].iter().all(|page| !page.reset));
        let ids: Vec<i32> = pages
            .iter()
            .flat_map(|page| page.rows.iter().map(|row| row.id))
            .collect();
        assert_eq!(ids, (1..=20).map(|n| 2 * n).collect::<Vec<_>>());
        assert_eq!(replica.follow(conn, &Everyone).rows, []);
    }
}

#[test]
fn pages_go_on_from_one_table_to_the_next() {
    let server = Server::new();
    let conn = &mut server.connect();
    games(conn, 1, 9);
    run(
        conn,
        "insert into users (id, name) values ('a', 'a'), ('b', 'b'), ('c', 'c')",
    );
    let mut pages = Mobile::scoped(&Everyone)
        .assuming(steady())
        .pages((None, None), 4);
    let mut sizes = Vec::new();
    while let Some(page) = pages.next(conn).unwrap() {
        sizes.push((page.0.rows.len(), page.1.rows.len()));
    }
    assert_eq!(sizes, [(3, 1), (0, 4), (0, 0)]);
    assert!(pages.next(conn).unwrap().is_none());
}

#[test]
fn a_group_without_rows_has_one_page() {
    let server = Server::new();
    let conn = &mut server.connect();
    let mut pages = Mobile::scoped(&Everyone).pages((None, None), 4);
    let page = pages.next(conn).unwrap().unwrap();
    assert!(page.0.reset && page.1.reset && page.0.rows.is_empty());
    assert!(pages.next(conn).unwrap().is_none());
}

#[test]
fn rows_of_one_stamp_are_not_lost_between_pages() {
    for limit in [1, 3, 4, 10] {
        let server = Server::new();
        let conn = &mut server.connect();
        games(conn, 2, 20);
        let mut replica = Follower::<Game>::new(conn, &Everyone);
        run(conn, "update games set title = 'new'");
        by_hand(
            conn,
            "games",
            "update games set updated_at = (select max(updated_at) from games)",
        );
        let pages = replica.pages(conn, &Everyone, limit, |_, _| {});
        assert_eq!(pages.iter().map(|page| page.rows.len()).sum::<usize>(), 10);
        assert_eq!(replica.rows, super::follower::whole(conn, &Everyone));
    }
}

#[test]
fn pages_go_across_both_columns_of_an_id() {
    for limit in [1, 2, 5] {
        let server = Server::new();
        let conn = &mut server.connect();
        for (room, place) in [("a", 9), ("a", 10), ("b", 1), ("b", 2), ("ab", 3), ("B", 7)] {
            run(
                conn,
                &format!("insert into seats (room, place) values ('{room}', {place})"),
            );
        }
        let mut replica = begun::<Seat>();
        let pages = replica.pages(conn, &Everyone, limit, |_, _| {});
        assert_eq!(pages.iter().map(|page| page.rows.len()).sum::<usize>(), 6);
        run(
            conn,
            "delete from seats where room = 'a'; update seats set place = place + 20; insert into seats (room, place) values ('a', 9)",
        );
        replica.pages(conn, &Everyone, limit, |_, _| {});
        assert_eq!(replica.rows, super::follower::whole(conn, &Everyone));
        replica.follow(conn, &Everyone);
    }
}

/// What others do while pages are read.
fn disturb(conn: &mut Conn, page: usize) {
    let statement = match page {
        1 => {
            "delete from games where id in (2, 20); update games set team = 'blue' where id = 4; insert into games (id, team) values (1, 'red'), (19, 'red')"
        }
        2 => {
            "update games set id = 41 where id = 18; update games set id = 3 where id = 16; update games set title = 'new' where id in (6, 14)"
        }
        3 => {
            "update games set team = 'red' where id = 4; insert into games (id, team) values (2, 'red'); delete from games where id = 1"
        }
        4 => "update games set title = 'newer'; delete from games where id > 30",
        _ => return,
    };
    run(conn, statement);
}

#[test]
fn what_others_write_between_pages_is_not_lost() {
    let red = Teams::of("red");
    for limit in [1, 2, 3, 5] {
        let server = Server::new();
        let conn = &mut server.connect();
        games(conn, 2, 40);
        let mut replica = begun::<Game>();
        replica.pages(conn, &red, limit, disturb);
        replica.follow(conn, &red);
        run(conn, "delete from games");
        games(conn, 2, 40);
        replica.pages(conn, &red, limit, disturb);
        replica.follow(conn, &red);
    }
}

#[test]
fn the_token_of_an_unfinished_run_goes_on_where_it_stopped() {
    let red = Teams::of("red");
    for limit in [2, 3, 5] {
        let server = Server::new();
        let conn = &mut server.connect();
        games(conn, 2, 40);
        let mut replica = begun::<Game>();
        for round in 1..=2 {
            let mut count = 0;
            // A page of each run, then a new run from its token.
            loop {
                let timestamps = replica
                    .token
                    .as_ref()
                    .map_or_else(Timestamps::default, Timestamps::from);
                let mut pages = SyncGroup::<(Game,), Teams>::scoped(&red)
                    .assuming(steady())
                    .pages(timestamps, limit);
                let page = pages.next(conn).unwrap().unwrap();
                replica.token = Some(page.next());
                let rows = page.0.rows.len() + page.0.removed.len();
                assert_eq!(page.0.reset, round == 1 && count == 0);
                page.into_tables().0.apply(&mut replica.rows);
                count += 1;
                disturb(conn, count);
                if rows == 0 || (count > 4 && pages.next(conn).unwrap().is_none()) {
                    break;
                }
                assert!(count < 60, "no end with pages of {limit}");
            }
            replica.follow(conn, &red);
            run(conn, "delete from games");
            games(conn, 2, 40);
        }
    }
}

#[test]
fn an_unfinished_page_is_complete_up_to_nothing_that_it_lacks() {
    let server = Server::new();
    let conn = &mut server.connect();
    games(conn, 2, 20);
    run(conn, "insert into users (id, name) values ('a', 'a')");
    let mobile = || Mobile::scoped(&Everyone).assuming(steady());
    let mut pages = mobile().pages((None, None), 4);
    let (mut users, mut rows) = (HashMap::<String, User>::new(), HashMap::<i32, Game>::new());
    for _ in 0..2 {
        let page = pages.next(conn).unwrap().unwrap();
        let timestamps = (Some(page.0.cutoff), Some(page.1.cutoff));
        let (u, g) = page.into_tables();
        u.apply(&mut users);
        g.apply(&mut rows);
        let (mut users, mut rows) = (users.clone(), rows.clone());
        let (u, g) = mobile().download(conn, timestamps).unwrap().into_tables();
        // The table of users has been read to its end on the first page.
        assert_eq!((u.reset, u.rows.len()), (false, 0));
        u.apply(&mut users);
        g.apply(&mut rows);
        assert_eq!((users.len(), rows.len()), (1, 10));
    }
}
