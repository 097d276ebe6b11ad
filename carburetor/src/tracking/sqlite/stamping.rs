//! The triggers that stamp rows.
//!
//! SQLite can't change `new`, so an AFTER trigger updates the row once more. Three things make that hard:
//!
//! * The trigger's own update must not be stamped again, and a value in the stamp's column proves nothing, because
//!   applications copy stamps from row to row. While it writes, the trigger therefore keeps a row in
//!   `carburetor_stamping`; a row whose stamp is found there carries a stamp of this very statement.
//! * A statement that stops with FAIL keeps what it did, such a row included. Therefore the row carries the
//!   statement's instant (`julianday('now')` is constant within one), and later statements don't believe it.
//! * Without `pragma recursive_triggers` a trigger doesn't fire while it runs. An application's trigger that reacts
//!   to our update and writes the table again would then go unseen: an unguarded "set updated_at" is enough. So
//!   there are several levels of the same trigger, each for one more stamping under way. Every level but the
//!   first needs another trigger of the application on the way to it, hence as many levels as those, and one.
//!
//! The same update moves the registers of the columns that the statement changed. A statement that changes the registers itself is an upload, or a
//! restore: it is taken as given, with its stamp, and that is the first question of every condition, so that a bulk of them costs next to nothing.
//! The statement of an application's trigger is another one: its columns move, also where it runs within our own update, and is then stamped again.

use super::clock::advance;
use super::format::stamp_expression;
use super::register::{changed, moved, next_clock, raise_by_stamping};
use super::removal::same;
use super::surroundings::TrackedTable;
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, Storage, literal, quoted};

/// How many levels of stamping triggers a table can have; `down` and `up` drop as many.
pub(super) const MAX_LEVELS: usize = 8;

/// How many levels every table has, so that one trigger added later breaks nothing.
pub(super) const LEAST_LEVELS: usize = 2;

/// The levels that a table needs.
fn levels(table: &TrackedTable) -> usize {
    (table.surroundings.own_triggers + 1).clamp(LEAST_LEVELS, MAX_LEVELS)
}

/// Name and text of every stamping trigger.
pub(super) fn stamping_triggers(table: &TrackedTable) -> Vec<(String, String)> {
    let Some(stamp) = table.definition.stamp() else {
        return Vec::new();
    };
    let levels = levels(table);
    (1..=levels)
        .flat_map(|level| {
            [
                insert_trigger(table, stamp, level, levels),
                update_trigger(table, stamp, level, levels),
            ]
        })
        .collect()
}

/// The names that stamping triggers of a table can have.
pub(super) fn trigger_names(object: impl Fn(&str) -> String) -> impl Iterator<Item = String> {
    (1..=MAX_LEVELS).flat_map(move |level| {
        [
            object(&format!("stamp_insert_{level}")),
            object(&format!("stamp_update_{level}")),
        ]
    })
}

fn insert_trigger(
    table: &TrackedTable,
    stamp: &ColumnDefinition,
    level: usize,
    levels: usize,
) -> (String, String) {
    let name = table.object(&format!("stamp_insert_{level}"));
    let stamping = Stamping {
        event: "insert",
        condition: under_way(table, &depth(level, levels)),
        registers: table.definition.has_registers().then(|| Registering {
            condition: format!("new.{COLUMN} is null"),
            clock: "''".to_owned(),
            raise: String::new(),
            // What an application's trigger has written since is as new as the row.
            registers: "null".to_owned(),
        }),
    };
    let text = stamping.trigger(table, &name, stamp);
    (name, text)
}

fn update_trigger(
    table: &TrackedTable,
    stamp: &ColumnDefinition,
    level: usize,
    levels: usize,
) -> (String, String) {
    let name = table.object(&format!("stamp_update_{level}"));
    // The column's own affinity may have turned a number into text or a float.
    let written = match stamp.storage {
        Storage::Integer => format!("cast(new.{} as integer)", stamp.quoted()),
        _ => format!("new.{}", stamp.quoted()),
    };
    let foreign = format!("not coalesce(max(stamp = {written}), 0)");
    let mut reason = format!("{} and {foreign}", depth(level, levels));
    if level > 1 && table.definition.has_registers() {
        // An application's trigger has written more columns within our own update.
        let changed = changed(&table.definition);
        reason = format!("({reason} or count(*) = {} and ({changed}))", level - 1);
    }
    let stamping = Stamping {
        event: "update",
        condition: under_way(table, &reason),
        registers: table.definition.has_registers().then(|| Registering {
            condition: format!("old.{COLUMN} is new.{COLUMN}"),
            clock: next_clock(&format!("old.{COLUMN}")),
            raise: format!("\n  {}", raise_by_stamping()),
            registers: moved(&table.definition, stamp),
        }),
    };
    let text = stamping.trigger(table, &name, stamp);
    (name, text)
}

/// The last level also takes what is deeper, which `recursive_triggers` allows.
fn depth(level: usize, levels: usize) -> String {
    let comparison = if level == levels { ">=" } else { "=" };
    format!("count(*) {comparison} {}", level - 1)
}

/// `condition` over the stampings of this table that are under way in this statement.
fn under_way(table: &TrackedTable, condition: &str) -> String {
    format!(
        "(select {condition} from carburetor_stamping where name = {} and at = julianday('now'))",
        literal(&table.definition.table)
    )
}

/// What the stamping triggers of inserts and updates differ in.
struct Stamping {
    event: &'static str,
    /// Whether the row is to be stamped.
    condition: String,
    registers: Option<Registering>,
}

/// What becomes of the registers with the stamp.
struct Registering {
    /// Whether the statement leaves them to us. It is asked first, because uploads don't.
    condition: String,
    /// The clock of the write.
    clock: String,
    /// What raises the clock that downloads carry.
    raise: String,
    /// The registers afterwards.
    registers: String,
}

impl Stamping {
    fn trigger(&self, table: &TrackedTable, name: &str, stamp: &ColumnDefinition) -> String {
        let mut parts = [const { String::new() }; 6];
        if let Some(registers) = &self.registers {
            parts = [
                format!("{}\n  and ", registers.condition),
                ", clock".to_owned(),
                format!(", {}", registers.clock),
                registers.raise.clone(),
                format!(", {COLUMN}"),
                format!(", {}", registers.registers),
            ];
        }
        let [given, clock, clock_value, raise, registers, registers_value] = parts;
        format!(
            "create trigger {name} after {event} on {table}
when {given}{condition}
  and not exists (select 1 from carburetor_flag where name = 'untracked')
begin
  {advance}
  insert into carburetor_stamping (name, stamp, at{clock})
    select {table_name}, {value}, julianday('now'){clock_value} from carburetor_clock;{raise}
  update {table} set ({stamp}{registers}) = (
    select stamp{registers_value}
    from carburetor_stamping order by depth desc limit 1)
    where {same};
  delete from carburetor_stamping
    where depth = (select max(depth) from carburetor_stamping) or at <> julianday('now');
end",
            name = quoted(name),
            event = self.event,
            table = table.name(),
            condition = self.condition,
            advance = advance(),
            table_name = literal(&table.definition.table),
            value = stamp_expression(stamp.storage, "now"),
            stamp = stamp.quoted(),
            same = same(table.definition.ids(), None, "new"),
        )
    }
}
