//! How an open writer is published, and how a reader finds the oldest one.
//!
//! A writer takes a shared advisory lock whose key holds the start of its transaction, before it reads the clock for a stamp. The server
//! releases the lock after the transaction became visible. So whoever looks at the locks before taking a snapshot knows
//! an instant below every stamp that the snapshot doesn't show yet.

/// The key of the writer's lock: the library's tag 1441 above 51 bits of microseconds from 2020 to the start of the transaction.
pub(crate) const KEY: &str = "((1441::bigint operator(pg_catalog.<<) 51) operator(pg_catalog.|) \
    ((pg_catalog.date_part('epoch', pg_catalog.now()) operator(pg_catalog.-) 1577836800) operator(pg_catalog.*) 1000000)::bigint)";

/// The start of the oldest published writer of this database, NULL without one. It doesn't leave out the own session.
pub(crate) const OLDEST: &str = "(select timestamptz '2020-01-01 00:00:00Z' + interval '1 microsecond' \
    * min(((l.classid::bigint << 32) | l.objid::bigint) & ((1::bigint << 51) - 1)) \
    from pg_catalog.pg_locks l where l.locktype = 'advisory' and l.objsubid = 1 and (l.classid::bigint >> 19) = 1441 \
    and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database()))";

/// The expression that takes the lock. Assigned to a variable; `perform` would cost a microsecond more.
pub(crate) fn lock() -> String {
    format!("pg_catalog.pg_advisory_xact_lock_shared({KEY})")
}
