//! `verify` finds what is wrong, and running `up` again mends what it can.

use super::{USERS, database, definition, install, line, problems, run, tracked_users, users};
use carburetor::table::ColumnDefinition;

const AGAIN: &str = "run its part of up.sql again";
const RESET: &str = "run its part of up.sql again, which resets the replicas";

/// Breaks tracked users by `statements`, expects `expected`, and then that another installation mends it and leaves `generation`.
fn mended(statements: &str, expected: &[[&str; 2]], generation: &str) {
    let mut conn = tracked_users();
    run(&mut conn, statements);
    assert_eq!(problems(&mut conn, &[&users()]), expected);
    install(&mut conn, &[&users()]);
    assert_eq!(problems(&mut conn, &[&users()]), Vec::<[String; 2]>::new());
    assert_eq!(
        line(&mut conn, "select generation from carburetor.synced_table"),
        generation
    );
}

/// Breaks tracked users by `statements`, and expects `expected`.
fn found(statements: &str, expected: &[[&str; 2]]) {
    let mut conn = tracked_users();
    run(&mut conn, statements);
    assert_eq!(problems(&mut conn, &[&users()]), expected);
}

#[test]
fn nothing_is_wrong_after_the_installation() {
    found("select", &[]);
}

#[test]
fn nothing_installed() {
    let mut conn = database().connect();
    assert_eq!(
        problems(&mut conn, &[&users()]),
        [[
            "there is no table \"users\" in the search path",
            "create it, or name its schema in table!"
        ]]
    );
    run(&mut conn, USERS);
    assert_eq!(
        problems(&mut conn, &[&users()]),
        [["it is not tracked", "run up.sql of its group"]]
    );
    run(&mut conn, "alter table users drop column updated_at");
    install(&mut conn, &[&users()]);
    run(&mut conn, "create table games (id int primary key)");
    assert_eq!(
        problems(&mut conn, &[&users(), &definition("games", &["id"], &[])]),
        [["it is not tracked", "run up.sql of its group"]]
    );
}

#[test]
fn missing_triggers() {
    mended(
        "drop trigger \"~carburetor_stamp\" on users",
        &[["users has no trigger ~carburetor_stamp", RESET]],
        "2",
    );
    mended(
        "drop trigger \"~carburetor_removal_delete\" on users",
        &[["users has no trigger ~carburetor_removal_delete", RESET]],
        "2",
    );
    mended(
        "drop trigger \"~carburetor_removal_update\" on users",
        &[["users has no trigger ~carburetor_removal_update", RESET]],
        "2",
    );
    mended(
        "drop trigger \"~carburetor_truncate\" on users",
        &[["users has no trigger ~carburetor_truncate", RESET]],
        "2",
    );
}

#[test]
fn disabled_triggers() {
    let disabled = "the trigger ~carburetor_stamp of users is disabled, or not enabled always";
    mended(
        "alter table users disable trigger \"~carburetor_stamp\"",
        &[[disabled, RESET]],
        "2",
    );
    mended(
        "alter table users enable trigger \"~carburetor_stamp\"",
        &[[disabled, RESET]],
        "2",
    );
    mended(
        "alter table users disable trigger user; alter table users enable always trigger \"~carburetor_stamp\"; alter table users enable always trigger \"~carburetor_truncate\"",
        &[
            [
                "the trigger ~carburetor_removal_delete of users is disabled, or not enabled always",
                RESET,
            ],
            [
                "the trigger ~carburetor_removal_update of users is disabled, or not enabled always",
                RESET,
            ],
        ],
        "2",
    );
}

#[test]
fn other_functions() {
    let other = |name: &str| {
        format!("the function carburetor.\"{name}\" is not the one that this version installs")
    };
    mended(
        "create or replace function carburetor.stamp_users() returns trigger language plpgsql as 'begin return new; end'",
        &[[&other("stamp_users"), AGAIN]],
        "1",
    );
    mended(
        "alter function carburetor.removal_users() security invoker",
        &[[&other("removal_users"), AGAIN]],
        "1",
    );
    mended(
        "alter function carburetor.removal_users() reset search_path",
        &[[&other("removal_users"), AGAIN]],
        "1",
    );
    mended(
        "alter function carburetor.truncate_users() set search_path = public",
        &[[&other("truncate_users"), AGAIN]],
        "1",
    );
}

#[test]
fn a_trigger_that_fires_after_the_stamp() {
    found(
        "create function late() returns trigger language plpgsql as 'begin return new; end';
         create trigger touch before update on users for each row execute function late();
         create trigger \"~late\" before update on users for each row execute function late();
         create trigger \"~later\" after update on users for each row execute function late()",
        &[[
            "the trigger \"~late\" of users fires after the stamp's and could change it",
            "run: alter trigger \"~late\" on users rename to a name that sorts before \"~\", then: select carburetor.reset_table('users')",
        ]],
    );
}

