//! Rows that are deleted by a flag travel as removals.

use super::super::{Note, Task, ids, removed, run};
use super::{Follower, Server};
use carburetor::Everyone;
use chrono::NaiveDateTime;

#[test]
fn a_row_with_its_flag_set_is_a_removal_until_the_flag_goes_back() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into notes (id, body, gone) values (1, 'a', false), (2, 'b', true), (3, 'c', false)",
    );
    let mut replica = Follower::<Note>::new(conn, &Everyone);
    assert_eq!(replica.ids(), [1, 3]);
    run(conn, "update notes set gone = true where id = 1");
    let news = replica.follow(conn, &Everyone);
    assert_eq!((removed(&news), ids(&news)), (vec![1], vec![]));
    run(conn, "update notes set gone = false where id in (1, 2)");
    let news = replica.follow(conn, &Everyone);
    assert_eq!((removed(&news), ids(&news)), (vec![], vec![1, 2]));
    run(
        conn,
        "update notes set gone = true where id = 3; delete from notes where id = 3",
    );
    let news = replica.follow(conn, &Everyone);
    assert_eq!((removed(&news), ids(&news)), (vec![3], vec![]));
}

#[test]
fn an_instant_of_deletion_is_a_flag_too() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into tasks (id, done_at) values (1, null), (2, '2026-01-01 00:00:00.000000'), (3, null)",
    );
    let mut replica = Follower::<Task>::new(conn, &Everyone);
    assert_eq!(replica.ids(), [1, 3]);
    run(
        conn,
        "update tasks set done_at = '2026-01-01 00:00:00.000000' where id = 3; update tasks set done_at = null where id = 2",
    );
    let news = replica.follow(conn, &Everyone);
    assert_eq!((removed(&news), ids(&news)), (vec![3], vec![2]));
    assert_eq!(news.rows[0].done_at, None::<NaiveDateTime>);
}

#[test]
fn soft_deletions_come_by_pages() {
    for limit in [1, 2, 3, 100] {
        let server = Server::new();
        let conn = &mut server.connect();
        for id in 1..=9 {
            run(
                conn,
                &format!(
                    "insert into notes (id, body, gone) values ({id}, 'a', {})",
                    id % 3 == 0
                ),
            );
        }
        let mut replica = Follower::<Note> {
            rows: Default::default(),
            token: None,
        };
        replica.pages(conn, &Everyone, limit, |_, _| {});
        assert_eq!(replica.ids(), [1, 2, 4, 5, 7, 8]);
        run(
            conn,
            "update notes set gone = not gone; delete from notes where id in (1, 3); insert into notes (id, body) values (1, 'again')",
        );
        replica.pages(conn, &Everyone, limit, |_, _| {});
        assert_eq!(replica.ids(), [1, 6, 9]);
        replica.follow(conn, &Everyone);
    }
}
