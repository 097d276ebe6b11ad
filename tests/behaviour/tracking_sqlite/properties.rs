//! Random writes: the triggers change nothing but stamps, registers and removals, and replicas that follow those converge.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SCHEMA: &str = "create table items (id integer primary key, team text, email text unique, a integer, b integer,
   n integer, updated_at text, unique (a, b))";

const OWN_TRIGGERS: [&str; 5] = [
    "",
    "create trigger touch after update on items begin update items set updated_at = 'touched' where id = new.id; end;",
    "create trigger touch before update on items begin update items set updated_at = 'touched' where id <> new.id and n = new.n; end;
     create trigger again after update of updated_at on items begin update items set updated_at = 'again' where id = new.id; end;
     create trigger made after insert on items begin update items set updated_at = 'made' where id = new.id; end;",
    "create trigger guarded after update on items when new.updated_at is old.updated_at and new.updated_at is not 'guarded' begin
       update items set updated_at = 'guarded' where id = new.id; end;",
    "create trigger homeless after update on items when new.team is null begin update items set team = 'y' where id = new.id; end;
     create trigger homeless_too after insert on items when new.team is null begin update items set team = 'y' where id = new.id; end;",
];

#[derive(Debug, Clone)]
enum Step {
    Write(String),
    Download(usize),
}

fn value<const N: usize>(values: [&'static str; N]) -> impl Strategy<Value = &'static str> {
    prop::sample::select(values.to_vec())
}

fn id() -> impl Strategy<Value = &'static str> {
    value(["1", "2", "3", "4", "5"])
}

fn team() -> impl Strategy<Value = &'static str> {
    value(["null", "'x'", "'y'"])
}

fn email() -> impl Strategy<Value = &'static str> {
    value(["null", "null", "'p'", "'q'"])
}

fn small() -> impl Strategy<Value = &'static str> {
    value(["null", "1", "2"])
}

fn row() -> impl Strategy<Value = String> {
    (id(), team(), email(), small(), small())
        .prop_map(|(id, team, email, a, b)| format!("({id}, {team}, {email}, {a}, {b}, :n)"))
}

fn insert() -> impl Strategy<Value = String> {
    let verb = value([
        "insert",
        "insert or replace",
        "insert or ignore",
        "insert or fail",
        "replace",
    ]);
    let plain = (verb, prop::collection::vec(row(), 1..3));
    let plain = plain.prop_map(|(verb, rows)| {
        format!(
            "{verb} into items (id, team, email, a, b, n) values {}",
            rows.join(", ")
        )
    });
    let upsert = (
        row(),
        value(["id", "email", "a, b"]),
        value(["excluded.team", "team", "null"]),
        value(["id", "excluded.id"]),
    );
    let upsert = upsert.prop_map(|(row, key, team, id)| {
        format!("insert into items (id, team, email, a, b, n) values {row} on conflict ({key}) do update set team = {team}, id = {id}, n = :n")
    });
    let select = (
        value(["insert", "insert or replace", "insert or ignore"]),
        value(["id + 1", "6 - id"]),
    );
    let select = select.prop_map(|(verb, id)| {
        format!("{verb} into items (id, team, email, a, b, n) select {id}, team, email, b, a, :n from items where id < 5 order by id")
    });
    prop_oneof![4 => plain, 2 => upsert, 1 => select]
}

fn update() -> impl Strategy<Value = String> {
    let set = prop_oneof![
        Just("a = a".to_owned()),
        team().prop_map(|team| format!("team = {team}")),
        email().prop_map(|email| format!("email = {email}")),
        small().prop_map(|a| format!("a = {a}")),
        id().prop_map(|id| format!("id = {id}")),
        (id(), team(), small())
            .prop_map(|(id, team, b)| format!("id = {id}, team = {team}, b = {b}")),
        Just("updated_at = '2001-01-01'".to_owned()),
        Just("updated_at = (select max(updated_at) from items)".to_owned()),
    ];
    let verb = value([
        "update",
        "update or replace",
        "update or ignore",
        "update or fail",
    ]);
    let which = prop_oneof![3 => id().prop_map(|id| format!("id = {id}")), 1 => id().prop_map(|id| format!("id > {id}"))];
    (verb, set, which)
        .prop_map(|(verb, set, which)| format!("{verb} items set {set}, n = :n where {which}"))
}

