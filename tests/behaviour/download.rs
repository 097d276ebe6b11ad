//! Downloads of a group: rows, removals, scopes, resets.

use carburetor::table::TableOn;
use carburetor::tracking;
use carburetor::{Assumptions, DownloadError, Everyone, SyncGroup, SyncScope, SyncTable, Visible};
use carburetor_tests::{Cluster, Database};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use std::collections::HashMap;

diesel::table! { users (id) { id -> Text, name -> Text, team -> Text, updated_at -> Timestamptz, } }
diesel::table! { games (id) { id -> Integer, title -> Nullable<Text>, team -> Text, updated_at -> Timestamptz, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = users)]
#[sync(backends(postgres))]
struct User {
    #[sync(id)]
    id: String,
    name: String,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = games)]
#[sync(backends(postgres))]
struct Game {
    #[sync(id)]
    id: i32,
    title: Option<String>,
    #[sync(visible_by)]
    team: String,
    #[sync(last_synced_at)]
    updated_at: DateTime<Utc>,
}

struct TeamMember {
    teams: Vec<String>,
}

impl SyncScope<User, Pg> for TeamMember {
    fn filter(&self) -> Visible<'_, users::table, Pg> {
        Visible::only(users::team.eq_any(&self.teams))
    }
}

impl SyncScope<Game, Pg> for TeamMember {
    fn filter(&self) -> Visible<'_, games::table, Pg> {
        Visible::only(games::team.eq_any(&self.teams))
    }
}

/// A clock that never steps back, as on this machine while the tests run.
fn steady() -> Assumptions {
    Assumptions {
        slack: std::time::Duration::ZERO,
        ..Assumptions::default()
    }
}

type Mobile = SyncGroup<(User, Game)>;
type Web = SyncGroup<(User, Game), TeamMember>;

fn tracked() -> (Database, PgConnection) {
    let database = Cluster::shared().database();
    database.psql(
        "create table users (id text primary key, name text not null, team text not null, updated_at timestamptz not null default now());
         create table games (id int primary key, title text, team text not null, updated_at timestamptz not null default now());",
    );
    let up = tracking::postgres::up(&[
        <User as TableOn<Pg>>::definition(),
        <Game as TableOn<Pg>>::definition(),
    ]);
    database.psql(&up.schema);
    for table in up.tables {
        database.psql(&table);
    }
    for index in up.indexes {
        database.psql(&index.plain);
    }
    let conn = database.connect();
    (database, conn)
}

#[test]
fn a_row_that_leaves_a_scope_leaves_the_replica() {
    let (_, mut conn) = tracked();
    let conn = &mut conn;
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'blue'); insert into games values (1, 'Go', 'red'), (2, null, 'red')")
        .unwrap();
    let everything = Mobile::download(conn, (None, None)).unwrap();
    assert!(everything.0.reset);
    assert_eq!(everything.0.rows.len(), 2);
    assert_eq!(everything.table::<Game>().rows.len(), 2);
    let red = TeamMember {
        teams: vec!["red".into()],
    };
    let first = Web::scoped(&red)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    assert_eq!(
        first
            .0
            .rows
            .iter()
            .map(|user| user.id.as_str())
            .collect::<Vec<_>>(),
        ["a"]
    );
    conn.batch_execute(
        "update users set team = 'blue' where id = 'a'; delete from games where id = 2",
    )
    .unwrap();
    let second = Web::scoped(&red)
        .assuming(steady())
        .download(conn, first.next())
        .unwrap();
    assert!(!second.0.reset);
    assert_eq!(second.0.removed, ["a"]);
    assert_eq!(second.1.removed, [2]);
    let third = Web::scoped(&red)
        .assuming(steady())
        .download_consistent(conn, (Some(second.0.cutoff), Some(second.1.cutoff)))
        .unwrap();
    assert!(!third.0.reset);
}

fn filled() -> (Database, PgConnection) {
    let (database, mut conn) = tracked();
    conn.batch_execute(
        "insert into users select 'u' || n, 'Name ' || n, case when n % 2 = 0 then 'red' else 'blue' end from generate_series(1, 100) n;
         insert into games select n, nullif('Title ' || n, 'Title 3'), 'red' from generate_series(1, 30) n",
    )
    .unwrap();
    (database, conn)
}

