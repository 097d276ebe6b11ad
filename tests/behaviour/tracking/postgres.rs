//! Installing, upkeep and rights on PostgreSQL.

use super::*;
use carburetor::tracking::{self, Problem, Tracking, TrackingError};
use carburetor::{Assumptions, Everyone};
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Everything that an installation leaves, but for instants.
const CONTENTS: &str = "(
  select string_agg(line, e'\\n' order by line) from (
    select 'trigger ' || tgrelid::regclass || tgname || tgenabled::text as line from pg_trigger where not tgisinternal
    union all select 'function ' || oid::regprocedure || md5(prosrc) from pg_proc where pronamespace = 'carburetor'::regnamespace
    union all select 'relation ' || oid::regclass || relkind::text from pg_class where relnamespace in ('carburetor'::regnamespace, 'public'::regnamespace)
    union all select 'index ' || indexrelid::regclass::text || indisvalid from pg_index where indrelid in ('users'::regclass, 'games'::regclass)
    union all select 'row ' || s::text from carburetor.synced_table s
  ) lines)";

/// Somebody waits for a lock on users.
const WAITING: &str =
    "exists (select from pg_locks where relation = 'users'::regclass and not granted)";

#[test]
fn installing_twice_changes_nothing() {
    let (_, mut conn) = tracked_server();
    let before = text(&mut conn, CONTENTS);
    Mobile::tracking::<Pg>().install(&mut conn).unwrap();
    assert_eq!(text(&mut conn, CONTENTS), before);
    assert!(before.contains("index carburetor_users"), "{before}");
}

#[test]
fn installing_in_a_transaction_belongs_to_it() {
    let database = server();
    let mut conn = database.connect();
    let kept = conn.transaction(|conn| {
        Mobile::tracking::<Pg>().install(conn)?;
        assert!(Mobile::download(conn, (None, None)).is_err());
        Err::<(), TrackingError>(TrackingError::Query(
            diesel::result::Error::RollbackTransaction,
        ))
    });
    assert!(kept.is_err());
    assert_eq!(
        text(
            &mut conn,
            "coalesce(to_regnamespace('carburetor')::text, '')"
        ),
        ""
    );
    conn.transaction(|conn| Mobile::tracking::<Pg>().install(conn))
        .unwrap();
    assert!(Mobile::download(&mut conn, (None, None)).is_ok());
    assert_eq!(text(&mut conn, "current_setting('lock_timeout')"), "0");
}

#[test]
fn installing_waits_for_a_writer_without_failing() {
    let database = server();
    let mut writer = database.connect();
    writer
        .batch_execute("begin; insert into users values ('a', 'Ann', 'red')")
        .unwrap();
    thread::scope(|threads| {
        let (done, installed) = channel();
        let installing = database.clone();
        threads.spawn(move || {
            done.send(Mobile::tracking::<Pg>().install(&mut installing.connect()))
                .unwrap();
        });
        database.wait_until(WAITING);
        // The first attempt gives up: writers that queue behind it go on.
        database.wait_until(&format!("not {WAITING}"));
        database.psql("set lock_timeout = '1s'; insert into users values ('b', 'Bob', 'red')");
        writer.batch_execute("commit").unwrap();
        installed.recv().unwrap().unwrap();
    });
    let news = Mobile::download(&mut database.connect(), (None, None)).unwrap();
    assert_eq!(news.0.rows.len(), 2);
}

#[test]
fn a_table_that_never_comes_free_is_named() {
    let database = server();
    let mut writer = database.connect();
    writer
        .batch_execute("begin; lock table games in share update exclusive mode")
        .unwrap();
    let outcome = Mobile::tracking::<Pg>().install(&mut database.connect());
    assert!(
        matches!(&outcome, Err(TrackingError::Locked { table }) if table == "games"),
        "{outcome:?}"
    );
}

