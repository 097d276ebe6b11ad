-- The registry of tracked tables. Readers of a download need select on it, writers of the tables need nothing.
create schema if not exists carburetor;

create table if not exists carburetor.synced_table (
  name text primary key,
  relation regclass not null,
  generation bigint not null default 1,
  horizon timestamptz not null,
  definition text not null,
  hash text not null,
  partitions regclass[] not null default '{}'
);

-- Of an absent row, a change with a lower clock can't be judged: its deletion is forgotten, or nobody saw it.
alter table carburetor.synced_table add column if not exists expired text collate "C" not null default '';

-- The greatest clock that was ahead of this database when it was accepted.
create table if not exists carburetor.clock (
  singleton boolean primary key default true check (singleton),
  ahead text collate "C" not null default ''
);
insert into carburetor.clock default values on conflict do nothing;
-- What tells this database from others, as long as it is at its home; a copy elsewhere has an origin that is made of both.
alter table carburetor.clock add column if not exists origin text collate "C" not null default '';
alter table carburetor.clock add column if not exists home text collate "C" not null default '';

-- Where this database is: in which cluster, and which one of it.
create or replace function carburetor.home() returns text language sql stable as $$
  select {home}
$$;

-- Gives this database another origin, so that every replica starts again: for a copy beside its original, and after a restore to an earlier point.
create or replace function carburetor.new_origin() returns text language sql as $$
  update carburetor.clock set origin = left(replace(gen_random_uuid()::text, '-', ''), 16), home = carburetor.home() returning origin
$$;

-- Gives this database the origin that it had elsewhere, so that replicas go on: after it has moved as a whole, as by pg_upgrade.
create or replace function carburetor.adopt_origin() returns text language sql as $$
  update carburetor.clock set home = carburetor.home() returning origin
$$;

select carburetor.new_origin() from carburetor.clock where origin = '';

-- What uploads were answered with, per replica and transaction.
create table if not exists carburetor.outcome (
  replica text collate "C" not null,
  first text collate "C" not null,
  last text collate "C" not null,
  outcomes text not null,
  at timestamptz not null default clock_timestamp()
);
-- Clocks and digests don't get smaller, so nothing is tried.
alter table carburetor.outcome alter column outcomes set storage external;
create index if not exists outcome_replica_last on carburetor.outcome (replica, last);

create table if not exists carburetor.watermark (
  singleton boolean primary key default true check (singleton),
  cutoff timestamptz not null
);

-- Publishes this transaction as a writer, then gives the earliest instant that is past every cutoff given out before. The order matters:
-- a download that doesn't see this transaction has a cutoff below the result, so its replica asks again from before the instant.
create or replace function carburetor.publish() returns timestamptz language plpgsql as $$
declare
  ignored text;
begin
  ignored := {lock};
  return greatest(clock_timestamp(), now()) + interval '1 microsecond';
end $$;

-- The clock of a write that this database made at `instant`.
create or replace function carburetor.clock_of(instant timestamptz) returns text language sql immutable as $$
  select lpad(to_hex(micros / 1000 * 64536 + micros), 16, '0') || '0000000000000000'
  from (select greatest((extract(epoch from instant) * 1000000)::bigint, 0) as micros) i
$$;

-- Starts a table again on every replica.
create or replace function carburetor.reset_table(table_key text) returns void language plpgsql as $$
declare
  relation regclass := (select s.relation from carburetor.synced_table s where s.name = table_key);
begin
  if relation is null then
    raise exception 'carburetor: % is not tracked', table_key using hint = 'the names are in carburetor.synced_table';
  end if;
  -- Waits for open writers, so that no row with a stamp below the horizon appears after it.
  execute format('lock table %s in share row exclusive mode', relation);
  update carburetor.synced_table s set generation = s.generation + 1, horizon = greatest(s.horizon, carburetor.publish())
    where s.name = table_key;
end $$;

-- What keeps a table from being tracked; NULL where nothing does.
create or replace function carburetor.obstacle(relation regclass, stamp text, stamp_type text, ids text[], columns text[])
returns text language sql stable as $$
select {obstacle}
$$;

