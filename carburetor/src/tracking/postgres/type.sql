-- What the type of the column `a` is called, whatever the session's search path is: with its schema, unless that is the server's own.
(select case
    when y.typnamespace = 'pg_catalog'::regnamespace then regexp_replace(w.spelled, '^pg_catalog[.]', '')
    when left(w.spelled, length(w.prefix)) = w.prefix then w.spelled
    else w.prefix || w.spelled end
  from pg_type y join pg_namespace n on n.oid = y.typnamespace
  cross join lateral (select format_type(a.atttypid, a.atttypmod) as spelled, quote_ident(n.nspname) || '.' as prefix) w
  where y.oid = a.atttypid)