//! Columns that are dropped, renamed or of another type, before the tracking is installed again.

use super::*;
use carburetor::SyncGroup;
use carburetor::tracking::Tracking;
use std::collections::BTreeMap;

diesel::table! { goods (id) { id -> Integer, name -> Text, price -> Integer, note -> Nullable<Text>, updated_at -> Timestamptz, } }

/// The model before and after: the note goes, the price is another number.
mod before {
    use super::*;
    #[derive(Debug, Clone, PartialEq, SyncTable)]
    #[diesel(table_name = goods)]
    #[sync(backends(postgres))]
    pub(super) struct Good {
        id: i32,
        pub(super) name: String,
        price: i32,
        note: Option<String>,
        #[sync(last_synced_at)]
        updated_at: DateTime<Utc>,
    }
}

mod after {
    use super::*;
    #[derive(Debug, Clone, PartialEq, SyncTable)]
    #[diesel(table_name = goods)]
    #[sync(backends(postgres))]
    pub(super) struct Good {
        id: i32,
        pub(super) name: String,
        price: i32,
        #[sync(last_synced_at)]
        updated_at: DateTime<Utc>,
    }
}

fn goods() -> (Database, PgConnection) {
    let database = Cluster::shared().database();
    database.psql("create table goods (id int primary key, name text not null, price int not null, note text)");
    let mut conn = database.connect();
    tracking_before().install(&mut conn).unwrap();
    conn.batch_execute(
        "insert into goods (id, name, price, note) values (1, 'ink', 1, 'n'), (2, 'pen', 2, 'n')",
    )
    .unwrap();
    // The session's triggers have their plans.
    conn.batch_execute("update goods set price = 3 where id = 1; update goods set note = 'm'")
        .unwrap();
    (database, conn)
}

fn tracking_before() -> Tracking<Pg> {
    SyncGroup::<(before::Good,)>::tracking()
}

fn tracking_after() -> Tracking<Pg> {
    SyncGroup::<(after::Good,)>::tracking()
}

/// The registers of good 1.
fn registers(conn: &mut PgConnection) -> BTreeMap<String, String> {
    let stored = text(
        conn,
        "(select coalesce(carburetor_registers::text, '{}') from goods where id = 1)",
    );
    serde_json::from_str(&stored).unwrap()
}

/// Makes `change` beside a session that has written before, and expects that an update of the name still moves its register, alone.
fn survives(change: &str) {
    let (database, mut conn) = goods();
    database.psql(change);
    let earlier = registers(&mut conn);
    for mut conn in [conn, database.connect()] {
        let first = Mobile2::download(&mut conn, (None,));
        let first = first.map(|news| (news.0.unreadable.is_empty(), news.next()));
        conn.batch_execute("update goods set name = name || '!' where id = 1")
            .unwrap_or_else(|error| panic!("{change}: {error}"));
        let later = registers(&mut conn);
        assert!(
            later.get("name") > earlier.get("name"),
            "{change}: {later:?}"
        );
        for (name, clock) in &earlier {
            if name != "name" {
                assert_eq!(later.get(name), Some(clock), "{change}: {name}");
            }
        }
        if let Ok((is_read, first)) = first {
            let news = &Mobile2::download(&mut conn, first).unwrap().0;
            // What the model can't read any more was told, and is told once.
            let is_there = news.rows.iter().any(|good| good.name.ends_with('!'));
            assert_eq!(is_there, is_read, "{change}");
        }
        conn.batch_execute("delete from goods where id = 2; insert into goods (id, name, price) values (2, 'pen', 1)")
            .unwrap();
    }
}

type Mobile2 = SyncGroup<(after::Good,)>;

#[test]
fn rows_are_written_on_after_a_column_was_dropped() {
    survives("alter table goods drop column note");
}

#[test]
fn rows_are_written_on_after_a_column_was_renamed() {
    survives("alter table goods rename column note to remark");
}

#[test]
fn rows_are_written_on_after_a_column_got_another_type() {
    survives("alter table goods alter column price type bigint");
    survives("alter table goods alter column note type jsonb using to_jsonb(note)");
    survives("alter table goods alter column note type json using to_json(note)");
    survives("alter table goods alter column price type text using price::text");
}

