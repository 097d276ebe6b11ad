//! References to rows that the scope doesn't show: whoever writes one is told what he would be told if there were no such row.
//!
//! The rows are looked at once they are written. From then on the database keeps what they refer to, and what the same upload made is there.

use super::{PLACE, names, of_ids, portions, same_id};
use crate::connection::runner::Runner;
use crate::table::{ColumnDefinition, TableDefinition, quoted};
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::plan::{Act, RowPlan};
use crate::upload::sent::{Cells, Sent};
use crate::upload::session::{Failure, Session};
use crate::upload::surroundings::{Reference, When};
use crate::upload::told::Told;
use crate::wire::WireBackend;
use diesel::result::{DatabaseErrorKind, Error};
use std::collections::HashSet;

/// What a query calls the table of the rows that refer to others.
const CHILD: &str = "carburetor_child";

/// Rows by their places, with the numbers of foreign keys among those of their table.
pub(in crate::upload) type References = HashSet<(usize, usize)>;

/// A foreign key to rows that the scope may hide: its number among those of its table, and the place of the table that it refers to.
type Hiding<'u> = (usize, &'u Reference, usize);

impl<'u, R: Runner> Session<'u, '_, R> {
    fn hiding(&self, table: usize) -> Vec<Hiding<'u>> {
        let (around, tables) = (self.around, self.tables);
        let references = around.references(table).enumerate();
        let hiding = references.filter_map(|(number, reference)| {
            let parent = reference.parent?;
            let hides = !tables[parent].visibility.is_everything();
            (hides && reference.when != When::Never).then_some((number, reference, parent))
        });
        hiding.collect()
    }

    /// The references that the rows of `plan` have and that an update writes once more: whoever sees such a row has been told of them.
    pub(in crate::upload) async fn known_references(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<References, Failure> {
        let mut known = References::new();
        let definition = self.tables[plan.table].definition;
        let types = self.around.types(plan.table);
        let sql = names(definition)?;
        for (number, reference, _) in self.hiding(plan.table) {
            let is_updated = |row: &&RowPlan<'_, '_, R::Backend>| {
                row.act == Act::Update && writes(definition, row, reference)
            };
            let rows: Vec<_> = plan.rows.iter().filter(is_updated).collect();
            let columns = definition.columns.iter();
            let columns: Vec<&ColumnDefinition> = columns
                .filter(|of| !of.id && names_it(reference, of))
                .collect();
            for portion in
                portions::<R::Backend>(rows.len(), 2 * columns.len() + definition.ids().count() + 1)
            {
                let rows = &rows[portion];
                let ids: Vec<_> = rows.iter().filter_map(|row| row.id()).collect();
                let mut sent = of_ids::<R::Backend>(definition, &ids);
                let mut same = vec![same_id(definition, &sql.name)];
                for column in &columns {
                    let cells = || rows.iter().map(|row| row.cell(column));
                    let values =
                        cells().map(|cell| cell.and_then(|cell| cell.value.as_ref().as_ref()));
                    sent.add(
                        column.name.clone(),
                        Cells::Values(&column.name, values.collect()),
                    );
                    let is_written = super::flag(column);
                    let flags = cells().map(|cell| cell.is_some()).collect();
                    sent.add(is_written.clone(), Cells::Flags(flags));
                    let differs = R::Backend::differs(
                        &format!("{}.{}", sql.name, column.quoted()),
                        &format!("sent.{}", column.quoted()),
                        types.is_comparable(&column.name),
                    );
                    same.push(format!("not (sent.{} and {differs})", quoted(&is_written)));
                }
                let (mut statement, _) = sent.statement(types);
                statement.sql(format!(
                    "select cast({PLACE} as text) from sent join {} on {}",
                    sql.name,
                    same.join(" and "),
                ));
                let places = self.runner.ask(statement).await?;
                let rows = places
                    .values()
                    .filter_map(|place| rows.get(place.parse::<usize>().ok()?));
                known.extend(rows.map(|row| (row.place, number)));
            }
        }
        Ok(known)
    }

    /// Fails for the rows of `plan` that took a reference to a row that the scope doesn't show, of those references that the database looks at `when`.
    pub(in crate::upload) async fn refuse_unseen(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
        when: When,
    ) -> Result<(), Failure> {
        let definition = self.tables[plan.table].definition;
        let mut references = self.hiding(plan.table);
        references.retain(|(_, reference, _)| reference.when == when);
        let is_taken = |row: &RowPlan<'_, '_, R::Backend>, number, reference| {
            matches!(row.act, Act::Insert | Act::Update)
                && writes(definition, row, reference)
                && !plan.known_references.contains(&(row.place, number))
        };
        let is_any = |row: &&RowPlan<'_, '_, R::Backend>| {
            let mut references = references.iter();
            references.any(|(number, reference, _)| is_taken(row, *number, reference))
        };
        let rows: Vec<_> = plan.rows.iter().filter(is_any).collect();
        let mut unmet = Vec::new();
        for portion in
            portions::<R::Backend>(rows.len(), references.len() + definition.ids().count() + 1)
        {
            let rows = &rows[portion];
            let ids: Vec<_> = rows.iter().filter_map(|row| row.id()).collect();
            let mut sent: Sent<'_, R::Backend> = of_ids::<R::Backend>(definition, &ids);
            for (number, reference, _) in &references {
                let flags = rows.iter().map(|row| is_taken(row, *number, reference));
                sent.add(format!("~r{number}"), Cells::Flags(flags.collect()));
            }
            let (mut statement, _) = sent.statement(self.around.types(plan.table));
            for (place, (number, reference, parent)) in references.iter().enumerate() {
                let upload = &self.tables[*parent];
                let taken = taken(definition, *number, reference, upload.definition);
                let union = if place == 0 { "" } else { " union all " };
                statement.sql(format!("{union}{taken} and case when 1 = 1"));
                self.push_visible(*parent, &mut statement);
                statement.sql(" then 0 else 1 end = 1");
            }
            let mut told = HashSet::new();
            for line in self.runner.ask(statement).await?.rows() {
                let mut numbers = line.into_iter().map(|text| text?.parse::<usize>().ok());
                let mut next = || numbers.next().flatten();
                let row = next().and_then(|place| rows.get(place));
                let reference = next().and_then(|number| {
                    let mut references = self.around.references(plan.table);
                    references.nth(number)
                });
                let change = row.and_then(|row| row.judged.first());
                if let Some((change, reference)) = change.zip(reference)
                    && told.insert(change.change.at)
                {
                    unmet.push((change.change.at, no_parent::<R::Backend>(reference)));
                }
            }
        }
        match unmet.is_empty() {
            true => Ok(()),
            false => Err(Failure::Unmet(unmet)),
        }
    }
}

