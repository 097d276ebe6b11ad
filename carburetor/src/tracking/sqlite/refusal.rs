//! What can't be tracked, found before anything is installed.

use super::stamping::MAX_LEVELS;
use super::surroundings::own_triggers;
use crate::register::COLUMN;
use crate::table::{Storage, TableDefinition, literal, quoted};

/// A query of rows `(name, problem, remedy)`: the reasons why `table` can't be tracked. No row, no reason.
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let users = TableDefinition { table: "users".into(), ..Default::default() };
/// assert!(carburetor::tracking::sqlite::refusals(&users).contains("is a view"));
/// ```
pub fn refusals(table: &TableDefinition) -> String {
    let name = literal(&table.table);
    let mut reasons = vec![
        reason(
            table,
            "the database has no such table",
            "create the table before its tracking",
            &format!("not exists (select 1 from sqlite_schema where type in ('table', 'view') and {})", named(&name)),
        ),
        reason(
            table,
            "it is a view, which has no rows of its own",
            "sync the tables below the view",
            &format!("exists (select 1 from sqlite_schema where type = 'view' and {})", named(&name)),
        ),
        reason(
            table,
            "it is a virtual table, which can't have triggers",
            "sync the table that holds its content",
            &format!("exists (select 1 from pragma_table_list where schema = 'main' and type in ('virtual', 'shadow') and {})", named(&name)),
        ),
        reason(
            table,
            "a temporary table hides it",
            "rename the temporary table",
            &format!("exists (select 1 from sqlite_temp_schema where type in ('table', 'view') and {})", named(&name)),
        ),
        reason(
            table,
            "a unique index on an expression may replace rows unseen",
            "index a generated column with that expression instead",
            &format!(
                "exists (select 1 from pragma_index_list({name}) as i, pragma_index_xinfo(i.name) as x
  where i.\"unique\" = 1 and x.key = 1 and x.name is null)"
            ),
        ),
        reason(
            table,
            "too many triggers of its own may write it again after its stamp",
            &format!("leave at most {} triggers that fire on an update", MAX_LEVELS - 1),
            &format!("({}) >= {MAX_LEVELS}", own_triggers(table)),
        ),
        reason(table, "no unique key has exactly the columns of the id", "declare the id as primary key", &unkeyed(table)),
    ];
    reasons.extend(column_reasons(table));
    if table
        .schema
        .as_deref()
        .is_some_and(|schema| schema != "main")
    {
        reasons.push(reason(
            table,
            "it lies in an attached or temporary database, which triggers can't reach",
            "keep synced tables in the main database",
            "true",
        ));
    }
    if !matches!(
        table.stamp().map(|stamp| stamp.storage),
        Some(Storage::Timestamptz | Storage::Timestamp | Storage::Integer)
    ) {
        reasons.push(reason(
            table,
            "its stamp is no instant",
            "declare the stamp as TimestamptzSqlite, Timestamp or BigInt",
            "true",
        ));
    }
    if table.untracked {
        reasons.push(reason(
            table,
            "tables on SQLite are always tracked",
            "remove `untracked` from the model",
            "true",
        ));
    }
    format!("select * from (\n{}\n)", reasons.join("\nunion all\n"))
}

