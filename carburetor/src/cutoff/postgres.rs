//! The cutoff on PostgreSQL.
//!
//! Tracked: a writer takes a shared advisory lock whose key is the start of its transaction, then stamps with the clock. Whoever reads the
//! clock, then the locks, then the rows, misses no row with a stamp below the smallest key seen: the lock of a writer that was
//! granted before the scan is seen, and one granted after it belongs to stamps later than the clock that was read.
//!
//! Untracked: stamps are the starts of transactions, which `pg_stat_activity` shows a moment after they were taken; hence a margin.

use super::Assumptions;
use crate::statement::Statement;
use crate::table::{Storage, TableDefinition, literal};
use crate::tracking::postgres::{HOME, hashed, origin};
use diesel::pg::Pg;
use std::time::Duration;

/// The statements that read the cutoffs, to be run in order before the rows.
pub(crate) fn statements(
    definitions: &[&'static TableDefinition],
    assumptions: &Assumptions,
    in_transaction: bool,
) -> Vec<Statement<'static, Pg>> {
    let place = |tracked: bool| -> Vec<(usize, &TableDefinition)> {
        let places = definitions.iter().copied().enumerate();
        places
            .filter(|(_, table)| table.untracked != tracked)
            .collect()
    };
    let (tracked, untracked) = (place(true), place(false));
    let mut statements = Vec::new();
    if !untracked.is_empty() {
        // The activity that this transaction has seen before is cached. The function's own result, void, has no value to read.
        statements.push(Statement::of(
            "select null::bigint, null::bigint from pg_catalog.pg_stat_clear_snapshot()",
        ));
        statements.push(Statement::of(untracked_cutoff(
            &untracked,
            tracked.is_empty(),
            assumptions,
            in_transaction,
        )));
    }
    if !tracked.is_empty() {
        statements.push(Statement::of(tracked_cutoff(
            &tracked,
            assumptions,
            in_transaction,
        )));
    }
    statements
}

/// Why rows read in the caller's transaction could be missing or could vanish.
///
/// Outside of a transaction every statement has a snapshot of its own, whatever level is the default. A transaction that Diesel
/// does not know of shows itself by another level than that.
pub(crate) fn circumstance(in_transaction: bool) -> String {
    let unknown = match in_transaction {
        true => "",
        false => {
            " and current_setting('transaction_isolation') <> current_setting('default_transaction_isolation')"
        }
    };
    format!(
        "\
case when pg_current_xact_id_if_assigned() is not null and current_setting('carburetor.testing', true) is distinct from 'on' then 'written'
when current_setting('transaction_isolation') not in ('read committed', 'read uncommitted'){unknown} then 'snapshot' end"
    )
}

/// The timeline. That of the last checkpoint, on a standby, is an older one at worst.
const TIMELINE: &str = "\
case when pg_is_in_recovery() then lpad(upper(to_hex((select timeline_id from pg_control_checkpoint()))), 8, '0')
else substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end";

/// What a token says of the server whose database is named `name`.
fn server(name: &str) -> String {
    format!("coalesce({name} || '-', '') || coalesce({TIMELINE}, '')")
}

/// The tables as `place, key, name in SQL, stamp, type of the stamp`.
fn listed(tables: &[(usize, &TableDefinition)]) -> String {
    let rows: Vec<String> = tables
        .iter()
        .map(|(place, table)| {
            let stamp = table.stamp();
            format!(
                "({place}::bigint, {}, {}, {}, {})",
                literal(&table.key()),
                literal(&table.sql_name()),
                literal(stamp.map_or("", |stamp| &stamp.name)),
                match stamp.map(|stamp| stamp.storage) {
                    Some(Storage::Timestamp) => "'timestamp'::regtype",
                    _ => "'timestamptz'::regtype",
                },
            )
        })
        .collect();
    format!(
        "(values {}) t(place, key, name, stamp, stamp_type)",
        rows.join(", ")
    )
}

