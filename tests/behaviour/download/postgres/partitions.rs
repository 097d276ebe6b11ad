//! Partitioned tables.

use super::{run, steady, tracked};
use carburetor::{DownloadError, Everyone, SyncGroup, SyncTable};
use chrono::{DateTime, Utc};

diesel::table! { events (id, team) { id -> Integer, team -> Text, note -> Nullable<Text>, at -> Timestamptz, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = events)]
#[sync(backends(postgres))]
struct Event {
    #[sync(id)]
    id: i32,
    #[sync(id, visible_by)]
    team: String,
    note: Option<String>,
    #[sync(last_synced_at)]
    at: DateTime<Utc>,
}

#[test]
fn a_row_that_moves_to_another_partition_arrives_and_leaves() {
    let (_, mut conn) = tracked::<(Event,)>(
        "create table events (id int, team text, note text, at timestamptz not null default now(), primary key (id, team)) partition by list (team);
         create table events_red partition of events for values in ('red'); create table events_other partition of events default",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into events (id, team) values (1, 'red'), (2, 'red'), (3, 'blue')",
    );
    let group = || SyncGroup::<(Event,)>::scoped(&Everyone).assuming(steady());
    let first = group().download(conn, (None,)).unwrap();
    assert_eq!(first.0.rows.len(), 3);
    run(
        conn,
        "update events set team = 'blue' where id = 1; delete from events_red where id = 2; update events_other set note = 'n' where id = 3",
    );
    let second = group().download(conn, first.next()).unwrap();
    assert_eq!(
        super::super::removed(&second.0),
        [(1, "red".to_owned()), (2, "red".to_owned())]
    );
    assert_eq!(
        super::super::ids(&second.0),
        [(1, "blue".to_owned()), (3, "blue".to_owned())]
    );
}

#[test]
fn triggers_are_looked_for_on_every_partition() {
    let (_, mut conn) = tracked::<(Event,)>(
        "create table events (id int, team text, note text, at timestamptz not null default now(), primary key (id, team)) partition by list (team);
         create table events_red partition of events for values in ('red') partition by range (id);
         create table events_red_few partition of events_red for values from (0) to (100);
         create function nothing() returns trigger language plpgsql as 'begin return new; end'",
    );
    let conn = &mut conn;
    let download = |conn: &mut diesel::PgConnection| SyncGroup::<(Event,)>::download(conn, (None,));
    download(conn).unwrap();
    run(
        conn,
        r#"create trigger "~late" before insert on events_red_few for each row execute function nothing()"#,
    );
    let late = download(conn).unwrap_err();
    assert!(
        matches!(&late, DownloadError::LateTrigger { trigger, .. } if trigger == "~late"),
        "{late:?}"
    );
    run(conn, r#"drop trigger "~late" on events_red_few"#);
    for trigger in [
        "~carburetor_stamp",
        "~carburetor_removal_delete",
        "~carburetor_removal_update",
    ] {
        let change = |how: &str| format!(r#"alter table events_red_few {how} trigger "{trigger}""#);
        run(conn, &change("disable"));
        let missing = download(conn).unwrap_err();
        assert!(
            matches!(missing, DownloadError::NoTrigger { .. }),
            "{trigger}: {missing:?}"
        );
        run(conn, &change("enable always"));
        download(conn).unwrap();
    }
}
