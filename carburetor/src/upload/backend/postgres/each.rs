//! A statement for each row by itself, within one call: what fails is told, and undone alone.
//!
//! A block of PL/pgSQL runs it, because only there an error costs neither a message there and back nor the others. A block takes no binds: the rows
//! go as text through a setting of the transaction, and so does what it tells.

use crate::connection::ended::{SAID, is_ended_sql};
use crate::statement::Statement;
use crate::table::quoted;
use crate::upload::Types;
use crate::upload::sent::{Cells, Sent};
use crate::upload::types::Shape;
use diesel::pg::Pg;

/// What gives the rows to the block, and the block that runs `text` for each of them. `is_checked`: with constraints that wait for the commit.
pub(super) fn each<'v>(
    sent: Sent<'v, Pg>,
    types: &Types,
    text: &str,
    is_checked: bool,
) -> (Statement<'v, Pg>, String) {
    let (mut names, mut cells, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (place, column) in sent.columns.iter().enumerate() {
        let name = quoted(&column.name);
        // As the type itself writes it; a cast to text may be something else.
        cells.push(format!(
            "case when pg_catalog.num_nulls(sent.{name}) = 0 then pg_catalog.format('%s', sent.{name}) end"
        ));
        values.push(format!(
            "(carburetor_each.cells operator(pg_catalog.->>) {place})::{}",
            kind(&column.cells, types)
        ));
        names.push(name);
    }
    let (mut given, _) = sent.statement(types);
    given.sql(format!(
        "select pg_catalog.set_config('carburetor.sent', coalesce((select pg_catalog.json_agg(pg_catalog.to_json(array[{}]) order by sent.\"~n\")::pg_catalog.text from sent), '[]'), true)",
        cells.join(", ")
    ));
    let checked = if is_checked {
        "set constraints all immediate;"
    } else {
        ""
    };
    let mut tag = "$carburetor$".to_owned();
    while text.contains(&tag) {
        tag.insert(tag.len() - 1, '_');
    }
    // What says nothing of a row ends it all: a deadlock, a lock that took too long, a server that can't go on, in words that whoever gets them knows;
    // and a right or a column that is missing, and what may be of a row or not. A cancellation is none of the others.
    let block = format!(
        "do {tag}
#variable_conflict use_column
declare
  carburetor_each record;
  carburetor_told pg_catalog.text[] := '{{}}';
  carburetor_state pg_catalog.text;
  carburetor_message pg_catalog.text;
  carburetor_constraint pg_catalog.text;
  carburetor_column pg_catalog.text;
begin
  {checked}
  for carburetor_each in
    select c.value as cells
    from pg_catalog.jsonb_array_elements(pg_catalog.current_setting('carburetor.sent')::pg_catalog.jsonb) with ordinality c (value, at) order by c.at
  loop
    begin
      with sent ({names}) as (select {values}) {text};
    exception when others or query_canceled or assert_failure then
      get stacked diagnostics carburetor_state = returned_sqlstate, carburetor_message = message_text,
        carburetor_constraint = constraint_name, carburetor_column = column_name;
      if {is_ended} then
        raise using errcode = carburetor_state, message = '{SAID}' || carburetor_state || ': ' || carburetor_message;
      elsif pg_catalog.\"left\"(carburetor_state, 2) in ('42', '55', 'XX') then
        raise;
      end if;
      carburetor_told := pg_catalog.array_append(carburetor_told, pg_catalog.json_build_array((carburetor_each.cells ->> 0)::int8,
        carburetor_state, carburetor_message, carburetor_constraint, carburetor_column)::pg_catalog.text);
    end;
  end loop;
  perform pg_catalog.set_config('carburetor.told', pg_catalog.array_to_json(carburetor_told)::pg_catalog.text, true);
end {tag}",
        is_ended = is_ended_sql("carburetor_state"),
        names = names.join(", "),
        values = values.join(", "),
    );
    (given, block)
}

/// The type of these cells.
fn kind(cells: &Cells<'_, Pg>, types: &Types) -> String {
    match cells {
        Cells::Numbers(_) => "pg_catalog.int8".into(),
        Cells::Texts(_) => "pg_catalog.text".into(),
        Cells::Flags(_) => "pg_catalog.bool".into(),
        Cells::Values(column, _) => match types.of(column) {
            None => "pg_catalog.text".into(),
            Some(found) if found.shape == Shape::Array => format!("{}[]", found.name),
            Some(found) => found.name.clone(),
        },
    }
}
