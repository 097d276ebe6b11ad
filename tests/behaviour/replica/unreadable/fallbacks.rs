//! What a program's own query reads where a fallback stands for a value.

use super::*;
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Integer;
use diesel::sqlite::Sqlite;

/// A model that takes a level which it doesn't know for a low one.
#[derive(Debug, Clone, PartialEq, SyncTable)]
#[diesel(table_name = tasks)]
#[sync(name = "tasks", backends(sqlite))]
struct Careful {
    id: i32,
    title: String,
    #[sync(fallback = Level::Low)]
    level: Level,
    #[sync(last_synced_at)]
    at: i64,
}

/// A type that reads every level, and writes back what it doesn't know.
#[derive(Debug, Clone, PartialEq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
enum AnyLevel {
    Low,
    Other(String),
}

impl FromSql<Text, Sqlite> for AnyLevel {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(match text.as_str() {
            "low" => AnyLevel::Low,
            _ => AnyLevel::Other(text),
        })
    }
}

impl ToSql<Text, Sqlite> for AnyLevel {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        let text = match self {
            AnyLevel::Low => "low",
            AnyLevel::Other(text) => text,
        };
        <str as ToSql<Text, Sqlite>>::to_sql(text, out)
    }
}

/// The columns of unsent edits.
fn edited(conn: &mut SqliteConnection) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Edited {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let edited = "select carburetor_column as name from carburetor_outbox_tasks order by 1";
    let edited: Vec<Edited> = diesel::sql_query(edited).load(conn).unwrap();
    edited.into_iter().map(|edited| edited.name).collect()
}

#[test]
fn a_programs_own_query_reads_the_value_for_which_a_fallback_stands() {
    let device = Device::new();
    drop(device.replica);
    let replica = open::<SyncGroup<(Careful,)>>(&device.folder, &device.script);
    device.script.says(&format!(
        r#"{{"carburetor":1,"tables":{{"tasks":{{"reset":true,"removed":[],"rows":[{}],"cutoff":"2026-02-01T00:00:00.000000Z"}}}},"more":false,"next":"t"}}"#,
        row(1, "one", "urgent")
    ));
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(replica.sync()).unwrap();
    assert_eq!(replica.unreadable().unwrap(), []);
    let mut conn = replica.connection().unwrap();
    let levels = tasks::table.select(tasks::level);
    let error = levels.load::<Level>(&mut conn).unwrap_err();
    assert!(
        matches!(error, diesel::result::Error::DeserializationError(_)),
        "{error}"
    );
    let read = levels.load::<AnyLevel>(&mut conn).unwrap();
    let urgent = AnyLevel::Other("urgent".into());
    assert_eq!(read, std::slice::from_ref(&urgent));
    // A row that is saved as a whole.
    let one = tasks::table.filter(tasks::id.eq(1.into_sql::<Integer>()));
    diesel::update(one)
        .set((tasks::title.eq("two"), tasks::level.eq(urgent)))
        .execute(&mut conn)
        .unwrap();
    assert_eq!(edited(&mut conn), ["title"]);
    diesel::update(one)
        .set((tasks::title.eq("three"), tasks::level.eq(Level::Low)))
        .execute(&mut conn)
        .unwrap();
    assert_eq!(edited(&mut conn), ["level", "title"]);
}
