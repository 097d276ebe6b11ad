//! Tokens name their server: what another one gave is none of this one's.

use super::super::token_text::{content, token};
use super::super::{Game, Mobile, ids, run, steady};
use super::{AsyncConn, Conn, DB, Server, WITHOUT_ORIGINS, copied};
use carburetor::{Everyone, Scoped, Token, tracking};
use serde_json::{Value, json};

fn group() -> Scoped<'static, (super::super::User, Game), Everyone> {
    Mobile::scoped(&Everyone).assuming(steady())
}

/// A server with one game.
fn with(game: i32) -> Server {
    let server = Server::new();
    server.add(game);
    server
}

impl Server {
    fn add(&self, game: i32) {
        let insert = format!("insert into games (id, team) values ({game}, 'red')");
        run(&mut self.connect(), &insert);
    }
}

/// What a download says of the games, and the token behind it.
type Said = (bool, Vec<i32>, Token);

fn of_message(json: &[u8]) -> Said {
    let read = Mobile::read_json::<DB>(json).unwrap();
    let message: Value = serde_json::from_slice(json).unwrap();
    assert_eq!(message["origin"].as_str(), read.next().origin());
    (read.1.reset, ids(&read.1), read.next())
}

/// The download since `token` by each way that there is.
fn by_every_way(conn: &mut Conn, token: &Token) -> Vec<Said> {
    let since = || token.clone();
    let plain = group().download(conn, since()).unwrap();
    let consistent = group().download_consistent(conn, since()).unwrap();
    let structs = [plain, consistent].map(|said| (said.1.reset, ids(&said.1), said.next()));
    let mut json = Vec::new();
    group().download_json(conn, since(), &mut json).unwrap();
    let page = group().pages(since(), 10).next(conn).unwrap().unwrap();
    let text = group().pages(since(), 10).next_json(conn).unwrap().unwrap();
    let mut said = structs.to_vec();
    said.push(of_message(&json));
    said.push((page.1.reset, ids(&page.1), page.next()));
    said.push(of_message(text.json()));
    said
}

