//! Random histories of three replicas: however they arrive, the same rows and registers come of them.

use super::super::device::{Device, change, changes};
use super::super::{run, verdicts};
use super::{CARBURETOR, CASES, Conn, Everything, Server};
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// The tables whose rows don't depend on the order of arrival.
const TABLES: [&str; 3] = ["fields_rows", "later_rows", "notes"];
const REPLICAS: usize = 3;
const IDS: i32 = 3;
const HOUR: u64 = 3_600_000;

/// What a replica does next.
#[derive(Debug, Clone)]
struct Step {
    replica: usize,
    table: usize,
    id: i32,
    kind: u8,
    /// Which columns, and what is in them.
    columns: [bool; 3],
    value: u8,
    /// How much later than its last one, in milliseconds.
    later: u64,
}

/// Two phases; in the second one everybody has seen the first.
#[derive(Debug, Clone)]
struct History {
    phases: [Vec<Step>; 2],
    /// By chance, how each delivery cuts and mixes what is sent.
    orders: [u64; 2],
}

fn history() -> impl Strategy<Value = History> {
    let step = (
        0..REPLICAS,
        0..TABLES.len(),
        1..=IDS,
        0..8u8,
        any::<[bool; 3]>(),
        0..100u8,
        1..60u64,
    );
    let step = step.prop_map(|(replica, table, id, kind, columns, value, later)| Step {
        replica,
        table,
        id,
        kind,
        columns,
        value,
        later,
    });
    let phase = || prop::collection::vec(step.clone(), 0..30);
    ([phase(), phase()], any::<[u64; 2]>()).prop_map(|(phases, orders)| History { phases, orders })
}

#[test]
fn any_order_of_arrival_gives_the_same_rows_and_registers() {
    let servers = [Server::new(), Server::new()];
    let conns = RefCell::new(servers.each_ref().map(Server::connect));
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let checked = runner.run(&history(), |history| {
        let mut conns = conns.borrow_mut();
        conns.iter_mut().for_each(clear);
        let start = u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap() - HOUR;
        let mut sent = vec![vec![seed(start)]];
        let mut live = TABLES.map(|_| BTreeSet::from([1, 2]));
        for (phase, steps) in history.phases.iter().enumerate() {
            sent.push(vec![Vec::new(); REPLICAS]);
            made(
                steps,
                start + 1000 + phase as u64 * 100_000,
                &live,
                sent.last_mut().unwrap(),
            );
            let deliveries = std::mem::take(&mut sent);
            for (conn, order) in conns.iter_mut().zip(history.orders) {
                deliveries
                    .iter()
                    .for_each(|changes| deliver(conn, changes, order));
            }
            let [first, second] = [0, 1].map(|server| state(&mut conns[server]));
            prop_assert_eq!(&first, &second, "of {:#?}", deliveries);
            live = TABLES.map(|table| {
                first
                    .iter()
                    .filter(|(key, row)| key.0 == table && row.is_live)
                    .map(|(key, _)| key.1)
                    .collect()
            });
        }
        Ok(())
    });
    checked.unwrap();
}

/// The first two rows of each table.
fn seed(start: u64) -> Vec<Change> {
    let mut device = Device::new(99);
    let mut rows = Vec::new();
    for table in TABLES {
        for id in [1, 2] {
            let clock = device.tick_at(start);
            rows.push(change(
                table,
                id.into(),
                clock,
                Edit::Insert(columns(table, id, "seed", [true; 3])),
            ));
        }
    }
    rows
}

/// The changes that each replica makes of its steps. It edits what it has seen; it neither brings back what it has
/// deleted just now, nor deletes what came into being just now: an edit that is concurrent with a deletion and an insert after it stands or falls with
/// the order of the three.
fn made(steps: &[Step], start: u64, live: &[BTreeSet<i32>; 3], sent: &mut [Vec<Change>]) {
    let mut seen: Vec<[BTreeSet<i32>; 3]> = vec![live.clone(); REPLICAS];
    let mut deleted: BTreeSet<(usize, usize, i32)> = BTreeSet::new();
    let mut devices: Vec<(Device, u64)> = (0..REPLICAS)
        .map(|replica| (Device::new(1 + replica as u64), start))
        .collect();
    for step in steps {
        let Step {
            replica, table, id, ..
        } = *step;
        let (device, millis) = &mut devices[replica];
        *millis += step.later;
        let seen = &mut seen[replica][table];
        let text = format!("{replica}-{}", step.value);
        let edit = match (seen.contains(&id), step.kind) {
            (true, 0) if live[table].contains(&id) => {
                seen.remove(&id);
                deleted.insert((replica, table, id));
                Edit::Delete
            }
            (true, _) => Edit::Update(columns(TABLES[table], id, &text, step.columns)),
            (false, _) if deleted.contains(&(replica, table, id)) => continue,
            (false, _) => {
                seen.insert(id);
                Edit::Insert(columns(TABLES[table], id, &text, [true; 3]))
            }
        };
        if !matches!(&edit, Edit::Update(columns) if columns.is_empty()) {
            sent[replica].push(change(
                TABLES[table],
                id.into(),
                device.tick_at(*millis),
                edit,
            ));
        }
    }
}

