//! Tables that can't be tracked are refused, with the reason.

use super::{database, definition, refusal, run};
use carburetor::table::{ColumnDefinition, Storage, TableDefinition};

fn refused(statements: &str, definition: &TableDefinition) -> String {
    let mut conn = database().connect();
    run(&mut conn, statements);
    refusal(&mut conn, definition)
}

fn t() -> TableDefinition {
    definition("t", &["id"], &[])
}

const STAMP: &str = "updated_at timestamptz not null default now()";

#[test]
fn a_missing_table() {
    assert_eq!(
        refused("select", &t()),
        "carburetor: can't track \"t\": there is no such table in the search path"
    );
}

#[test]
fn views_and_foreign_tables() {
    assert_eq!(
        refused("create view t as select 1 as id, now() as updated_at", &t()),
        "carburetor: can't track \"t\": it is a view; track the tables below it"
    );
    assert_eq!(
        refused(
            &format!(
                "create foreign data wrapper w; create server s foreign data wrapper w; create foreign table t (id int not null, {STAMP}) server s"
            ),
            &t()
        ),
        "carburetor: can't track \"t\": it is a foreign table; track it on the server that owns it"
    );
}

#[test]
fn tables_that_lose_their_rows() {
    assert_eq!(
        refused(
            &format!("create unlogged table t (id int primary key, {STAMP})"),
            &t()
        ),
        "carburetor: can't track \"t\": it is unlogged, so a crash empties it unseen; run: alter table t set logged"
    );
    assert_eq!(
        refused(
            &format!("create temporary table t (id int primary key, {STAMP})"),
            &t()
        ),
        "carburetor: can't track \"t\": it is a temporary table"
    );
}

#[test]
fn partitions_whose_rows_come_or_go_unseen() {
    let parent = format!("create table t (id int primary key, {STAMP}) partition by range (id)");
    assert_eq!(
        refused(
            &format!(
                "{parent}; create unlogged table low partition of t for values from (1) to (9)"
            ),
            &t()
        ),
        "carburetor: can't track \"t\": partitions of it are unlogged, so a crash empties them unseen: low; run: alter table .. set logged"
    );
    let parent = format!("create table t (id int not null, {STAMP}) partition by range (id)");
    assert_eq!(
        refused(
            &format!(
                "{parent}; create foreign data wrapper w; create server s foreign data wrapper w;
                 create foreign table far partition of t for values from (1) to (9) server s"
            ),
            &t()
        ),
        "carburetor: can't track \"t\": partitions of it are foreign tables, and what their own server writes meets no trigger: far; detach them"
    );
}

#[test]
fn an_id_that_ignores_case() {
    assert_eq!(
        refused(
            &format!(
                "create collation loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                 create table t (id text collate loose primary key, {STAMP})"
            ),
            &t()
        ),
        "carburetor: can't track \"t\": id columns ignore differences between values: id; give them a type and a collation that don't"
    );
}

#[test]
fn a_table_that_others_inherit_from() {
    assert_eq!(
        refused(
            &format!(
                "create table t (id int primary key, {STAMP}); create table child () inherits (t)"
            ),
            &t()
        ),
        "carburetor: can't track \"t\": tables inherit from it, and triggers don't reach their rows: child; track these instead"
    );
}

#[test]
fn absent_columns_by_name() {
    let mut table = definition("t", &["id"], &["team"]);
    table.columns.push(ColumnDefinition::new("Größe"));
    table.columns.push(ColumnDefinition {
        skip: true,
        ..ColumnDefinition::new("skipped")
    });
    table.columns.push(ColumnDefinition {
        local: true,
        ..ColumnDefinition::new("local")
    });
    assert_eq!(
        refused(
            &format!("create table t (id int primary key, {STAMP})"),
            &table
        ),
        "carburetor: can't track \"t\": columns of the model are absent: team, \"Größe\"; add them, or mark their fields #[sync(skip)]"
    );
}