#[test]
fn many_may_install_at_once() {
    let database = server();
    let start = Barrier::new(6);
    thread::scope(|threads| {
        for _ in 0..6 {
            threads.spawn(|| {
                let mut conn = database.connect();
                start.wait();
                Mobile::tracking::<Pg>().install(&mut conn).unwrap();
            });
        }
    });
    let valid = database.text(
        "(select string_agg(indexrelid::regclass::text, ' ' order by indexrelid::regclass::text) from pg_index where indisvalid and indexrelid::regclass::text like 'carburetor\\_%')",
    );
    assert_eq!(valid, "carburetor_games carburetor_users");
}

#[test]
fn an_index_whose_build_failed_is_built_again() {
    let (database, mut conn) = tracked_server();
    database.psql(
        "update pg_index set indisvalid = false where indexrelid = 'carburetor_users'::regclass",
    );
    Mobile::tracking::<Pg>().install(&mut conn).unwrap();
    assert_eq!(
        database.text("(select indisvalid::text from pg_index where indexrelid = 'carburetor_users'::regclass)"),
        "true"
    );
}

#[test]
fn every_table_that_is_refused_is_named_before_anything_is_changed() {
    let database = Cluster::shared().database();
    database.psql(
        "create table users (id text, name text not null, team text not null, updated_at timestamptz not null default now());
         create view games as select 1 as id, 'Go' as title, now() as updated_at;
         create table notes (id int primary key, updated_at timestamptz not null default now());",
    );
    let mut conn = database.connect();
    let notes = carburetor::table::TableDefinition {
        table: "notes".into(),
        wire_name: "notes".into(),
        columns: <Game as carburetor::table::TableOn<Pg>>::definition()
            .columns
            .iter()
            .filter(|column| column.name != "title")
            .cloned()
            .collect(),
        ..Default::default()
    };
    let tracking = Mobile::tracking::<Pg>().and(Tracking::of([notes]));
    let Err(TrackingError::Refused(problems)) = tracking.install(&mut conn) else {
        panic!("not refused");
    };
    assert_eq!(
        problems,
        [
            Problem::new("users", "id columns may hold null: id", "set them not null"),
            Problem::new("games", "it is a view", "track the tables below it")
        ]
    );
    assert_eq!(
        text(
            &mut conn,
            "coalesce(to_regnamespace('carburetor')::text, '')"
        ),
        ""
    );
}

#[test]
fn a_table_of_the_same_name_and_a_trigger_after_the_stamps_are_refused() {
    let (_, mut conn) = tracked_server();
    conn.batch_execute(
        "create schema tenant; create table tenant.users (like users including all);
         create function late() returns trigger language plpgsql as 'begin return new; end';
         create trigger \"~late\" before update on games for each row execute function late();
         set search_path = tenant, public",
    )
    .unwrap();
    let Err(TrackingError::Refused(problems)) = Mobile::tracking::<Pg>().install(&mut conn) else {
        panic!("not refused");
    };
    let mut problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
    problems.sort();
    assert_eq!(
        problems,
        [
            "games: the trigger \"~late\" of games fires after the stamp's and could change it; run: alter trigger \"~late\" on games rename to a name that sorts before \"~\"",
            "users: it is tracked as public.users, and users has the same name; name the schema in table!"
        ]
    );
}

#[test]
fn installing_again_waits_for_nobody() {
    let (database, mut conn) = tracked_server();
    let mut writer = database.connect();
    writer
        .batch_execute("begin; lock table users, games in access exclusive mode")
        .unwrap();
    // It would give up if it asked for a lock.
    Mobile::tracking::<Pg>().install(&mut conn).unwrap();
}

#[test]
fn a_column_without_a_role_changes_the_installed_definition() {
    let (_, mut conn) = tracked_server();
    let mut definitions = Mobile::tracking::<Pg>().definitions().to_vec();
    definitions[1]
        .columns
        .retain(|column| column.name != "title");
    let tracking = Tracking::<Pg>::of(definitions.clone());
    tracking.install(&mut conn).unwrap();
    let installed = tracking::Installed::read(&mut conn).unwrap();
    assert!(installed.definitions().contains(&definitions[1]));
}

