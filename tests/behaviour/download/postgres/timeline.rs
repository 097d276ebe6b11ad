//! A server that was promoted may lack what the old one had stamped last.

use super::super::on_postgres::Server;
use super::super::token_text::{content, token};
use super::super::{Game, ids};
use super::{run, steady};
use carburetor::{Everyone, Response, SyncGroup, Token};
use diesel::PgConnection;

#[test]
fn a_token_of_another_timeline_goes_back_by_a_minute() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        r#"update carburetor.synced_table set horizon = now() - interval '1 hour'; insert into games (id, team) values (1, 'red'), (2, 'red'), (3, 'red');
        alter table games disable trigger "~carburetor_stamp"; update games set updated_at = updated_at - interval '50 s' where id = 1;
        update games set updated_at = updated_at - interval '70 s' where id = 2; alter table games enable always trigger "~carburetor_stamp""#,
    );
    let group = SyncGroup::<(Game,)>::scoped(&Everyone).assuming(steady());
    let first = group.download(conn, (None,)).unwrap();
    let mut stands = content(&first.next());
    let origin = first.next().origin().unwrap().to_owned();
    let timeline = stands["l"]
        .as_str()
        .and_then(|l| l.strip_prefix(&format!("{origin}-")));
    assert_eq!(timeline.map(str::len), Some(8));
    // A version before knew the timeline alone.
    for earlier in ["0000FFFF".to_owned(), format!("{origin}-0000FFFF")] {
        stands["l"] = earlier.into();
        goes_back(conn, &first, token(&stands));
    }
}

fn goes_back(conn: &mut PgConnection, first: &Response<(Game,)>, earlier: Token) {
    let group = SyncGroup::<(Game,)>::scoped(&Everyone).assuming(steady());
    let second = group.download(conn, earlier.clone()).unwrap();
    assert_eq!((second.0.reset, ids(&second.0)), (false, vec![1, 3]));
    assert!(second.0.cutoff >= first.0.cutoff);
    assert_eq!(content(&second.next())["l"], content(&first.next())["l"]);
    let third = group.download(conn, second.next()).unwrap();
    assert_eq!((third.0.reset, third.0.rows.len()), (false, 0));
    let mut pages = SyncGroup::<(Game,)>::scoped(&Everyone)
        .assuming(steady())
        .pages(earlier, 1);
    let mut paged = Vec::new();
    while let Some(page) = pages.next(conn).unwrap() {
        paged.extend(ids(&page.0));
    }
    assert_eq!(paged, [1, 3]);
}
