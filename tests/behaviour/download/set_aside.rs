//! Rows that can't be read, over many downloads: pages, thousands of them, connections that don't block.

use super::super::{ids, run, steady};
use super::unreadable::{Later, Laters, NEVER, Row, Rows, download, filled, told};
use super::{Conn, DB, JUDGES_TRANSACTIONS, Server};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use carburetor::{Everyone, SyncGroup, Timestamps, Token};
use serde_json::{Value, json};

#[test]
fn pages_set_rows_aside_and_bring_them_later() {
    for limit in [1, 2, 3, 100] {
        let server = filled();
        let conn = &mut server.connect();
        let mut token: Option<Token> = None;
        let (mut rows, mut unreadable) = (Vec::new(), 0);
        // Each page begins with the token alone.
        for _ in 0..12 {
            let since = token
                .as_ref()
                .map_or_else(Timestamps::default, Timestamps::from);
            let mut pages = Rows::scoped(&Everyone)
                .assuming(steady())
                .pages::<DB>(since, limit);
            let page = pages.next(conn).unwrap().unwrap();
            token = Some(page.next());
            unreadable += page.0.unreadable.len();
            rows.extend(page.0.rows.iter().map(|row| row.id));
        }
        rows.sort();
        rows.dedup();
        assert_eq!((rows, unreadable), (vec![1, 3, 4], 1), "pages of {limit}");
        let mut pages = Laters::scoped(&Everyone)
            .assuming(steady())
            .pages::<DB>(Timestamps::from(token.unwrap()), limit);
        let mut rows = Vec::new();
        while let Some(page) = pages.next(conn).unwrap() {
            rows.extend(ids(&page.0));
        }
        assert_eq!(rows, [2], "pages of {limit}");
    }
}

/// The token as it would be an hour later.
fn an_hour_old(token: &Token) -> Token {
    let mut content: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.to_string()).unwrap()).unwrap();
    let tried = &mut content["t"][0]["u"]["t"];
    *tried = json!(tried.as_i64().unwrap() - 3_600_000_000);
    URL_SAFE_NO_PAD.encode(content.to_string()).parse().unwrap()
}

fn many(conn: &mut Conn, column: &str, value: &str) {
    let many: Vec<String> = (100..2100).map(|id| format!("({id}, '{value}')")).collect();
    let many = many.join(", ");
    run(
        conn,
        &format!("insert into moods (id, {column}) values {many}"),
    );
}

#[test]
fn pages_come_to_their_end_past_thousands_of_rows() {
    let server = filled();
    let conn = &mut server.connect();
    many(conn, "due", NEVER);
    let mut token: Option<Token> = None;
    for round in 0.. {
        let since = token
            .as_ref()
            .map_or_else(Timestamps::default, Timestamps::from);
        let mut pages = Rows::scoped(&Everyone)
            .assuming(steady())
            .pages::<DB>(since, 300);
        let page = pages.next_json(conn).unwrap().unwrap();
        token = pages.token().unwrap();
        if !page.more() {
            break;
        }
        assert!(round < 30, "no end");
    }
    let token = token.unwrap().to_string();
    assert!(token.len() < 2000, "{}", token.len());
}

#[test]
fn thousands_of_rows_come_when_they_can_be_read() {
    let server = filled();
    let conn = &mut server.connect();
    many(conn, "mood", "great");
    let (mut news, mut token) = download::<Row>(conn, (None,));
    assert_eq!((news.rows.len(), news.unreadable.len()), (3, 2001));
    for _ in 0..3 {
        (news, token) = download::<Row>(conn, token);
    }
    assert_eq!((news.rows.len(), news.unreadable.len()), (0, 0));
    let (news, token) = download::<Later>(conn, token);
    let named = news.rows.len();
    assert!((1..100).contains(&named), "{named} rows");
    assert_eq!(download::<Later>(conn, token.clone()).0.rows.len(), 0);
    let (news, token) = download::<Later>(conn, an_hour_old(&token));
    assert!(!news.reset && ids(&news).len() >= 2001 - named);
    let (news, _) = download::<Later>(conn, token);
    assert_eq!(news.rows.len(), 0);
}