/// The same on an asynchronous connection.
async fn by_every_way_async(conn: &mut AsyncConn, token: &Token) -> Vec<Said> {
    let since = || token.clone();
    let plain = group().download_async(conn, since()).await.unwrap();
    let consistent = group()
        .download_consistent_async(conn, since())
        .await
        .unwrap();
    let structs = [plain, consistent].map(|said| (said.1.reset, ids(&said.1), said.next()));
    let mut json = Vec::new();
    let written = group().download_json_async(conn, since(), &mut json).await;
    written.unwrap();
    let page = group().pages(since(), 10).next_async(conn).await.unwrap();
    let page = page.unwrap();
    let text = group().pages(since(), 10).next_json_async(conn).await;
    let text = text.unwrap().unwrap();
    let mut said = structs.to_vec();
    said.push(of_message(&json));
    said.push((page.1.reset, ids(&page.1), page.next()));
    said.push(of_message(text.json()));
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_server_begins_every_table_again() {
    let (here, there) = tokio::task::block_in_place(|| {
        // Older than the token, so that nothing else than its origin brings it.
        let there = with(2);
        (with(1), there)
    });
    let token = tokio::task::block_in_place(|| {
        let first = group().download(&mut here.connect(), (None, None)).unwrap();
        there.add(3);
        first.next()
    });
    let mut all = tokio::task::block_in_place(|| by_every_way(&mut there.connect(), &token));
    let conn = &mut there.connect_async().await;
    // Statements that are prepared already travel in another way.
    for _ in 0..3 {
        all.extend(by_every_way_async(conn, &token).await);
    }
    for (reset, games, next) in &all {
        assert_eq!((*reset, &games[..]), (true, &[2, 3][..]));
        assert!(next.origin().is_some() && next.origin() != token.origin());
    }
    // It goes on from there.
    let (_, _, next) = all.pop().unwrap();
    for (reset, games, _) in by_every_way_async(conn, &next).await {
        assert_eq!((reset, &games[..]), (false, &[][..]));
    }
}

#[test]
fn a_server_knows_its_own_tokens() {
    let server = with(1);
    let conn = &mut server.connect();
    let token = group().download(conn, (None, None)).unwrap().next();
    server.add(2);
    for (reset, games, next) in by_every_way(&mut server.connect(), &token) {
        assert_eq!((reset, &games[..]), (false, &[2][..]));
        assert_eq!(next.origin(), token.origin());
    }
}

#[test]
fn a_token_without_an_origin_is_taken_and_the_next_one_has_one() {
    let server = with(1);
    let conn = &mut server.connect();
    let mut stands = content(&group().download(conn, (None, None)).unwrap().next());
    let origin = stands["l"].take();
    server.add(2);
    stands.as_object_mut().unwrap().remove("l");
    let older = token(&stands);
    assert_eq!(older.origin(), None);
    for (reset, games, next) in by_every_way(conn, &older) {
        assert_eq!((reset, &games[..]), (false, &[2][..]));
        let name = |origin: &Value| {
            origin
                .as_str()
                .unwrap()
                .split('-')
                .next()
                .map(str::to_owned)
        };
        assert_eq!(name(&content(&next)["l"]), name(&origin));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_origin_begins_every_table_again() {
    let server = tokio::task::block_in_place(|| with(1));
    let again = |token: &Token| {
        tokio::task::block_in_place(|| {
            let said = group()
                .download(&mut server.connect(), token.clone())
                .unwrap();
            assert!(said.0.reset && said.1.reset);
            assert_eq!(ids(&said.1), [1]);
            said.next()
        })
    };
    let conn = &mut server.connect_async().await;
    let first = again(&Token::default());
    tokio::task::block_in_place(|| tracking::new_origin(&mut server.connect()).unwrap());
    let second = again(&first);
    tracking::new_origin_async(conn).await.unwrap();
    let third = again(&second);
    let origins = [first, second, third].map(|token| token.origin().unwrap().to_owned());
    assert!(origins[0] != origins[1] && origins[1] != origins[2] && origins[0] != origins[2]);
}

#[test]
fn an_installation_of_before_goes_on_and_has_an_origin_once_it_is_installed_again() {
    let server = with(1);
    let conn = &mut server.connect();
    let tracking = super::super::Everything::tracking::<DB>();
    run(conn, WITHOUT_ORIGINS);
    let older = group().download(conn, (None, None)).unwrap();
    assert_eq!((older.next().origin(), ids(&older.1)), (None, vec![1]));
    let problems = tracking.verify(conn).unwrap();
    assert!(
        problems
            .iter()
            .any(|problem| problem.to_string().contains("origin")),
        "{problems:?}"
    );
    tracking.install(conn).unwrap();
    assert!(tracking.verify(conn).unwrap().is_empty());
    let newer = group().download(conn, older.next()).unwrap();
    assert_eq!((newer.1.reset, newer.1.rows.len()), (false, 0));
    assert!(newer.next().origin().is_some());
    tracking.install(conn).unwrap();
    let last = group().download(conn, newer.next()).unwrap();
    assert_eq!(
        (last.1.reset, last.next().origin()),
        (false, newer.next().origin())
    );
}

#[test]
fn a_copy_that_serves_beside_its_original_is_another_server() {
    let server = with(1);
    let token = group()
        .download(&mut server.connect(), (None, None))
        .unwrap()
        .next();
    let copy = copied(&server);
    let conn = &mut copy.connect();
    let said = group().download(conn, token.clone()).unwrap();
    assert!(said.0.reset && said.1.reset);
    assert_eq!(ids(&said.1), [1]);
    let next = group().download(conn, said.next()).unwrap();
    assert_eq!(
        (next.1.reset, next.next().origin()),
        (false, said.next().origin())
    );
    assert!(
        !group()
            .download(&mut server.connect(), token)
            .unwrap()
            .1
            .reset
    );
}

#[test]
fn nonsense_for_an_origin_does_no_harm() {
    let server = with(1);
    let conn = &mut server.connect();
    let mut stands = content(&group().download(conn, (None, None)).unwrap().next());
    for nonsense in [
        "-",
        "",
        "--",
        "a-@",
        "a-@x",
        "-@99999999999999999999",
        "' or 1 = 1 --",
        "-@-1",
    ] {
        stands["l"] = json!(nonsense);
        for (reset, games, _) in by_every_way(conn, &token(&stands)) {
            assert!(reset || games.is_empty(), "{nonsense}");
        }
    }
}
