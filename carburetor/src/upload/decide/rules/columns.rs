//! Each rule by itself: who wins in the columns of a row that exists.

use super::{asked, at, decided, instant, live, table};
use crate::register::Registers;
use crate::table::{ColumnDefinition, Conflict, TableDefinition};
use crate::upload::decide::{Asked, Decision, Held, Kind, Write, missing_unit_columns};

fn write(definition: &TableDefinition, held: &Held, asked: &Asked<'static>) -> Write<'static> {
    match decided(definition, held, asked) {
        Decision::Write(write) => write,
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_are_won_one_by_one() {
    // `a` was written at 9, `b` at 5.
    let row = live(11, 5, 9);
    let write = write(
        &table(Conflict::Fields),
        &row,
        &asked(Kind::Update, 7, &["a", "b"]),
    );
    assert_eq!((write.won, write.lost), (vec!["b"], vec!["a"]));
    assert!(write.conflict);
    assert_eq!(write.registers.column("a"), at(9));
    assert_eq!(write.registers.column("b"), at(7));
    assert_eq!(write.registers.existence(), at(5));
}

#[test]
fn a_column_that_holds_the_change_already_is_neither_won_nor_lost() {
    let write = write(
        &table(Conflict::Fields),
        &live(11, 5, 9),
        &asked(Kind::Update, 9, &["a", "b"]),
    );
    assert_eq!((write.won, write.lost), (vec!["b"], Vec::new()));
}

#[test]
fn a_change_that_is_there_already_is_repeated() {
    let strategies = [
        Conflict::Fields,
        Conflict::LastWriteWins,
        Conflict::ServerWins,
        Conflict::ClientWins,
        Conflict::Custom,
    ];
    for strategy in strategies {
        let decision = decided(
            &table(strategy),
            &live(11, 5, 9),
            &asked(Kind::Update, 9, &["a"]),
        );
        assert_eq!(decision, Decision::Repeated);
    }
    let insert = asked(Kind::Insert, 5, &["b"]);
    let decision = decided(&table(Conflict::Fields), &live(11, 5, 9), &insert);
    assert_eq!(decision, Decision::Repeated);
}

#[test]
fn an_update_without_columns_has_nothing_to_do() {
    let decision = decided(
        &table(Conflict::Fields),
        &live(11, 5, 9),
        &asked(Kind::Update, 9, &[]),
    );
    assert_eq!(decision, Decision::Repeated);
}

#[test]
fn a_change_that_loses_everywhere_is_superseded() {
    let decision = decided(
        &table(Conflict::Fields),
        &live(11, 5, 9),
        &asked(Kind::Update, 8, &["a"]),
    );
    assert_eq!(decision, Decision::Superseded);
}

#[test]
fn the_last_write_of_a_row_takes_all_of_it() {
    let table = table(Conflict::LastWriteWins);
    let row = live(11, 5, 9);
    let decision = decided(&table, &row, &asked(Kind::Update, 8, &["a", "b"]));
    assert_eq!(decision, Decision::Superseded);
    let write = write(&table, &row, &asked(Kind::Update, 10, &["a", "b"]));
    assert_eq!((write.won, write.lost), (vec!["a", "b"], Vec::new()));
}

#[test]
fn what_only_inserts_write_wins_by_its_own_clock() {
    let mut table = table(Conflict::LastWriteWins);
    table.columns[3].immutable = true;
    // `a` was edited at 9; the other insert of the row is older than that, and later than the insert that came first.
    let write = write(
        &table,
        &live(11, 5, 9),
        &asked(Kind::Insert, 7, &["a", "b"]),
    );
    assert_eq!((write.won, write.lost), (vec!["b"], vec!["a"]));
}

#[test]
fn the_server_wins_what_it_wrote_after_the_replica_saw_the_row() {
    let table = table(Conflict::ServerWins);
    let update = asked(Kind::Update, 20, &["a"]);
    assert_eq!(
        decided(&table, &live(11, 5, 9), &update),
        Decision::Superseded
    );
    let write = write(&table, &live(10, 5, 9), &update);
    assert_eq!((write.won, write.conflict), (vec!["a"], false));
}

#[test]
fn a_second_edit_in_one_upload_does_not_conflict_with_the_first() {
    let table = table(Conflict::ServerWins);
    let row = live(10, 5, 6);
    let first = write(&table, &row, &asked(Kind::Update, 20, &["a"]));
    let stamp = instant(10);
    let registers = first.registers;
    let second = write(
        &table,
        &Held::Live { stamp, registers },
        &asked(Kind::Update, 21, &["a"]),
    );
    assert_eq!(second.won, ["a"]);
    assert_eq!(second.registers.column("a"), at(21));
}

#[test]
fn the_client_wins_and_registers_never_go_back() {
    let table = table(Conflict::ClientWins);
    let write = write(
        &table,
        &live(11, 5, 9),
        &asked(Kind::Update, 8, &["a", "b"]),
    );
    assert_eq!((write.won, write.lost), (vec!["a", "b"], Vec::new()));
    assert_eq!(write.registers.column("a"), at(9).successor());
    assert_eq!(write.registers.column("b"), at(8));
}

#[test]
fn a_custom_column_is_merged_where_somebody_wrote_the_row() {
    let table = table(Conflict::Custom);
    let update = asked(Kind::Update, 20, &["a"]);
    let contested = write(&table, &live(11, 5, 9), &update);
    assert_eq!((contested.won, contested.merged), (Vec::new(), vec!["a"]));
    assert_eq!(contested.registers.column("a"), at(9));
    let alone = write(&table, &live(10, 5, 9), &update);
    assert_eq!((alone.won, alone.merged), (vec!["a"], Vec::new()));
}

#[test]
fn a_column_may_differ_from_its_table() {
    let mut table = table(Conflict::ServerWins);
    table.columns[2].conflict = Some(Conflict::ClientWins);
    let write = write(
        &table,
        &live(11, 5, 9),
        &asked(Kind::Update, 8, &["a", "b"]),
    );
    assert_eq!((write.won, write.lost), (vec!["a"], vec!["b"]));
}

#[test]
fn without_a_stamp_there_is_no_conflict_and_without_a_base_there_is() {
    let table = table(Conflict::ServerWins);
    let mut update = asked(Kind::Update, 20, &["a"]);
    update.base = None;
    assert_eq!(
        decided(&table, &live(10, 5, 9), &update),
        Decision::Superseded
    );
    let registers = Registers::at(at(5));
    let fresh = Held::Live {
        stamp: None,
        registers,
    };
    assert!(!write(&table, &fresh, &update).conflict);
}

#[test]
fn a_later_insert_raises_a_row_that_exists_and_leaves_what_it_does_not_give() {
    let write = write(
        &table(Conflict::Fields),
        &live(11, 5, 9),
        &asked(Kind::Insert, 7, &["a"]),
    );
    assert_eq!((write.won, write.lost), (Vec::new(), vec!["a"]));
    assert_eq!(write.registers.existence(), at(7));
    assert_eq!(write.registers.column("a"), at(9));
    assert_eq!(write.registers.column("b"), at(5));
}

#[test]
fn an_earlier_insert_leaves_the_existence_of_a_row() {
    let write = write(
        &table(Conflict::Fields),
        &live(11, 5, 2),
        &asked(Kind::Insert, 3, &["a", "b"]),
    );
    assert_eq!((write.won, write.lost), (vec!["a"], vec!["b"]));
    assert_eq!(write.registers.existence(), at(5));
}

#[test]
fn a_change_gives_all_columns_of_the_unit_or_none() {
    let mut table = table(Conflict::LastWriteWins);
    assert_eq!(missing_unit_columns(&table, &["a"]), ["b"]);
    assert!(missing_unit_columns(&table, &["a", "b"]).is_empty());
    assert!(missing_unit_columns(&table, &[]).is_empty());
    table.columns[3].default = true;
    assert!(missing_unit_columns(&table, &["a"]).is_empty());
    assert_eq!(missing_unit_columns(&table, &["b"]), ["a"]);
    table.columns[2].conflict = Some(Conflict::Fields);
    assert!(missing_unit_columns(&table, &["b"]).is_empty());
}

#[test]
fn what_uploads_do_not_write_is_not_of_the_unit() {
    let mut table = table(Conflict::LastWriteWins);
    let hides: [fn(&mut ColumnDefinition); 4] = [
        |column| column.read_only = true,
        |column| column.immutable = true,
        |column| column.skip = true,
        |column| column.local = true,
    ];
    let plain = table.columns[3].clone();
    for hide in hides {
        table.columns[3] = plain.clone();
        hide(&mut table.columns[3]);
        assert!(missing_unit_columns(&table, &["a"]).is_empty());
    }
}