/// The rows of `sent` and of the table `definition` that take `reference`, with its `number`, to the rows of `parent`.
fn taken(
    definition: &TableDefinition,
    number: usize,
    reference: &Reference,
    parent: &TableDefinition,
) -> String {
    let name = parent.sql_name();
    let mut ids = parent.ids();
    let same = reference.columns.iter().map(|(child, column)| {
        // SQLite may leave out what it refers to: that is the key, in order.
        let id = ids.next().map(|id| id.name.as_str());
        let column = match column.as_str() {
            "" => id.unwrap_or_default(),
            column => column,
        };
        format!("{CHILD}.{} = {name}.{}", quoted(child), quoted(column))
    });
    format!(
        "select cast({PLACE} as text), cast({number} as text) from sent join {} {CHILD} on {} join {name} on {} where sent.\"~r{number}\"",
        definition.sql_name(),
        same_id(definition, CHILD),
        same.collect::<Vec<_>>().join(" and "),
    )
}

/// Whether `reference` has this column of the child's.
fn names_it(reference: &Reference, column: &ColumnDefinition) -> bool {
    let mut columns = reference.columns.iter();
    columns.any(|(child, _)| *child == column.name)
}

/// Whether `row` takes a value in any column of `reference`.
fn writes<DB: WireBackend>(
    definition: &TableDefinition,
    row: &RowPlan<'_, '_, DB>,
    reference: &Reference,
) -> bool {
    let mut columns = definition.columns.iter();
    columns.any(|column| {
        let is_written = row.cell(column).is_some() || column.id && row.act == Act::Insert;
        is_written && names_it(reference, column)
    })
}

/// What the database says where there is no such row.
fn no_parent<DB: UploadBackend>(reference: &Reference) -> Error {
    let told = Told {
        message: DB::NO_PARENT.to_owned(),
        constraint: DB::NAMES_REFERENCES.then(|| reference.name.clone()),
        column: None,
    };
    Error::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, Box::new(told))
}
