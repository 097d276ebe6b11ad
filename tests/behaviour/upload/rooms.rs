//! Tables that refer to each other by keys of several columns, and to themselves.

/// The models on one backend, whose instants are `$stamp`.
macro_rules! rooms {
    ($stamp:ident, $backend:ident) => {
        use carburetor::SyncTable;
        use chrono::{DateTime, Utc};

        diesel::table! {
            rooms (house, number) { house -> Text, number -> Integer, team -> Text, at -> $stamp, }
        }

        diesel::table! {
            desks (id) {
                id -> Integer,
                house -> Nullable<Text>,
                room -> Nullable<Integer>,
                beside -> Nullable<Integer>,
                label -> Text,
                team -> Text,
                at -> $stamp,
            }
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = rooms)]
        #[sync(backends($backend))]
        pub struct Room {
            #[sync(id)]
            pub house: String,
            #[sync(id)]
            pub number: i32,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }

        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = desks)]
        #[sync(backends($backend))]
        pub struct Desk {
            pub id: i32,
            pub house: Option<String>,
            pub room: Option<i32>,
            pub beside: Option<i32>,
            pub label: String,
            #[sync(visible_by)]
            pub team: String,
            #[sync(last_synced_at)]
            pub at: DateTime<Utc>,
        }
    };
}

pub(super) mod postgres {
    rooms!(Timestamptz, postgres);
}

pub(super) mod sqlite {
    rooms!(TimestamptzSqlite, sqlite);
}

/// The tables; `{late}` says when their foreign keys are looked at.
pub(super) const ROOMS: &str = "
create table rooms (house text not null, number integer not null, team text not null, primary key (house, number));
create table desks (id integer primary key, house text, room integer, beside integer references desks {late}, label text not null, team text not null,
  foreign key (house, room) references rooms (house, number) {late});
";

/// A room and a desk of each team; a desk of the red team stands in the blue team's room.
pub(super) const ROWS: &str = "
insert into rooms (house, number, team) values ('a', 1, 'red'), ('a', 2, 'blue'), ('b', 1, 'red');
insert into desks (id, house, room, beside, label, team) values (1, 'a', 1, null, 'one', 'red'), (2, 'a', 2, null, 'two', 'blue'),
  (3, 'a', 2, 2, 'three', 'red');
";
