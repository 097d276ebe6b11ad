//! Each rule by itself: what becomes of rows.

mod columns;

use super::{Asked, Decision, Held, Kind, decide};
use crate::clock::Clock;
use crate::outcome::Code;
use crate::register::Registers;
use crate::table::{ColumnDefinition, Conflict, TableDefinition};
use chrono::{DateTime, Utc};

fn table(conflict: Conflict) -> TableDefinition {
    let column = |name: &str| ColumnDefinition {
        id: name == "id",
        last_synced_at: name == "at",
        ..ColumnDefinition::new(name)
    };
    TableDefinition {
        table: "notes".into(),
        conflict,
        columns: ["id", "at", "a", "b"].map(column).into(),
        ..TableDefinition::default()
    }
}

fn at(millis: u64) -> Clock {
    Clock::new(millis, 0, 7)
}

fn instant(seconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(seconds, 0)
}

/// A row with this stamp whose existence and column `a` have these clocks.
fn live(seconds: i64, existence: u64, a: u64) -> Held {
    let mut registers = Registers::at(at(existence));
    registers.set(&["a"], at(a));
    Held::Live {
        stamp: instant(seconds),
        registers,
    }
}

/// A change of a row that was seen with the stamp 10.
fn asked(kind: Kind, millis: u64, columns: &[&'static str]) -> Asked<'static> {
    Asked {
        clock: at(millis),
        base: instant(10),
        kind,
        columns: columns.to_vec(),
    }
}

fn decided(definition: &TableDefinition, held: &Held, asked: &Asked<'static>) -> Decision<'static> {
    decide(definition, held, asked, at(100))
}

#[test]
fn an_absent_row_is_inserted_but_never_updated() {
    let table = table(Conflict::Fields);
    let insert = decided(&table, &Held::Unknown, &asked(Kind::Insert, 100, &["a"]));
    let registers = Registers::at(at(100));
    assert_eq!(insert, Decision::Insert { registers });
    let update = decided(&table, &Held::Unknown, &asked(Kind::Update, 100, &["a"]));
    assert_eq!(update, Decision::Rejected(Code::NotFound));
    let delete = decided(&table, &Held::Unknown, &asked(Kind::Delete, 1, &[]));
    assert_eq!(delete, Decision::DeleteAgain);
}

#[test]
fn what_is_older_than_the_known_deletions_has_expired() {
    let table = table(Conflict::Fields);
    for kind in [Kind::Insert, Kind::Update] {
        let decision = decided(&table, &Held::Unknown, &asked(kind, 99, &["a"]));
        assert_eq!(decision, Decision::Rejected(Code::Expired));
    }
}

#[test]
fn a_deletion_beats_a_later_edit() {
    let gone = Held::Gone(at(5));
    for strategy in [
        Conflict::Fields,
        Conflict::LastWriteWins,
        Conflict::ClientWins,
    ] {
        let decision = decided(&table(strategy), &gone, &asked(Kind::Update, 9, &["a"]));
        assert_eq!(decision, Decision::Superseded);
    }
}

#[test]
fn only_a_later_insert_brings_a_row_back() {
    let table = table(Conflict::Fields);
    let gone = Held::Gone(at(5));
    let registers = Registers::at(at(6));
    let later = decided(&table, &gone, &asked(Kind::Insert, 6, &["a"]));
    assert_eq!(later, Decision::Insert { registers });
    for millis in [4, 5] {
        let decision = decided(&table, &gone, &asked(Kind::Insert, millis, &["a"]));
        assert_eq!(decision, Decision::Superseded);
    }
    let again = decided(&table, &gone, &asked(Kind::Delete, 9, &[]));
    assert_eq!(again, Decision::DeleteAgain);
}

#[test]
fn a_deletion_is_later_than_the_row_or_nothing() {
    let table = table(Conflict::Fields);
    // A later edit of a column doesn't keep the row.
    let row = live(10, 5, 9);
    let later = decided(&table, &row, &asked(Kind::Delete, 6, &[]));
    assert_eq!(later, Decision::Delete { conflict: false });
    for millis in [4, 5] {
        let decision = decided(&table, &row, &asked(Kind::Delete, millis, &[]));
        assert_eq!(decision, Decision::Superseded);
    }
    let contested = decided(&table, &live(11, 5, 9), &asked(Kind::Delete, 6, &[]));
    assert_eq!(contested, Decision::Delete { conflict: true });
}

#[test]
fn a_row_that_the_server_brought_back_outlives_an_earlier_deletion() {
    let mut table = table(Conflict::Fields);
    table.columns.push(ColumnDefinition {
        deleted: true,
        ..ColumnDefinition::new("deleted")
    });
    let mut registers = Registers::at(at(5));
    registers.set(&["deleted"], at(8));
    let stamp = instant(10);
    let row = Held::Live { stamp, registers };
    let earlier = decided(&table, &row, &asked(Kind::Delete, 7, &[]));
    assert_eq!(earlier, Decision::Superseded);
    let later = decided(&table, &row, &asked(Kind::Delete, 9, &[]));
    assert_eq!(later, Decision::Delete { conflict: false });
}

#[test]
fn the_server_keeps_a_row_that_it_wrote_after_the_replica_saw_it() {
    let table = table(Conflict::ServerWins);
    let delete = asked(Kind::Delete, 9, &[]);
    assert_eq!(
        decided(&table, &live(11, 5, 6), &delete),
        Decision::Superseded
    );
    let decision = decided(&table, &live(10, 5, 6), &delete);
    assert_eq!(decision, Decision::Delete { conflict: false });
}
