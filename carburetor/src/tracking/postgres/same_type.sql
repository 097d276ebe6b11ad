-- Whether `now_type` is the type that the registry knew as `known_type`. Without a `file` it knew what the session of that installation called the type.
(now_type = known_type or known_definition::json -> 'file' is null
  and (right(now_type, length(known_type) + 1) = '.' || known_type or known_type = 'pg_catalog.' || now_type))