#[test]
fn dropped_and_changed_columns() {
    found(
        "alter table users drop column team cascade",
        &[
            [
                "its column team is absent",
                "add it, or mark its field #[sync(skip)]",
            ],
            ["users has no trigger ~carburetor_removal_update", RESET],
        ],
    );
    found(
        "alter table users alter column updated_at type timestamptz(3)",
        &[[
            "its stamp updated_at is of type timestamp(3) with time zone instead of timestamp with time zone",
            "run: alter table users alter column updated_at type timestamp with time zone",
        ]],
    );
}

#[test]
fn removals_of_another_make() {
    let column = "its table of removals lacks the column team, or has it with another type";
    mended(
        "alter table carburetor.removal_users alter column team type varchar(9)",
        &[[column, AGAIN]],
        "1",
    );
    mended(
        "alter table carburetor.removal_users drop column team",
        &[
            [
                "its table of removals has no constraint removal_users_key",
                AGAIN,
            ],
            [column, AGAIN],
        ],
        "1",
    );
    mended(
        "drop table carburetor.removal_users",
        &[[
            "its table of removals carburetor.removal_users is absent",
            AGAIN,
        ]],
        "1",
    );
    mended(
        "drop index carburetor.removal_users_removed_at",
        &[[
            "its table of removals has no index on (carburetor_removed_at, id)",
            AGAIN,
        ]],
        "1",
    );
}

#[test]
fn a_stale_definition() {
    let mut conn = tracked_users();
    let mut stale = vec![[
        "its definition changed since it was tracked".to_owned(),
        "print the difference with tracking_since, and run it".to_owned(),
    ]];
    assert_eq!(
        problems(&mut conn, &[&definition("users", &["id"], &[])]).split_off(1),
        stale.split_off(1)
    );
    let column = |skip| ColumnDefinition {
        skip,
        ..ColumnDefinition::new("name")
    };
    let mut wider = users();
    wider.columns.push(column(true));
    assert_eq!(problems(&mut conn, &[&wider]), Vec::<[String; 2]>::new());
    wider.columns.push(column(false));
    assert_eq!(
        problems(&mut conn, &[&wider]),
        [[
            "its definition changed since it was tracked",
            "print the difference with tracking_since, and run it"
        ]]
    );
}

#[test]
fn a_missing_or_different_index() {
    let missing = "no valid index begins with (updated_at, id)";
    let remedy = "run the part of up.sql with the indexes";
    mended("drop index carburetor_users", &[[missing, remedy]], "1");
    mended(
        "drop index carburetor_users; create index carburetor_users on users (id, updated_at)",
        &[[missing, remedy]],
        "1",
    );
    found(
        "drop index carburetor_users; create index on users (updated_at) include (id)",
        &[[missing, remedy]],
    );
    found(
        "drop index carburetor_users; create index on users (updated_at, id) where team is null",
        &[[missing, remedy]],
    );
    found(
        "drop index carburetor_users; create index on users (updated_at, lower(id), id)",
        &[[missing, remedy]],
    );
    found(
        "drop index carburetor_users; create index on users (updated_at, id, name)",
        &[],
    );
    found(
        "update pg_index set indisvalid = false where indexrelid = 'carburetor_users'::regclass",
        &[[
            missing,
            "drop the invalid index carburetor_users, and run the part of up.sql with the indexes",
        ]],
    );
    found(
        "alter table users drop constraint users_pkey",
        &[[
            "no unique index covers the id (id)",
            "make it the primary key",
        ]],
    );
}

#[test]
fn another_table_under_the_name() {
    let other = [
        [
            "it was tracked as another table than users; its rows may differ",
            RESET,
        ],
        [
            "its column carburetor_registers is absent",
            "run its part of up.sql again, which adds it",
        ],
        [
            "no valid index begins with (updated_at, id)",
            "run the part of up.sql with the indexes",
        ],
        ["users has no trigger ~carburetor_removal_delete", RESET],
        ["users has no trigger ~carburetor_removal_update", RESET],
        ["users has no trigger ~carburetor_stamp", RESET],
        ["users has no trigger ~carburetor_truncate", RESET],
    ];
    mended(&format!("drop table users; {USERS}"), &other, "2");
    mended(
        &format!(
            "alter table users rename to users_old; alter index carburetor_users rename to other; alter index users_pkey rename to older; {USERS}"
        ),
        &other,
        "2",
    );
}

#[test]
fn tables_that_inherit_or_vanish_in_a_crash() {
    found(
        "create table child () inherits (users)",
        &[[
            "tables inherit from it, and triggers don't reach their rows: child",
            "track these instead",
        ]],
    );
    found(
        "alter table users set unlogged",
        &[[
            "it can't be tracked: users is unlogged, temporary or not a table",
            "make it an ordinary table",
        ]],
    );
}

#[test]
fn a_setting_that_holds_in_every_transaction() {
    found(
        "do $$ begin execute format('alter database %I set carburetor.untracked = on', current_database()); end $$",
        &[[
            "the setting carburetor.untracked stands for this database, so that it holds in every transaction",
            "reset it there",
        ]],
    );
}