fn delete() -> impl Strategy<Value = String> {
    prop_oneof![4 => id().prop_map(|id| format!("delete from items where id = {id}")), 1 => Just("delete from items".to_owned())]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => insert().prop_map(Step::Write),
        4 => update().prop_map(Step::Write),
        1 => delete().prop_map(Step::Write),
        2 => (0..4usize).prop_map(Step::Download),
    ]
}

type Rows = BTreeMap<String, String>;

/// The rows by id, without the stamp, that `visible` shows.
fn rows(conn: &mut SqliteConnection, visible: &str) -> Rows {
    let ids = texts(
        conn,
        &format!("select id as value from items where {visible} order by id"),
    );
    let values = format!(
        "select json_array(team, email, a, b, n) as value from items where {visible} order by id"
    );
    ids.into_iter().zip(texts(conn, &values)).collect()
}

fn stamps(conn: &mut SqliteConnection) -> Rows {
    let ids = texts(conn, "select id as value from items order by id");
    ids.into_iter()
        .zip(texts(
            conn,
            "select updated_at as value from items order by id",
        ))
        .collect()
}

fn pairs(conn: &mut SqliteConnection) -> BTreeSet<String> {
    texts(
        conn,
        "select id || '/' || ifnull(team, '-') as value from items",
    )
    .into_iter()
    .collect()
}

fn canonical(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros)
        .unwrap()
        .format("%Y-%m-%d %H:%M:%S%.6f+00:00")
        .to_string()
}

const COLUMNS: [&str; 5] = ["team", "email", "a", "b", "n"];

fn definition() -> TableDefinition {
    let mut definition = items();
    definition
        .columns
        .extend(COLUMNS[1..].iter().map(|name| ColumnDefinition::new(*name)));
    definition
}

/// The instant in microseconds, as the text of a clock.
fn clock_text(micros: i64) -> String {
    let instant = chrono::DateTime::from_timestamp_micros(micros).unwrap();
    carburetor::clock::Clock::of_database(instant).to_string()
}

/// Of every row by id: its values, the clocks of its existence and then of its columns, and that of its stamp.
fn registers(
    conn: &mut SqliteConnection,
) -> BTreeMap<i64, (Vec<serde_json::Value>, Vec<String>, String)> {
    let clocks = [""].iter().chain(&COLUMNS).map(|name| {
        format!("coalesce(carburetor_registers ->> '$.\"{name}\"', carburetor_registers ->> '$.\"\"', stamped)")
    });
    let clocks: Vec<String> = clocks.collect();
    let query = format!(
        "select json_array(id, json_array({}), json_array({}), stamped) as value from (select *, printf('%012x%04x%016x', micros / 1000, micros % 1000, 0) as stamped
           from (select *, strftime('%s', substr(updated_at, 1, 19)) * 1000000 + substr(updated_at, 21, 6) as micros from items))",
        COLUMNS.join(", "),
        clocks.join(", ")
    );
    let rows = texts(conn, &query).into_iter();
    rows.map(|row| {
        let (id, values, clocks, stamp) = serde_json::from_str(&row).unwrap();
        (id, (values, clocks, stamp))
    })
    .collect()
}

/// Makes the application's triggers once more, so that they fire before ours.
fn make_again(conn: &mut SqliteConnection, own: &str) {
    for trigger in own.split("create trigger ").skip(1) {
        let name = trigger.split(' ').next().unwrap();
        run(
            conn,
            &format!("drop trigger {name}; create trigger {trigger}"),
        );
    }
}

/// What changed has a clock of this write, what did not has kept its own, unless the whole row is new.
fn check_registers(
    write: &str,
    conn: &mut SqliteConnection,
    before: &BTreeMap<i64, (Vec<serde_json::Value>, Vec<String>, String)>,
    began: i64,
) {
    let began = clock_text(began);
    let after = registers(conn);
    for (id, (values, clocks, stamp)) in &after {
        let context = format!("{write}: {id} {clocks:?} {stamp} {began}");
        assert!(clocks.iter().all(|clock| clock <= stamp), "{context}");
        let old = before.get(id).filter(|(_, old, _)| old[0] == clocks[0]);
        let Some((old_values, old_clocks, _)) = old else {
            assert!(clocks.iter().all(|clock| *clock > began), "{context}");
            continue;
        };
        for column in 0..COLUMNS.len() {
            let moved = clocks[column + 1] > began;
            if values[column] != old_values[column] {
                assert!(moved, "{context}");
            } else if !(moved && COLUMNS[column] == "team") {
                // A trigger may have taken a team back that the statement took away.
                assert_eq!(clocks[column + 1], old_clocks[column + 1], "{context}");
            }
        }
    }
    let deleted: BTreeSet<i64> = texts(
        conn,
        &format!(
            "select id as value from carburetor_register_items where carburetor_clock > '{began}'"
        ),
    )
    .iter()
    .map(|id| id.parse().unwrap())
    .collect();
    let mut gone = before.keys().filter(|id| !after.contains_key(id));
    assert!(gone.all(|id| deleted.contains(id)), "{write}: {deleted:?}");
}

