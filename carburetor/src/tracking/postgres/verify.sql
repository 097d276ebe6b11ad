-- The registry is read through query_to_xml, because this query must not fail where nothing is installed.
with expected (name, table_name, stamp, stamp_type, ids, visible_by, columns, removal_name, index_name, hash, functions, bodies,
    register_name, conflict_name) as (
  values {expected}
),
document as (
  select e.*, to_regclass(e.table_name) as relation, to_regclass(format('carburetor.%I', e.removal_name)) as removal,
    case when to_regclass('carburetor.synced_table') is not null then query_to_xml(format(
      'select relation::oid as relation, hash, partitions::oid[]::text as partitions,
        encode(convert_to(definition, ''UTF8''), ''hex'') as definition from carburetor.synced_table where name = %L', e.name),
      false, true, '')::text end as registered
  from expected e
),
installed as (
  select d.*, substring(d.registered from '<relation>(\d+)</relation>')::oid as known_relation,
    substring(d.registered from '<hash>(\w*)</hash>') as known_hash,
    convert_from(decode(substring(d.registered from '<definition>([0-9a-f]*)</definition>'), 'hex'), 'UTF8') as known_definition,
    substring(d.registered from '<partitions>([{}\d,]*)</partitions>')::oid[] as known_partitions,
    d.ids || array(select v from unnest(d.visible_by) v where v <> all(d.ids)) as kept,
    array(select p.relid::oid from pg_partition_tree(d.relation) p where p.relid <> d.relation) as partitions
  from document d
),
-- The table and its partitions.
tree as (
  select i.*, t.relid::regclass as member from installed i, unnest(i.relation::oid || i.partitions) as t (relid) where i.relation is not null
),
-- The tables that hold columns of it, with the number of those of their own.
tables_beside as (
  select i.*, b.beside_name, b.what, b.own, to_regclass(format('carburetor.%I', b.beside_name)) as beside
  from installed i
  cross join lateral (values (i.removal_name, 'removals', 1), (i.register_name, 'deletion clocks', 1), (i.conflict_name, 'conflicts', 7))
    as b (beside_name, what, own)
  where i.known_hash is not null and b.beside_name is not null
),
wanted_trigger (trigger, type, function) as (
  values ('~carburetor_stamp', 23, 1), ('~carburetor_removal_delete', 9, 2), ('~carburetor_removal_update', 17, 2), ('~carburetor_truncate', 32, 3)
),
wanted_function as (
  select i.*, f.at, f.function, b.body, p.oid as found, p.prosrc, p.prosecdef, p.proconfig
  from installed i
  cross join unnest(i.functions) with ordinality as f (function, at)
  join unnest(i.bodies) with ordinality as b (body, at) on b.at = f.at
  left join pg_proc p on p.oid = to_regprocedure(f.function || '()')
),
-- The functions that all tables share.
shared (function, body) as (
  values {shared}
),
again (remedy) as (values ('run its part of up.sql again')),
found (name, problem, remedy) as (
select name, format('there is no table %s in the search path', table_name) as problem, 'create it, or name its schema in table!' as remedy
from installed where relation is null
union all
select name, 'it is not tracked', 'run up.sql of its group'
from installed where relation is not null and known_hash is null
union all
select name, 'its definition changed since it was tracked', 'print the difference with tracking_since, and run it'
from installed where known_hash <> hash
union all
select name, format('it was tracked as another table than %s; its rows may differ', relation), remedy || ', which resets the replicas'
from installed, again where known_relation <> relation::oid
union all
select i.name, format('it can''t be tracked: %s is unlogged, temporary or not a table', c.oid::regclass), 'make it an ordinary table'
from installed i join pg_class c on c.oid = i.relation or c.oid in (select p.relid from pg_partition_tree(i.relation) p)
where c.relpersistence <> 'p' or c.relkind not in ('r', 'p')
union all
select i.name, format('tables inherit from it, and triggers don''t reach their rows: %s', string_agg(h.inhrelid::regclass::text, ', ' order by h.inhrelid)),
  'track these instead'
from installed i join pg_class c on c.oid = i.relation and c.relkind = 'r' join pg_inherits h on h.inhparent = i.relation
group by i.name
union all
select i.name, 'its column carburetor_registers is absent', remedy || ', which adds it'
from installed i cross join again
where i.relation is not null and i.known_hash is not null and i.register_name is not null
  and not exists (select from pg_attribute a where a.attrelid = i.relation and a.attname = 'carburetor_registers' and not a.attisdropped)
union all
select i.name, format('its column %I is absent', c.name),
  case when c.name = i.stamp then remedy || ', which adds it' else 'add it, or mark its field #[sync(skip)]' end
from installed i cross join again cross join unnest(i.columns) as c (name)
where i.relation is not null and (i.known_hash is not null or c.name <> i.stamp)
  and not exists (select from pg_attribute a where a.attrelid = i.relation and a.attname = c.name and a.attnum > 0 and not a.attisdropped)
union all
select i.name, format('its stamp %I is of type %s instead of %s', i.stamp, format_type(a.atttypid, a.atttypmod), i.stamp_type),
  format('run: alter table %s alter column %I type %s', i.relation, i.stamp, i.stamp_type)
from installed i join pg_attribute a on a.attrelid = i.relation and a.attname = i.stamp and not a.attisdropped
where format_type(a.atttypid, null) <> i.stamp_type or a.atttypmod between 0 and 5 or a.attgenerated <> ''
union all
select i.name, format('its column %I is of type %s, and was %s when it was tracked', a.attname, t.now_type, t.known_type),
  'where the program''s models have the new type, ' || remedy || case when
{longer}
  then '' else ', which resets the replicas' end
from installed i cross join again
cross join lateral (
  select t.key, t.value as type from json_each_text(case when i.known_hash = i.hash then i.known_definition::json -> 'types' end) t) k
join pg_attribute a on a.attrelid = i.relation and a.attname = k.key and a.attnum > 0 and not a.attisdropped
cross join lateral (select k.type as known_type, i.relation as now_table,
{type}
  as now_type) t
where a.attname is distinct from i.stamp and a.attname = any (i.columns) and not
{same_type}
union all
select i.name, format('its column %I is another one than when it was tracked, so that replicas have what that one held', a.attname),
  remedy || ', which resets the replicas'
from installed i cross join again
cross join lateral (
  select n.key, n.value from json_each_text(case when i.known_definition::json ->> 'oid' = i.relation::oid::text
    then i.known_definition::json -> 'numbers' end) n) k
join pg_attribute a on a.attrelid = i.relation and a.attname = k.key and a.attnum > 0 and not a.attisdropped
where a.attname is distinct from i.stamp and a.attname = any (i.columns) and a.attnum::text <> k.value
union all
select t.name, format('%s has no trigger %s', t.member, w.trigger),
  remedy || case when w.function < 3 or t.member = t.relation or t.member = any(t.known_partitions) then ', which resets the replicas' else '' end
from tree t cross join wanted_trigger w cross join again
where t.known_hash is not null and not exists (
  select from pg_trigger g where g.tgrelid = t.member and g.tgname = w.trigger and g.tgtype = w.type
    and g.tgfoid = to_regprocedure(t.functions[w.function] || '()'))
union all
select t.name, format('the trigger %s of %s is disabled, or not enabled always', g.tgname, t.member),
  remedy || ', which resets the replicas'
from tree t cross join again cross join wanted_trigger w join pg_trigger g on g.tgrelid = t.member and g.tgname = w.trigger
where t.known_hash is not null and g.tgenabled <> 'A'
union all
select t.name, format('the trigger %I of %s fires after the stamp''s and could change it', g.tgname, t.member),
  format('run: alter trigger %I on %s rename to a name that sorts before "~", then: select carburetor.reset_table(%L)', g.tgname, t.member, t.name)
from tree t join pg_trigger g on g.tgrelid = t.member
where t.known_hash is not null and g.tgname > '~carburetor_stamp' and g.tgtype & 3 = 3 and g.tgtype & 20 <> 0
  and not g.tgisinternal and g.tgenabled <> 'D'
union all
select name, format('the function %s is absent', function), remedy
from wanted_function, again where known_hash is not null and found is null
union all
select name, format('the function %s is not the one that this version installs', function), remedy
from wanted_function, again
where known_hash = hash and found is not null and (encode(sha256(convert_to(prosrc, 'UTF8')), 'hex') <> body
  or prosecdef <> (at > 1) or coalesce(array_to_string(proconfig, '; '), '') <> case when at > 1 then 'search_path=pg_catalog, pg_temp' else '' end)
union all
select 'carburetor', format('the function carburetor.%s is not the one that this version installs', s.function),
  'run the first part of up.sql, with the registry, again'
from shared s
where to_regclass('carburetor.synced_table') is not null and not exists (
  select from pg_proc p where p.pronamespace = to_regnamespace('carburetor') and p.proname = s.function
    and encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') = s.body)
union all
select 'carburetor', format('the table carburetor.%s is absent', t.name), 'run the first part of up.sql, with the registry, again'
from (values ('clock'), ('outcome')) t (name)
where to_regclass('carburetor.synced_table') is not null and to_regclass('carburetor.' || t.name) is null
union all
select 'carburetor', 'the clock has no row', 'run the first part of up.sql, with the registry, again'
where case when to_regclass('carburetor.clock') is not null then
  query_to_xml('select singleton from carburetor.clock', false, true, '')::text not like '%<singleton>%' end
union all
select 'carburetor', 'the database has no origin, so that a token of another server is taken for its own', 'run the first part of up.sql, with the registry, again'
where to_regclass('carburetor.clock') is not null and not exists (
  select from pg_attribute a where a.attrelid = to_regclass('carburetor.clock') and a.attname = 'origin' and not a.attisdropped)
union all
select i.name, format('%s came after the table was tracked', p.member),
  remedy || '; if it came with rows, and has none now, run: ' || format('select carburetor.reset_table(%L)', i.name)
from installed i cross join again cross join lateral (select unnest(i.partitions)::regclass as member) p
where p.member <> all(i.known_partitions)
union all
select i.name, format('%s is no longer a partition', p.member), remedy || ', which resets the replicas'
from installed i cross join again cross join lateral (select unnest(i.known_partitions)::regclass as member) p
where i.relation is not null and i.known_relation = i.relation and p.member <> all(i.partitions)
union all
select name, format('its table of %s carburetor.%I is absent', what, beside_name), remedy
from tables_beside, again where relation is not null and beside is null
union all
select b.name, format('its table of %s lacks the column %I, or has it with another type', b.what, k.name), remedy
from tables_beside b cross join again cross join unnest(b.kept) as k (name)
join pg_attribute a on a.attrelid = b.relation and a.attname = k.name and a.attnum > 0 and not a.attisdropped
where b.beside is not null and not exists (
  select from pg_attribute r where r.attrelid = b.beside and r.attname = k.name and not r.attisdropped
    and r.atttypid = a.atttypid and r.atttypmod = a.atttypmod and r.attcollation = a.attcollation)
union all
select b.name, format('its table of %s doesn''t have the columns that this version makes', b.what), remedy
from tables_beside b, again
where b.known_hash = b.hash and b.beside is not null and b.own <> (
  select count(*) from pg_attribute a
  where a.attrelid = b.beside and a.attnum > 0 and not a.attisdropped and a.attname <> all(b.kept))
union all
select b.name, format('its table of %s has no constraint %I', b.what, b.beside_name || '_key'), remedy
from tables_beside b, again
where b.beside is not null
  and not exists (select from pg_constraint c where c.conrelid = b.beside and c.conname = b.beside_name || '_key')
union all
select i.name, format('its table of removals has no index on (carburetor_removed_at, %s)', array_to_string(i.ids, ', ')),
  remedy
from installed i, again
where i.known_hash is not null and i.removal is not null and not exists (
  select from pg_index x where x.indrelid = i.removal and x.indisvalid and x.indpred is null and x.indnkeyatts > cardinality(i.ids)
    and (array(select a.attname::text from unnest(x.indkey::int2[]) with ordinality as k (attnum, at)
               left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum order by k.at))[1:cardinality(i.ids) + 1]
        = array['carburetor_removed_at'] || i.ids)
union all
select i.name, format('no valid index begins with (%s)', array_to_string(i.stamp || i.ids, ', ')),
  coalesce((select format('drop the invalid index %s, and ', x.indexrelid::regclass) from pg_index x join pg_class c on c.oid = x.indexrelid
            where x.indrelid = i.relation and c.relname = i.index_name and not x.indisvalid), '') || 'run the part of up.sql with the indexes'
from installed i
where i.known_hash is not null and i.relation is not null and not exists (
  select from pg_index x where x.indrelid = i.relation and x.indisvalid and x.indpred is null and x.indnkeyatts > cardinality(i.ids)
    and (array(select a.attname::text from unnest(x.indkey::int2[]) with ordinality as k (attnum, at)
               left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum order by k.at))[1:cardinality(i.ids) + 1] = i.stamp || i.ids)
union all
select i.name, format('no unique index covers the id (%s)', array_to_string(i.ids, ', ')), 'make it the primary key'
from installed i
where i.known_hash is not null and i.relation is not null and not exists (
  select from pg_index x
  where x.indrelid = i.relation and x.indisunique and x.indisvalid and x.indpred is null and x.indexprs is null
    and (select bool_and(a.attname = any(i.ids)) from unnest(x.indkey::int2[]) with ordinality as k (attnum, at)
         join pg_attribute a on a.attrelid = i.relation and a.attnum = k.attnum where k.at <= x.indnkeyatts))
union all
-- Set for a role or a database it would leave every write unstamped, or bring the rules of tests into production.
select (select min(name) from installed),
  format('the setting %s stands for %s, so that it holds in every transaction', split_part(c.setting, '=', 1),
    coalesce('the role ' || r.rolname, 'this database')),
  'reset it there'
from pg_db_role_setting s cross join unnest(s.setconfig) as c (setting)
left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
where c.setting like 'carburetor.%' and (s.setdatabase = 0 or d.datname = current_database())
),
-- What an installation would refuse, and nothing above has said.
refused as (
  select name, {obstacle} as reason from installed
  where known_hash is not null and relation is not null and name not in (select f.name from found f)
)
select name, problem, remedy from found
union all
select name, split_part(reason, '; ', 1), coalesce(substring(reason from '; (.*)'), '') from refused where reason is not null
order by name, problem
