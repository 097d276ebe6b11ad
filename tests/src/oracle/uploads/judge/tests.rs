//! What the judge says of rows that stand as uploads may have left them, and of those that don't.

use super::super::journal::{Entry, Fate, Quality, Table};
use super::super::site::{Ground, Row};
use super::Judge;
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn at(millis: u64) -> Clock {
    Clock::new(millis, 0, 7)
}

/// A change of row 1 of `table`.
fn sent(table: Table, clock: u64, edit: Edit, verdict: Verdict) -> Entry {
    Entry {
        change: Change::new(table.name(), "1", at(clock), edit),
        quality: Quality::Good,
        fate: Fate::Answered(verdict),
        began: at(clock),
        ended: at(clock + 1),
    }
}

fn columns(columns: Value) -> Map<String, Value> {
    columns.as_object().cloned().unwrap()
}

fn insert(columns_sent: Value) -> Edit {
    Edit::Insert(columns(columns_sent))
}

/// A row 1 of `table` with this note, all of which is as old as `existence`.
fn row(table: Table, existence: Clock, note: Value) -> Ground {
    let row = Row {
        columns: columns(json!({"team": "red", "note": note})),
        is_deleted: false,
        stamp: at(1000),
        registers: BTreeMap::from([(String::new(), existence)]),
        after: None,
    };
    Ground {
        rows: [((table, 1), row)].into(),
        ..Ground::default()
    }
}

fn faults(ground: &Ground, journal: &[Entry]) -> Vec<String> {
    let judge = Judge::new(ground, journal);
    let of_changes = journal.iter().flat_map(|entry| judge.faults(entry));
    let of_rows = judge.disowned().into_iter().chain(judge.outlived());
    of_changes.chain(of_rows).collect()
}

/// A row with a note that is deleted, and inserted again without one; the second insert has this verdict, and the row holds this note afterwards.
fn brought_back(table: Table, verdict: Verdict, note: Value) -> Vec<String> {
    let noted = json!({"id": "1", "team": "red", "note": at(10).to_string()});
    let journal = [
        sent(table, 10, insert(noted), Verdict::Applied),
        sent(table, 20, Edit::Delete, Verdict::Applied),
        sent(
            table,
            30,
            insert(json!({"id": "1", "team": "red"})),
            verdict,
        ),
    ];
    faults(&row(table, at(30), note), &journal)
}

#[test]
fn an_insert_keeps_what_it_leaves_out_of_a_row_that_was_deleted_softly() {
    let kept = json!(at(10).to_string());
    let faults = brought_back(Table::Accounts, Verdict::Merged, kept.clone());
    assert_eq!(faults, [""; 0]);
    // By SQL.
    let faults = brought_back(Table::Accounts, Verdict::Merged, json!("x"));
    assert_eq!(faults, [""; 0]);
    let faults = brought_back(Table::Accounts, Verdict::Applied, Value::Null);
    assert_eq!(faults, [""; 0]);
    // Its sender believes that there is none.
    assert!(!brought_back(Table::Accounts, Verdict::Applied, kept).is_empty());
    // Nobody wrote this.
    let made_up = json!(at(15).to_string());
    assert!(!brought_back(Table::Accounts, Verdict::Merged, made_up).is_empty());
}

#[test]
fn an_insert_finds_nothing_of_a_row_that_was_deleted() {
    let kept = json!(at(10).to_string());
    for verdict in [Verdict::Applied, Verdict::Merged] {
        assert!(!brought_back(Table::Entries, verdict, kept.clone()).is_empty());
    }
    let faults = brought_back(Table::Entries, Verdict::Applied, Value::Null);
    assert_eq!(faults, [""; 0]);
}

#[test]
fn a_later_deletion_whose_row_is_there_is_a_fault() {
    let inserts = insert(json!({"id": "1", "team": "red"}));
    let journal = [
        sent(Table::Entries, 10, inserts, Verdict::Applied),
        sent(Table::Entries, 20, Edit::Delete, Verdict::Applied),
    ];
    let mut ground = row(Table::Entries, at(10), Value::Null);
    assert!(!faults(&ground, &journal).is_empty());
    ground.rows.get_mut(&(Table::Entries, 1)).unwrap().after = Some(at(20));
    let judge = Judge::new(&ground, &journal);
    assert_eq!(judge.outlived().len(), 1);
    ground.rows.clear();
    assert!(!faults(&ground, &journal).is_empty(), "nobody has noted it");
    ground.deletions.insert((Table::Entries, 1), at(20));
    assert_eq!(faults(&ground, &journal), [""; 0]);
}