/// Moves the horizon past every stamp, and takes the download that begins again because of it.
fn purged(conn: &mut Conn, mut token: Token) -> Token {
    Rows::tracking::<DB>()
        .purge(conn, std::time::Duration::ZERO)
        .unwrap();
    for _ in 0..3 {
        let (news, next) = download::<Row>(conn, token);
        token = next;
        if !news.reset {
            return token;
        }
    }
    panic!("each download begins again");
}

#[test]
fn rows_that_can_not_be_read_reset_no_table_however_far_the_horizon_is() {
    let server = filled();
    let conn = &mut server.connect();
    many(conn, "mood", "great");
    let token = download::<Row>(conn, (None,)).1;
    let token = purged(conn, token);
    run(conn, "delete from moods where id = 3");
    let (news, token) = download::<Row>(conn, an_hour_old(&token));
    assert!(!news.reset);
    assert_eq!(news.removed, [3]);
    // They were read again, not the table from the beginning.
    assert!(news.unreadable.len() > 1900 && news.rows.len() < 4);
    assert!(!download::<Row>(conn, token.clone()).0.reset);
    let (news, token) = download::<Later>(conn, token);
    let named = news.rows.len();
    let (news, token) = download::<Later>(conn, an_hour_old(&token));
    assert!(!news.reset && ids(&news).len() >= 2001 - named);
    let (news, _) = download::<Later>(conn, token);
    assert!(!news.reset && news.rows.is_empty());
}

