//! Removals: news that a row left.

use super::super::{Game, Seat, User, ids, removed, run};
use super::scopes::Teams;
use super::{Follower, Server};
use carburetor::Everyone;

#[test]
fn a_deleted_row_arrives_as_a_removal() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'red')",
    );
    let mut replica = Follower::<Game>::new(conn, &Everyone);
    run(conn, "delete from games where id = 1");
    let news = replica.follow(conn, &Everyone);
    assert_eq!(
        (news.reset, removed(&news), ids(&news)),
        (false, vec![1], vec![])
    );
    assert_eq!(replica.follow(conn, &Everyone).removed, [] as [i32; 0]);
}

#[test]
fn a_row_that_is_written_again_is_no_removal() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(conn, "insert into games (id, team) values (1, 'red')");
    let mut replica = Follower::<Game>::new(conn, &Everyone);
    run(
        conn,
        "delete from games; insert into games (id, title, team) values (1, 'again', 'red')",
    );
    let news = replica.follow(conn, &Everyone);
    assert_eq!((removed(&news), ids(&news)), (vec![], vec![1]));
}

#[test]
fn an_id_that_changes_leaves_and_arrives() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'red')",
    );
    let mut replica = Follower::<Game>::new(conn, &Everyone);
    run(conn, "update games set id = 3 where id = 1");
    let news = replica.follow(conn, &Everyone);
    assert_eq!((removed(&news), ids(&news)), (vec![1], vec![3]));
}

#[test]
fn a_row_known_by_two_columns_is_removed_by_both() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into seats (room, place) values ('a', 1), ('a', 2), ('b', 1)",
    );
    let mut replica = Follower::<Seat>::new(conn, &Everyone);
    run(
        conn,
        "delete from seats where room = 'a' and place = 2; update seats set place = 9 where room = 'b'",
    );
    let news = replica.follow(conn, &Everyone);
    assert_eq!(removed(&news), [("a".into(), 2), ("b".into(), 1)]);
    assert_eq!(ids(&news), [("b".into(), 9)]);
}

#[test]
fn a_row_that_moves_leaves_the_scope_and_only_that() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'red'), ('2', 'b', 'blue'), ('3', 'c', null)",
    );
    let (red, blue, green) = (Teams::of("red"), Teams::of("blue"), Teams::of("green"));
    let mut reds = Follower::<User>::new(conn, &red);
    let mut blues = Follower::<User>::new(conn, &blue);
    let mut greens = Follower::<User>::new(conn, &green);
    assert_eq!(
        (reds.ids(), blues.ids()),
        (vec!["1".into()], vec!["2".into()])
    );
    run(conn, "update users set team = 'blue' where id = '1'");
    run(conn, "update users set team = 'green' where id = '1'");
    let news = reds.follow(conn, &red);
    assert_eq!((removed(&news), ids(&news)), (vec!["1".into()], vec![]));
    // Blue never saw it between its two downloads, and may be told all the same.
    let news = blues.follow(conn, &blue);
    assert_eq!((removed(&news), ids(&news)), (vec!["1".into()], vec![]));
    let news = greens.follow(conn, &green);
    assert_eq!((removed(&news), ids(&news)), (vec![], vec!["1".into()]));
}

#[test]
fn a_row_that_goes_out_and_comes_back_stays() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'red')",
    );
    let red = Teams::of("red");
    let mut replica = Follower::<User>::new(conn, &red);
    run(
        conn,
        "update users set team = 'blue'; update users set team = null; update users set team = 'red'",
    );
    let news = replica.follow(conn, &red);
    assert_eq!((removed(&news), ids(&news)), (vec![], vec!["1".into()]));
}

#[test]
fn a_row_deleted_here_and_inserted_elsewhere_leaves() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('1', 'a', 'red')",
    );
    let (red, blue) = (Teams::of("red"), Teams::of("blue"));
    let (mut reds, mut blues) = (
        Follower::<User>::new(conn, &red),
        Follower::<User>::new(conn, &blue),
    );
    run(
        conn,
        "delete from users; insert into users (id, name, team) values ('1', 'b', 'blue')",
    );
    let news = reds.follow(conn, &red);
    assert_eq!((removed(&news), ids(&news)), (vec!["1".into()], vec![]));
    let news = blues.follow(conn, &blue);
    assert_eq!((removed(&news), ids(&news)), (vec![], vec!["1".into()]));
}

#[test]
fn a_removal_of_a_row_that_was_never_visible_is_not_told() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name, team) values ('secret', 'a', 'blue'), ('nobody', 'b', null)",
    );
    let red = Teams::of("red");
    let mut replica = Follower::<User>::new(conn, &red);
    run(
        conn,
        "update users set team = 'green' where id = 'secret'; delete from users",
    );
    let news = replica.follow(conn, &red);
    assert_eq!((news.removed, news.rows), (vec![], vec![]));
}
