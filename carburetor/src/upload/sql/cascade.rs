//! What a deletion takes along: foreign keys may delete or change rows that the caller doesn't see, and rows of tables that aren't synced.

use super::{Id, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::connection::{Flow, PacedRows, TakeRows};
use crate::outcome::{Code, Rejection, Verdict};
use crate::table::quoted;
use crate::upload::UploadTable;
use crate::upload::admit::Admitted;
use crate::upload::apply::TablePlan;
use crate::upload::backend::{Step, UploadBackend};
use crate::upload::decide::Kind;
use crate::upload::judged::along;
use crate::upload::plan::{Act, RowPlan};
use crate::upload::session::{Failure, Session};
use crate::upload::settle::{Answers, Settled};
use crate::upload::surroundings::Cascade;
use diesel::result::Error;
use diesel::row::Row;
use std::collections::{BTreeSet, HashMap, HashSet};

impl<R: Runner> Session<'_, '_, R> {
    /// Fails for the deletions of `plan` that would reach rows outside of the scope, directly or through others.
    pub(super) async fn refuse_cascades(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<(), Failure> {
        let (cascades, reached) = reachable(&self.around.cascades, plan.table);
        let hides = |table: &usize| !self.tables[*table].visibility.is_everything();
        let outside = cascades.iter().any(|cascade| cascade.child.is_none());
        if !outside && !reached.iter().any(hides) {
            return Ok(());
        }
        let rows = plan.rows.iter();
        let rows: Vec<&RowPlan<'_, '_, R::Backend>> = rows
            .filter(|row| matches!(row.act, Act::Delete(_)))
            .collect();
        let definition = self.tables[plan.table].definition;
        let parts = self
            .tables
            .iter()
            .map(|table| table.definition.ids().count());
        let parts = parts.max().unwrap_or(1);
        let steps: Vec<Step> = cascades
            .iter()
            .map(|cascade| step(self.tables, cascade, parts))
            .collect();
        let mut hidden = Vec::new();
        for portion in portions::<R::Backend>(rows.len(), definition.ids().count() + 1) {
            let rows = &rows[portion];
            let ids: Vec<_> = rows.iter().filter_map(|row| row.id()).collect();
            let sent = of_ids::<R::Backend>(definition, &ids);
            let (mut statement, _) = sent.recursive(self.around.types(plan.table));
            let name = definition.sql_name();
            let first = R::Backend::identity(&name, Some(definition), parts);
            let names: Vec<String> = (0..first.len()).map(|part| format!("k{part}")).collect();
            statement.sql(format!(
                ", reached (n, place, gone, {}) as (select {}, {}, 1, {} from sent join {name} on {} union {}) \
                 select distinct reached.n from reached where reached.place = {OUTSIDE}",
                names.join(", "),
                super::PLACE,
                plan.table,
                first.join(", "),
                same_id(definition, &name),
                R::Backend::steps(&steps),
            ));
            for place in reached.iter().filter(|table| hides(table)) {
                let table = &self.tables[*place];
                let name = table.definition.sql_name();
                statement.sql(format!(
                    " or reached.place = {place} and not exists (select 1 from {name} where {}",
                    R::Backend::is_reached(&name, table.definition)
                ));
                self.push_visible(*place, &mut statement);
                statement.sql(")");
            }
            let mut places = Places::default();
            self.runner.run(statement, &mut places).await?;
            let rows = places.0.into_iter().filter_map(|place| rows.get(place));
            let forbidden = along(definition);
            let places = rows.flat_map(|row| row.places());
            hidden.extend(places.map(|at| (at, forbidden.clone())));
        }
        match hidden.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(hidden)),
        }
    }
}

impl<R: Runner> Session<'_, '_, R> {
    /// The tables of which the deletions of `plans` may take rows along.
    pub(in crate::upload) fn taken_along(
        &self,
        plans: &[TablePlan<'_, '_, R::Backend>],
    ) -> BTreeSet<usize> {
        let deletes = |plan: &&TablePlan<'_, '_, R::Backend>| {
            let mut acts = plan.rows.iter().map(|row| row.act);
            acts.any(|act| matches!(act, Act::Delete(_)))
        };
        let deleting = plans.iter().filter(deletes);
        deleting
            .flat_map(|plan| {
                let (followed, _) = reachable(&self.around.cascades, plan.table);
                let removing = followed.into_iter().filter(|cascade| cascade.removes);
                removing.filter_map(|cascade| cascade.child)
            })
            .collect()
    }