/// A query of rows `(name, statement)`: what adds the columns of the stamp and the registers where the table lacks them. Run the statements before
/// [`up`](super::up), and print them at the top of a migration.
///
/// SQLite adds a NOT NULL column only with a constant default; 1970 is older than every tracking.
///
/// ```
/// # use carburetor::table::{ColumnDefinition, Storage, TableDefinition};
/// # let users = TableDefinition { table: "users".into(), columns: vec![
/// #     ColumnDefinition { last_synced_at: true, nullable: true, storage: Storage::Integer, ..ColumnDefinition::new("stamp") }], ..Default::default() };
/// let query = carburetor::tracking::sqlite::missing_columns(&users);
/// assert!(query.contains(r#"alter table "users" add column "stamp" integer"#));
/// ```
pub fn missing_columns(table: &TableDefinition) -> String {
    let stamp = table.stamp().map(|stamp| {
        let (storage, beginning) = match stamp.storage {
            Storage::Integer => ("integer", "0"),
            Storage::Timestamp => ("text", "'1970-01-01 00:00:00.000000'"),
            _ => ("text", "'1970-01-01 00:00:00.000000+00:00'"),
        };
        let default = if stamp.nullable {
            String::new()
        } else {
            format!(" not null default {beginning}")
        };
        (stamp.name.as_str(), format!("{storage}{default}"))
    });
    let registers = table.has_registers().then(|| (COLUMN, "text".to_owned()));
    let columns: Vec<String> = stamp
        .into_iter()
        .chain(registers)
        .map(|(name, declared)| {
            let add = format!(
                "alter table {} add column {} {declared}",
                quoted(&table.table),
                quoted(name)
            );
            format!(
                "select {} as name, {} as statement where {}",
                literal(name),
                literal(&add),
                absent(table, name)
            )
        })
        .collect();
    if columns.is_empty() {
        return "select '' as name, '' as statement where false".to_owned();
    }
    columns.join("\nunion all\n")
}

/// Whether the table lacks the column of this name.
pub(super) fn absent(table: &TableDefinition, name: &str) -> String {
    format!(
        "not exists (select 1 from pragma_table_xinfo({}) where name = {} collate nocase)",
        literal(&table.table),
        literal(name)
    )
}

fn column_reasons(table: &TableDefinition) -> Vec<String> {
    let mut reasons = Vec::new();
    for column in table.columns.iter().filter(|column| !column.local) {
        if !column.last_synced_at {
            reasons.push(reason(
                table,
                &format!("the column {} is missing", column.name),
                "add the column, or remove the field",
                &absent(table, &column.name),
            ));
        }
        if column.id || column.visible_by || column.last_synced_at {
            reasons.push(reason(
                table,
                &format!("the column {} is generated", column.name),
                "use a stored column as id, stamp and `visible_by`",
                &format!(
                    "exists (select 1 from pragma_table_xinfo({}) where hidden in (2, 3) and name = {} collate nocase)",
                    literal(&table.table),
                    literal(&column.name)
                ),
            ));
        }
        if column.id || column.visible_by {
            reasons.push(reason(
                table,
                &format!("the column {} has a collation of its own", column.name),
                "let ids and `visible_by` columns compare as BINARY, as removals do",
                &format!(
                    "exists (select 1 from pragma_index_list({}) as i, pragma_index_xinfo(i.name) as x
  where x.name = {} collate nocase and x.coll <> 'BINARY')",
                    literal(&table.table),
                    literal(&column.name)
                ),
            ));
        }
    }
    reasons
}

fn unkeyed(table: &TableDefinition) -> String {
    let name = literal(&table.table);
    let ids: Vec<String> = table.ids().map(|id| literal(&id.name)).collect();
    let count = ids.len();
    let ids = ids.join(", ");
    format!(
        "not exists (select 1 from pragma_index_list({name}) as i where i.\"unique\" = 1 and i.partial = 0
  and (select count(*) = {count} and sum(x.name collate nocase in ({ids})) = {count} from pragma_index_xinfo(i.name) as x where x.key = 1))
and (select count(*) <> {count} or sum(name collate nocase in ({ids})) <> {count} from pragma_table_xinfo({name}) where pk > 0)
and exists (select 1 from sqlite_schema where type = 'table' and {})",
        named(&name)
    )
}

fn named(name: &str) -> String {
    format!("name = {name} collate nocase")
}

fn reason(table: &TableDefinition, problem: &str, remedy: &str, condition: &str) -> String {
    format!(
        "select {} as name, {} as problem, {} as remedy where {condition}",
        literal(&table.key()),
        literal(problem),
        literal(remedy)
    )
}
