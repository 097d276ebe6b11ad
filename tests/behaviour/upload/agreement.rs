//! Random histories on tables where the server, the sender or the model's merge decides: whatever wins, everybody ends with the server's rows.

use super::super::device::{Device, On, changes};
use super::super::run;
use super::models::{ClientRow, CustomRow, ServerRow, client_rows, custom_rows, server_rows};
use super::{CASES, Conn, Server};
use carburetor::change::{Change, Edit};
use carburetor::outcome::{Outcome, Verdict};
use carburetor::{SyncGroup, SyncTable, TableNews, Timestamps, Token};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;

type Contested = SyncGroup<(ServerRow, ClientRow, CustomRow)>;

const TABLES: [&str; 3] = ["server_rows", "client_rows", "custom_rows"];
const REPLICAS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    /// The replica edits a row, or inserts it.
    Edit {
        replica: usize,
        table: usize,
        id: i32,
        columns: [bool; 3],
        value: u8,
    },
    Delete {
        replica: usize,
        table: usize,
        id: i32,
    },
    Upload(usize),
    Download(usize),
    /// Somebody else's statement.
    Statement {
        table: usize,
        id: i32,
        value: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let place = || (0..REPLICAS, 0..TABLES.len(), 1..4i32);
    let edit = (place(), any::<[bool; 3]>(), 0..100u8);
    prop_oneof![
        6 => edit.prop_map(|((replica, table, id), columns, value)| Step::Edit { replica, table, id, columns, value }),
        1 => place().prop_map(|(replica, table, id)| Step::Delete { replica, table, id }),
        3 => (0..REPLICAS).prop_map(Step::Upload),
        1 => (0..REPLICAS).prop_map(Step::Download),
        1 => (0..TABLES.len(), 1..4i32, 0..100u8).prop_map(|(table, id, value)| Step::Statement { table, id, value }),
    ]
}

/// The columns of a row as they travel, with the id and without the stamp.
type Columns = Map<String, Value>;

/// Rows with their stamps, by their tables and ids.
type Rows = BTreeMap<(usize, i32), (Columns, Option<DateTime<Utc>>)>;

/// A copy of the rows, edited before the server knows.
struct Replica {
    device: Device,
    rows: Rows,
    waiting: Vec<Change>,
    token: Option<Token>,
}

#[test]
fn replicas_that_take_outcomes_and_downloads_agree_with_the_server() {
    let server = Server::new();
    let conn = RefCell::new(server.connect());
    let steps = prop::collection::vec(step(), 0..60);
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let checked = runner.run(&steps, |steps| {
        let conn = &mut *conn.borrow_mut();
        TABLES
            .iter()
            .for_each(|table| run(conn, &format!("delete from {table}")));
        let mut replicas: Vec<Replica> = (1..=REPLICAS as u64).map(Replica::new).collect();
        for step in &steps {
            take(conn, &mut replicas, step);
        }
        replicas.iter_mut().for_each(|replica| replica.upload(conn));
        let truth = stored(conn);
        for replica in &mut replicas {
            replica.download(conn);
            prop_assert_eq!(&replica.rows, &truth);
        }
        Ok(())
    });
    checked.unwrap();
}

fn take(conn: &mut Conn, replicas: &mut [Replica], step: &Step) {
    match *step {
        Step::Edit {
            replica,
            table,
            id,
            columns,
            value,
        } => replicas[replica].edit(table, id, columns, &format!("{replica}-{value}")),
        Step::Delete { replica, table, id } => replicas[replica].delete(table, id),
        Step::Upload(replica) => replicas[replica].upload(conn),
        Step::Download(replica) if replicas[replica].waiting.is_empty() => {
            replicas[replica].download(conn);
        }
        // Edits that wait would be overwritten.
        Step::Download(_) => {}
        Step::Statement { table, id, value } => {
            run(
                conn,
                &format!(
                    "update {} set a = 's{value}' where id = {id}",
                    TABLES[table]
                ),
            );
        }
    }
}

impl Replica {
    fn new(id: u64) -> Self {
        // Another run of the property must not repeat the clocks of this one.
        let random = fastrand::u64(1 << 32..1 << 60) << 2;
        Replica {
            device: Device::new(random | id),
            rows: BTreeMap::new(),
            waiting: Vec::new(),
            token: None,
        }
    }

