//! The token: what one download tells the next one.

use super::super::token_text::{content, text, token};
use super::super::{Game, Mobile, Note, User, ids, run, steady};
use super::{Conn, Server};
use carburetor::{Everyone, Since, SyncGroup, Token};
use diesel::prelude::*;
use serde_json::{Value, json};

fn two(conn: &mut Conn) {
    run(
        conn,
        "insert into users (id, name) values ('a', 'a'); insert into games (id, team) values (1, 'red')",
    );
}

#[test]
fn a_token_says_where_each_table_stands() {
    let server = Server::new();
    let conn = &mut server.connect();
    two(conn);
    let first = Mobile::download(conn, (None, None)).unwrap();
    let mut stands = content(&first.next());
    assert_eq!(token(&stands), first.next());
    let tables = stands["t"].as_array_mut().unwrap();
    for (table, cutoff) in tables.iter_mut().zip([first.0.cutoff, first.1.cutoff]) {
        assert_eq!(table["f"].take().as_str().unwrap().len(), 16);
        assert_eq!(table["s"].take(), cutoff.timestamp_micros());
        // As long as the cutoff lies before the instant of the installation.
        table.as_object_mut().unwrap().remove("h");
    }
    assert_eq!(
        stands["t"],
        json!([{"n": "users", "f": null, "s": null, "g": 1}, {"n": "games", "f": null, "s": null, "g": 1}])
    );
    assert_eq!(stands["v"], 1);
}

#[test]
fn tables_are_found_in_a_token_by_name() {
    let server = Server::new();
    let conn = &mut server.connect();
    two(conn);
    let first = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    let turned = SyncGroup::<(Game, Note, User)>::scoped(&Everyone)
        .assuming(steady())
        .download(conn, first.next())
        .unwrap();
    assert_eq!(
        (turned.0.reset, turned.1.reset, turned.2.reset),
        (false, true, false)
    );
    assert_eq!((turned.0.rows.len(), turned.2.rows.len()), (0, 0));
}

#[test]
fn a_skipped_table_is_left_out() {
    let server = Server::new();
    let conn = &mut server.connect();
    two(conn);
    let mobile = Mobile::scoped(&Everyone).assuming(steady());
    let first = mobile
        .download(conn, (Since::Beginning, Since::Skip))
        .unwrap();
    assert_eq!(
        (ids(&first.0), first.1.rows.len(), first.1.reset),
        (vec!["a".to_owned()], 0, false)
    );
    let mut json = Vec::new();
    mobile
        .download_json(conn, (Since::Skip, Since::Beginning), &mut json)
        .unwrap();
    let message: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        message["tables"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["games"]
    );
    let mut pages = Mobile::scoped(&Everyone).pages((Since::Skip, Since::Beginning), 10);
    let page = pages.next(conn).unwrap().unwrap();
    assert_eq!(
        (page.0.reset, page.0.rows.len(), ids(&page.1)),
        (false, 0, vec![1])
    );
    assert!(pages.next(conn).unwrap().is_none());
    // Nothing is known of the skipped table, so the token begins it.
    let second = mobile.download(conn, first.next()).unwrap();
    assert_eq!(
        (second.0.reset, second.1.reset, ids(&second.1)),
        (false, true, vec![1])
    );
    let all = mobile.download(conn, (Since::Skip, Since::Skip)).unwrap();
    assert_eq!((all.0.rows.len(), all.1.rows.len()), (0, 0));
}

#[test]
fn other_columns_reset_the_table() {
    mod smaller {
        use carburetor::SyncTable;
        use chrono::NaiveDateTime;

        #[derive(Debug, Clone, SyncTable)]
        #[diesel(table_name = super::super::tables::notes)]
        #[sync(backends(postgres, sqlite))]
        pub(super) struct Note {
            #[sync(id)]
            pub(super) id: i32,
            #[sync(last_synced_at)]
            pub(super) at: NaiveDateTime,
        }
    }
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into notes (id, body) values (1, 'a'), (2, 'b')",
    );
    let small = SyncGroup::<(smaller::Note,)>::download(conn, (None,)).unwrap();
    assert_eq!(small.0.rows[1].id, 2);
    assert!(small.0.rows[0].at <= small.0.rows[1].at);
    let whole = SyncGroup::<(Note,)>::download(conn, small.next()).unwrap();
    assert_eq!((whole.0.reset, whole.0.rows.len()), (true, 2));
    // What is deleted softly is hidden by the one model and shown by the other.
    run(conn, "update notes set gone = true");
    assert_eq!(
        SyncGroup::<(smaller::Note,)>::download(conn, (None,))
            .unwrap()
            .0
            .rows
            .len(),
        2
    );
    assert_eq!(
        SyncGroup::<(Note,)>::download(conn, (None,))
            .unwrap()
            .0
            .rows
            .len(),
        0
    );
}

#[test]
fn a_token_that_says_nonsense_does_no_harm() {
    let server = Server::new();
    let conn = &mut server.connect();
    two(conn);
    let first = Mobile::download(conn, (None, None)).unwrap();
    for since in [
        i64::MIN,
        -8_000_000_000_000_000_000,
        -9_000_000_000_000_000,
        0,
        253_402_300_800_000_000,
        8_210_000_000_000_000_000,
        i64::MAX,
    ] {
        for timeline in [Value::Null, "FFFFFFFF".into()] {
            let mut stands = content(&first.next());
            stands["l"] = timeline;
            stands["t"][0]["s"] = since.into();
            let news = Mobile::download(conn, token(&stands)).unwrap();
            assert_eq!(
                (news.0.reset, ids(&news.0)),
                (true, vec!["a".to_owned()]),
                "{since}"
            );
            let mut pages = Mobile::pages(token(&stands), 5);
            assert!(pages.next(conn).unwrap().unwrap().0.reset);
        }
    }
    let mut stands = content(&first.next());
    stands["t"] = json!([]);
    assert!(Mobile::download(conn, token(&stands)).unwrap().0.reset);
    stands["t"] = json!([{"n": "users", "f": "", "s": 0, "g": 1, "a": {"x": 1}, "k": [1, null]}]);
    assert!(Mobile::download(conn, token(&stands)).unwrap().0.reset);
    stands["v"] = 2.into();
    let refused = text(&stands).parse::<Token>().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "not a token of this version: download from the beginning, without a token"
    );
    use super::tables::users;
    assert_eq!(users::table.count().get_result::<i64>(conn), Ok(1));
}

#[test]
fn a_page_that_ends_at_no_id_of_the_model_begins_the_table_again() {
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into games (id, team) values (1, 'red'), (2, 'red'), (3, 'red')",
    );
    let mobile = || SyncGroup::<(Game,)>::scoped(&Everyone).assuming(steady());
    let page = mobile().pages((None,), 2).next(conn).unwrap().unwrap();
    let mut stands = content(&page.next());
    assert_eq!(stands["t"][0]["a"], 2);
    stands["t"][0]["a"] = json!({"not": "an id"});
    let page = mobile().pages(token(&stands), 2).next(conn).unwrap();
    let page = page.unwrap();
    assert_eq!((page.0.reset, ids(&page.0)), (true, vec![1, 2]));
    let whole = mobile().download(conn, token(&stands)).unwrap();
    assert_eq!((whole.0.reset, ids(&whole.0)), (true, vec![1, 2, 3]));
}