#[test]
fn an_id_that_is_not_unique() {
    let no = "carburetor: can't track \"t\": no unique index covers the id (id); make it the primary key, or mark the columns that are with #[sync(id)]";
    assert_eq!(
        refused(&format!("create table t (id int not null, {STAMP})"), &t()),
        no
    );
    assert_eq!(
        refused(
            &format!("create table t (id int not null, a int, {STAMP}, primary key (id, a))"),
            &t()
        ),
        no
    );
    assert_eq!(
        refused(
            &format!(
                "create table t (id int not null, {STAMP}); create unique index on t (id) where id > 0"
            ),
            &t()
        ),
        no
    );
    assert_eq!(
        refused(
            &format!(
                "create table t (id int not null, {STAMP}); create unique index on t (abs(id))"
            ),
            &t()
        ),
        no
    );
    assert_eq!(
        refused(
            &format!(
                "create table t (id int not null, b int, {STAMP}); create unique index on t (b) include (id)"
            ),
            &t()
        ),
        no
    );
    assert_eq!(
        refused(&format!("create table t (id int unique, {STAMP})"), &t()),
        "carburetor: can't track \"t\": id columns may hold null: id; set them not null"
    );
}

#[test]
fn stamps_that_the_server_can_not_write() {
    assert_eq!(
        refused(
            "create table t (id int primary key, a timestamptz, updated_at timestamptz generated always as (a) stored)",
            &t()
        ),
        "carburetor: can't track \"t\": its stamp updated_at is a generated column; use an ordinary one"
    );
    assert_eq!(
        refused(
            "create table t (id int primary key, updated_at timestamp)",
            &t()
        ),
        "carburetor: can't track \"t\": its stamp updated_at is of type timestamp without time zone, and the model says timestamp with time zone"
    );
    assert_eq!(
        refused(
            "create table t (id int primary key, updated_at timestamptz(3))",
            &t()
        ),
        "carburetor: can't track \"t\": its stamp updated_at is rounded to 3 digits; run: alter table t alter column updated_at type timestamp with time zone"
    );
    let mut integer = t();
    integer.columns[1].storage = Storage::Integer;
    assert_eq!(
        refused(
            "create table t (id int primary key, updated_at bigint)",
            &integer
        ),
        "carburetor: can't track \"t\": the model has no stamp; give it a timestamptz or timestamp field with #[sync(last_synced_at)]"
    );
}

#[test]
fn a_stamp_in_the_partition_key() {
    let reason = |tables: &str| {
        format!(
            "carburetor: can't track \"t\": its stamp updated_at is in the partition key of {tables}; use another column as the stamp"
        )
    };
    let both = definition("t", &["id", "updated_at"], &[]);
    let mut both = TableDefinition {
        columns: both.columns[..2].to_vec(),
        ..both
    };
    both.columns[1] = ColumnDefinition {
        last_synced_at: true,
        storage: Storage::Timestamptz,
        ..both.columns[1].clone()
    };
    let create = format!("create table t (id int not null, {STAMP}");
    assert_eq!(
        refused(
            &format!("{create}, primary key (id, updated_at)) partition by range (updated_at)"),
            &both
        ),
        reason("t")
    );
    assert_eq!(
        refused(
            &format!(
                "{create}, primary key (id, updated_at)) partition by list (id);
            create table low partition of t for values in (1) partition by range (updated_at)"
            ),
            &both
        ),
        reason("low")
    );
}

#[test]
fn a_trigger_that_fires_after_the_stamp() {
    assert_eq!(
        refused(
            &format!("create table t (id int primary key, {STAMP}); create function late() returns trigger language plpgsql as 'begin return new; end';
                create trigger \"~late\" before insert on t for each row execute function late()"),
            &t()
        ),
        "carburetor: can't track \"t\": the trigger \"~late\" of t fires after the stamp's and could change it; run: alter trigger \"~late\" on t rename to a name that sorts before \"~\""
    );
}

#[test]
fn a_second_table_of_the_same_name() {
    let mut conn = database().connect();
    run(
        &mut conn,
        &format!(
            "create table t (id int primary key, {STAMP}); create schema tenant; create table tenant.t (id int primary key, {STAMP})"
        ),
    );
    super::install(&mut conn, &[&t()]);
    run(&mut conn, "set search_path = tenant, public");
    assert_eq!(
        refusal(&mut conn, &t()),
        "carburetor: t is tracked as public.t, and t has the same name"
    );
}

#[test]
fn a_refusal_leaves_nothing_behind() {
    let mut conn = database().connect();
    run(
        &mut conn,
        &format!("create table t (id int not null, {STAMP})"),
    );
    refusal(&mut conn, &t());
    assert_eq!(
        super::lines(
            &mut conn,
            "select nspname from pg_namespace where nspname = 'carburetor'"
        ),
        Vec::<String>::new()
    );
}
