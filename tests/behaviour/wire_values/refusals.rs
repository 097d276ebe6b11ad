//! Values that don't travel, and JSON that a column doesn't take.

use super::*;

#[test]
fn what_postgres_can_not_send_as_a_value_is_an_error_with_the_remedy() {
    fn refused(select: &str, codec: Codec<Pg>) -> String {
        let select = format!("SELECT {select}");
        selected::<Text, String, _, _>(&mut postgres(), codec, &select, None, "")
            .unwrap_err()
            .to_string()
    }
    let infinite = "an infinite instant can't travel; store NULL, or a finite one";
    let instant = carburetor::__codec!(Timestamptz, Pg);
    assert_eq!(refused("'infinity'::timestamptz", instant), infinite);
    assert_eq!(refused("'-infinity'::timestamptz", instant), infinite);
    assert_eq!(
        refused("'infinity'::date", carburetor::__codec!(Date, Pg)),
        "an infinite date can't travel; store NULL, or a finite one"
    );
    assert_eq!(
        refused(
            "'{{1},{2}}'::int4[]",
            carburetor::__codec!(Array<Integer>, Pg)
        ),
        "an array of several dimensions can't travel; store it as `jsonb`"
    );
    assert_eq!(
        refused(r#"'"\ud800"'::json"#, carburetor::__codec!(Json, Pg)),
        "a document with half of a surrogate pair can't travel; store it as `jsonb`"
    );
    assert_eq!(
        refused("1::int8", carburetor::__codec!(Integer, Pg)),
        "expected a value of 4 bytes, got 8; the column's type is not that of the `table!`"
    );
}

#[test]
fn what_sqlite_stores_against_the_columns_type_is_refused() {
    fn refused(select: &str, codec: Codec<Sqlite>) -> String {
        let select = format!("SELECT {select}");
        selected::<Text, String, _, _>(&mut sqlite(), codec, &select, None, "")
            .unwrap_err()
            .to_string()
    }
    assert_eq!(
        refused("5000000000", carburetor::__codec!(Integer, Sqlite)),
        "expected an integer of 32 bits, got 5000000000; make the column a `BigInt` in the `table!`"
    );
    assert_eq!(
        refused("cast(x'ff' as text)", carburetor::__codec!(Text, Sqlite)),
        "expected UTF-8, got other bytes; make the column a `Binary` in the `table!`"
    );
    assert_eq!(
        refused("'{a:1}'", carburetor::__codec!(Json, Sqlite)),
        "expected a JSON document, got \"{a:1}\""
    );
    assert_eq!(
        refused("'soon'", carburetor::__codec!(TimestamptzSqlite, Sqlite)),
        "Invalid datetime soon"
    );
    assert_eq!(
        refused("'12,5'", carburetor::__codec!(Numeric, Sqlite)),
        "expected a decimal number, got \"12,5\""
    );
    for (select, codec) in [
        ("'23:59:60'", carburetor::__codec!(Time, Sqlite)),
        (
            "'2016-12-31 23:59:60.5'",
            carburetor::__codec!(Timestamp, Sqlite),
        ),
        (
            "'2016-12-31 23:59:60+00:00'",
            carburetor::__codec!(TimestamptzSqlite, Sqlite),
        ),
    ] {
        assert_eq!(
            refused(select, codec),
            "a leap second can't travel; store the second before it, or the one after it"
        );
    }
    let of_class = |select: &str, codec, expected: &str| {
        assert_eq!(
            refused(select, codec),
            format!(
                "expected {expected}, which SQLite keeps in a column of any type; write a value of the column's type"
            )
        );
    };
    of_class(
        "'abc'",
        carburetor::__codec!(Double, Sqlite),
        "a number, got the text \"abc\"",
    );
    of_class(
        "'12'",
        carburetor::__codec!(Float, Sqlite),
        "a number, got the text \"12\"",
    );
    of_class(
        "'abc'",
        carburetor::__codec!(Integer, Sqlite),
        "an integer, got the text \"abc\"",
    );
    of_class(
        "1.5",
        carburetor::__codec!(BigInt, Sqlite),
        "an integer, got the number 1.5",
    );
    of_class(
        "1e300",
        carburetor::__codec!(SmallInt, Sqlite),
        "an integer, got the number 1e300",
    );
    of_class(
        "'true'",
        carburetor::__codec!(Bool, Sqlite),
        "an integer, got the text \"true\"",
    );
    of_class(
        "x'61'",
        carburetor::__codec!(Text, Sqlite),
        "text, got a blob",
    );
    of_class(
        "1.5",
        carburetor::__codec!(Text, Sqlite),
        "text, got the number 1.5",
    );
    of_class(
        "12",
        carburetor::__codec!(Binary, Sqlite),
        "bytes, got the integer 12",
    );
    of_class(
        "x'3132'",
        carburetor::__codec!(Numeric, Sqlite),
        "a decimal number, got a blob",
    );
    of_class(
        "x'61'",
        carburetor::__codec!(Date, Sqlite),
        "a date, got a blob",
    );
}

#[test]
fn json_that_a_column_does_not_take_is_refused_and_shown() {
    fn refused<DB: SyncBackend>(codec: Codec<DB>, json: &str) -> String {
        let value = serde_json::from_str(json).unwrap();
        (codec.read)(&value)
            .err()
            .unwrap_or_else(|| panic!("{json} is taken"))
            .to_string()
    }
    macro_rules! on_both {
        ($($sql_type:ty, $json:literal, $message:literal;)*) => {$(
            assert_eq!(refused(carburetor::__codec!($sql_type, Pg), $json), $message);
            assert_eq!(refused(carburetor::__codec!($sql_type, Sqlite), $json), $message);
        )*};
    }
    on_both! {
        SmallInt, "32768", "expected an integer of 16 bits, got 32768";
        Integer, "2147483648", "expected an integer of 32 bits, got 2147483648";
        Integer, "1.0", "expected an integer of 32 bits, got 1.0";
        Integer, "\"1\"", "expected an integer of 32 bits, got \"1\"";
        BigInt, "1", "expected an integer of 64 bits as a string, got 1";
        BigInt, "\"9223372036854775808\"", "expected an integer of 64 bits as a string, got \"9223372036854775808\"";
        Float, "1e39", "expected a number of 32 bits, got 1e+39";
        Double, "\"inf\"", "expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", got \"inf\"";
        Numeric, "1.5", "expected a decimal number as a string, such as \"-12.50\", got 1.5";
        Bool, "1", "expected true or false, got 1";
        Text, "{\"a\":1}", "expected a string, got {\"a\":1}";
        Binary, "\"YWI\"", "expected a string of base64 with padding, got \"YWI\"";
        Date, "\"2026-02-30\"", "expected a date such as \"2026-01-31\", got \"2026-02-30\"";
        Timestamp, "\"2026-01-01T00:00:00\"", "expected an instant such as \"2026-01-31T23:59:59.000000Z\", got \"2026-01-01T00:00:00\"";
    }
    assert_eq!(
        refused(carburetor::__codec!(Text, Pg), "\"a\\u0000\""),
        "expected a string without U+0000, which PostgreSQL's text can't hold, got \"a\\u0000\""
    );
    assert_eq!(
        refused(carburetor::__codec!(Double, Sqlite), "\"NaN\""),
        "expected a number that SQLite can store, got \"NaN\""
    );
}