#[test]
fn a_function_of_another_version_is_found_and_replaced() {
    let (database, mut conn) = tracked_server();
    database.psql("create or replace function carburetor.publish() returns timestamptz language sql as 'select now()'");
    let tracking = Mobile::tracking::<Pg>();
    let problems = tracking.verify(&mut conn).unwrap();
    assert_eq!(
        problems,
        [Problem::new(
            "carburetor",
            "the function carburetor.publish is not the one that this version installs",
            "run the first part of up.sql, with the registry, again"
        )]
    );
    tracking.install(&mut conn).unwrap();
    assert_eq!(tracking.verify(&mut conn).unwrap(), []);
}

#[test]
fn a_partitioned_table_gets_its_index_on_every_partition() {
    let database = Cluster::shared().database();
    database.psql(
        "create table users (id text primary key, name text not null, team text not null, updated_at timestamptz not null default now());
         create table games (id int primary key, title text not null) partition by range (id);
         create table games_low partition of games for values from (0) to (10);
         create table games_high partition of games for values from (10) to (20)",
    );
    let mut conn = database.connect();
    let tracking = Mobile::tracking::<Pg>();
    tracking.install(&mut conn).unwrap();
    assert_eq!(tracking.verify(&mut conn).unwrap(), []);
    let indexed = "(select string_agg(i.indrelid::regclass::text, ' ' order by i.indrelid::regclass::text) from pg_index i
        where i.indisvalid and pg_get_indexdef(i.indexrelid) like '%(updated_at, id)' and i.indrelid <> 'users'::regclass)";
    assert_eq!(text(&mut conn, indexed), "games games_high games_low");
    database.psql("create table games_top partition of games for values from (20) to (30)");
    let problems: Vec<_> = tracking.verify(&mut conn).unwrap();
    let problems: Vec<_> = problems
        .iter()
        .map(|problem| problem.problem.as_str())
        .collect();
    assert_eq!(
        problems,
        [
            "games_top came after the table was tracked",
            "games_top has no trigger ~carburetor_truncate"
        ]
    );
    tracking.install(&mut conn).unwrap();
    assert_eq!(
        text(&mut conn, indexed),
        "games games_high games_low games_top"
    );
}

#[test]
fn a_touched_row_is_delivered_again() {
    let (_, mut conn) = tracked_server();
    let conn = &mut conn;
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'red')")
        .unwrap();
    let settled = settled(conn);
    assert!(tracking::touch::<User, _>(conn, &"b".to_owned()).unwrap());
    assert!(!tracking::touch::<User, _>(conn, &"c".to_owned()).unwrap());
    let news = Mobile::download(conn, (Some(settled), None)).unwrap();
    let ids: Vec<_> = news.0.rows.iter().map(|user| user.id.as_str()).collect();
    assert_eq!(ids, ["b"]);
}

#[test]
fn verify_names_what_is_broken_and_installing_mends_it() {
    for (harm, problem) in [
        (
            "drop trigger \"~carburetor_stamp\" on users",
            "users has no trigger ~carburetor_stamp",
        ),
        (
            "alter table users disable trigger \"~carburetor_removal_delete\"",
            "the trigger ~carburetor_removal_delete of users is disabled, or not enabled always",
        ),
        (
            "drop index carburetor_users",
            "no valid index begins with (updated_at, id)",
        ),
        (
            "update carburetor.synced_table set hash = 'x' where name = 'users'",
            "its definition changed since it was tracked",
        ),
    ] {
        let (database, mut conn) = tracked_server();
        let tracking = Mobile::tracking::<Pg>();
        assert_eq!(tracking.verify(&mut conn).unwrap(), []);
        database.psql(harm);
        let problems = tracking.verify(&mut conn).unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(
            (problems[0].table.as_str(), problems[0].problem.as_str()),
            ("users", problem)
        );
        assert!(!problems[0].remedy.is_empty());
        tracking.install(&mut conn).unwrap();
        assert_eq!(tracking.verify(&mut conn).unwrap(), []);
    }
}