fn red() -> TeamMember {
    TeamMember {
        teams: vec!["red".into()],
    }
}

#[test]
fn json_holds_what_structs_hold() {
    let (_, mut conn) = filled();
    let conn = &mut conn;
    let first = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    let mut json = Vec::new();
    Mobile::download_json(conn, (None, None), &mut json).unwrap();
    let message: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(message["carburetor"], 1);
    let rows = message["tables"]["users"]["rows"].as_array().unwrap();
    let decoded: Vec<User> = rows
        .iter()
        .map(|row| <User as TableOn<Pg>>::decode(row.as_object().unwrap().clone()).unwrap())
        .collect();
    assert_eq!(decoded, first.0.rows);
    assert_eq!(message["tables"]["games"]["reset"], true);
    conn.batch_execute(
        "delete from games where id in (4, 5); update users set name = 'Ed' where id = 'u1'",
    )
    .unwrap();
    let mut json = Vec::new();
    Mobile::scoped(&Everyone)
        .assuming(steady())
        .download_json(conn, first.next(), &mut json)
        .unwrap();
    let message: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        message["tables"]["games"]["removed"],
        serde_json::json!([4, 5])
    );
    let changed = message["tables"]["users"]["rows"].as_array().unwrap();
    assert!(
        changed
            .iter()
            .any(|row| row["id"] == "u1" && row["name"] == "Ed")
    );
}

