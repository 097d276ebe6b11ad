//! The conflict log: what lost against another write, kept beside what won.

use super::removal::removal_columns;
use super::surroundings::TrackedTable;
use crate::table::quoted;

/// The columns of the conflict log besides the ids and what is visible by, with their types.
const COLUMNS: [(&str, &str); 6] = [
    ("carburetor_at", "integer not null"),
    ("carburetor_sender", "text not null"),
    ("carburetor_lost_clock", "text not null"),
    ("carburetor_won_clock", "text not null"),
    ("carburetor_lost", "text not null"),
    ("carburetor_won", "text not null"),
];

/// The conflict log. The declared types are those of the table, so that a scope compares the same way here.
pub(super) fn conflict_table(table: &TrackedTable) -> String {
    let row = removal_columns(&table.definition).map(|column| {
        let declared = table.surroundings.declared_type(&column.name);
        format!("  {} {declared},\n", column.quoted())
    });
    let rest = COLUMNS.map(|(name, declared)| format!("  {name} {declared}"));
    format!(
        "create table if not exists {} (\n  carburetor_seq integer primary key autoincrement,\n{}{}\n);\n",
        quoted(&table.object("conflict")),
        row.collect::<String>(),
        rest.join(",\n"),
    )
}

/// The names of the conflict log's own columns.
pub(super) fn conflict_columns<'n>() -> impl Iterator<Item = &'n str> {
    COLUMNS.iter().map(|(name, _)| *name)
}
