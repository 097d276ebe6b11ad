//! Uploads on PostgreSQL: arrays in the binary format, one bind per column.

use super::{Step, UploadBackend};
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, literal, quoted};
use crate::upload::Types;
use crate::upload::sent::{Cells, Sent};
use diesel::QueryResult;
use diesel::pg::{Pg, PgTypeMetadata};
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::serialize::{IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, TypeMetadata};
use std::io::Write;

#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
impl UploadBackend for Pg {
    const LOCK_ALL: &'static str = "";
    const LOCK_ROWS: Option<[&'static str; 2]> =
        Some([" for update of ", " for no key update of "]);
    const CHECK_DEFERRED: Option<&'static str> = Some("set constraints all immediate");
    const REGISTERS_TYPE: &'static str = "pg_catalog.jsonb";
    const EXISTENCE: &'static str = " ->> ''";
    const CLOCK_TABLE: &'static str = "carburetor.clock";
    const OUTCOME_TABLE: &'static str = "carburetor.outcome";
    const NOW: &'static str = "pg_catalog.clock_timestamp()";
    const WRITES_STAMPS: bool = false;

    fn most_rows(_columns: usize) -> usize {
        usize::MAX
    }

    fn push_sent<'v>(
        sent: Sent<'v, Self>,
        types: &Types,
        statement: &mut Statement<'v, Self>,
    ) -> usize {
        let binds = sent.columns.len();
        statement.sql("select * from unnest(");
        for (place, column) in sent.columns.into_iter().enumerate() {
            if place > 0 {
                statement.sql(", ");
            }
            let (array, name) = match column.cells {
                Cells::Numbers(numbers) => (
                    array(
                        INT8,
                        numbers.iter().map(|number| Some(number.to_be_bytes())),
                    ),
                    "pg_catalog.int8",
                ),
                Cells::Texts(texts) => (array(TEXT, texts.iter().map(Some)), "pg_catalog.text"),
                Cells::Flags(flags) => (
                    array(BOOL, flags.iter().map(|flag| Some([u8::from(*flag)]))),
                    "pg_catalog.bool",
                ),
                Cells::Values(column, values) => match types.of(column) {
                    Some(found) => (array(found.oid, values.into_iter()), found.name.as_str()),
                    None => (array(TEXT, values.into_iter()), "pg_catalog.text"),
                },
            };
            statement.bind(Array(array)).sql(format!("::{name}[]"));
        }
        statement.sql(")");
        binds
    }

    fn register_table(definition: &TableDefinition) -> String {
        format!(
            "carburetor.{}",
            quoted(&definition.tracking_name("register"))
        )
    }

    fn conflict_table(definition: &TableDefinition) -> String {
        format!(
            "carburetor.{}",
            quoted(&definition.tracking_name("conflict"))
        )
    }

    // The first half of the key is the library's own, so that no lock of the application's is met.
    fn lock_replica(replica: u64) -> Option<String> {
        let half = (replica ^ (replica >> 32)) & 0xffff_ffff;
        Some(format!(
            "select pg_catalog.pg_advisory_xact_lock(1442, ('x{half:08x}')::pg_catalog.bit(32)::pg_catalog.int4)::text"
        ))
    }

    fn surroundings(definitions: &[&'static TableDefinition]) -> Vec<Statement<'static, Self>> {
        let tables: Vec<String> = definitions
            .iter()
            .enumerate()
            .map(|(place, table)| {
                format!(
                    "({place}, pg_catalog.to_regclass({}), {})",
                    literal(&table.sql_name()),
                    literal(&table.key())
                )
            })
            .collect();
        let tables = tables.join(", ");
        vec![Statement::of(
            include_str!("postgres.sql").replace("{tables}", &tables),
        )]
    }

    fn moment(storage: Storage) -> String {
        match storage {
            Storage::Boolean => "true".into(),
            Storage::Timestamp => "(pg_catalog.clock_timestamp() at time zone 'UTC')".into(),
            _ => "pg_catalog.clock_timestamp()".into(),
        }
    }

    /// A `ctid` as text, because not every version can hash one.
    fn identity(alias: &str, _definition: Option<&TableDefinition>, _parts: usize) -> Vec<String> {
        vec![format!("{alias}.tableoid"), format!("{alias}.ctid::text")]
    }

    fn is_reached(alias: &str, _definition: &TableDefinition) -> String {
        format!("{alias}.tableoid = reached.k0 and {alias}.ctid = reached.k1::tid")
    }

    // Here a recursive query may name itself only once.
    fn steps(steps: &[Step]) -> String {
        let steps: Vec<String> = steps
            .iter()
            .map(|step| {
                format!(
                    "select {} from {} where {}",
                    step.columns, step.source, step.condition
                )
            })
            .collect();
        format!(
            "select reached.n, carburetor_step.* from reached cross join lateral ({}) carburetor_step",
            steps.join(" union all ")
        )
    }
}

const BOOL: u32 = 16;
const INT8: u32 = 20;
const TEXT: u32 = 25;

/// An array of one dimension in the binary format: dimensions, whether there are NULLs, the elements' type, length, first index, elements.
fn array<B: AsRef<[u8]>>(oid: u32, values: impl ExactSizeIterator<Item = Option<B>>) -> Vec<u8> {
    let length = i32::try_from(values.len()).unwrap_or(i32::MAX);
    let mut out = Vec::with_capacity(20 + values.len() * 12);
    for word in [1_u32.to_be_bytes(), 1_u32.to_be_bytes(), oid.to_be_bytes()] {
        out.extend_from_slice(&word);
    }
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
    for value in values {
        let Some(value) = value else {
            out.extend_from_slice(&(-1_i32).to_be_bytes());
            continue;
        };
        let value = value.as_ref();
        let size = i32::try_from(value.len()).unwrap_or(i32::MAX);
        out.extend_from_slice(&size.to_be_bytes());
        out.extend_from_slice(value);
    }
    out
}

/// An array whose type the cast behind it tells.
#[derive(Debug)]
struct Array(Vec<u8>);

/// The SQL type of [`Array`].
struct AsCast;

impl HasSqlType<AsCast> for Pg {
    fn metadata(_: &mut <Pg as TypeMetadata>::MetadataLookup) -> PgTypeMetadata {
        PgTypeMetadata::new(0, 0)
    }
}

impl ToSql<AsCast, Pg> for Array {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> diesel::serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

impl QueryFragment<Pg> for Array {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<AsCast, _>(self)
    }
}
