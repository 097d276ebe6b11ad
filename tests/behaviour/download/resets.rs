//! When a table begins again.

use super::super::{Game, Mobile, ids, removed, run, steady};
use super::scopes::Teams;
use super::{Conn, Follower, Server, pass_horizon};
use carburetor::{Everyone, SyncTable, tracking};
use chrono::{Duration, Utc};
use std::collections::HashMap;

fn three(conn: &mut Conn) {
    run(
        conn,
        "insert into users (id, name) values ('a', 'a'); insert into games (id, team) values (1, 'red'), (2, 'red'), (3, 'blue')",
    );
}

#[test]
fn a_moved_generation_resets_that_table_alone() {
    let server = Server::new();
    let conn = &mut server.connect();
    three(conn);
    let mobile = Mobile::scoped(&Everyone).assuming(steady());
    let first = mobile.download(conn, (None, None)).unwrap();
    tracking::reset::<Game, _>(conn).unwrap();
    let second = mobile.download(conn, first.next()).unwrap();
    assert_eq!(
        (second.0.reset, second.0.rows.len(), second.1.reset),
        (false, 0, true)
    );
    assert_eq!(ids(&second.1), [1, 2, 3]);
    let third = mobile.download(conn, second.next()).unwrap();
    assert_eq!((third.1.reset, third.1.rows.len()), (false, 0));
}

#[test]
fn a_generation_that_moves_between_pages_begins_again() {
    for begin in [true, false] {
        let server = Server::new();
        let conn = &mut server.connect();
        three(conn);
        let mut replica = Follower::<Game> {
            rows: HashMap::new(),
            token: None,
        };
        if !begin {
            replica.follow(conn, &Everyone);
            run(conn, "update games set title = 'new'");
        }
        let pages = replica.pages(conn, &Everyone, 1, |conn, page| {
            if page == 2 {
                run(conn, "delete from games where id = 1");
                tracking::reset::<Game, _>(conn).unwrap();
            }
        });
        let resets: Vec<bool> = pages.iter().map(|page| page.reset).collect();
        assert_eq!(resets[..4], [begin, false, true, false]);
        assert_eq!(replica.ids(), [2, 3]);
        replica.follow(conn, &Everyone);
    }
}

#[test]
fn a_timestamp_behind_the_horizon_resets_the_table() {
    let server = Server::new();
    let conn = &mut server.connect();
    three(conn);
    let mut replica = Follower::<Game>::new(conn, &Everyone);
    run(conn, "delete from games where id = 1");
    pass_horizon(conn);
    let bare = Game::download(conn, None).unwrap().cutoff - Duration::days(3);
    assert!(Game::download(conn, bare).unwrap().reset);
    let news = replica.follow(conn, &Everyone);
    assert_eq!(
        (news.reset, ids(&news), removed(&news)),
        (true, vec![2, 3], vec![])
    );
    run(conn, "delete from games where id = 2");
    assert_eq!(removed(&replica.follow(conn, &Everyone)), [2]);
}

#[test]
fn a_horizon_that_passes_between_pages_begins_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    three(conn);
    let mut replica = Follower::<Game>::new(conn, &Everyone);
    run(
        conn,
        "delete from games where id = 2; delete from games where id = 3; insert into games (id, team) values (4, 'red')",
    );
    let pages = replica.pages(conn, &Everyone, 1, |conn, page| {
        if page == 1 {
            pass_horizon(conn);
        }
    });
    assert!(!pages[0].reset && pages[1].reset);
    assert_eq!(replica.ids(), [1, 4]);
    replica.follow(conn, &Everyone);
}

#[test]
fn a_timestamp_ahead_of_the_clock_resets_the_table() {
    let server = Server::new();
    let conn = &mut server.connect();
    three(conn);
    let news = Game::download(conn, Utc::now() + Duration::hours(1)).unwrap();
    assert_eq!((news.reset, ids(&news)), (true, vec![1, 2, 3]));
}

#[test]
fn another_scope_resets_the_table() {
    let server = Server::new();
    let conn = &mut server.connect();
    three(conn);
    let mut replica = Follower::<Game>::new(conn, &Teams::of("red"));
    let news = replica.follow(conn, &Teams::of("blue"));
    assert_eq!(
        (news.reset, ids(&news), replica.ids()),
        (true, vec![3], vec![3])
    );
    assert!(!replica.follow(conn, &Teams::of("blue")).reset);
    assert!(replica.follow(conn, &Everyone).reset);
}
