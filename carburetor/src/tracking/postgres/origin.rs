//! The origin: what tells this database from others, copies of it among them.

/// Where the database is: in which cluster, and which one of it.
pub(crate) const HOME: &str = "\
(select c.system_identifier || '/' || d.oid from pg_catalog.pg_control_system() c, pg_catalog.pg_database d
  where d.datname = pg_catalog.current_database())";

/// A name made of a text.
pub(crate) fn hashed(text: &str) -> String {
    format!("left(encode(sha256(convert_to({text}, 'UTF8')), 'hex'), 16)")
}

/// The origin: as it was given where the database is at home, another one elsewhere, and NULL where the installation is of a version that had none.
///
/// As JSON, because a column that is not there is NULL then, and no error.
pub(crate) fn origin() -> String {
    let copied = hashed("(o.known ->> 'origin') || ' ' || o.home");
    format!(
        "\
(select case when o.known ->> 'home' = o.home then o.known ->> 'origin' else {copied} end
  from (select to_jsonb(k) as known, {HOME} as home from carburetor.clock k) o)"
    )
}
