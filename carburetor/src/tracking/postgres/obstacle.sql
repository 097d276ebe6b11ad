case
  when relation is null then
    'there is no such table in the search path'
  when stamp is null or stamp_type is null then
    'the model has no stamp; give it a timestamptz or timestamp field with #[sync(last_synced_at)]'
  when exists (select from pg_class c where c.oid = relation and c.relkind in ('v', 'm')) then
    'it is a view; track the tables below it'
  when exists (select from pg_class c where c.oid = relation and c.relkind = 'f') then
    'it is a foreign table; track it on the server that owns it'
  when not exists (select from pg_class c where c.oid = relation and c.relkind in ('r', 'p')) then
    'it is not a table'
  when exists (select from pg_class c where c.oid = relation and c.relpersistence = 't') then
    'it is a temporary table'
  when exists (select from pg_class c where c.oid = relation and c.relpersistence = 'u') then
    format('it is unlogged, so a crash empties it unseen; run: alter table %s set logged', relation)
  when exists (select from pg_partition_tree(relation) p join pg_class c on c.oid = p.relid where c.relkind = 'f') then
    format('partitions of it are foreign tables, and what their own server writes meets no trigger: %s; detach them',
      (select string_agg(p.relid::regclass::text, ', ' order by p.relid)
       from pg_partition_tree(relation) p join pg_class c on c.oid = p.relid where c.relkind = 'f'))
  when exists (select from pg_partition_tree(relation) p join pg_class c on c.oid = p.relid where c.relpersistence = 'u') then
    format('partitions of it are unlogged, so a crash empties them unseen: %s; run: alter table .. set logged',
      (select string_agg(p.relid::regclass::text, ', ' order by p.relid)
       from pg_partition_tree(relation) p join pg_class c on c.oid = p.relid where c.relpersistence = 'u'))
  when exists (select from pg_inherits i join pg_class c on c.oid = i.inhparent where c.oid = relation and c.relkind = 'r') then
    format('tables inherit from it, and triggers don''t reach their rows: %s; track these instead',
      (select string_agg(i.inhrelid::regclass::text, ', ' order by i.inhrelid) from pg_inherits i where i.inhparent = relation))
  else coalesce(
    (select format('columns of the model are absent: %s; add them, or mark their fields #[sync(skip)]',
        string_agg(quote_ident(c.name), ', ' order by c.at))
      from unnest(columns) with ordinality as c(name, at)
      where c.name <> stamp and not exists (
        select from pg_attribute a where a.attrelid = relation and a.attname = c.name and a.attnum > 0 and not a.attisdropped)
      having count(*) > 0),
    (select format('id columns may hold null: %s; set them not null', string_agg(quote_ident(a.attname), ', ' order by a.attnum))
      from pg_attribute a where a.attrelid = relation and a.attname = any(ids) and not a.attnotnull
      having count(*) > 0),
    -- 'a' and 'A' are then one id to the database and two to a replica.
    (select format('id columns ignore differences between values: %s; give them a type and a collation that don''t',
        string_agg(quote_ident(a.attname), ', ' order by a.attnum))
      from pg_attribute a join pg_type t on t.oid = a.atttypid left join pg_collation c on c.oid = a.attcollation
      where a.attrelid = relation and a.attname = any(ids) and (t.typname = 'citext' or not coalesce(c.collisdeterministic, true))
      having count(*) > 0),
    -- A unique index on some of the id columns makes the id unique as well.
    case when not exists (
      select from pg_index i
      where i.indrelid = relation and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
        and (select bool_and(a.attname = any(ids)) from unnest(i.indkey::int2[]) with ordinality as k(attnum, at)
             join pg_attribute a on a.attrelid = relation and a.attnum = k.attnum where k.at <= i.indnkeyatts)) then
      format('no unique index covers the id (%s); make it the primary key, or mark the columns that are with #[sync(id)]',
        (select string_agg(quote_ident(i.name), ', ' order by i.at) from unnest(ids) with ordinality as i(name, at))) end,
    (select case
        when a.attgenerated <> '' or a.attidentity <> '' then
          format('its stamp %I is a generated column; use an ordinary one', stamp)
        when format_type(a.atttypid, null) <> stamp_type then
          format('its stamp %I is of type %s, and the model says %s', stamp, format_type(a.atttypid, a.atttypmod), stamp_type)
        when a.atttypmod between 0 and 5 then
          format('its stamp %I is rounded to %s digits; run: alter table %s alter column %I type %s',
            stamp, a.atttypmod, relation, stamp, stamp_type) end
      from pg_attribute a where a.attrelid = relation and a.attname = stamp and a.attnum > 0 and not a.attisdropped),
    (select format('its column carburetor_registers is of type %s, and the tracking keeps jsonb there; rename it', format_type(a.atttypid, a.atttypmod))
      from pg_attribute a
      where a.attrelid = relation and a.attname = 'carburetor_registers' and a.atttypid <> 'jsonb'::regtype and not a.attisdropped),
    -- A stamp moves with every write, so every update would move the row to another partition.
    (select format('its stamp %I is in the partition key of %s; use another column as the stamp', stamp,
        string_agg(p.partrelid::regclass::text, ', ' order by p.partrelid))
      from pg_partitioned_table p
      join pg_attribute a on a.attrelid = p.partrelid and a.attname = stamp
      where p.partrelid in (select t.relid from pg_partition_tree(relation) t union all select u.relid from pg_partition_ancestors(relation) u)
        and (a.attnum = any(p.partattrs::int2[])
          or (p.partexprs is not null and position(quote_ident(stamp) in pg_get_partkeydef(p.partrelid)) > 0))
      having count(*) > 0),
    (select format('the trigger %I of %s fires after the stamp''s and could change it; run: alter trigger %1$I on %2$s rename to a name that sorts before "~"',
        t.tgname, t.tgrelid::regclass)
      from pg_trigger t
      where t.tgrelid in (select relation union select p.relid from pg_partition_tree(relation) p)
        and t.tgname > '~carburetor_stamp' and t.tgtype & 3 = 3 and t.tgtype & 20 <> 0 and not t.tgisinternal and t.tgenabled <> 'D'
      order by t.tgrelid, t.tgname limit 1))
end