/// Columns of a row; those that are resolved as one all together. All of them make an insert.
fn columns(table: &str, id: i32, text: &str, which: [bool; 3]) -> Map<String, Value> {
    let [a, b, c] = match table {
        "later_rows" => [which[0], which[0], which[2]],
        _ => which,
    };
    let mut columns = Map::new();
    if which == [true; 3] {
        columns.insert("id".into(), id.into());
    }
    if table == "notes" {
        columns.insert("body".into(), json!(text));
        return columns;
    }
    for (name, is_given) in [("a", a), ("b", b), ("c", c)] {
        if is_given {
            columns.insert(name.into(), json!(format!("{text}{name}")));
        }
    }
    columns
}

/// Uploads what the replicas sent, each one's in its order, cut and mixed by chance, some of it again.
fn deliver(conn: &mut Conn, sent: &[Vec<Change>], order: u64) {
    let mut random = fastrand::Rng::with_seed(order);
    let mut rest: Vec<&[Change]> = sent.iter().map(Vec::as_slice).collect();
    let mut uploaded = Vec::new();
    while rest.iter().any(|changes| !changes.is_empty()) {
        let mut batch = Vec::new();
        for _ in 0..random.usize(1..=3) {
            let changes = &mut rest[random.usize(..sent.len())];
            let (now, later) = changes.split_at(changes.len().min(random.usize(1..=6)));
            batch.extend_from_slice(now);
            *changes = later;
        }
        let outcomes = Everything::upload(conn, &changes(batch.clone())).unwrap();
        uploaded.push((batch, outcomes));
        if random.bool() {
            let (batch, first) = &uploaded[random.usize(..uploaded.len())];
            let again = Everything::upload(conn, &changes(batch.clone())).unwrap();
            assert_eq!(verdicts(first), verdicts(&again));
        }
    }
}

/// A row, or what is known of its deletion.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    is_live: bool,
    /// The columns, unless it is gone.
    values: Option<String>,
    /// The clock of each column, or of the deletion.
    clocks: BTreeMap<String, Clock>,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Integer)]
    id: i32,
    /// None if the row is deleted.
    #[diesel(sql_type = Nullable<Text>)]
    held: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    registers: Option<String>,
}

/// Everything that must be alike.
fn state(conn: &mut Conn) -> BTreeMap<(&'static str, i32), Held> {
    let mut state = BTreeMap::new();
    for table in TABLES {
        let (values, names, deleted): (_, &[&str], _) = match table {
            "notes" => ("case when not gone then body end", &["body"], "gone"),
            _ => (
                "a || '/' || coalesce(b, '~') || '/' || coalesce(c, '~')",
                &["a", "b", "c"],
                "",
            ),
        };
        let gone = format!(
            "select id, null as held, carburetor_clock as registers from {CARBURETOR}register_{table}"
        );
        for line in lines(conn, &gone) {
            let clock = line.registers.unwrap().parse().unwrap();
            let clocks = BTreeMap::from([(String::new(), clock)]);
            state.insert(
                (table, line.id),
                Held {
                    is_live: false,
                    values: None,
                    clocks,
                },
            );
        }
        let rows = format!(
            "select id, {values} as held, cast(carburetor_registers as text) as registers from {table}"
        );
        for line in lines(conn, &rows) {
            let registers = carburetor_tests::registers(&line.registers.unwrap()).unwrap();
            let clock = |name: &str| {
                (
                    name.to_owned(),
                    *registers.get(name).unwrap_or(&registers[""]),
                )
            };
            let is_live = line.held.is_some();
            let clocks = match is_live {
                true => [""].iter().chain(names).map(|name| clock(name)).collect(),
                false => BTreeMap::from([clock(deleted)]),
            };
            state.insert(
                (table, line.id),
                Held {
                    is_live,
                    values: line.held,
                    clocks,
                },
            );
        }
    }
    state
}

fn lines(conn: &mut Conn, query: &str) -> Vec<Line> {
    diesel::sql_query(query).load(conn).unwrap()
}

/// Takes back everything, and all that is remembered of it.
fn clear(conn: &mut Conn) {
    for table in TABLES {
        run(
            conn,
            &format!("delete from {table}; delete from {CARBURETOR}register_{table}"),
        );
    }
    run(conn, &format!("delete from {CARBURETOR}outcome"));
}
