//! What comes before the rows that are new or changed: those that went, and those that could not be read before.

use super::{Reading, kind, push_id};
use crate::backend::SyncBackend;
use crate::download::table_sql::TableSql;
use crate::scope::Visibility;
use crate::statement::Statement;
use crate::table::TableOn;

impl<Id: Clone + Send + Sync + 'static> Reading<Id> {
    /// Rows whose soft-delete flag is set travel as removals.
    pub(super) fn deleted<'a, M, DB>(
        &self,
        table: &TableSql,
        visibility: &Visibility<'_, DB>,
        statement: &mut Statement<'a, DB>,
    ) where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let Some(deleted) = table.deleted() else {
            return;
        };
        let name = &table.name;
        statement.sql(format!(
            " select * from (select {}, {} from {name} where {deleted}{}",
            self.lead::<DB>(kind::DELETED, &table.stamp, table.storage),
            table.columns(name),
            visibility.over(name),
        ));
        if table.definition.untracked {
            // Here no header keeps the lines in order.
            statement.sql(DB::IN_ORDER);
        }
        let ids = table.ids(name);
        self.changed::<M, DB>(
            &table.stamp,
            &ids,
            table.storage,
            kind::DELETED,
            table,
            statement,
        );
        statement.sql(") carburetor_deleted union all");
    }

    /// Ids that left a place which the caller sees, and that the caller does not see now.
    ///
    /// The join with no row gives the columns that a removal lacks their types.
    pub(super) fn removals<'a, M, DB>(
        &self,
        table: &TableSql,
        visibility: &Visibility<'_, DB>,
        statement: &mut Statement<'a, DB>,
    ) where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        if table.definition.untracked {
            return;
        }
        let name = &table.name;
        let removed = "carburetor_removal.carburetor_removed_at";
        let present = table
            .deleted()
            .map_or(String::new(), |deleted| format!(" and not {deleted}"));
        statement.sql(format!(
            " select * from (select {}, {} from {} carburetor_removal left join {name} carburetor_none on 1 = 0 \
             where not exists (select 1 from {name} where {}{}{present}){}",
            self.lead::<DB>(kind::REMOVAL, removed, DB::REMOVAL_STORAGE),
            table.removal_columns(),
            DB::removal_table(table.definition),
            table.same_id("carburetor_removal"),
            visibility.over(name),
            visibility.over("carburetor_removal"),
        ));
        let ids = table.ids("carburetor_removal");
        self.changed::<M, DB>(
            removed,
            &ids,
            DB::REMOVAL_STORAGE,
            kind::REMOVAL,
            table,
            statement,
        );
        statement.sql(") carburetor_left union all");
    }

    /// The rows with these ids that haven't changed, with the first page of what has.
    pub(super) fn again<'a, M, DB>(
        &self,
        table: &TableSql,
        visibility: &Visibility<'_, DB>,
        ids: &[Id],
        statement: &mut Statement<'a, DB>,
    ) where
        DB: SyncBackend,
        M: TableOn<DB, Id = Id>,
    {
        let since = match self {
            Reading::Since(beginning) => beginning.rows,
            Reading::SincePage(page) if !page.places.is_begun() => page.beginning.rows,
            _ => return,
        };
        if ids.is_empty() {
            return;
        }
        let name = &table.name;
        statement.sql(format!(
            " select * from (select {}, {} from {name} where 1 = 1{}",
            self.lead::<DB>(kind::AGAIN, &table.stamp, table.storage),
            table.columns(name),
            visibility.over(name),
        ));
        if let Some(deleted) = table.deleted() {
            statement.sql(format!(" and not {deleted}"));
        }
        statement
            .sql(format!(" and {} < ", table.stamp))
            .bind(DB::bind_stamp(table.storage, since));
        for (place, id) in ids.iter().enumerate() {
            let before = if place == 0 { " and (" } else { " or " };
            statement.sql(format!("{before}({}) = (", table.ids(name)));
            push_id::<M, DB>(id, table, statement);
            statement.sql(")");
        }
        statement.sql(")) carburetor_again union all");
    }
}