fn tracked_cutoff(
    tables: &[(usize, &TableDefinition)],
    assumptions: &Assumptions,
    in_transaction: bool,
) -> String {
    let circumstance = circumstance(in_transaction);
    let slack = micros(assumptions.slack);
    let listed = listed(tables);
    format!(
        "\
with held as materialized (
  select {clock} as clock,
    min(((l.classid::bigint << 32) | l.objid::bigint) & ((1::bigint << 51) - 1)) + 1577836800000000 as oldest
  from pg_locks l
  where l.locktype = 'advisory' and l.objsubid = 1 and (l.classid::bigint >> 19) = 1441
    and l.database = (select oid from pg_database where datname = current_database())
), seen as materialized (
  select clock,
    case when pg_is_in_recovery() then (select {watermark} from carburetor.watermark)
    else least(clock - {slack}, oldest) end as cutoff,
    {origin} as origin,
    {circumstance} as circumstance
  from held
)
select t.place, seen.clock, seen.cutoff, s.generation, seen.origin,
  coalesce(seen.circumstance,
    case when not exists (select from carburetor.clock) then 'no clock'
    when seen.cutoff is null then 'no watermark'
    when s.name is null then 'not tracked'
    when s.relation is distinct from to_regclass(t.name) then 'other table'
    when armed.triggers < 3 * cardinality(parts.relations) or armed.truncates < 1 + kept.partitions then 'no trigger'
    when armed.late is not null then 'late trigger'
    when exists (select from pg_inherits i where i.inhparent = c.oid and c.relkind = 'r') then 'inherited'
    when odd.stamp is not null then 'stamp' end),
  coalesce(armed.late, odd.stamp), (extract(epoch from s.horizon) * 1000000)::bigint, null::bigint
from seen, {listed}
left join carburetor.synced_table s on s.name = t.key
left join pg_class c on c.oid = s.relation
left join lateral (
  select case c.relkind when 'p' then array(select p.relid::oid from pg_partition_tree(c.oid) p) else array[c.oid] end as relations
) parts on true
-- A partition that came after the installation has no trigger on TRUNCATE.
left join lateral (
  select count(*) as partitions from unnest(s.partitions::oid[]) p (relid) where p.relid = any (parts.relations)
) kept on true
-- What is rounded may lie below the cutoff.
left join lateral (
  select quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) as stamp
  from pg_attribute a
  where a.attrelid = c.oid and a.attname = t.stamp and not a.attisdropped and (a.atttypid <> t.stamp_type or a.atttypmod between 0 and 5)
) odd on true
left join lateral (
  select count(*) filter (where g.tgenabled = 'A' and g.tgname = '~carburetor_truncate'
      and (g.tgrelid = c.oid or g.tgrelid = any (s.partitions::oid[]))) as truncates,
    count(*) filter (where g.tgenabled = 'A'
      and g.tgname in ('~carburetor_stamp', '~carburetor_removal_delete', '~carburetor_removal_update')) as triggers,
    min(g.tgname::text) filter (where not g.tgisinternal and g.tgtype & 3 = 3 and g.tgtype & 20 <> 0 and g.tgenabled <> 'D'
      and g.tgname > '~carburetor_stamp') as late
  from pg_trigger g where g.tgrelid = any (parts.relations)
) armed on true",
        clock = epoch("statement_timestamp()"),
        watermark = epoch("cutoff"),
        origin = server(&origin()),
    )
}

fn untracked_cutoff(
    tables: &[(usize, &TableDefinition)],
    is_alone: bool,
    assumptions: &Assumptions,
    in_transaction: bool,
) -> String {
    let circumstance = circumstance(in_transaction);
    let (margin, grace) = (
        micros(assumptions.margin),
        micros(assumptions.prepare_grace),
    );
    let listed = listed(tables);
    format!(
        "\
with active as materialized (
  select min(s.xact_start) as oldest,
    count(*) filter (where s.backend_type is null) as hidden,
    count(*) filter (where s.state = 'disabled') as disabled
  from pg_stat_get_activity(null) s
  where s.datid = (select oid from pg_database where datname = current_database()) and s.usesysid is not null
), seen as materialized (
  select {clock} as clock,
    least({clock} - {margin}, {oldest},
      (select {prepared} from pg_prepared_xact() x
       where x.dbid = (select oid from pg_database where datname = current_database()) and active.hidden >= 0) - {grace}) as cutoff,
    {origin} as origin,
    coalesce({circumstance},
      case when pg_is_in_recovery() then 'standby' when active.hidden > 0 then 'hidden' when active.disabled > 0 then 'disabled' end)
      as problem
  from active
)
select t.place, seen.clock, seen.cutoff, null::bigint, seen.origin, seen.problem, current_user::text, null::bigint, null::bigint
from seen, {listed}",
        clock = epoch("statement_timestamp()"),
        oldest = epoch("active.oldest"),
        prepared = epoch("min(x.prepared)"),
        // Without a tracked table nothing of ours need be in the database: it is told from others by where it is.
        origin = server(&match is_alone {
            true => hashed(&format!("'carburetor ' || {HOME}")),
            false => "null::text".into(),
        }),
    )
}

fn epoch(instant: &str) -> String {
    format!("(extract(epoch from {instant}) * 1000000)::bigint")
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