#[test]
fn pages_add_up_to_the_whole() {
    let (_, mut conn) = filled();
    let conn = &mut conn;
    let scope = red();
    for limit in [1, 7, 1000] {
        let mut pages = Web::scoped(&scope)
            .assuming(steady())
            .pages((None, None), limit);
        let (mut users, mut games) = (HashMap::new(), HashMap::new());
        let mut count = 0;
        while let Some(page) = pages.next(conn).unwrap() {
            let (u, g) = page.into_tables();
            assert!(u.rows.len() + g.rows.len() <= limit as usize);
            u.apply(&mut users);
            g.apply(&mut games);
            count += 1;
        }
        assert_eq!(
            (users.len(), games.len()),
            (50, 30),
            "{count} pages of {limit}"
        );
        let token = pages.token().unwrap().unwrap();
        conn.batch_execute(
            "update users set name = name || '!' where team = 'red'; update users set team = 'blue' where id in ('u2', 'u4');
             delete from games where id % 2 = 0; update games set team = 'blue' where id = 1",
        )
        .unwrap();
        let mut pages = Web::scoped(&scope).assuming(steady()).pages(&token, limit);
        while let Some(page) = pages.next(conn).unwrap() {
            let (u, g) = page.into_tables();
            u.apply(&mut users);
            g.apply(&mut games);
        }
        let whole = Web::scoped(&red()).download(conn, (None, None)).unwrap();
        let (mut all_users, mut all_games) = (HashMap::new(), HashMap::new());
        let (u, g) = whole.into_tables();
        u.apply(&mut all_users);
        g.apply(&mut all_games);
        assert_eq!((&users, &games), (&all_users, &all_games));
        assert_eq!(users.len(), 48);
        conn.batch_execute(
            "update users set team = 'red' where id in ('u2', 'u4'); update games set team = 'red' where id = 1;
             insert into games select n, 'x', 'red' from generate_series(2, 30, 2) n",
        )
        .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn asynchronous_downloads_are_the_synchronous_ones() {
    let (database, mut conn) = tokio::task::spawn_blocking(filled).await.unwrap();
    let first = tokio::task::spawn_blocking(move || {
        let first = Web::scoped(&red()).assuming(steady()).download(&mut conn, (None, None)).unwrap();
        conn.batch_execute("update users set team = 'blue' where id in ('u2', 'u4'); delete from games where id = 7; update games set title = 'new' where id = 8").unwrap();
        let second = Web::scoped(&red()).assuming(steady()).download(&mut conn, first.next()).unwrap();
        (first, second)
    })
    .await
    .unwrap();
    let mut conn = database.connect_async().await;
    let spawned = tokio::spawn(async move {
        let (first, second) = first;
        let scope = red();
        let web = Web::scoped(&scope).assuming(steady());
        let twin = web.download_async(&mut conn, (None, None)).await.unwrap();
        assert!(twin.0.reset);
        assert_eq!(twin.0.rows.len(), 48);
        assert!(twin.0.cutoff > first.0.cutoff);
        for _ in 0..2 {
            let twin = web.download_async(&mut conn, first.next()).await.unwrap();
            assert_eq!(twin.0.removed, second.0.removed);
            assert_eq!(twin.1.removed, [7]);
            assert_eq!(twin.1.rows, second.1.rows);
            assert!(!twin.0.reset && twin.0.cutoff >= second.0.cutoff);
            let consistent = web
                .download_consistent_async(&mut conn, first.next())
                .await
                .unwrap();
            assert_eq!(consistent.1.rows, second.1.rows);
        }
        let mut json = Vec::new();
        web.download_json_async(&mut conn, first.next(), &mut json)
            .await
            .unwrap();
        let message: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            message["tables"]["games"]["removed"],
            serde_json::json!([7])
        );
        let mut pages = Web::scoped(&scope).pages((None, None), 9);
        let mut rows = 0;
        while let Some(page) = pages.next_async(&mut conn).await.unwrap() {
            rows += page.0.rows.len() + page.1.rows.len();
        }
        assert_eq!(rows, 48 + 29);
    });
    spawned.await.unwrap();
}

#[test]
fn a_moved_generation_resets_the_token() {
    let (_, mut conn) = filled();
    let conn = &mut conn;
    let first = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    conn.batch_execute("truncate games; insert into games values (99, 'only', 'red')")
        .unwrap();
    let second = Mobile::scoped(&Everyone)
        .assuming(steady())
        .download(conn, first.next())
        .unwrap();
    assert!(!second.0.reset);
    assert!(second.1.reset);
    assert_eq!(
        second.1.rows.iter().map(|game| game.id).collect::<Vec<_>>(),
        [99]
    );
}

#[test]
fn another_scope_resets_the_token() {
    let (_, mut conn) = filled();
    let conn = &mut conn;
    let first = Web::scoped(&red())
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    let blue = TeamMember {
        teams: vec!["blue".into()],
    };
    let second = Web::scoped(&blue)
        .assuming(steady())
        .download(conn, first.next())
        .unwrap();
    assert!(second.0.reset && second.1.reset);
    assert_eq!((second.0.rows.len(), second.1.rows.len()), (50, 0));
}

#[test]
fn a_timestamp_ahead_of_the_clock_resets_the_table() {
    let (_, mut conn) = filled();
    let future = Utc::now() + chrono::Duration::hours(1);
    let news = User::download(&mut conn, Some(future)).unwrap();
    assert!(news.reset);
    assert_eq!(news.rows.len(), 100);
}

#[test]
fn a_transaction_that_has_written_is_refused() {
    let (_, mut conn) = filled();
    conn.transaction(|conn| {
        Mobile::download(conn, (None, None))?;
        conn.batch_execute("update users set name = 'x' where id = 'u1'")?;
        assert!(matches!(
            Mobile::download(conn, (None, None)),
            Err(DownloadError::Written)
        ));
        assert!(matches!(
            Mobile::download_consistent(conn, (None, None)),
            Err(DownloadError::Snapshot)
        ));
        diesel::QueryResult::Ok(())
    })
    .unwrap();
    conn.build_transaction()
        .repeatable_read()
        .run(|conn| {
            assert!(matches!(
                Mobile::download(conn, (None, None)),
                Err(DownloadError::Snapshot)
            ));
            diesel::QueryResult::Ok(())
        })
        .unwrap();
}

struct ByKeys(Vec<String>);

impl SyncScope<User, Pg> for ByKeys {
    fn filter(&self) -> Visible<'_, users::table, Pg> {
        Visible::keys(users::team, self.0.clone())
    }
}

impl SyncScope<Game, Pg> for ByKeys {
    fn filter(&self) -> Visible<'_, games::table, Pg> {
        Visible::keys(games::team, self.0.clone())
    }
}