-- Makes a table that holds columns of `target` and some of its own, unless it is there; whether it was made. One that holds others is made anew.
create or replace function carburetor.prepare_beside(target regclass, beside text, kept text[], own text[], key text[])
returns boolean language plpgsql as $$
declare
  found regclass := to_regclass(format('carburetor.%I', beside));
  listed text := (select string_agg(quote_ident(k.name), ', ' order by k.at) from unnest(kept) with ordinality as k(name, at));
begin
  if found is not null and exists (
    select from pg_constraint c where c.conrelid = found and c.conname = beside || '_key'
  ) and (
    select count(*) filter (where b.attname is null or b.atttypid <> a.atttypid or b.atttypmod <> a.atttypmod
                            or b.attcollation <> a.attcollation) = 0
       and count(*) + cardinality(own) = (select count(*) from pg_attribute c where c.attrelid = found and c.attnum > 0 and not c.attisdropped)
    from pg_attribute a
    left join pg_attribute b on b.attrelid = found and b.attname = a.attname and b.attnum > 0 and not b.attisdropped
    where a.attrelid = target and a.attname = any(kept) and a.attnum > 0 and not a.attisdropped) then
    return false;
  end if;
  execute format('drop table if exists carburetor.%I', beside);
  execute format('create table carburetor.%I as select %s from %s with no data', beside, listed, target);
  execute format('alter table carburetor.%I add column %s, add constraint %I unique nulls not distinct (%s)',
    beside, array_to_string(own, ', add column '), beside || '_key',
    (select string_agg(quote_ident(k.name), ', ' order by k.at) from unnest(key) with ordinality as k(name, at)));
  return true;
end $$;

-- Before the triggers: checks, the columns of the stamp and of the registers, the lock, and the tables beside this one.
-- `register_name` and `conflict_name` are NULL where no registers are kept.
create or replace function carburetor.prepare_table(
  table_key text, table_name text, stamp text, stamp_type text, stamp_default text,
  ids text[], visible_by text[], columns text[], removal_name text, register_name text, conflict_name text, index_name text
) returns void language plpgsql as $$
declare
  target regclass := to_regclass(table_name);
  stale regclass;
  kept text[];
  reason text;
  told record;
  ahead bigint;
