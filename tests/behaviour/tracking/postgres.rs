//! Installing, upkeep and rights on PostgreSQL.

use super::*;
use carburetor::tracking::{self, Problem, Tracking, TrackingError};
use std::sync::Barrier;
use std::sync::mpsc::channel;
use std::thread;

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
