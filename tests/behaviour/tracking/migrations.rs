//! The printed migrations, run as text.

use super::*;
use carburetor::tracking::{Installed, Tracking};

/// What a database holds besides the application's own.
fn objects(database: &Database) -> String {
    database.text(
        "coalesce((select string_agg(line, ' ' order by line) from (
           select c.oid::regclass::text as line from pg_class c where c.relnamespace = to_regnamespace('carburetor') or c.relname like 'carburetor%'
           union all select t.tgname from pg_trigger t where not t.tgisinternal
           union all select p.oid::regproc::text from pg_proc p where p.pronamespace = to_regnamespace('carburetor')
           union all select nspname from pg_namespace where nspname = 'carburetor') objects), '')",
    )
}

fn transaction(database: &Database, sql: &str) {
    database.psql(&format!("begin;\n{sql}\ncommit;"));
}

#[test]
fn up_tracks_and_down_takes_everything_away() {
    let database = server();
    let tracking = Mobile::tracking::<Pg>();
    transaction(&database, &tracking.to_string());
    let mut conn = database.connect();
    let before = objects(&database);
    // An installation finds nothing to do.
    tracking.install(&mut conn).unwrap();
    assert_eq!(objects(&database), before);
    conn.batch_execute("insert into games (id, title) values (1, 'Go')")
        .unwrap();
    assert_eq!(
        Mobile::download(&mut conn, (None, None)).unwrap().1.rows[0].title,
        "Go"
    );
    transaction(&database, &tracking.down_sql());
    assert_eq!(objects(&database), "");
}

#[test]
fn up_and_the_indexes_beside_writers_are_the_same_as_everything_at_once() {
    let (at_once, apart) = (server(), server());
    let tracking = Mobile::tracking::<Pg>();
    transaction(&at_once, &tracking.to_string());
    transaction(&apart, &tracking.up_sql());
    for index in tracking.index_sql() {
        apart.psql(&index);
    }
    assert_eq!(objects(&apart), objects(&at_once));
    assert!(objects(&apart).contains("carburetor_games"));
}

#[test]
fn the_definitions_are_read_back_from_the_text_and_from_the_database() {
    let (_, mut conn) = tracked_server();
    let tracking = Mobile::tracking::<Pg>();
    let mut definitions = tracking.definitions().to_vec();
    for text in [tracking.to_string(), tracking.up_sql()] {
        let printed: Installed = text.parse().unwrap();
        assert_eq!(printed.definitions(), definitions);
    }
    definitions.sort_by_key(|definition| definition.key());
    assert_eq!(
        Installed::read(&mut conn).unwrap().definitions(),
        definitions
    );
    let mut empty = Cluster::shared().database().connect();
    assert_eq!(Installed::read(&mut empty).unwrap(), Installed::default());
}

#[test]
fn the_difference_adds_a_column_that_filters_look_at_and_back() {
    let database = server();
    let old = Mobile::tracking::<Pg>();
    let checked_in = old.to_string();
    transaction(&database, &checked_in);
    let mut conn = database.connect();
    let first = Members::download(&mut conn, (None,)).unwrap();

    let installed: Installed = checked_in.parse().unwrap();
    let new = Members::tracking::<Pg>()
        .and(Mobile::tracking())
        .since(&installed);
    let difference = new.to_string();
    assert!(
        difference.contains("\"users\"") && !difference.contains("on \"games\""),
        "{difference}"
    );
    transaction(&database, &difference);
    conn.batch_execute(
        "insert into users values ('a', 'Ann', 'red'); update users set team = 'blue'; delete from users",
    )
    .unwrap();
    assert_eq!(
        database.text("(select string_agg(id || '/' || team, ' ' order by team) from carburetor.removal_users)"),
        "a/blue a/red"
    );
    // Older removals don't say what team they left.
    assert!(Members::download(&mut conn, first.next()).unwrap().0.reset);
    let now: Installed = difference.parse().unwrap();
    assert_eq!(
        now,
        Installed::read(&mut conn).map(sorted_like(&now)).unwrap()
    );

    transaction(&database, &new.down_sql());
    assert_eq!(
        Installed::read(&mut conn)
            .map(sorted_like(&installed))
            .unwrap(),
        installed
    );
}

/// The registry has its own order.
fn sorted_like(other: &Installed) -> impl Fn(Installed) -> Installed {
    let keys: Vec<_> = other
        .definitions()
        .iter()
        .map(|table| table.key())
        .collect();
    move |installed| {
        let mut definitions = installed.definitions().to_vec();
        definitions.sort_by_key(|table| keys.iter().position(|key| *key == table.key()));
        Tracking::<Pg>::of(definitions).up_sql().parse().unwrap()
    }
}

#[test]
fn models_that_disagree_stop_the_migration() {
    let database = server();
    let mut other = Mobile::tracking::<Pg>().definitions()[0].clone();
    for column in &mut other.columns {
        column.id = column.name == "name";
    }
    let tracking = Mobile::tracking::<Pg>().and(Tracking::of([other]));
    let error = database
        .connect()
        .batch_execute(&tracking.to_string())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "users: its models disagree on the id or on the stamp; mark the same columns with #[sync(id)] and #[sync(last_synced_at)] in each"
    );
    assert_eq!(objects(&database), "");
}

#[test]
fn the_text_for_sqlite_tracks_and_takes_away() {
    // Stamps stay.
    const STAMP: &str = "alter table \"notes\" add column \"stamp\"";
    let mut conn = file();
    let tracking = Notes::tracking::<Sqlite>();
    let up = tracking.up_sql(&mut conn).unwrap();
    let down = tracking.down_sql(&mut conn).unwrap();
    conn.batch_execute(&format!("begin;\n{up}\ncommit;"))
        .unwrap();
    assert_eq!(tracking.verify(&mut conn).unwrap(), []);
    assert_eq!(
        up.parse::<Installed>().unwrap(),
        Installed::read(&mut conn).unwrap()
    );
    conn.batch_execute(&format!("begin;\n{down}\ncommit;"))
        .unwrap();
    assert_eq!(Installed::read(&mut conn).unwrap(), Installed::default());
    conn.batch_execute(&format!(
        "begin;\n{}\ncommit;",
        tracking.up_sql(&mut file()).unwrap().replace(STAMP, "-- ")
    ))
    .unwrap();
    assert_eq!(tracking.verify(&mut conn).unwrap(), []);
}