begin
  reason := carburetor.obstacle(target, stamp, stamp_type, ids, columns);
  if reason is not null then
    raise exception 'carburetor: can''t track %: %', table_name, reason;
  end if;
  -- A constant default rewrites nothing: rows that were there get the instant of this migration.
  if not exists (select from pg_attribute a where a.attrelid = target and a.attname = stamp and not a.attisdropped) then
    execute format('alter table %s add column %I %s', target, stamp, stamp_default);
  end if;
  if register_name is not null and not exists (
    select from pg_attribute a where a.attrelid = target and a.attname = 'carburetor_registers' and not a.attisdropped) then
    execute format('alter table %s add column carburetor_registers jsonb', target);
  end if;
  -- Every open writer is waited for, so each later write meets the triggers, and none of the earlier ones can still appear.
  execute format('lock table %s in share row exclusive mode', target);
  -- Again, because somebody may have changed the table while the lock was waited for.
  reason := carburetor.obstacle(target, stamp, stamp_type, ids, columns);
  if reason is not null then
    raise exception 'carburetor: can''t track %: %', table_name, reason;
  end if;
  -- Told where columns are added, and whenever the text runs again.
  for told in select r.* from (select target as relation, register_name is not null as uploads, ids as ids, '{}'::text[] as written) w
    cross join lateral (
{warnings}) r
  loop
    raise warning 'carburetor: %: %; %', table_name, told.problem, told.remedy;
  end loop;
  perform set_config('carburetor.prepared', pg_current_xact_id()::text, true);
  -- A stamp of the future would stay there, and nobody who has seen it could write before that day.
  if stamp is not null and not exists (
    select from pg_trigger g where g.tgrelid = target and g.tgname = '~carburetor_stamp' and g.tgenabled = 'A') then
    execute format('update %1$s set %2$I = %3$s where %2$I > %3$s', target, stamp,
      case stamp_type when 'timestamp with time zone' then 'now()' else '(now() at time zone ''UTC'')' end);
    get diagnostics ahead = row_count;
    if ahead > 0 then
      raise warning 'carburetor: % rows of % had a stamp in the future: they have that of this installation', ahead, table_name;
    end if;
  end if;

  -- What was written while a trigger was absent or disabled has an old stamp, or left without a removal.
  update carburetor.synced_table s set generation = s.generation + 1, horizon = greatest(s.horizon, carburetor.publish())
    where s.name = table_key and s.relation = target and exists (
      select from (select target as member union select p.relid from pg_partition_tree(target) p) t,
        unnest(array['stamp', 'removal_delete', 'removal_update', 'truncate']) as w(kind)
      where (w.kind <> 'truncate' or t.member = target or t.member = any(s.partitions)) and not exists (
        select from pg_trigger g where g.tgrelid = t.member and g.tgname = '~carburetor_' || w.kind and g.tgenabled = 'A'));

  kept := ids || array(select v.name from unnest(visible_by) with ordinality as v(name, at) where v.name <> all(ids) order by v.at);
  if carburetor.prepare_beside(target, removal_name, kept, array['carburetor_removed_at timestamptz not null'], kept) then
    -- What was removed before is known no longer, or not by the new columns.
    update carburetor.synced_table s set horizon = greatest(s.horizon, carburetor.publish()) where s.name = table_key;
  end if;
  if not exists (
    select from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = to_regclass(format('carburetor.%I', removal_name)) and i.indisvalid and c.relname = removal_name || '_removed_at') then
    execute format('drop index if exists carburetor.%I', removal_name || '_removed_at');
    execute format('create index %I on carburetor.%I (carburetor_removed_at, %s)', removal_name || '_removed_at', removal_name,
      (select string_agg(quote_ident(i.name), ', ' order by i.at) from unnest(ids) with ordinality as i(name, at)));
  end if;
  if register_name is not null then
    if carburetor.prepare_beside(target, register_name, kept, array['carburetor_clock text collate "C" not null'], ids) then
      update carburetor.synced_table s set expired = greatest(s.expired, carburetor.clock_of(carburetor.publish())) where s.name = table_key;
    end if;
    perform carburetor.prepare_beside(target, conflict_name, kept, array[
      'carburetor_seq bigint generated by default as identity', 'carburetor_at timestamptz not null default clock_timestamp()',
      'carburetor_sender text collate "C" not null', 'carburetor_lost_clock text collate "C" not null',
      'carburetor_won_clock text collate "C" not null', 'carburetor_lost text not null', 'carburetor_won text not null'],
      array['carburetor_seq']);
  end if;

  -- An index on other columns gives way to the one that this definition needs.
  select i.indexrelid into stale from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = target and c.relname = index_name
      and array(select a.attname::text from unnest(i.indkey::int2[]) with ordinality as k(attnum, at)
                join pg_attribute a on a.attrelid = target and a.attnum = k.attnum order by k.at) <> stamp || ids;
  if stale is not null then
    execute format('drop index %s', stale);
  end if;
end $$;

-- After the triggers: the partitions' own, those that are left behind elsewhere, and the registry.
create or replace function carburetor.register_table(
  table_key text, table_name text, functions regproc[], new_definition text, new_hash text
) returns void language plpgsql as $$
declare
  target regclass := to_regclass(table_name);
  known carburetor.synced_table;
  tree regclass[];
  parts regclass[];
  child regclass;
  late record;
  filled boolean := false;
