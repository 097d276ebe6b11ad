//! What the triggers keep of rows that left: removals, and the clocks of deletions.

use super::install::{Names, list};
use super::publish;
use super::registers::{CLOCK, NO_REPLICA, after, hex, micros};
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, Storage, TableDefinition, literal};

/// The columns of a removal: the id, then what scopes and filters look at.
pub(super) fn kept(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    definition
        .ids()
        .chain(definition.visible_by().filter(|column| !column.id))
}

/// The insert may wait for another transaction that removed the same id. The removal's instant is then older than its visibility, and still
/// not below the lock's key, which stays published until this transaction ends. Two writers wait for each other only
/// in the order in which they hold the rows themselves: the same key means the same id, which the table's unique index gives to one of them.
pub(super) fn removal(definition: &TableDefinition) -> String {
    let columns = list(kept(definition).map(ColumnDefinition::quoted));
    let values = list(kept(definition).map(|column| format!("old.{}", column.quoted())));
    let names = Names::of(definition);
    format!(
        "
#variable_conflict use_column
declare
  ignored text;
  gone timestamptz;
  micros bigint;
  deleted text collate \"C\";
  later text collate \"C\";
begin{ahead}
  ignored := {lock};
  -- The deletion's clock is that of the removal, which a download shows.
  gone := greatest(clock_timestamp(), now());
  insert into {removal} as r ({columns}, carburetor_removed_at)
  values ({values}, gone)
  on conflict on constraint {constraint} do update
    set carburetor_removed_at = greatest(excluded.carburetor_removed_at, r.carburetor_removed_at + interval '1 microsecond');{deleted}
  return null;
end
",
        ahead = ahead(definition),
        deleted = deleted(definition),
        lock = publish::lock(),
        removal = names.removal_table,
        constraint = names.removal_constraint,
    )
}

/// The statements that keep the greatest clock that was ahead of the database, and end where an update was called for nothing else.
fn ahead(definition: &TableDefinition) -> String {
    if !definition.has_registers() {
        return String::new();
    }
    format!(
        "
  if tg_op = 'UPDATE' then
    later := new.{COLUMN} ->> '+';
    update carburetor.clock c set ahead = later where c.ahead < later and later ~ {CLOCK};
    if not {moved} then
      return null;
    end if;
  end if;",
        moved = differ(kept(definition)),
    )
}

/// Whether one of `columns` has another value than before.
fn differ<'a>(columns: impl Iterator<Item = &'a ColumnDefinition>) -> String {
    let columns: Vec<_> = columns.map(ColumnDefinition::quoted).collect();
    let of = |row: &str| list(columns.iter().map(|column| format!("{row}.{column}")));
    format!("record_image_ne(row({}), row({}))", of("old"), of("new"))
}

/// The statements that keep the clock of a deletion: later than all that the row's registers held, and never lower than before. A new id is a deletion of the old one.
fn deleted(definition: &TableDefinition) -> String {
    let Some(stamp) = definition.stamp().filter(|_| definition.has_registers()) else {
        return String::new();
    };
    let names = Names::of(definition);
    let stamped = micros(&format!(
        "{} + interval '1 microsecond'",
        instant(stamp, "old")
    ));
    let seen = definition.visible_by().filter(|column| !column.id);
    let seen: String = seen
        .map(|column| format!("{0} = excluded.{0}, ", column.quoted()))
        .collect();
    format!(
        "
  if tg_op = 'DELETE' or {moved} then
    micros := {micros};
    deleted := {hex} || {NO_REPLICA};
    later := greatest({after}, {stamped} || {NO_REPLICA});
    if later > deleted then
      deleted := later;
      update carburetor.clock c set ahead = deleted where c.ahead < deleted;
    end if;
    insert into {register} as r ({columns}, carburetor_clock)
    values ({values}, deleted)
    on conflict on constraint {constraint} do update
      set {seen}carburetor_clock = greatest(excluded.carburetor_clock, r.carburetor_clock);
  end if;",
        moved = differ(definition.ids()),
        micros = micros("gone"),
        hex = hex("micros"),
        stamped = hex(&stamped),
        after = after(&format!("old.{COLUMN}")),
        register = names.register_table,
        constraint = names.register_constraint,
        columns = list(kept(definition).map(ColumnDefinition::quoted)),
        values = list(kept(definition).map(|column| format!("old.{}", column.quoted()))),
    )
}

/// The stamp in `row` as an instant.
fn instant(stamp: &ColumnDefinition, row: &str) -> String {
    let name = stamp.quoted();
    match stamp.storage {
        Storage::Timestamp => format!("({row}.{name} at time zone 'UTC')"),
        _ => format!("{row}.{name}"),
    }
}

/// The lock holds the cutoff of concurrent downloads below the new horizon: they may find the table empty with the registry's old row.
pub(super) fn truncate(definition: &TableDefinition) -> String {
    format!(
        "
declare
  ignored text;
begin
  ignored := {lock};
  update carburetor.synced_table s set generation = s.generation + 1,
      horizon = greatest(s.horizon, clock_timestamp() + interval '1 microsecond', now() + interval '1 microsecond'),
      expired = greatest(s.expired, carburetor.clock_of(greatest(clock_timestamp(), now())))
    where s.name = {key};
  return null;
end
",
        lock = publish::lock(),
        key = literal(&definition.key()),
    )
}
