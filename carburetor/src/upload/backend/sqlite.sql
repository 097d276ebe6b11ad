-- What an upload has to know of its tables: lines of (kind, place, five texts).
with t (place, relation, name, texts) as (values {tables})
select 'now' as kind, '0' as place, cast(c.now as text) as a,
  c.ahead as b, nullif((select origin from carburetor_clock), '') as c, null as d, null as e
from carburetor_clock c, (select null as origin)
union all
select 'table', cast(t.place as text), s.expired, s.name,
  case when not exists (
    select 1 from (select tbl_name, name, type from sqlite_schema union all select tbl_name, name, type from sqlite_temp_schema) g
    where g.type = 'trigger' and lower(g.tbl_name) = lower(t.relation) and g.name not like 'carburetor\_%' escape '\') then 'plain' end,
  case when lower(t.relation) not in ({armed}) then 'unarmed' end, null
from t left join carburetor_synced_table s on s.name = t.name and exists (
  select 1 from pragma_table_info(t.relation) r where r.name = 'carburetor_registers')
union all
-- Text ids that another text is taken for, or that the column makes a number of.
select 'column', cast(t.place as text), p.name, '0', p.type, '', null
from t join pragma_table_info(t.relation) p
where instr(t.texts, char(10) || p.name || char(10)) and (
  exists (select 1 from pragma_index_list(t.relation) l join pragma_index_xinfo(l.name) x where x.name = p.name and x.coll <> 'BINARY')
  or instr(upper(p.type), 'INT')
  or p.type <> '' and not instr(upper(p.type), 'CHAR') and not instr(upper(p.type), 'CLOB') and not instr(upper(p.type), 'TEXT')
    and not instr(upper(p.type), 'BLOB'))
union all
select 'relayed', cast(t.place as text), null, null, null, null, null
from t join sqlite_schema m on m.type = 'trigger' and m.name = 'carburetor_relay_' || t.relation
union all
select 'reference', cast(t.place as text), t.relation || '(' || group_concat(f."from") || ')',
  coalesce((select cast(p.place as text) from t p where lower(p.relation) = lower(f."table")), '-' || f."table"),
  -- Which of a table's foreign keys wait, only its text says.
  case when (select foreign_keys from pragma_foreign_keys) = 0 then 'never'
    when (select defer_foreign_keys from pragma_defer_foreign_keys) = 1
      or exists (select 1 from sqlite_schema s where s.type = 'table' and lower(s.name) = lower(t.relation) and s.sql like '%deferred%') then 'late' end,
  group_concat(f."from", char(31)), group_concat(f."to", char(31))
from t join pragma_foreign_key_list(t.relation) f
group by t.place, f.id
union all
select 'cascade', cast(t.place as text), coalesce((select cast(c.place as text) from t c where lower(c.relation) = lower(m.name)), '-1'),
  '"' || replace(m.name, '"', '""') || '"', lower(substr(f.on_delete, 1, 1)),
  group_concat(f."from", char(31)),
  group_concat(coalesce(f."to", (select k.name from pragma_table_info(f."table") k where k.pk = f.seq + 1)), char(31))
from sqlite_schema m cross join pragma_foreign_key_list(m.name) f cross join t
where m.type = 'table' and lower(t.relation) = lower(f."table") and f.on_delete in ('CASCADE', 'SET NULL', 'SET DEFAULT')
  and (select foreign_keys from pragma_foreign_keys) = 1
group by t.place, m.name, f.id