#[test]
fn pages_that_read_rows_again_lose_no_removal_and_come_to_their_end() {
    let server = filled();
    let conn = &mut server.connect();
    many(conn, "mood", "great");
    let token = download::<Row>(conn, (None,)).1;
    let token = an_hour_old(&purged(conn, token));
    let (mut still, mut removed) = (token.clone(), Vec::new());
    for round in 0.. {
        let mut pages = Rows::scoped(&Everyone)
            .assuming(steady())
            .pages::<DB>(still.clone(), 300);
        let page = pages.next(conn).unwrap().unwrap();
        assert!(!page.0.reset, "page {round}");
        removed.extend(page.0.removed.iter().copied());
        still = page.next();
        if pages.next(conn).unwrap().is_none() {
            break;
        }
        run(
            conn,
            &format!("delete from moods where id = {}", 2099 - round),
        );
        assert!(round < 30, "no end");
    }
    assert!(removed.len() > 3, "{removed:?}");
    assert_eq!(download::<Row>(conn, still).0.unreadable.len(), 0);
    let (mut later, mut came) = (token, Vec::new());
    for round in 0.. {
        let mut pages = Laters::scoped(&Everyone)
            .assuming(steady())
            .pages::<DB>(Timestamps::from(later.clone()), 300);
        let page = pages.next(conn).unwrap().unwrap();
        assert!(!page.0.reset, "page {round}");
        came.extend(ids(&page.0));
        later = page.next();
        if pages.next(conn).unwrap().is_none() {
            break;
        }
        assert!(round < 30, "no end");
    }
    came.sort_unstable();
    came.dedup();
    let kept = (100..2100 - removed.len() as i32).chain([2]);
    let missing: Vec<i32> = kept.filter(|id| !came.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_row_behind_the_horizon_holds_no_bare_timestamp_back() {
    // There a purge passes nothing that is as young as these rows.
    if JUDGES_TRANSACTIONS {
        return;
    }
    let server = filled();
    let conn = &mut server.connect();
    let first = download::<Row>(conn, (None,)).0;
    run(conn, "update moods set mood = 'sad' where id = 4");
    let token = download::<Row>(conn, (None,)).1;
    purged(conn, token);
    let mut cutoff = first.cutoff;
    let mut resets = 0;
    for _ in 0..4 {
        let (news, _) = download::<Row>(conn, (Some(cutoff),));
        resets += usize::from(news.reset);
        cutoff = news.cutoff;
    }
    assert_eq!(resets, 1);
    run(conn, "update moods set mood = 'sad' where id = 2");
    let (news, _) = download::<Row>(conn, (Some(cutoff),));
    assert!(!news.reset && ids(&news).contains(&2));
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_downloads_set_aside_what_the_synchronous_ones_do() {
    let server = tokio::task::spawn_blocking(filled).await.unwrap();
    let mut conn = server.connect_async().await;
    let rows = || Rows::scoped(&Everyone).assuming(steady());
    let laters = || Laters::scoped(&Everyone).assuming(steady());
    for _ in 0..2 {
        let first = rows().download_async(&mut conn, (None,)).await.unwrap();
        assert_eq!((ids(&first.0), told(&first.0).len()), (vec![1, 3, 4], 1));
        let second = rows()
            .download_async(&mut conn, first.next())
            .await
            .unwrap();
        assert_eq!((ids(&second.0), told(&second.0).len()), (vec![], 0));
        let later = laters()
            .download_async(&mut conn, second.next())
            .await
            .unwrap();
        assert_eq!(ids(&later.0), [2]);
        let consistent = laters()
            .download_consistent_async(&mut conn, second.next())
            .await
            .unwrap();
        assert_eq!(ids(&consistent.0), [2]);
        let mut pages = rows().pages::<DB>((None,), 2);
        let mut count = 0;
        while let Some(page) = pages.next_async(&mut conn).await.unwrap() {
            count += page.0.rows.len();
        }
        assert_eq!(count, 3);
        let mut pages = laters().pages::<DB>(Timestamps::from(pages.token().unwrap().unwrap()), 2);
        let page = pages.next_async(&mut conn).await.unwrap().unwrap();
        assert_eq!(ids(&page.0), [2]);
        let refused = rows()
            .refuse_unreadable()
            .download_async(&mut conn, (None,))
            .await;
        assert!(refused.is_err());
    }
    let never = format!("update moods set due = '{NEVER}' where id = 3");
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, &never)
        .await
        .unwrap();
    let mut pages = rows().pages::<DB>((None,), 100);
    let page = pages.next_json_async(&mut conn).await.unwrap().unwrap();
    assert_eq!(page.unreadable()[0].id, Some(json!(3)));
    let mut json = Vec::new();
    rows()
        .download_json_async(&mut conn, (None,), &mut json)
        .await
        .unwrap();
    assert!(
        String::from_utf8(json)
            .unwrap()
            .contains(r#""unreadable":[{"id":3,"#)
    );
}

/// Only SQLite stores text that is none.
#[test]
fn pages_go_past_ids_that_can_not_travel() {
    if JUDGES_TRANSACTIONS {
        return;
    }
    let server = Server::new();
    let conn = &mut server.connect();
    run(
        conn,
        "insert into users (id, name) values ('a', 'a'), ('b', 'b'), (cast(x'61ff' as text), 'x'), (cast(x'61fe' as text), 'y'), ('c', 'c')",
    );
    type Users = SyncGroup<(super::super::User,)>;
    for limit in [1, 2, 3, 10] {
        let mut pages = Users::scoped(&Everyone)
            .assuming(steady())
            .pages::<DB>((None,), limit);
        let (mut sent, mut unreadable) = (Vec::new(), 0);
        while let Some(page) = pages.next_json(conn).unwrap() {
            let message: Value = serde_json::from_slice(page.json()).unwrap();
            let rows = message["tables"]["users"]["rows"]
                .as_array()
                .unwrap()
                .clone();
            sent.extend(
                rows.iter()
                    .map(|row| row["id"].as_str().unwrap().to_owned()),
            );
            unreadable += page.unreadable().len();
            assert!(
                sent.len() < 20 && unreadable < 20,
                "no end with pages of {limit}"
            );
        }
        sent.sort();
        sent.dedup();
        assert_eq!(sent, ["a", "b", "c"], "pages of {limit}");
        assert!(unreadable >= 2);
    }
    run(conn, "delete from users where name = 'x'");
    let token = Users::download(conn, (None,)).unwrap().next();
    run(conn, "delete from users where name = 'y'");
    let mut pages = Users::scoped(&Everyone)
        .assuming(steady())
        .pages::<DB>(token, 10);
    assert!(pages.next_json(conn).unwrap().is_some());
}