struct Replica {
    visible: &'static str,
    since: i64,
    rows: Rows,
}

impl Replica {
    fn all() -> Vec<Replica> {
        ["true", "team is 'x'", "team is 'y'", "team is null"]
            .map(|visible| Replica {
                visible,
                since: 0,
                rows: Rows::new(),
            })
            .into()
    }

    /// The cutoff first, then removals, then rows, as a download does.
    fn download(&mut self, conn: &mut SqliteConnection) {
        let (visible, since) = (self.visible, self.since);
        let cutoff = clock(conn) + 1;
        let removed = format!(
            "select id as value from carburetor_removal_items where {visible} and carburetor_removed_at >= {since}
             and id not in (select id from items where {visible})"
        );
        for id in texts(conn, &removed) {
            self.rows.remove(&id);
        }
        self.rows.extend(rows(
            conn,
            &format!("{visible} and updated_at >= '{}'", canonical(since)),
        ));
        self.since = cutoff;
    }
}

/// Runs `write` on both databases, and compares what it did with what it would have done without tracking.
fn check(write: &str, conn: &mut SqliteConnection, twin: &mut SqliteConnection, n: usize) {
    let write = write.replace(":n", &n.to_string());
    let (clock_before, stamps_before, pairs_before) = (clock(conn), stamps(conn), pairs(conn));
    let registers_before = registers(conn);
    let expected = twin
        .batch_execute(&write)
        .map_err(|error| error.to_string());
    assert_eq!(
        conn.batch_execute(&write)
            .map_err(|error| error.to_string()),
        expected,
        "{write}"
    );
    assert_eq!(rows(conn, "true"), rows(twin, "true"), "{write}");
    assert_eq!(
        number(conn, "select count(*) from carburetor_stamping"),
        0,
        "{write}"
    );

    let before = canonical(clock_before);
    let written: BTreeSet<String> = rows(conn, &format!("n = {n}")).into_keys().collect();
    for (id, stamp) in stamps(conn) {
        if written.contains(&id) {
            assert!(
                stamp > before && stamp <= canonical(clock(conn)),
                "{write}: {id} {stamp} {before}"
            );
            assert_eq!(stamp.len(), before.len(), "{write}: {id} {stamp}");
        } else {
            assert_eq!(Some(&stamp), stamps_before.get(&id), "{write}: {id}");
        }
    }
    let fresh = format!(
        "select id || '/' || ifnull(team, '-') as value from carburetor_removal_items where carburetor_removed_at > {clock_before}"
    );
    let removed: BTreeSet<String> = texts(conn, &fresh).into_iter().collect();
    let gone: BTreeSet<String> = pairs_before.difference(&pairs(conn)).cloned().collect();
    assert!(
        removed.is_superset(&gone),
        "{write}: {gone:?} not in {removed:?}"
    );
    check_registers(&write, conn, &registers_before, clock_before);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn replicas_converge_and_the_triggers_change_nothing_else(
        steps in prop::collection::vec(step(), 1..60),
        recursive in any::<bool>(),
        rowid in any::<bool>(),
        own in prop::sample::select(OWN_TRIGGERS.to_vec()),
        last in any::<bool>(),
    ) {
        let recursive = recursive && !own.contains("touch");
        let without = if rowid { "" } else { "without rowid" };
        let schema = format!("{SCHEMA} {without}; {own} pragma recursive_triggers = {recursive};");
        let (mut tracked, mut twin) = (database(&schema), database(&schema));
        track(&mut tracked, &[definition()]);
        if last {
            make_again(&mut tracked, own);
        }
        let mut replicas = Replica::all();
        for (n, step) in steps.iter().enumerate() {
            match step {
                Step::Write(write) => check(write, &mut tracked, &mut twin, n),
                Step::Download(replica) => replicas[*replica].download(&mut tracked),
            }
        }
        for replica in &mut replicas {
            replica.download(&mut tracked);
            prop_assert_eq!(&replica.rows, &rows(&mut tracked, replica.visible), "{}", replica.visible);
        }
    }
}
