//! One definition per table, however many models map it.

use super::Problem;
use crate::table::{ColumnDefinition, TableDefinition};

/// `definitions` with each table once. Models that can't share a tracking stay apart; [`disagreements`] names them.
pub(super) fn merge(
    definitions: impl IntoIterator<Item = TableDefinition>,
) -> Vec<TableDefinition> {
    let mut merged: Vec<TableDefinition> = Vec::new();
    for definition in definitions {
        let same = merged
            .iter_mut()
            .find(|known| known.key() == definition.key() && agree(known, &definition));
        match same {
            Some(known) => add(known, definition),
            None => merged.push(definition),
        }
    }
    merged
}

/// Tables that several models map in ways that exclude each other.
pub(super) fn disagreements(definitions: &[TableDefinition]) -> Vec<Problem> {
    let twice = definitions.iter().enumerate().filter(|(at, definition)| {
        definitions[..*at]
            .iter()
            .any(|known| known.key() == definition.key())
    });
    twice
        .map(|(_, definition)| {
            Problem::new(
                definition.key(),
                "its models disagree on the id or on the stamp",
                "mark the same columns with #[sync(id)] and #[sync(last_synced_at)] in each",
            )
        })
        .collect()
}

fn agree(one: &TableDefinition, other: &TableDefinition) -> bool {
    let names = |definition: &TableDefinition| -> Vec<String> {
        definition.ids().map(|column| column.name.clone()).collect()
    };
    let stamp = |definition: &TableDefinition| {
        definition
            .stamp()
            .map(|column| (column.name.clone(), column.storage))
    };
    names(one) == names(other) && stamp(one) == stamp(other)
}

fn add(known: &mut TableDefinition, definition: TableDefinition) {
    known.untracked &= definition.untracked;
    known.read_only &= definition.read_only;
    for column in definition.columns {
        let same = known
            .columns
            .iter_mut()
            .find(|known| known.name == column.name);
        match same {
            Some(known) => *known = both(known, &column),
            None => known.columns.push(column),
        }
    }
}

fn both(one: &ColumnDefinition, other: &ColumnDefinition) -> ColumnDefinition {
    ColumnDefinition {
        visible_by: one.visible_by || other.visible_by,
        skip: one.skip && other.skip,
        local: one.local && other.local,
        ..one.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: Vec<ColumnDefinition>) -> TableDefinition {
        TableDefinition {
            table: "users".into(),
            columns,
            ..TableDefinition::default()
        }
    }

    fn id(name: &str) -> ColumnDefinition {
        ColumnDefinition {
            id: true,
            ..ColumnDefinition::new(name)
        }
    }

    #[test]
    fn a_table_of_two_models_keeps_what_either_filters_by() {
        let team = ColumnDefinition {
            visible_by: true,
            ..ColumnDefinition::new("team")
        };
        let one = table(vec![id("id"), ColumnDefinition::new("team")]);
        let other = table(vec![id("id"), team.clone()]);
        assert_eq!(merge([one, other]), [table(vec![id("id"), team])]);
    }

    #[test]
    fn models_with_other_ids_disagree() {
        let definitions = merge([table(vec![id("id")]), table(vec![id("email")])]);
        let problems = disagreements(&definitions);
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].table, "users");
    }
}
