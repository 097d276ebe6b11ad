//! Installing, checking and taking away.

use super::*;
use carburetor::tracking::sqlite::down;

fn schema(conn: &mut SqliteConnection) -> Vec<String> {
    texts(
        conn,
        "select type || name || ifnull(sql, '') as value from sqlite_schema order by type, name",
    )
}

#[test]
fn installing_twice_changes_nothing() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(
        conn,
        "insert into items (id, team) values (1, 'a'), (2, 'a'); delete from items where id = 1",
    );
    let contents = |conn: &mut SqliteConnection| {
        let mut all = schema(conn);
        all.extend(texts(conn, "select json_array(name, generation, horizon, definition, hash) as value from carburetor_synced_table"));
        all.extend(texts(conn, "select json_array(id, team, carburetor_removed_at) as value from carburetor_removal_items"));
        all.extend(texts(
            conn,
            "select json_array(id, updated_at) as value from items",
        ));
        all
    };
    let before = contents(conn);
    install(conn, &[items()]);
    assert_eq!(contents(conn), before);
}

#[test]
fn the_horizon_starts_at_the_clock() {
    let mut conn = tracked(ITEMS);
    let now = clock(&mut conn);
    assert_eq!(registry(&mut conn), (1, now));
}

#[test]
fn stamps_ahead_of_the_clock_are_given_again() {
    let mut conn = database(&format!(
        "{ITEMS} insert into items (id, updated_at) values (1, '2999-01-01 00:00:00.000000+00:00'), (2, '2001-01-01 00:00:00+00:00')"
    ));
    track(&mut conn, &[items()]);
    assert_eq!(stamp(&mut conn, 1), clock(&mut conn));
    assert_eq!(
        text(&mut conn, "select updated_at from items where id = 2"),
        "2001-01-01 00:00:00+00:00"
    );
}

#[test]
fn down_leaves_the_clock_and_the_next_generation() {
    let mut conn = database(ITEMS);
    let conn = &mut conn;
    let before: Vec<String> = schema(conn);
    track(conn, &[items()]);
    let given_out = clock(conn) + 1;
    run(conn, &down(&[items()]));
    let shared = [
        "carburetor_clock",
        "carburetor_flag",
        "carburetor_outcome",
        "carburetor_pause",
        "carburetor_relay",
        "carburetor_replaced",
        "sqlite_sequence",
        "carburetor_stamping",
        "carburetor_synced_table",
    ];
    let left: Vec<String> = schema(conn)
        .into_iter()
        .filter(|object| !shared.iter().any(|shared| object.contains(shared)))
        .collect();
    assert_eq!(left, before);
    run(conn, "insert into items (id) values (1)");
    assert_eq!(clock(conn), given_out);
    track(conn, &[items()]);
    let (generation, horizon) = registry(conn);
    assert_eq!(generation, 2);
    assert!(horizon > given_out && horizon <= clock(conn) + 1);
}

#[test]
fn a_gap_in_the_triggers_is_found_and_moves_the_generation() {
    for (harm, problem) in [
        ("drop trigger carburetor_stamp_update_1_items", "carburetor_stamp_update_1_items: the trigger is missing"),
        ("drop trigger carburetor_removal_delete_items", "carburetor_removal_delete_items: the trigger is missing"),
        (
            "drop trigger carburetor_removal_delete_items;
             create trigger carburetor_removal_delete_items after delete on items begin select 1; end",
            "carburetor_removal_delete_items: the trigger differs from what the model asks for",
        ),
    ] {
        let mut conn = tracked(ITEMS);
        run(&mut conn, harm);
        assert_eq!(wrong(&mut conn, &[items()]), [problem]);
        install(&mut conn, &[items()]);
        assert_eq!(wrong(&mut conn, &[items()]), Vec::<String>::new());
        let next_cutoff = clock(&mut conn) + 1;
        assert_eq!(registry(&mut conn), (2, next_cutoff));
    }
}

#[test]
fn a_table_made_anew_is_found() {
    let mut conn = tracked(ITEMS);
    run(&mut conn, &format!("drop table items; {ITEMS}"));
    let missing = wrong(&mut conn, &[items()]);
    assert_eq!(missing.len(), 12, "{missing:?}");
    install(&mut conn, &[items()]);
    assert_eq!(registry(&mut conn).0, 2);
    run(&mut conn, "drop table items");
    assert!(
        wrong(&mut conn, &[items()]).contains(&"items: the database has no such table".to_owned())
    );
}

