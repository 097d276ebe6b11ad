//! Installing, installing again, and taking everything away.

use super::{USERS, database, definition, install, line, lines, migrate, run, users};
use carburetor::tracking::postgres;
use diesel::connection::SimpleConnection;

/// Whatever an installation could leave behind.
const OBJECTS: &str = "select format('table %s %s', c.oid::regclass, (select string_agg(format('%s %s %s %s', attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)), ', ' order by attnum)
      from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum where attrelid = c.oid and attnum > 0 and not attisdropped)) as line
    from pg_class c where c.relnamespace not in (select oid from pg_namespace where nspname in ('pg_catalog', 'information_schema', 'pg_toast'))
    union all select format('trigger %s %s', tgrelid::regclass, tgname) from pg_trigger
    union all select format('function %s', oid::regprocedure) from pg_proc where pronamespace::regnamespace::text not in ('pg_catalog', 'information_schema')
    union all select format('schema %s', nspname) from pg_namespace where nspname !~ '^pg_' order by 1";

#[test]
fn a_second_run_changes_nothing() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    run(
        &mut conn,
        "insert into users (id) values ('a'); delete from users",
    );
    let state = |conn: &mut _| {
        (
            lines(conn, OBJECTS),
            lines(conn, "select * from carburetor.synced_table"),
            lines(conn, "select * from carburetor.removal_users"),
        )
    };
    let before = state(&mut conn);
    install(&mut conn, &[&users()]);
    install(&mut conn, &[&users()]);
    assert_eq!(state(&mut conn), before);
    assert_eq!(
        line(
            &mut conn,
            "select name, relation, generation, partitions from carburetor.synced_table"
        ),
        "users,users,1,{}"
    );
}

#[test]
fn the_way_down_leaves_the_tables_as_before() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    run(&mut conn, "create schema play; create table play.games (id int primary key, updated_at timestamptz not null default now()) partition by range (id);
        create table play.low partition of play.games for values from (0) to (9); insert into play.games values (1, '2000-01-01');
        create function keep() returns trigger language plpgsql as 'begin return new; end'; create trigger keep before update on users for each row execute function keep()");
    let tables = [&users(), &definition("play.games", &["id"], &[])];
    let before = lines(&mut conn, OBJECTS);
    install(&mut conn, &tables);
    assert_ne!(lines(&mut conn, OBJECTS), before);
    migrate(&mut conn, &postgres::down(&tables)).expect("down");
    assert_eq!(lines(&mut conn, OBJECTS), before);
    assert_eq!(
        line(
            &mut conn,
            "select id, (updated_at at time zone 'UTC')::date from play.games"
        ),
        "1,2000-01-01"
    );
    migrate(&mut conn, &postgres::down(&tables)).expect("down again");
}

#[test]
fn the_way_down_of_one_table_leaves_the_others() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    run(&mut conn, "create table games (id int primary key)");
    let games = definition("games", &["id"], &[]);
    install(&mut conn, &[&users(), &games]);
    migrate(&mut conn, &postgres::down(&[&games])).expect("down");
    assert_eq!(
        super::problems(&mut conn, &[&users()]),
        Vec::<[String; 2]>::new()
    );
    assert_eq!(
        lines(&mut conn, "select name from carburetor.synced_table"),
        ["users"]
    );
}

#[test]
fn a_schema_with_something_of_another_in_it_stays() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    install(&mut conn, &[&users()]);
    run(&mut conn, "create table carburetor.notes (id int)");
    migrate(&mut conn, &postgres::down(&[&users()])).expect("down");
    assert_eq!(
        lines(
            &mut conn,
            "select relname from pg_class where relnamespace = 'carburetor'::regnamespace"
        ),
        ["notes"]
    );
}

