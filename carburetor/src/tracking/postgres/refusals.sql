-- The registry is read through query_to_xml, because this query must not fail where nothing is installed.
with wanted (name, relation, stamp, stamp_type, ids, columns) as (
  values {wanted}
),
known as (
  select w.name, w.relation, substring(
    case when to_regclass('carburetor.synced_table') is not null then query_to_xml(
      format('select relation::oid as relation from carburetor.synced_table where name = %L', w.name), false, true, '')::text end
    from '<relation>(\d+)</relation>')::oid as known_relation
  from wanted w
),
reasons as (
  select name, {obstacle} as reason from wanted
  union all
  select k.name, format('it is tracked as %s, and %s has the same name; name the schema in table!', o.oid::regclass, k.relation)
  from known k join pg_class o on o.oid = k.known_relation join pg_class n on n.oid = k.relation
  where o.oid <> n.oid and o.relname = n.relname
)
select name, split_part(reason, '; ', 1) as problem, substring(reason from '; (.*)') as remedy from reasons where reason is not null
