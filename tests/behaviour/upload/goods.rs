//! Tables with every kind of constraint.

/// The models on one backend, whose instants are `$stamp`.
macro_rules! goods {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            owners (id) { id -> Integer, name -> Text, at -> $stamp, }
        }

        diesel::table! {
            goods (id) {
                id -> Integer,
                code -> Text,
                amount -> Integer,
                owner -> Nullable<Integer>,
                label -> Nullable<Text>,
                note -> Nullable<Text>,
                room -> Nullable<Text>,
                seat -> Nullable<Integer>,
                at -> $stamp,
            }
        }

        diesel::table! {
            pairs (id) { id -> Integer, other -> Nullable<Integer>, name -> Text, at -> $stamp, }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = owners)]
        #[sync(backends($backend))]
        pub struct Owner {
            pub id: i32,
            pub name: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = goods)]
        #[sync(backends($backend))]
        pub struct Good {
            pub id: i32,
            pub code: String,
            pub amount: i32,
            pub owner: Option<i32>,
            pub label: Option<String>,
            pub note: Option<String>,
            pub room: Option<String>,
            pub seat: Option<i32>,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = pairs)]
        #[sync(backends($backend))]
        pub struct Pair {
            pub id: i32,
            pub other: Option<i32>,
            pub name: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    goods!(Timestamptz, postgres);

    /// The tables.
    pub const GOODS: &str = "
create table owners (id integer primary key, name text not null);
create table goods (id integer primary key, code text not null, amount integer not null, owner integer, label text not null, note text, room text, seat integer,
  constraint goods_code unique (code),
  constraint goods_amount check (amount >= 0),
  constraint goods_owner foreign key (owner) references owners (id),
  constraint goods_room exclude (room with =),
  constraint goods_seat unique (seat) deferrable initially deferred);
create table pairs (id integer primary key, other integer, name text not null,
  constraint pairs_other foreign key (other) references pairs (id) deferrable initially deferred);
create function noted() returns trigger language plpgsql as $$ begin
  if new.note = 'forbidden' then raise exception 'this is not noted'; end if;
  new.note := trim(new.note);
  return new;
end $$;
create trigger noted before insert or update on goods for each row execute function noted();
";

    /// The constraints' names: unique, check, not null, foreign key, exclusion, deferred unique, deferred foreign key.
    pub const NAMES: [Option<&str>; 7] = [
        Some("goods_code"),
        Some("goods_amount"),
        Some("label"),
        Some("goods_owner"),
        Some("goods_room"),
        Some("goods_seat"),
        Some("pairs_other"),
    ];
}

pub(super) mod sqlite {
    goods!(TimestamptzSqlite, sqlite);

    /// The tables.
    pub const GOODS: &str = "
create table owners (id integer primary key, name text not null);
create table goods (id integer primary key, code text not null, amount integer not null, owner integer, label text not null, note text, room text, seat integer,
  constraint goods_code unique (code),
  constraint goods_amount check (amount >= 0),
  constraint goods_owner foreign key (owner) references owners (id),
  constraint goods_room unique (room),
  constraint goods_seat unique (seat));
create table pairs (id integer primary key, other integer, name text not null,
  constraint pairs_other foreign key (other) references pairs (id) deferrable initially deferred);
create trigger refused before insert on goods when new.note = 'forbidden' begin select raise(abort, 'this is not noted'); end;
create trigger refused_later before update on goods when new.note = 'forbidden' begin select raise(abort, 'this is not noted'); end;
create trigger noted after insert on goods when new.note <> trim(new.note) begin update goods set note = trim(note) where id = new.id; end;
create trigger noted_later after update of note on goods when new.note <> trim(new.note) begin update goods set note = trim(note) where id = new.id; end;
";

    /// What names the constraints: unique, check, not null, foreign key, exclusion, deferred unique, deferred foreign key.
    pub const NAMES: [Option<&str>; 7] = [
        Some("goods.code"),
        Some("goods_amount"),
        Some("goods.label"),
        None,
        Some("goods.room"),
        Some("goods.seat"),
        None,
    ];
}