    fn edit(&mut self, table: usize, id: i32, which: [bool; 3], text: &str) {
        let mut columns = Columns::new();
        for (name, is_given) in ["a", "b", "c"].into_iter().zip(which) {
            if is_given {
                columns.insert(name.into(), json!(format!("{text}{name}")));
            }
        }
        let change = match self.rows.get_mut(&(table, id)) {
            Some((row, base)) => {
                row.extend(columns.clone());
                let change = self
                    .device
                    .update(TABLES[table], id, Value::Object(columns));
                match base {
                    Some(base) => change.on_stamp(*base),
                    None => change,
                }
            }
            None => {
                let whole = json!({"id": id, "a": format!("{text}new"), "b": text, "c": null});
                let whole = whole.as_object().cloned().unwrap();
                self.rows.insert((table, id), (whole.clone(), None));
                self.device.insert(TABLES[table], Value::Object(whole))
            }
        };
        self.waiting.push(change);
    }

    fn delete(&mut self, table: usize, id: i32) {
        if let Some((_, base)) = self.rows.remove(&(table, id)) {
            let change = self.device.delete(TABLES[table], id);
            self.waiting.push(match base {
                Some(base) => change.on_stamp(base),
                None => change,
            });
        }
    }

    /// Sends what waits, and takes the server's word for it.
    fn upload(&mut self, conn: &mut Conn) {
        let sent = std::mem::take(&mut self.waiting);
        let outcomes = Contested::upload(conn, &changes(sent.clone())).unwrap();
        self.device.observe(outcomes.clock);
        for (place, (change, outcome)) in sent.iter().zip(&outcomes.outcomes).enumerate() {
            let is_last = !sent[place + 1..]
                .iter()
                .any(|later| (&later.table, &later.id) == (&change.table, &change.id));
            if is_last {
                self.learn(change, outcome);
            }
        }
        let truth = stored(conn);
        for change in &sent {
            let key = key(change);
            assert_eq!(
                self.rows.get(&key),
                truth.get(&key),
                "after {change:?} of {sent:?}: {outcomes:?}"
            );
        }
    }

    fn learn(&mut self, change: &Change, outcome: &Outcome) {
        let key = key(change);
        match (&outcome.verdict, &outcome.row) {
            (Verdict::Applied, _) if change.edit == Edit::Delete => {}
            (Verdict::Applied, _) => {
                if let Some((_, base)) = self.rows.get_mut(&key) {
                    *base = outcome.stamp;
                }
            }
            (_, Some(row)) => {
                let mut row = row.clone();
                let stamp = row.remove("at").and_then(|at| at.as_str()?.parse().ok());
                self.rows.insert(key, (row, stamp));
            }
            (_, None) => {
                self.rows.remove(&key);
            }
        }
    }

    fn download(&mut self, conn: &mut Conn) {
        let since = self
            .token
            .as_ref()
            .map_or_else(Timestamps::default, Into::into);
        let response = Contested::download(conn, since).unwrap();
        self.token = Some(response.next());
        let (server, client, custom) = response.into_tables();
        self.apply(0, server);
        self.apply(1, client);
        self.apply(2, custom);
    }

    fn apply<M: SyncTable<Id = i32> + Parts>(&mut self, table: usize, news: TableNews<M>) {
        if news.reset {
            self.rows.retain(|key, _| key.0 != table);
        }
        for id in news.removed {
            self.rows.remove(&(table, id));
        }
        self.rows
            .extend(news.rows.into_iter().map(|row| row.entry(table)));
    }
}

type Entry = ((usize, i32), (Columns, Option<DateTime<Utc>>));

/// Every row, read without the library.
fn stored(conn: &mut Conn) -> Rows {
    type Read = (i32, String, Option<String>, Option<String>, DateTime<Utc>);
    let entry = |table: usize| {
        move |(id, a, b, c, at): Read| {
            (
                (table, id),
                (
                    json!({"id": id, "a": a, "b": b, "c": c})
                        .as_object()
                        .cloned()
                        .unwrap(),
                    Some(at),
                ),
            )
        }
    };
    let server: Vec<Read> = server_rows::table.load(conn).unwrap();
    let client: Vec<Read> = client_rows::table.load(conn).unwrap();
    let custom: Vec<Read> = custom_rows::table.load(conn).unwrap();
    let all = server
        .into_iter()
        .map(entry(0))
        .chain(client.into_iter().map(entry(1)));
    all.chain(custom.into_iter().map(entry(2))).collect()
}

/// A row in its parts.
trait Parts {
    fn entry(self, table: usize) -> Entry;
}

macro_rules! parts {
    ($($Row:ident),*) => {$(
        impl Parts for $Row {
            fn entry(self, table: usize) -> Entry {
                let columns = json!({"id": self.id, "a": self.a, "b": self.b, "c": self.c});
                ((table, self.id), (columns.as_object().cloned().unwrap(), Some(self.at)))
            }
        }
    )*};
}

parts!(ServerRow, ClientRow, CustomRow);

fn key(change: &Change) -> (usize, i32) {
    let table = TABLES
        .iter()
        .position(|table| *table == change.table)
        .unwrap();
    (table, change.id.as_i64().unwrap() as i32)
}