#[test]
fn a_stamp_that_the_table_lacks_is_added_without_rewriting_it() {
    let mut conn = database().connect();
    run(
        &mut conn,
        "create table games (id int primary key); insert into games values (1)",
    );
    let file = line(&mut conn, "select pg_relation_filenode('games')");
    install(&mut conn, &[&definition("games", &["id"], &[])]);
    assert_eq!(
        line(&mut conn, "select pg_relation_filenode('games')"),
        file
    );
    assert_eq!(
        lines(
            &mut conn,
            "select id, updated_at <= (select horizon from carburetor.synced_table) as before from games"
        ),
        ["1,t"]
    );
}

#[test]
fn the_horizon_is_the_instant_of_the_installation() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    run(
        &mut conn,
        "create table clock as select clock_timestamp() as before",
    );
    install(&mut conn, &[&users()]);
    assert_eq!(
        line(
            &mut conn,
            "select horizon > before and horizon < clock_timestamp() from carburetor.synced_table, clock"
        ),
        "t"
    );
}

#[test]
fn the_installation_waits_for_open_writers_only_so_long() {
    let database = database();
    let (mut conn, mut writer) = (database.connect(), database.connect());
    run(&mut conn, USERS);
    run(&mut writer, "begin; insert into users (id) values ('a')");
    let up = postgres::up(&[&users()]).to_string();
    let error = migrate(&mut conn, &up.replace("'3s'", "'20ms'")).expect_err("a writer is open");
    assert_eq!(error.to_string(), "canceling statement due to lock timeout");
    run(&mut writer, "commit");
    migrate(&mut conn, &up).expect("no writer");
}

#[test]
fn outside_of_a_transaction_nothing_is_registered() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    let up = postgres::up(&[&users()]);
    run(&mut conn, &up.schema);
    let table = &up.tables[0];
    let (before, last) = table.split_at(
        table
            .find("select carburetor.register_table")
            .expect("the last step"),
    );
    run(&mut conn, before);
    let error = conn
        .batch_execute(last)
        .expect_err("another transaction")
        .to_string();
    assert_eq!(
        error,
        "carburetor: \"users\" must be tracked within one transaction"
    );
    assert_eq!(
        lines(&mut conn, "select name from carburetor.synced_table"),
        Vec::<String>::new()
    );
}

#[test]
fn indexes_are_built_while_others_write() {
    let mut conn = database().connect();
    run(&mut conn, USERS);
    let up = postgres::up(&[&users()]);
    run(&mut conn, &up.schema);
    migrate(&mut conn, &up.tables[0]).expect("the table's part");
    run(&mut conn, &up.indexes[0].concurrently);
    run(&mut conn, &up.indexes[0].concurrently);
    assert_eq!(
        line(
            &mut conn,
            "select pg_get_indexdef('carburetor_users'::regclass)"
        ),
        "\"CREATE INDEX carburetor_users ON public.users USING btree (updated_at, id)\""
    );
}

#[test]
fn untracked_tables_are_left_alone() {
    let untracked = carburetor::table::TableDefinition {
        untracked: true,
        ..users()
    };
    assert_eq!(postgres::up(&[&untracked]).tables, Vec::<String>::new());
    let mut conn = database().connect();
    run(&mut conn, USERS);
    install(&mut conn, &[&untracked]);
    assert_eq!(
        super::problems(&mut conn, &[&untracked]),
        Vec::<[String; 2]>::new()
    );
}

#[test]
fn tables_with_like_names_have_removals_of_their_own() {
    let names = ["a.b_c", "a_b.c", "a_b_c", "A_b_c"]
        .map(|name| definition(name, &["id"], &[]).removal_name());
    for (at, name) in names.iter().enumerate() {
        assert!(!names[at + 1..].contains(name), "{name}");
    }
    let long = "ä".repeat(31);
    let mut conn = database().connect();
    run(
        &mut conn,
        &format!("create table {long} (id int primary key); insert into {long} values (1)"),
    );
    install(&mut conn, &[&definition(&long, &["id"], &[])]);
    run(&mut conn, &format!("delete from {long}"));
    let removal = definition(&long, &["id"], &[]).removal_name();
    assert_eq!(
        lines(
            &mut conn,
            &format!("select id from carburetor.\"{removal}\"")
        ),
        ["1"]
    );
}