#[test]
fn a_joined_key_comes_from_the_beginning_and_a_left_one_goes() {
    let (_, mut conn) = filled();
    let conn = &mut conn;
    let (both, blue) = (
        ByKeys(vec!["red".into(), "blue".into()]),
        ByKeys(vec!["blue".into()]),
    );
    let (mut users, mut games) = (HashMap::new(), HashMap::new());
    let first = SyncGroup::<(User, Game), ByKeys>::scoped(&both)
        .assuming(steady())
        .download(conn, (None, None))
        .unwrap();
    let token = first.next();
    let (u, g) = first.into_tables();
    u.apply(&mut users);
    g.apply(&mut games);
    conn.batch_execute("update users set team = 'green' where id = 'u2'; update users set team = 'blue' where id = 'u4'; insert into users values ('secret', 'S', 'red')").unwrap();
    let second = SyncGroup::<(User, Game), ByKeys>::scoped(&blue)
        .assuming(steady())
        .download(conn, token)
        .unwrap();
    assert!(!second.0.reset);
    assert!(!format!("{:?}", second.0).contains("secret"));
    let token = second.next();
    let (u, g) = second.into_tables();
    u.apply(&mut users);
    g.apply(&mut games);
    assert_eq!((users.len(), games.len()), (51, 0));
    assert!(users.values().all(|user| user.team == "blue"));
    let third = SyncGroup::<(User, Game), ByKeys>::scoped(&both)
        .assuming(steady())
        .download(conn, token)
        .unwrap();
    assert!(!third.0.reset);
    let (u, g) = third.into_tables();
    u.apply(&mut users);
    g.apply(&mut games);
    assert_eq!((users.len(), games.len()), (100, 30));
    assert!(users.contains_key("secret") && !users.contains_key("u2"));
}

#[test]
fn a_response_survives_the_wire() {
    let (_, mut conn) = filled();
    let response = Mobile::download(&mut conn, (None, None)).unwrap();
    let back = Mobile::read_json::<Pg>(&response.to_json::<Pg>().unwrap()).unwrap();
    assert_eq!(back.next(), response.next());
    assert_eq!(back.0.rows, response.0.rows);
    assert_eq!(back.1.rows, response.1.rows);
    assert_eq!((back.1.reset, back.1.cutoff), (true, response.1.cutoff));
    let mut json = Vec::new();
    Mobile::download_json(&mut conn, (None, None), &mut json).unwrap();
    assert_eq!(
        Mobile::read_json::<Pg>(&json).unwrap().1.rows,
        response.1.rows
    );
}

#[test]
fn a_bad_message_is_an_error_that_names_the_culprit() {
    let error = |json: &str| {
        Mobile::read_json::<Pg>(json.as_bytes())
            .unwrap_err()
            .to_string()
    };
    let message = |users: &str| {
        format!(
            r#"{{"carburetor":1,"tables":{{"users":{users}}},"next":"{}"}}"#,
            carburetor::Token::default()
        )
    };
    assert!(error("{}").contains("the member `carburetor` with the version is missing"));
    assert!(error(r#"{"carburetor":2,"tables":{},"next":null}"#).contains("version 2"));
    assert!(error(&message("[]")).starts_with("users: "));
    let row = r#"{"reset":true,"removed":[],"rows":[{"id":"a","name":1,"team":"t","updated_at":"2026-01-01T00:00:00Z"}],"cutoff":"2026-01-01T00:00:00Z"}"#;
    assert_eq!(error(&message(row)), "users.name: expected a string, got 1");
    let row = r#"{"reset":true,"removed":[],"rows":[{"id":"a","team":"t","updated_at":"2026-01-01T00:00:00Z"}],"cutoff":"2026-01-01T00:00:00Z"}"#;
    assert!(error(&message(row)).starts_with("users.name: "));
    assert!(Mobile::read_json::<Pg>(b"{\"carburetor\":1,\xff").is_err());
    let empty = format!(
        r#"{{"carburetor":1,"more":1,"tables":{{"other":{{"rows":7}}}},"next":"{}"}}"#,
        carburetor::Token::default()
    );
    assert!(
        Mobile::read_json::<Pg>(empty.as_bytes())
            .unwrap()
            .0
            .rows
            .is_empty()
    );
}