    /// Takes back what was said of rows that are gone at the end, because a deletion of this upload took them along: nothing is left of the edit.
    pub(in crate::upload) async fn take_along(
        &mut self,
        admitted: &[Admitted<'_, R::Backend>],
        answers: &mut Answers,
    ) -> Result<(), Failure> {
        if !self.has_deleted {
            return Ok(());
        }
        let removed = self.around.cascades.iter();
        let removed = removed.filter(|cascade| cascade.removes);
        let children: BTreeSet<usize> = removed.filter_map(|cascade| cascade.child).collect();
        for table in children {
            let of_table = || admitted.iter().filter(|change| change.table == table);
            let deletions = of_table().filter(|change| change.kind == Kind::Delete);
            // The last one of each row, since they are in the order of their clocks.
            let deleted: HashMap<&[u8], Clock> = deletions
                .map(|change| (change.key.as_slice(), change.clock()))
                .collect();
            let is_deleted_later = |change: &&Admitted<'_, R::Backend>| {
                let deleted = deleted.get(change.key.as_slice());
                deleted.is_some_and(|deleted| *deleted > change.clock())
            };
            let written: Vec<_> = of_table()
                .filter(|change| change.kind != Kind::Delete)
                .filter(|change| is_written(&answers[change.at]))
                .filter(|change| !is_deleted_later(change))
                .collect();
            let ids: Vec<_> = written.iter().map(|change| change.id.as_slice()).collect();
            let gone = self.absent(table, &ids).await?;
            let name = &self.tables[table].definition.wire_name;
            for change in gone.into_iter().filter_map(|place| written.get(place)) {
                answers[change.at] = Some(Settled::rejected(Rejection {
                    code: Code::NotFound,
                    message: format!(
                        "the row of {name} went along with one that the same upload deletes: delete it first, or let it belong to another one"
                    ),
                    field: None,
                }));
            }
        }
        Ok(())
    }

    /// The places of the rows of `plan` that were written and are not there, before anything is deleted.
    pub(in crate::upload) async fn kept_away(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<HashSet<usize>, Failure> {
        let rows = plan.rows.iter();
        let written = rows.filter(|row| matches!(row.act, Act::Insert | Act::Update));
        let (places, ids): (Vec<_>, Vec<_>) = written
            .filter_map(|row| Some((row.place, row.id()?)))
            .unzip();
        let absent = self.absent(plan.table, &ids).await?.into_iter();
        Ok(absent.filter_map(|at| places.get(at).copied()).collect())
    }

    /// Those of `ids`, by their places, under which `table` has no row.
    async fn absent(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
    ) -> Result<Vec<usize>, Failure> {
        let definition = self.tables[table].definition;
        let name = definition.sql_name();
        let mut absent = Places::default();
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let first = portion.start;
            let sent = of_ids::<R::Backend>(definition, &ids[portion]);
            let (mut statement, _) = sent.statement(self.around.types(table));
            statement.sql(format!(
                "select cast({} + {first} as bigint) from sent where not exists (select 1 from {name} where {})",
                super::PLACE,
                same_id(definition, &name)
            ));
            self.runner.run(statement, &mut absent).await?;
        }
        Ok(absent.0)
    }
}

fn is_written(answer: &Option<Settled>) -> bool {
    let verdict = answer.as_ref().map(|answer| &answer.verdict);
    matches!(verdict, Some(Verdict::Applied | Verdict::Merged))
}

/// The place of tables outside of the group.
const OUTSIDE: i64 = -1;

/// The foreign keys that a deletion from `table` may follow, and the tables of the group that it may reach.
fn reachable(cascades: &[Cascade], table: usize) -> (Vec<&Cascade>, BTreeSet<usize>) {
    let mut emptied = BTreeSet::from([table]);
    loop {
        let followed = cascades.iter();
        let followed: Vec<&Cascade> = followed
            .filter(|cascade| emptied.contains(&cascade.parent))
            .collect();
        let before = emptied.len();
        let removed = followed.iter().filter(|cascade| cascade.removes);
        emptied.extend(removed.filter_map(|cascade| cascade.child));
        if emptied.len() == before {
            let reached = followed.iter().filter_map(|cascade| cascade.child);
            let reached = reached.collect();
            return (followed, reached);
        }
    }
}

/// The children that one foreign key leads to.
fn step<DB: SyncBackend>(tables: &[UploadTable<'_, DB>], cascade: &Cascade, parts: usize) -> Step {
    let parent = tables[cascade.parent].definition;
    let child = cascade.child.map(|child| tables[child].definition);
    let place = cascade
        .child
        .map_or(OUTSIDE.to_string(), |child| child.to_string());
    let pairs = cascade.columns.iter().map(|(child, parent)| {
        format!(
            "carburetor_child.{} = carburetor_parent.{}",
            quoted(child),
            quoted(parent)
        )
    });
    Step {
        columns: format!(
            "{place}, {}, {}",
            u8::from(cascade.removes),
            DB::identity("carburetor_child", child, parts).join(", ")
        ),
        source: format!(
            "{} carburetor_parent join {} carburetor_child on {}",
            parent.sql_name(),
            cascade.name,
            pairs.collect::<Vec<_>>().join(" and ")
        ),
        condition: format!(
            "reached.gone = 1 and reached.place = {} and {}",
            cascade.parent,
            DB::is_reached("carburetor_parent", parent)
        ),
    }
}

/// Takes places of rows.
#[derive(Default)]
struct Places(Vec<usize>);

impl<DB: SyncBackend> TakeRows<DB> for Places {
    type Error = Error;

    fn take<'r>(&mut self, row: &impl Row<'r, DB>) -> Result<Flow, Error> {
        let place = DB::integer(row, 0)?;
        self.0
            .extend(place.and_then(|place| usize::try_from(place).ok()));
        Ok(Flow::Next)
    }
}

impl<DB: SyncBackend> PacedRows<DB> for Places {}
