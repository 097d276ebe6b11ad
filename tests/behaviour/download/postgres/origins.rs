//! What is whose, where databases are copied and moved.

use super::super::on_postgres::Server;
use super::super::{Game, Mobile, ids, steady};
use super::run;
use carburetor::{Everyone, SyncGroup, Token, tracking};
use diesel::PgConnection;
use diesel::connection::SimpleConnection;

fn next(conn: &mut PgConnection, token: Token) -> (bool, Token) {
    let group = SyncGroup::<(Game,)>::scoped(&Everyone).assuming(steady());
    let said = group.download(conn, token).unwrap();
    (said.0.reset, said.next())
}

#[test]
fn a_database_that_has_moved_keeps_its_origin_where_it_is_told_to() {
    let server = Server::new();
    let (_, token) = next(&mut server.connect(), Token::default());
    let moved = super::super::on_postgres::copied(&server);
    let conn = &mut moved.connect();
    assert!(next(conn, token.clone()).0);
    tracking::adopt_origin(conn).unwrap();
    let (reset, after) = next(conn, token.clone());
    assert!(!reset);
    assert_eq!(after.origin(), token.origin());
    // To be told again changes nothing.
    tracking::adopt_origin(conn).unwrap();
    assert!(!next(conn, after).0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_keeps_its_origin_where_it_is_told_so_without_blocking() {
    let (moved, token) = tokio::task::block_in_place(|| {
        let server = Server::new();
        let (_, token) = next(&mut server.connect(), Token::default());
        (super::super::on_postgres::copied(&server), token)
    });
    let conn = &mut moved.connect_async().await;
    tracking::adopt_origin_async(conn).await.unwrap();
    let (reset, after) = tokio::task::block_in_place(|| next(&mut moved.connect(), token.clone()));
    assert!(!reset);
    assert_eq!(after.origin(), token.origin());
}

#[test]
fn after_a_reset_a_table_is_sent_once_however_old_the_oldest_writer_is() {
    let server = Server::new();
    let (conn, writer) = (&mut server.connect(), &mut server.connect());
    run(
        conn,
        "insert into users (id, name) values ('a', 'a'); insert into games (id, team) values (1, 'red'), (2, 'red')",
    );
    let mobile = Mobile::scoped(&Everyone).assuming(steady());
    run(
        writer,
        "begin; insert into users (id, name) values ('b', 'b')",
    );
    let first = mobile.download(conn, (None, None)).unwrap();
    tracking::reset::<Game, _>(conn).unwrap();
    let second = mobile.download(conn, first.next()).unwrap();
    assert!(second.1.reset);
    run(conn, "delete from games where id = 2");
    // What is old is purged, and what happened behind the horizon stays.
    Mobile::tracking::<diesel::pg::Pg>()
        .purge(conn, std::time::Duration::from_secs(3600))
        .unwrap();
    let third = mobile.download(conn, second.next()).unwrap();
    assert_eq!((third.1.reset, &third.1.removed[..]), (false, &[2][..]));
    // A bare timestamp does not say that everything was read since.
    let bare = mobile.download(conn, (Some(second.0.cutoff), Some(second.1.cutoff)));
    assert!(bare.unwrap().1.reset);
    // By pages, too.
    let mut pages = Mobile::scoped(&Everyone).pages(first.next(), 1);
    while pages.next(conn).unwrap().is_some() {}
    let paged = pages.token().unwrap().unwrap();
    let fourth = mobile.download(conn, paged.clone()).unwrap();
    assert!(!fourth.1.reset);
    // Another reset counts.
    tracking::reset::<Game, _>(conn).unwrap();
    for token in [third.next(), paged] {
        let again = mobile.download(conn, token).unwrap();
        assert_eq!((again.1.reset, ids(&again.1)), (true, vec![1]));
    }
    writer.batch_execute("commit").unwrap();
}
