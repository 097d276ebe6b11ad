//! What moves a row's registers: the part of the stamping trigger that every update runs, so it is written for speed.

use super::install::list;
use crate::register::COLUMN;
use crate::table::{ColumnDefinition, Storage, TableDefinition, literal};

/// The replica of the database's own clocks.
pub(super) const NO_REPLICA: &str = "'0000000000000000'";

/// What a clock looks like.
pub(super) const CLOCK: &str = "'^[0-9a-f]{32}$'";

/// The declaration and the statements that move the registers of what an update changed, once the new stamp is there.
///
/// A column that was dropped or renamed since, or whose type has changed, breaks no write: what exists is then compared as text, until the tracking is
/// installed again. The block that catches that costs less than can be measured; what it does then, some microseconds.
///
/// They leave alone what the statement itself wrote, and untracked writes, whose stamp stays. The clock is the new stamp's, unless one in the row
/// is ahead of that. Columns are compared by operators of their types where these are fast and exact, otherwise by their bytes: some types have no
/// equality, and one that ignores case would miss an edit.
pub(super) fn moved(definition: &TableDefinition) -> [String; 2] {
    let Some(stamp) = definition.stamp().filter(|_| definition.has_registers()) else {
        return Default::default();
    };
    let stamp = stamp.quoted();
    let ids: Vec<_> = definition.ids().map(differs).collect();
    let mut columns: Vec<_> = definition.registered().collect();
    // Models that are merged in another order have the same trigger.
    columns.sort_by(|one, other| one.name.cmp(&other.name));
    let columns: String = columns.into_iter().map(column).collect();
    let variables = "declare
  micros bigint;
  later text;
  clock jsonb;
  registers jsonb;
";
    let moved = format!(
        "
  if tg_op operator(pg_catalog.=) 'UPDATE' and coalesce(new.{stamp} operator(pg_catalog.>) old.{stamp}, new.{stamp} is not null)
    and not {given} then
    registers := old.{COLUMN};
    micros := {new_micros};
    clock := ('\"' operator(pg_catalog.||) {hex} operator(pg_catalog.||) '0000000000000000\"')::pg_catalog.jsonb;
    if coalesce(pg_catalog.jsonb_typeof(registers) operator(pg_catalog.<>) 'object', true) then
      -- So far all was as old as the stamp; `greatest` skips null. What somebody else has written there breaks no write.
      micros := greatest({old_micros}, 0);
      registers := pg_catalog.jsonb_build_object('', {hex} operator(pg_catalog.||) {NO_REPLICA});
    elsif pg_catalog.jsonb_exists(registers, '+') then
      later := {after};
      registers := registers operator(pg_catalog.-) '+';
      if (later collate pg_catalog.\"C\") operator(pg_catalog.>) (clock operator(pg_catalog.#>>) '{{}}') then
        clock := pg_catalog.to_jsonb(later);
        registers := pg_catalog.jsonb_set(registers, '{{+}}', clock);
      end if;
    end if;
    begin
      if {moved} then
        -- Another row.
        new.{COLUMN} := null;
        return new;
      end if;{columns}
    exception when syntax_error_or_access_rule_violation then{by_what_exists}
    end;
    new.{COLUMN} := registers;
  end if;",
        by_what_exists = by_what_exists(definition),
        given = typed(COLUMN, &format!("old.{COLUMN} operator(pg_catalog.<>) new.{COLUMN}")),
        new_micros = micros(&format!("new.{stamp}")),
        old_micros = micros(&format!("old.{stamp}")),
        hex = hex("micros"),
        moved = ids.join(" or "),
        after = after("registers"),
    );
    [variables.to_owned(), moved]
}

fn column(column: &ColumnDefinition) -> String {
    format!(
        "
      if {differs} then
        registers := pg_catalog.jsonb_set(registers, array[{name}], clock);
      end if;",
        differs = differs(column),
        name = literal(&column.name),
    )
}

/// The statement that moves the registers by the columns that the row has, whatever the definition says. The id's columns stand for the row.
fn by_what_exists(definition: &TableDefinition) -> String {
    let ids = list(definition.ids().map(|id| literal(&id.name)));
    let own = definition.stamp().map(|stamp| stamp.name.clone());
    let own = list(own.iter().map(String::as_str).chain([COLUMN]).map(literal));
    format!(
        "
      registers := (
        select case when pg_catalog.bool_or(o.key operator(pg_catalog.=) any (array[{ids}])) then null
          else registers operator(pg_catalog.||) coalesce(pg_catalog.jsonb_object_agg(o.key, clock), '{{}}') end
        from pg_catalog.json_each_text(pg_catalog.row_to_json(old)) o
        join pg_catalog.json_each_text(pg_catalog.row_to_json(new)) n on n.key operator(pg_catalog.=) o.key
        where not o.key operator(pg_catalog.=) any (array[{own}])
          and coalesce((o.value collate pg_catalog.\"C\") operator(pg_catalog.<>) n.value, o.value is not null or n.value is not null));"
    )
}

/// Whether the column has another value than before; never null.
fn differs(column: &ColumnDefinition) -> String {
    let name = column.quoted();
    match column.storage {
        Storage::Integer | Storage::Boolean | Storage::Timestamptz | Storage::Timestamp => typed(
            &name,
            &format!("old.{name} operator(pg_catalog.<>) new.{name}"),
        ),
        Storage::Text => typed(
            &name,
            &format!(
                "(old.{name}::pg_catalog.text collate pg_catalog.\"C\") operator(pg_catalog.<>) new.{name}::pg_catalog.text"
            ),
        ),
        Storage::Other => format!("pg_catalog.record_image_ne(row(old.{name}), row(new.{name}))"),
    }
}

/// `unequal`, which is null where one of the two values is.
fn typed(name: &str, unequal: &str) -> String {
    format!("coalesce({unequal}, old.{name} is not null or new.{name} is not null)")
}

/// Microseconds since 1970. `extract` would go through a decimal number, which takes 0.3 microseconds.
pub(super) fn micros(instant: &str) -> String {
    format!("(pg_catalog.date_part('epoch', {instant}) operator(pg_catalog.*) 1000000)::bigint")
}

/// The milliseconds and the counter of a database's clock, sixteen digits: 64536 and 1000 are 16 bits.
pub(super) fn hex(micros: &str) -> String {
    format!(
        "pg_catalog.lpad(pg_catalog.to_hex((({micros} operator(pg_catalog./) 1000) operator(pg_catalog.*) 64536) operator(pg_catalog.+) {micros}), 16, '0')"
    )
}

/// The database's next clock after the one that was ahead of it when `registers` were written; null where there is none.
pub(super) fn after(registers: &str) -> String {
    let ahead = format!("({registers} operator(pg_catalog.->>) '+')");
    format!(
        "case when {ahead} operator(pg_catalog.~) {CLOCK} then
        pg_catalog.lpad(pg_catalog.to_hex(('x' operator(pg_catalog.||) pg_catalog.\"left\"({ahead}, 16))::bit(64)::bigint operator(pg_catalog.+) 1), 16, '0')
          operator(pg_catalog.||) {NO_REPLICA} end"
    )
}