#[test]
fn a_later_unique_key_or_trigger_is_found() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(conn, "create unique index by_name on items (name)");
    assert_eq!(
        wrong(conn, &[items()]),
        [
            "carburetor_replace_insert_items: the trigger differs from what the model asks for",
            "carburetor_replace_update_items: the trigger differs from what the model asks for",
            "carburetor_replaced_update_items: the trigger differs from what the model asks for"
        ]
    );
    install(conn, &[items()]);
    assert_eq!(wrong(conn, &[items()]), Vec::<String>::new());
    let touch = |n: u32| {
        format!(
            "create trigger touch{n} after update on items begin update items set updated_at = '' where id = new.id; end"
        )
    };
    run(conn, &touch(1));
    assert_eq!(wrong(conn, &[items()]), Vec::<String>::new());
    run(conn, &touch(2));
    assert_eq!(
        wrong(conn, &[items()]),
        [
            "carburetor_stamp_insert_2_items: the trigger differs from what the model asks for",
            "carburetor_stamp_update_2_items: the trigger differs from what the model asks for",
            "carburetor_stamp_insert_3_items: the trigger is missing",
            "carburetor_stamp_update_3_items: the trigger is missing"
        ]
    );
}

#[test]
fn missing_indexes_columns_and_a_forgotten_flag_are_found() {
    let mut conn = tracked(ITEMS);
    run(
        &mut conn,
        "drop index carburetor_stamp_items; drop index carburetor_gone_at_items;
         delete from carburetor_clock; insert into carburetor_flag values ('untracked')",
    );
    assert_eq!(
        wrong(&mut conn, &[items()]),
        [
            "carburetor_clock: the clock has no row",
            "carburetor_flag: stamps are turned off in committed data",
            "carburetor_stamp_items: the index is missing",
            "carburetor_gone_at_items: the index is missing"
        ]
    );
    let mut conn = tracked(ITEMS);
    run(
        &mut conn,
        "drop trigger carburetor_stamp_update_1_items; drop trigger carburetor_stamp_update_2_items;
         drop trigger carburetor_stamp_insert_1_items; drop trigger carburetor_stamp_insert_2_items;
         drop trigger carburetor_removal_delete_items; drop trigger carburetor_removal_move_items;
         drop trigger carburetor_replace_insert_items; drop trigger carburetor_replace_update_items;
         drop trigger carburetor_replaced_insert_items; drop trigger carburetor_replaced_update_items;
         alter table items drop column carburetor_registers; alter table carburetor_clock drop column ahead;
         alter table carburetor_conflict_items drop column carburetor_won;
         drop table carburetor_register_items; drop table carburetor_outcome",
    );
    let missing: Vec<String> = wrong(&mut conn, &[items()])
        .into_iter()
        .filter(|problem| !problem.ends_with("the trigger is missing"))
        .collect();
    assert_eq!(
        missing,
        [
            "carburetor_clock: the column ahead is missing",
            "carburetor_outcome: the column outcomes is missing",
            "carburetor_deleted_id_items: the index is missing",
            "items: the column carburetor_registers is missing",
            "carburetor_register_items: the column id is missing",
            "carburetor_register_items: the column team is missing",
            "carburetor_register_items: the column carburetor_clock is missing",
            "carburetor_conflict_items: the column carburetor_won is missing"
        ]
    );
    let mut conn =
        tracked("create table items (id integer primary key, team text, updated_at text)");
    let mut definition = items();
    definition.columns.push(ColumnDefinition::new("name"));
    assert_eq!(
        wrong(&mut conn, &[definition]),
        [
            "items: the column name is missing",
            "carburetor_stamp_update_1_items: the trigger differs from what the model asks for",
            "carburetor_stamp_update_2_items: the trigger differs from what the model asks for",
            "items: its tracking was installed for another definition of the model"
        ]
    );
}

#[test]
fn an_installation_that_notes_no_replaced_rows_is_brought_up_to_date() {
    let mut conn = tracked(ITEMS);
    let conn = &mut conn;
    run(
        conn,
        "drop trigger carburetor_replaced_insert_items; drop trigger carburetor_replaced_update_items; drop table carburetor_replaced",
    );
    assert_eq!(
        wrong(conn, &[items()]),
        [
            "carburetor_replaced: the column removal is missing",
            "carburetor_replaced_insert_items: the trigger is missing",
            "carburetor_replaced_update_items: the trigger is missing"
        ]
    );
    install(conn, &[items()]);
    assert_eq!(wrong(conn, &[items()]), Vec::<String>::new());
    run(
        conn,
        "insert into items (id, email) values (1, 'one'); insert or replace into items (id, email) values (2, 'one')",
    );
    assert_eq!(number(conn, "select id from carburetor_register_items"), 1);
}

