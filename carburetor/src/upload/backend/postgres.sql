-- What an upload has to know of its tables: lines of (kind, place, five texts).
with t (place, relation, name) as (values {tables})
select 'now' as kind, '0' as place, (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::int8::text as a,
  (select c.ahead from carburetor.clock c) as b, {origin} as c, null::text as d, null::text as e
union all
select 'table', t.place::text, s.expired, s.name,
  case when not exists (
    select from pg_catalog.pg_trigger g
    where g.tgrelid in (select t.relation union all select p.relid from pg_catalog.pg_partition_tree(t.relation) p)
    and not g.tgisinternal and g.tgname not like '~carburetor\_%')
    and not exists (select from pg_catalog.pg_rewrite r where r.ev_class = t.relation)
    -- Policies may leave out rows without a word.
    and not exists (select from pg_catalog.pg_class r where r.oid = t.relation and r.relrowsecurity) then 'plain' end,
  (select case when pg_catalog.count(g.tgname) < 3 * pg_catalog.count(distinct m.relid) then 'unarmed' end
    from (select t.relation::pg_catalog.oid as relid union select p.relid from pg_catalog.pg_partition_tree(t.relation) p) m
    left join pg_catalog.pg_trigger g on g.tgrelid = m.relid and g.tgenabled = 'A'
      and g.tgname in ('~carburetor_stamp', '~carburetor_removal_delete', '~carburetor_removal_update')), null
from t left join carburetor.synced_table s on s.name = t.name and s.relation = t.relation and exists (
  select from pg_catalog.pg_attribute r where r.attrelid = t.relation and r.attname = 'carburetor_registers' and not r.attisdropped)
union all
select 'column', t.place::text, a.attname, v.oid::text, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(v.typname),
  -- Two texts of a collation that ignores case, two boxes of one area, or a day and 24 hours are equal in SQL without being the same.
  pg_catalog.concat_ws(' ', case when (v.typtype = 'e' or v.oid in (16, 17, 18, 19, 20, 21, 23, 25, 26, 650, 700, 701, 774, 790, 829, 869, 1042, 1043, 1082,
    1083, 1114, 1184, 1560, 1562, 1700, 2950, 3220, 3802)) and l.collisdeterministic is distinct from false then 'comparable' end,
    case when a.atttypmod = -1 and base.oid = a.atttypid and base.oid <> 'pg_catalog.bpchar'::pg_catalog.regtype then 'exact' end),
  case when item.oid is not null then 'array' when base.typtype = 'c' then 'composite' else 'plain' end
from t join pg_catalog.pg_attribute a on a.attrelid = t.relation and a.attnum > 0 and not a.attisdropped
cross join lateral (
  with recursive below (oid, typbasetype) as (
    select y.oid, y.typbasetype from pg_catalog.pg_type y where y.oid = a.atttypid
    union all
    -- Without the offset every type is read for each column, here and below.
    select y.oid, y.typbasetype from below b
    cross join lateral (select y.oid, y.typbasetype from pg_catalog.pg_type y where y.oid = b.typbasetype offset 0) y
    where b.typbasetype <> 0)
  select y.* from below b join pg_catalog.pg_type y on y.oid = b.oid where b.typbasetype = 0 offset 0) base
left join lateral (select i.oid from pg_catalog.pg_type i where i.oid = base.typelem and i.typarray = base.oid offset 0) item on true
cross join lateral (select v.* from pg_catalog.pg_type v where v.oid = coalesce(item.oid, base.oid) offset 0) v
join pg_catalog.pg_namespace n on n.oid = v.typnamespace
left join pg_catalog.pg_collation l on l.oid = a.attcollation
union all
select 'reference', child.place::text, f.conname,
  coalesce(parent.place::text, '-' || (select p.relname from pg_catalog.pg_class p where p.oid = f.confrelid)), case when f.condeferred then 'late' end,
  (select pg_catalog.string_agg(a.attname, pg_catalog.chr(31) order by k.at) from unnest(f.conkey) with ordinality k (number, at)
   join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number),
  (select pg_catalog.string_agg(a.attname, pg_catalog.chr(31) order by k.at) from unnest(f.confkey) with ordinality k (number, at)
   join pg_catalog.pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.number)
from pg_catalog.pg_constraint f
join t child on child.relation = f.conrelid
left join t parent on parent.relation = f.confrelid
where f.contype = 'f'
union all
select 'cascade', parent.place::text, coalesce(child.place, -1)::text,
  pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), f.confdeltype::text,
  (select pg_catalog.string_agg(a.attname, pg_catalog.chr(31) order by k.at) from unnest(f.conkey) with ordinality k (number, at)
   join pg_catalog.pg_attribute a on a.attrelid = f.conrelid and a.attnum = k.number),
  (select pg_catalog.string_agg(a.attname, pg_catalog.chr(31) order by k.at) from unnest(f.confkey) with ordinality k (number, at)
   join pg_catalog.pg_attribute a on a.attrelid = f.confrelid and a.attnum = k.number)
from pg_catalog.pg_constraint f
join t parent on parent.relation = f.confrelid
join pg_catalog.pg_class c on c.oid = f.conrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join t child on child.relation = f.conrelid
-- The foreign keys of partitions repeat those of their tables.
where f.contype = 'f' and f.conparentid = 0 and f.confdeltype in ('c', 'n', 'd')