begin
  if current_setting('carburetor.prepared', true) is distinct from pg_current_xact_id()::text then
    raise exception 'carburetor: % must be tracked within one transaction', table_name
      using hint = 'run the migration in a transaction, with psql by its option --single-transaction';
  end if;
  -- With the types that the columns have, the numbers that this table of this database gave them, and the file that it is in, so that a change is seen.
  new_definition := left(new_definition, -1) || (
    select format(',"types":%s,"oid":%s,"numbers":%s,"file":%s}',
      coalesce(json_object_agg(a.attname,
{type}
      order by a.attnum), '{}'), target::oid,
      coalesce(json_object_agg(a.attname, a.attnum order by a.attnum), '{}'), coalesce(pg_relation_filenode(target)::text, 'null'))
    from pg_attribute a
    where a.attrelid = target and a.attnum > 0 and not a.attisdropped
      and a.attname in (select c.value ->> 'name' from json_array_elements(new_definition::json -> 'columns') c));
  select * into known from carburetor.synced_table s where s.name = table_key for update;
  if known.relation <> target and exists (
    select from pg_class o, pg_class n where o.oid = known.relation and n.oid = target and o.relname = n.relname) then
    raise exception 'carburetor: % is tracked as %, and % has the same name', table_key, known.relation, target
      using hint = 'name the schema in table!';
  end if;

  parts := array(select p.relid from pg_partition_tree(target) p where p.relid <> target order by p.relid::oid);
  tree := target || parts;
  -- Row triggers are cloned to partitions by the server, statement triggers are not.
  foreach child in array tree loop
    if not exists (select from pg_trigger t where t.tgrelid = child and t.tgname = '~carburetor_truncate' and t.tgenabled = 'A') then
      execute format('create or replace trigger "~carburetor_truncate" after truncate on %s for each statement execute function %s()',
        child, functions[3]);
      execute format('alter table only %s enable always trigger "~carburetor_truncate"', child);
    end if;
    if child <> target and child <> all(known.partitions) and not filled then
      execute format('select exists (select from %s)', child) into filled;
    end if;
  end loop;
  for late in
    select t.tgrelid::regclass as relation, t.tgname as name from pg_trigger t
    where t.tgfoid = any(functions::oid[]) and t.tgrelid <> all(tree) and t.tgparentid = 0
  loop
    execute format('drop trigger %I on %s', late.name, late.relation);
  end loop;

  if known.name is null then
    insert into carburetor.synced_table (name, relation, horizon, definition, hash, partitions)
      values (table_key, target, carburetor.publish(), new_definition, new_hash, parts);
    return;
  end if;
  -- Rows came or went unseen: another table under the name, a partition that left or that came with rows, another id.
  if known.relation <> target or not known.partitions <@ parts or filled
    or (select array_agg(c.value ->> 'name' order by c.at) from json_array_elements(known.definition::json -> 'columns') with ordinality as c(value, at)
        where c.value ->> 'id' = 'true')
      is distinct from
       (select array_agg(c.value ->> 'name' order by c.at) from json_array_elements(new_definition::json -> 'columns') with ordinality as c(value, at)
        where c.value ->> 'id' = 'true')
    -- And so did the values of a column that has another type, or is another one of the same name.
    or exists (
      select from unnest(array['types', 'numbers']) w (what)
      cross join lateral json_each_text(known.definition::json -> w.what) k
      join lateral json_each_text(new_definition::json -> w.what) n on n.key = k.key
      cross join lateral (select k.value as known_type, n.value as now_type, known.definition as known_definition, target as now_table) t
      where case w.what when 'types' then not
{same_type}
          and not
{longer}
          else n.value <> k.value and known.definition::json ->> 'oid' = target::oid::text end
        and k.key not in (select c.value ->> 'name' from json_array_elements(new_definition::json -> 'columns') c
                          where c.value ->> 'last_synced_at' = 'true')) then
    update carburetor.synced_table s set generation = s.generation + 1, horizon = greatest(s.horizon, carburetor.publish())
      where s.name = table_key;
  end if;
  update carburetor.synced_table s set relation = target, definition = new_definition, hash = new_hash, partitions = parts
    where s.name = table_key and (s.relation, s.definition, s.hash, s.partitions)
      is distinct from (target, new_definition, new_hash, parts);
end $$;

revoke execute on function carburetor.publish(), carburetor.reset_table(text), carburetor.home(), carburetor.new_origin(), carburetor.adopt_origin(),
  carburetor.obstacle(regclass, text, text, text[], text[]), carburetor.prepare_beside(regclass, text, text[], text[], text[]),
  carburetor.prepare_table(text, text, text, text, text, text[], text[], text[], text, text, text, text),
  carburetor.register_table(text, text, regproc[], text, text) from public;
