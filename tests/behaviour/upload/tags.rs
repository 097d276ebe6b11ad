//! A table whose ids the database takes for others, and triggers that make something else of what is written.

/// The model on one backend, whose instants are `$stamp`.
macro_rules! tags {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            tags (id) { id -> Text, name -> Text, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = tags)]
        #[sync(backends($backend))]
        pub struct Tag {
            pub id: String,
            pub name: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    tags!(Timestamptz, postgres);

    /// A table that stores an id in another form.
    pub const TAGS: &str = "
create table tags (id char(5) primary key, name text not null);
";

    /// Texts that it takes for one id, the stored one first.
    pub const FORMS: [&str; 3] = ["ann  ", "ann", "ann "];

    /// Keeps rows away that say so, and keeps rows from being deleted.
    pub const KEEPS: &str = "
create function keeps_away() returns trigger language plpgsql as $$ begin
  if new.a = 'kept away' then return null; end if;
  return new;
end $$;
create trigger keeps_away before insert or update on fields_rows for each row execute function keeps_away();
create function keeps() returns trigger language plpgsql as $$ begin
  if old.a = 'kept' then return null; end if;
  update fields_rows set c = 'marked' where id = old.id and a = 'marked';
  if found then return null; end if;
  return old;
end $$;
create trigger keeps before delete on fields_rows for each row execute function keeps();
create function keeps_note() returns trigger language plpgsql as $$ begin
  if new.body = 'kept' then new.gone := false; end if;
  return new;
end $$;
create trigger keeps_note before update on notes for each row execute function keeps_note();
";

    /// Gives a row that says so another id.
    pub const MOVES: &str = "
create function moves() returns trigger language plpgsql as $$ begin
  if new.a = 'moved' then new.id := new.id + 1000; end if;
  return new;
end $$;
create trigger moves before insert on fields_rows for each row execute function moves();
";

    /// Inserts a row of its own in the place of one that says so.
    pub const REPLACES: &str = "
create function replaces() returns trigger language plpgsql as $$ begin
  if new.a <> 'replaced' then return new; end if;
  insert into fields_rows (id, a) values (new.id, 'by the trigger');
  return null;
end $$;
create trigger replaces before insert on fields_rows for each row execute function replaces();
";
}

pub(super) mod sqlite {
    tags!(TimestamptzSqlite, sqlite);

    /// A table that stores an id in another form.
    pub const TAGS: &str = "
create table tags (id numeric primary key, name text not null);
";

    /// Texts that it takes for one id, the stored one first.
    pub const FORMS: [&str; 3] = ["7", "007", "07"];

    /// Keeps rows away that say so, and keeps rows from being deleted.
    pub const KEEPS: &str = "
create trigger keeps_away before insert on fields_rows when new.a = 'kept away' begin select raise(ignore); end;
create trigger keeps_away_later before update of a on fields_rows when new.a = 'kept away' begin select raise(ignore); end;
create trigger keeps before delete on fields_rows when old.a = 'kept' begin select raise(ignore); end;
create trigger marks before delete on fields_rows when old.a = 'marked' begin
  update fields_rows set c = 'marked' where id = old.id;
  select raise(ignore);
end;
create trigger keeps_note after update of gone on notes when new.body = 'kept' and new.gone begin
  update notes set gone = false where id = new.id;
end;
";

    /// Gives a row that says so another id.
    pub const MOVES: &str = "
create trigger moves after insert on fields_rows when new.a = 'moved' begin update fields_rows set id = id + 1000 where id = new.id; end;
";

    /// Inserts a row of its own in the place of one that says so.
    pub const REPLACES: &str = "
create trigger replaces before insert on fields_rows when new.a = 'replaced' begin
  insert into fields_rows (id, a) values (new.id, 'by the trigger');
  select raise(ignore);
end;
";
}