#[test]
fn nothing_is_tracked_where_nothing_is_installed() {
    let mut conn = server().connect();
    let problems = Mobile::tracking::<Pg>().verify(&mut conn).unwrap();
    let named: Vec<_> = problems.iter().map(|problem| problem.to_string()).collect();
    assert_eq!(
        named,
        [
            "games: it is not tracked; run up.sql of its group",
            "users: it is not tracked; run up.sql of its group"
        ]
    );
}

/// The database's clock after all that was written, beyond what a cutoff stays behind.
fn settled(conn: &mut PgConnection) -> DateTime<Utc> {
    diesel::select(sql::<diesel::sql_types::Timestamptz>("clock_timestamp()"))
        .get_result(conn)
        .unwrap()
}

#[test]
fn a_replica_behind_a_purge_starts_again() {
    let (_, mut conn) = tracked_server();
    let conn = &mut conn;
    let old: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    conn.batch_execute("insert into users values ('a', 'Ann', 'red'); delete from users; update carburetor.synced_table set horizon = '2019-01-01'; update carburetor.removal_users set carburetor_removed_at = '2020-06-01'")
        .unwrap();
    let before = Mobile::download(conn, (Some(old), None)).unwrap();
    assert!(!before.0.reset);
    assert_eq!(before.0.removed, ["a"]);
    Mobile::tracking::<Pg>()
        .purge(conn, Duration::from_secs(3600))
        .unwrap();
    assert_eq!(
        number(conn, "(select count(*) from carburetor.removal_users)"),
        0
    );
    assert!(Mobile::download(conn, (Some(old), None)).unwrap().0.reset);
}

#[test]
fn a_reset_table_starts_again() {
    let (_, mut conn) = tracked_server();
    let conn = &mut conn;
    // Without slack, because the installation is no second ago.
    let mobile = Mobile::scoped(&Everyone).assuming(Assumptions {
        slack: Duration::ZERO,
        ..Assumptions::default()
    });
    let first = mobile.download(conn, (None, None)).unwrap();
    tracking::reset::<User, _>(conn).unwrap();
    let news = mobile.download(conn, first.next()).unwrap();
    assert!(news.0.reset);
    assert!(!news.1.reset);
}

#[test]
fn the_watermark_moves_to_the_cutoff_and_not_past_a_writer() {
    let (database, mut conn) = tracked_server();
    let first = tracking::watermark(&mut conn).unwrap();
    let mut writer = database.connect();
    writer
        .batch_execute("begin; insert into users values ('a', 'Ann', 'red')")
        .unwrap();
    let started = settled(&mut writer);
    assert!(tracking::watermark(&mut conn).unwrap() < started);
    assert!(tracking::watermark(&mut conn).unwrap() >= first);
}

#[test]
fn a_writer_needs_no_rights_and_a_downloader_those_that_are_printed() {
    let (database, _) = tracked_server();
    let (writer, web) = (
        format!("{}_writer", database.name()),
        format!("{}_web", database.name()),
    );
    database.psql(&format!(
        "create role {writer} login; create role {web} login;
         grant select, insert, update, delete on users, games to {writer}; grant select on users, games to {web};"
    ));
    let mut writing = PgConnection::establish(&database.url_as(&writer)).unwrap();
    writing
        .batch_execute(
            "insert into users values ('a', 'Ann', 'red'), ('b', 'Bob', 'red'); update users set id = 'c' where id = 'b'; delete from users where id = 'a'",
        )
        .unwrap();
    carburetor::untracked(&mut writing, |conn| {
        conn.batch_execute("update users set name = 'Bert'")
    })
    .unwrap();
    let mut reading = PgConnection::establish(&database.url_as(&web)).unwrap();
    assert!(Mobile::download(&mut reading, (None, None)).is_err());
    database.psql(&Mobile::tracking::<Pg>().grants_sql(&web));
    let since = Some("2020-01-01T00:00:00Z".parse().unwrap());
    database.psql("update carburetor.synced_table set horizon = '2019-01-01'");
    let mut news = Mobile::download(&mut reading, (since, None)).unwrap();
    news.0.removed.sort();
    assert_eq!(news.0.removed, ["a", "b"]);
    assert_eq!(news.0.rows[0].name, "Bert");
}
