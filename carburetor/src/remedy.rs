//! What to do about an error of the database that has nothing to do with rows: the database and the program don't fit together.

use diesel::result::Error;

/// What PostgreSQL names in the place of the dots of `permission denied for ..`.
const DENIED: [&str; 6] = [
    "table ",
    "schema ",
    "sequence ",
    "function ",
    "column ",
    "view ",
];

/// What to do, behind a semicolon, where that is known. Diesel doesn't tell the errors' codes, so they are known by their words; a server that
/// speaks another language than English is not understood.
pub(crate) fn remedy(error: &Error) -> &'static str {
    let Error::DatabaseError(_, information) = error else {
        return "";
    };
    let message = information.message();
    let names = |names: &[&str]| names.iter().any(|name| message.contains(name));
    if is_denied(message) {
        "; the role lacks rights: grant it those on the tables, and what `grants_sql` of `Group::tracking()` prints, or `upload_grants_sql` where it uploads"
    } else if names(&[
        "carburetor.",
        "\"carburetor\"",
        "carburetor_clock",
        "carburetor_flag",
    ]) {
        "; the tracking is not installed: run the migration that `Group::tracking()` prints"
    } else if lacks_field(message) {
        "; a column of the id, of `visible_by` or the stamp was dropped or renamed: print the tracking for the new models, and install it"
    } else if message.starts_with("no such column: ")
        || message.starts_with("column ") && message.ends_with(" does not exist")
    {
        "; the program's models and the table disagree: start the program that was built for this table, or add the column again"
    } else {
        ""
    }
}

/// Whether the database and its roles have to be set right before anything of this kind can be written.
pub(crate) fn is_of_setup(message: &str) -> bool {
    is_denied(message) || lacks_field(message)
}

fn is_denied(message: &str) -> bool {
    let what = message.strip_prefix("permission denied for ");
    what.is_some_and(|what| DENIED.iter().any(|kind| what.starts_with(kind)))
}

/// Whether a trigger asked for a column that the table doesn't have.
fn lacks_field(message: &str) -> bool {
    let record = [
        "record \"old\" has no field ",
        "record \"new\" has no field ",
    ];
    record.iter().any(|begin| message.starts_with(begin))
}
