-- Whether `now_type` holds the texts of `known_type` as they are: nothing has written the table's file anew.
coalesce(known_type ~ '^(text|character varying)([(][0-9]+[)])?$' and now_type ~ '^(text|character varying)([(][0-9]+[)])?$'
  and known_definition::json ->> 'oid' = now_table::oid::text and known_definition::json ->> 'file' = pg_relation_filenode(now_table)::text, false)