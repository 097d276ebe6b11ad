//! Where the order of arrival doesn't matter, and where it does.

use super::Kind;
use super::history::{History, step};
use super::model::{EDITED, Edit, ONCE, Seen, Table, soft, table};
use crate::clock::Clock;
use crate::table::{Conflict, TableDefinition};
use proptest::prelude::*;

/// Every mix of columns that are resolved each for itself and columns that are resolved as one.
fn tables() -> Vec<TableDefinition> {
    let mut of_rows = table(&[]);
    of_rows.conflict = Conflict::LastWriteWins;
    let mut all_but_a = table(&[]);
    all_but_a.conflict = Conflict::LastWriteWins;
    all_but_a.columns[2].conflict = Some(Conflict::Fields);
    vec![
        table(&[]),
        table(&["x", "y"]),
        table(&["b", "x", "y", ONCE]),
        of_rows,
        all_but_a,
        soft(&[]),
        soft(&["x", "y"]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Strays, of which there is more below, are left out of the history.
    #[test]
    fn any_order_and_any_repetition_end_in_the_same_table(
        steps in prop::collection::vec(step(), 1..40),
        orders in prop::collection::vec(prop::collection::vec(any::<usize>(), 1..60), 4),
    ) {
        let history = History::new(&steps);
        for definition in tables() {
            let expected = history.by_clocks(&definition);
            for picks in &orders {
                prop_assert_eq!(&history.arrive(&definition, picks), &expected, "{:#?} {:#?}", history, definition);
            }
        }
    }

    #[test]
    fn where_nothing_is_deleted_no_edit_is_a_stray(
        steps in prop::collection::vec(step(), 1..40),
        orders in prop::collection::vec(prop::collection::vec(any::<usize>(), 1..60), 4),
    ) {
        let history = History::without_deletions(&steps);
        prop_assert_eq!(history.strays(), 0);
        for definition in tables() {
            let expected = history.by_clocks(&definition);
            for picks in &orders {
                prop_assert_eq!(&history.arrive(&definition, picks), &expected, "{:#?} {:#?}", history, definition);
            }
        }
    }
}

fn edit(kind: Kind, millis: u64, replica: u64) -> Edit {
    Edit {
        id: 0,
        clock: Clock::new(millis, 0, replica),
        kind,
        columns: EDITED.to_vec(),
    }
}

/// The clock of column `a` when the changes came in this order.
fn written(order: [&Edit; 4]) -> Option<u64> {
    let definition = table(&[]);
    let mut table = Table::new(&definition);
    for edit in order {
        table.apply(edit);
    }
    match table.seen().remove(&0)? {
        Seen::Live { columns, .. } => columns["a"].0.map(Clock::millis),
        Seen::Gone(_) => None,
    }
}

/// Replica 1 inserts, deletes and inserts again; replica 2 saw the first row and edits it, by its clock after all that.
#[test]
fn a_stray_edit_counts_only_if_it_comes_after_the_insert_that_its_maker_had_not_seen() {
    let first = edit(Kind::Insert, 1, 1);
    let deletion = edit(Kind::Delete, 2, 1);
    let again = edit(Kind::Insert, 3, 1);
    let stray = edit(Kind::Update, 4, 2);
    assert_eq!(written([&first, &stray, &deletion, &again]), Some(3));
    assert_eq!(written([&first, &deletion, &stray, &again]), Some(3));
    assert_eq!(written([&first, &deletion, &again, &stray]), Some(4));
}

#[test]
fn an_edit_that_is_older_than_the_insert_again_loses_in_every_order() {
    let first = edit(Kind::Insert, 1, 1);
    let deletion = edit(Kind::Delete, 2, 1);
    let again = edit(Kind::Insert, 4, 1);
    for millis in [2, 3] {
        let other = edit(Kind::Update, millis, 2);
        assert_eq!(written([&first, &other, &deletion, &again]), Some(4));
        assert_eq!(written([&first, &deletion, &other, &again]), Some(4));
        assert_eq!(written([&first, &deletion, &again, &other]), Some(4));
    }
}