#[test]
fn an_installation_without_registers_is_brought_up_to_date() {
    let mut conn = database(
        "create table carburetor_clock (singleton integer primary key check (singleton = 1), now integer not null);
         create table carburetor_synced_table (name text primary key, generation integer not null default 1, horizon integer not null,
           definition text not null, hash text not null);
         insert into carburetor_clock values (1, 5)",
    );
    run(&mut conn, ITEMS);
    track(&mut conn, &[items()]);
    run(
        &mut conn,
        "insert into items (id) values (1); update items set name = 'x'; delete from items",
    );
    assert_eq!(removals(&mut conn), ["1/-"]);
}

#[test]
fn names_with_quotes_capitals_and_blanks_work() {
    let definition = TableDefinition {
        table: "my \"It'ems".into(),
        columns: vec![
            ColumnDefinition {
                id: true,
                ..ColumnDefinition::new("the \"id'")
            },
            ColumnDefinition {
                visible_by: true,
                ..ColumnDefinition::new("order")
            },
            ColumnDefinition {
                last_synced_at: true,
                storage: Storage::Integer,
                ..ColumnDefinition::new("Größe")
            },
        ],
        ..items()
    };
    let mut conn = database(
        r#"create table "my ""It'ems" ("the ""id'" text primary key, "order" text, "group" text, unique ("order", "group"))"#,
    );
    let conn = &mut conn;
    track(conn, &[definition]);
    run(
        conn,
        r#"insert into "my ""It'ems" ("the ""id'", "order", "group") values ('1', 'a', 'b')"#,
    );
    run(
        conn,
        r#"replace into "my ""It'ems" ("the ""id'", "order", "group") values ('2', 'a', 'b')"#,
    );
    assert_eq!(
        texts(
            conn,
            r#"select "the ""id'" as value from "carburetor_removal_my ""It'ems""#
        ),
        ["1"]
    );
    assert_eq!(
        number(conn, r#"select "Größe" from "my ""It'ems""#),
        clock(conn)
    );
}

#[test]
fn many_tables_are_verified_in_one_query() {
    let definitions: Vec<TableDefinition> = (0..32)
        .map(|n| TableDefinition {
            table: format!("t{n}"),
            ..items()
        })
        .collect();
    let tables: String = (0..32)
        .map(|n| format!("create table t{n} (id integer primary key, team text, updated_at text);"))
        .collect();
    let mut conn = database(&tables);
    track(&mut conn, &definitions);
}

#[test]
fn a_reader_beside_the_writer_sees_clock_and_stamps_together() {
    let path =
        std::env::temp_dir().join(format!("carburetor-tracking-{}.sqlite", std::process::id()));
    let address = path.to_str().unwrap();
    let mut writer = SqliteConnection::establish(address).unwrap();
    run(&mut writer, &format!("pragma journal_mode = wal; {ITEMS}"));
    track(&mut writer, &[items()]);
    let mut reader = SqliteConnection::establish(address).unwrap();
    let seen = |reader: &mut SqliteConnection| {
        (
            clock(reader),
            number(
                reader,
                "select count(*) from items where updated_at is not null",
            ),
        )
    };

    let before = clock(&mut writer);
    run(
        &mut writer,
        "begin immediate; insert into items (id) values (1), (2)",
    );
    assert_eq!(seen(&mut reader), (before, 0));
    run(&mut reader, "begin; select * from items");
    assert_eq!(seen(&mut reader), (before, 0));
    run(&mut writer, "commit");
    assert_eq!(
        seen(&mut reader),
        (before, 0),
        "the snapshot began before the commit"
    );
    run(&mut reader, "commit");
    let after = clock(&mut writer);
    assert_eq!(seen(&mut reader), (after, 2));
    assert!((1..=2).all(|id| stamp(&mut reader, id) > before));

    run(
        &mut writer,
        "begin immediate; update items set name = 'x'; insert into carburetor_flag values ('untracked'); rollback",
    );
    assert_eq!(
        (clock(&mut writer), wrong(&mut reader, &[items()])),
        (after, vec![])
    );
    drop((reader, writer));
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{address}{suffix}"));
    }
}

#[test]
fn tables_named_like_parts_of_the_librarys_own_names_stand_beside_each_other() {
    let named = |table: &str| TableDefinition {
        table: table.into(),
        ..items()
    };
    let names = [
        "items",
        "id_items",
        "at_items",
        "delete_items",
        "1_items",
        "removal_items",
    ];
    let tables: String = names
        .iter()
        .map(|name| {
            format!("create table \"{name}\" (id integer primary key, team text, updated_at text);")
        })
        .collect();
    track(&mut database(&tables), &names.map(named));
}
