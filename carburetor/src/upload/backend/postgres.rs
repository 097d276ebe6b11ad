//! Uploads on PostgreSQL.

mod each;
mod relation;

use super::{Step, UploadBackend};
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, literal, quoted};
use crate::tracking::postgres::origin;
use crate::upload::Types;
use crate::upload::sent::Sent;
use diesel::pg::Pg;

#[allow(
    private_interfaces,
    reason = "sealed by its hidden methods: nobody else calls them"
)]
impl UploadBackend for Pg {
    const LOCK_ALL: Option<&'static str> = None;
    const LOCK_ROWS: Option<[&'static str; 2]> =
        Some([" for update of ", " for no key update of "]);
    // A device forgets its change once it was answered. What a session is told of its standbys is the program's affair.
    const DURABLE: Option<&'static str> = Some(
        "select pg_catalog.set_config('synchronous_commit', 'on', true) where pg_catalog.current_setting('synchronous_commit') = 'off'",
    );
    const PLAN_AGAIN: Option<&'static str> =
        Some("select pg_catalog.set_config('plan_cache_mode', 'force_custom_plan', true)");
    // The savepoint gives the constraints back the modes that they had: rows that refer to each other need them, and so does the caller.
    const CHECK_DEFERRED: Option<&'static str> = Some(
        "savepoint carburetor_check; set constraints all immediate; rollback to savepoint carburetor_check; release savepoint carburetor_check",
    );
    const COUNT_DEFERRED: Option<&'static str> = None;
    const OR_FAIL: &'static str = "";
    const REGISTERS_TYPE: &'static str = "pg_catalog.jsonb";
    const CLOCK_TABLE: &'static str = "carburetor.clock";
    const OUTCOME_TABLE: &'static str = "carburetor.outcome";
    const RELAY_TABLE: Option<&'static str> = None;
    const NOW: &'static str = "pg_catalog.clock_timestamp()";
    const WHILE_AGO: &'static str = "pg_catalog.clock_timestamp() - interval '1 hour'";
    const NO_PARENT: &'static str = "insert or update violates foreign key constraint";
    const NAMES_REFERENCES: bool = true;
    const WRITES_STAMPS: bool = false;

    fn each<'v>(
        sent: Sent<'v, Self>,
        types: &Types,
        text: &str,
        is_checked: bool,
    ) -> Option<(Statement<'v, Self>, String)> {
        Some(each::each(sent, types, text, is_checked))
    }

    fn most_rows(_columns: usize) -> usize {
        usize::MAX
    }

    fn push_sent<'v>(
        sent: Sent<'v, Self>,
        types: &Types,
        statement: &mut Statement<'v, Self>,
    ) -> usize {
        relation::push(sent, types, statement)
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
            include_str!("postgres.sql")
                .replace("{tables}", &tables)
                .replace("{origin}", &origin()),
        )]
    }

    fn moment(storage: Storage) -> String {
        match storage {
            Storage::Boolean => "true".into(),
            Storage::Timestamp => "(pg_catalog.clock_timestamp() at time zone 'UTC')".into(),
            _ => "pg_catalog.clock_timestamp()".into(),
        }
    }

    fn differs(stored: &str, sent: &str, is_comparable: bool) -> String {
        match is_comparable {
            true => format!("{stored} is distinct from {sent}"),
            false => {
                format!("{stored}::text collate \"C\" is distinct from {sent}::text collate \"C\"")
            }
        }
    }

    fn is_other_text(stored: &str, sent: &str) -> String {
        format!(
            "({} collate \"C\") <> {}",
            Self::text_of(stored),
            Self::text_of(sent)
        )
    }

    // A cast would take the blanks off a `bpchar`.
    fn text_of(stored: &str) -> String {
        format!("pg_catalog.format('%s', {stored})")
    }

    /// A `ctid` as text, because not every version can hash one.
    fn identity(alias: &str, _definition: Option<&TableDefinition>, _parts: usize) -> Vec<String> {
        vec![format!("{alias}.tableoid"), format!("{alias}.ctid::text")]
    }

    fn is_reached(alias: &str, _definition: &TableDefinition) -> String {
        format!("{alias}.tableoid = reached.k0 and {alias}.ctid = reached.k1::tid")
    }

    fn existence(registers: &str) -> String {
        format!("{registers} ->> ''")
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