#[test]
fn a_renamed_column_has_its_register_under_the_new_name() {
    let (database, mut conn) = goods();
    database.psql("alter table goods rename column note to remark");
    let earlier = registers(&mut conn);
    conn.batch_execute("update goods set remark = 'x' where id = 1")
        .unwrap();
    let later = registers(&mut conn);
    assert!(later.get("remark") > earlier.get("note"), "{later:?}");
    // NULL is a value too.
    conn.batch_execute("update goods set remark = null where id = 1")
        .unwrap();
    assert!(registers(&mut conn).get("remark") > later.get("remark"));
}

#[test]
fn another_id_begins_another_row_although_a_column_is_gone() {
    let (database, mut conn) = goods();
    database.psql("alter table goods drop column name");
    let first = number(
        &mut conn,
        "(select count(*) from carburetor.register_goods)",
    );
    conn.batch_execute("update goods set id = 3, price = 9 where id = 1")
        .unwrap();
    let after = number(
        &mut conn,
        "(select count(*) from carburetor.register_goods)",
    );
    assert_eq!(after - first, 1);
    assert_eq!(
        text(
            &mut conn,
            "(select coalesce(carburetor_registers::text, 'null') from goods where id = 3)"
        ),
        "null"
    );
}

#[test]
fn a_column_goes_in_one_migration_with_the_difference_before_or_after_it() {
    for column_first in [true, false] {
        let (database, mut conn) = goods();
        let difference = tracking_after().since(&tracking_before().to_string().parse().unwrap());
        let (mut first, mut second) = (
            "alter table goods drop column note;".to_owned(),
            difference.up_sql(),
        );
        if !column_first {
            std::mem::swap(&mut first, &mut second);
        }
        database.psql(&format!("begin;\n{first}\n{second}\ncommit;"));
        assert_eq!(tracking_after().verify(&mut conn).unwrap(), []);
        let before = registers(&mut conn);
        conn.batch_execute("update goods set name = 'x' where id = 1")
            .unwrap();
        assert!(registers(&mut conn).get("name") > before.get("name"));
    }
}

#[test]
fn a_program_whose_models_name_a_column_that_is_gone_is_told() {
    let (database, mut conn) = goods();
    database.psql("alter table goods drop column note");
    let error = SyncGroup::<(before::Good,)>::download(&mut conn, (None,)).unwrap_err();
    let told = error.to_string();
    assert!(
        told.starts_with("column goods.note does not exist") || told.contains("note"),
        "{told}"
    );
    assert!(
        told.contains("start the program that was built for this table"),
        "{told}"
    );
    assert_eq!(
        tracking_before().verify(&mut conn).unwrap()[0].problem,
        "its column note is absent"
    );
}

diesel::table! { leaves (id) { id -> Integer, body -> Text, more -> Text, stamp -> BigInt, } }

mod leaf {
    use super::*;
    #[derive(Debug, Clone, PartialEq, SyncTable)]
    #[diesel(table_name = leaves)]
    #[sync(backends(sqlite))]
    pub(super) struct Before {
        id: i32,
        pub(super) body: String,
        more: String,
        #[sync(last_synced_at)]
        stamp: i64,
    }

    #[derive(Debug, Clone, PartialEq, SyncTable)]
    #[diesel(table_name = leaves)]
    #[sync(backends(sqlite))]
    pub(super) struct After {
        id: i32,
        pub(super) body: String,
        #[sync(last_synced_at)]
        stamp: i64,
    }
}

#[test]
fn sqlite_drops_a_column_after_the_difference_and_not_before() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.batch_execute(
        "create table leaves (id integer primary key, body text not null, more text not null)",
    )
    .unwrap();
    let before = SyncGroup::<(leaf::Before,)>::tracking::<Sqlite>();
    let after = SyncGroup::<(leaf::After,)>::tracking::<Sqlite>();
    before.install(&mut conn).unwrap();
    conn.batch_execute("insert into leaves (id, body, more) values (1, 'a', 'b')")
        .unwrap();
    // SQLite refuses what a trigger needs, so that nothing breaks.
    let refused = conn.batch_execute("alter table leaves drop column more");
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("error in trigger")
    );
    let installed = carburetor::tracking::Installed::read(&mut conn).unwrap();
    let difference = after.clone().since(&installed).up_sql(&mut conn).unwrap();
    conn.transaction(|conn| {
        conn.batch_execute(&difference)?;
        conn.batch_execute("alter table leaves drop column more")
    })
    .unwrap();
    assert_eq!(after.verify(&mut conn).unwrap(), []);
    conn.batch_execute("update leaves set body = 'c'").unwrap();
    let news = SyncGroup::<(leaf::After,)>::download(&mut conn, (None,)).unwrap();
    assert_eq!(news.0.rows[0].body, "c");
}
