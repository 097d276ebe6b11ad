//! Tables whose stamps the application keeps.

use super::{run, tracked};
use carburetor::clock::Clock;
use carburetor::{Assumptions, DownloadError, Everyone, SyncGroup, SyncTable, Timestamps};
use chrono::{DateTime, Utc};
use diesel::PgConnection;
use std::collections::HashMap;
use std::time::Duration;

diesel::table! { old (id) { id -> Integer, gone -> Bool, made -> Timestamptz, at -> Nullable<Timestamptz>, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = old)]
#[sync(backends(postgres), untracked)]
struct Old {
    id: i32,
    #[sync(deleted)]
    gone: bool,
    #[sync(created_at, skip)]
    made: DateTime<Utc>,
    #[sync(last_synced_at)]
    at: Option<DateTime<Utc>>,
}

const OLD: &str = "create table old (id int primary key, gone boolean not null default false, made timestamptz not null default now() - interval '1 hour', at timestamptz)";

fn followed(
    conn: &mut PgConnection,
    limit: u32,
    timestamps: Timestamps<SyncGroup<(Old,)>>,
    rows: &mut HashMap<i32, Old>,
) -> carburetor::Token {
    let assumptions = Assumptions {
        margin: Duration::ZERO,
        ..Assumptions::default()
    };
    let mut pages = SyncGroup::<(Old,)>::scoped(&Everyone)
        .assuming(assumptions)
        .pages(timestamps, limit);
    while let Some(page) = pages.next(conn).unwrap() {
        page.into_tables().0.apply(rows);
    }
    pages.token().unwrap().unwrap()
}

fn shown(rows: &HashMap<i32, Old>) -> Vec<(i32, bool)> {
    let mut shown: Vec<(i32, bool)> = rows
        .values()
        .map(|row| (row.id, row.at.is_some()))
        .collect();
    shown.sort();
    shown
}

#[test]
fn a_row_without_a_stamp_is_as_old_as_it_is() {
    for limit in [1, 2, 100] {
        let (_, mut conn) = tracked::<(Old,)>(OLD);
        let conn = &mut conn;
        run(conn, "insert into old (id) values (1), (2), (3), (4)");
        let mut rows = HashMap::new();
        let token = followed(conn, limit, Timestamps::default(), &mut rows);
        assert_eq!(
            shown(&rows),
            [(1, false), (2, false), (3, false), (4, false)]
        );
        // A bulk update has one stamp.
        run(
            conn,
            "update old set at = now() where id < 4; update old set gone = true, at = now() where id = 2; insert into old (id, made) values (5, now()), (6, now())",
        );
        followed(conn, limit, token.into(), &mut rows);
        assert_eq!(
            shown(&rows),
            [(1, true), (3, true), (4, false), (5, false), (6, false)]
        );
    }
}

#[test]
fn a_table_that_is_neither_tracked_nor_deleted_softly_needs_nothing_of_the_library() {
    let database = carburetor_tests::Cluster::shared().database();
    let conn = &mut database.connect();
    run(conn, OLD);
    run(conn, "insert into old (id) values (1)");
    let first = SyncGroup::<(Old,)>::download(conn, (None,)).unwrap();
    assert_eq!(first.0.rows.len(), 1);
    let second = SyncGroup::<(Old,)>::download(conn, first.next()).unwrap();
    assert_eq!((second.0.reset, second.0.rows.len()), (false, 0));
}

diesel::table! { kept (id) { id -> Integer, made -> Timestamptz, at -> Nullable<Timestamptz>, } }

#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = kept)]
#[sync(backends(postgres), untracked)]
struct Kept {
    id: i32,
    #[sync(created_at)]
    made: DateTime<Utc>,
    #[sync(last_synced_at)]
    at: Option<DateTime<Utc>>,
}

#[test]
fn a_row_without_a_stamp_has_the_clock_of_its_creation() {
    let (_, mut conn) = tracked::<(Kept,)>(
        "create table kept (id int primary key, made timestamptz not null, at timestamptz)",
    );
    let conn = &mut conn;
    run(
        conn,
        "insert into kept values (1, '2026-01-03Z', '2026-01-02Z'), (2, '2026-01-01Z', null)",
    );
    let clock = |conn: &mut PgConnection| {
        let response = SyncGroup::<(Kept,)>::download(conn, (None,)).unwrap();
        response.clock()
    };
    let of = |day: &str| Clock::of_database(format!("{day}T00:00:00Z").parse().unwrap());
    assert_eq!(clock(conn), of("2026-01-02"));
    run(conn, "update kept set made = '2026-01-04Z' where id = 2");
    assert_eq!(clock(conn), of("2026-01-04"));
    run(conn, "delete from kept");
    // What other tables' uploads did is not asked.
    assert_eq!(clock(conn), Clock::ZERO);
}

#[test]
fn a_later_page_of_an_untracked_table_is_judged_too() {
    let (_, mut conn) = tracked::<(Old,)>(OLD);
    let conn = &mut conn;
    run(conn, "insert into old (id) values (1), (2), (3)");
    let token = followed(conn, 100, Timestamps::default(), &mut HashMap::new());
    for timestamps in [Timestamps::default(), Timestamps::from(token)] {
        run(conn, "update old set at = now()");
        let mut pages = SyncGroup::<(Old,)>::scoped(&Everyone).pages(timestamps, 1);
        pages.next(conn).unwrap();
        run(conn, "begin; insert into old (id) values (9)");
        let refused = pages.next(conn).unwrap_err();
        assert!(matches!(refused, DownloadError::Written), "{refused:?}");
        run(conn, "rollback");
        assert_eq!(pages.next(conn).unwrap().unwrap().0.rows.len(), 1);
    }
}

#[test]
fn a_group_without_tracked_tables_is_told_from_that_of_another_database() {
    let origin = || {
        let database = carburetor_tests::Cluster::shared().database();
        database.psql(OLD);
        let conn = &mut database.connect();
        let news = SyncGroup::<(Old,)>::download(conn, (None,)).unwrap();
        let again = SyncGroup::<(Old,)>::download(conn, news.next()).unwrap();
        assert!(!again.0.reset);
        news.next().origin().unwrap().to_owned()
    };
    assert_ne!(origin(), origin());
}
