//! The messages of the protocol as schemas.

use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Components, ComponentsBuilder, Object, ObjectBuilder,
    SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

pub(super) fn components() -> Components {
    ComponentsBuilder::new()
        .schema("Health", object(&[("status", text("`ok`"))], &[]))
        .schema("Problem", problem())
        .schema("Asked", asked())
        .schema("Download", download())
        .schema("Table", table())
        .schema("Upload", upload())
        .schema("Change", change())
        .schema("Outcomes", outcomes())
        .schema("Outcome", outcome())
        .build()
}

type Member<'m> = (&'m str, RefOr<Schema>);

fn object(required: &[Member<'_>], optional: &[Member<'_>]) -> Object {
    let mut object = ObjectBuilder::new().schema_type(Type::Object);
    for (name, schema) in required {
        object = object.property(*name, schema.clone()).required(*name);
    }
    for (name, schema) in optional {
        object = object.property(*name, schema.clone());
    }
    object.build()
}

fn simple(kind: impl Into<SchemaType>, about: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new()
        .schema_type(kind)
        .description(Some(about));
    schema.into()
}

fn text(about: &str) -> RefOr<Schema> {
    simple(Type::String, about)
}

fn flag(about: &str) -> RefOr<Schema> {
    simple(Type::Boolean, about)
}

fn or_null(kind: Type, about: &str) -> RefOr<Schema> {
    simple(SchemaType::from_iter([kind, Type::Null]), about)
}

fn version() -> RefOr<Schema> {
    simple(Type::Integer, "The version of the protocol")
}

fn clock() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some("^[0-9a-f]{32}$"))
        .description(Some("A hybrid logical clock"))
        .into()
}

fn many(of: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    ArrayBuilder::new().items(of.into()).into()
}

/// Columns by their names, with values of any kind.
fn columns(about: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .description(Some(about))
        .into()
}

fn value(about: &str) -> RefOr<Schema> {
    simple(SchemaType::AnyValue, about)
}

fn problem() -> Object {
    object(
        &[
            ("type", text("`about:blank`")),
            ("title", text("The status in words")),
            ("status", simple(Type::Integer, "The status")),
            ("code", text("The reason, for programs")),
            ("detail", text("The reason, for people")),
            ("remedy", text("What to do")),
        ],
        &[("server_time", text("The server's time, with `clock_ahead`"))],
    )
}

fn asked() -> Object {
    object(
        &[],
        &[
            (
                "since",
                or_null(
                    Type::String,
                    "`next` of the last message; none for everything",
                ),
            ),
            (
                "keys",
                or_null(Type::String, "`keys` of the last message that had them"),
            ),
            (
                "limit",
                simple(Type::Integer, "The rows and removals of a page"),
            ),
        ],
    )
}

fn download() -> Object {
    let tables = ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(Ref::from_schema_name("Table")));
    object(
        &[
            ("carburetor", version()),
            ("tables", tables.into()),
            ("clock", clock()),
            ("scope", text("Tells one scope from another")),
            ("more", flag("Whether another page follows")),
            (
                "next",
                text("What the next download is asked with, as `since`"),
            ),
        ],
        &[
            ("origin", text("Tells the server's database from others")),
            (
                "keys",
                text("The keys of a scope of many: with them its next change is told exactly"),
            ),
        ],
    )
}

fn table() -> Object {
    object(
        &[
            ("reset", flag("Whether rows that are not in here are gone")),
            ("removed", many(value("An id"))),
            ("rows", many(columns("A row"))),
        ],
        &[
            (
                "left",
                columns("The values of a column that the scope no longer shows"),
            ),
            ("unreadable", many(unreadable("A row that can't travel"))),
            (
                "anew",
                flag("What was told before of rows that can't travel and have no id is over"),
            ),
            (
                "cutoff",
                text("The instant up to which the table is complete"),
            ),
        ],
    )
}

/// What is said of a row that can't travel.
fn unreadable(about: &str) -> Object {
    let members = [
        ("id", value("The row's id, if it can travel")),
        ("column", text("What can't travel")),
        ("message", text("Why, and the remedy")),
    ];
    let mut told = object(&members, &[]);
    told.description = Some(about.into());
    told
}

fn upload() -> Object {
    object(
        &[
            ("carburetor", version()),
            ("changes", many(Ref::from_schema_name("Change"))),
        ],
        &[
            ("confirmed", clock()),
            (
                "origin",
                text("The `origin` of the download whose stamps are the changes' `base`"),
            ),
        ],
    )
}

fn change() -> Object {
    object(
        &[
            ("table", text("The table's name")),
            (
                "id",
                value("The row's id; an array where it has several columns"),
            ),
            ("clock", clock()),
        ],
        &[
            (
                "base",
                or_null(Type::String, "The stamp of the row that was edited"),
            ),
            ("insert", columns("A new row")),
            ("update", columns("The edited columns")),
            ("delete", flag("`true`: the row is gone")),
            ("was", columns("What the edited columns held before")),
        ],
    )
}

fn outcomes() -> Object {
    object(
        &[
            ("carburetor", version()),
            ("clock", clock()),
            ("outcomes", many(Ref::from_schema_name("Outcome"))),
        ],
        &[
            ("scope", text("Tells one scope from another")),
            ("origin", text("Tells one server from another")),
        ],
    )
}

fn outcome() -> Object {
    object(
        &[
            ("clock", clock()),
            (
                "verdict",
                text("`applied`, `merged`, `superseded`, `rejected` or `held`"),
            ),
        ],
        &[
            (
                "stamp",
                or_null(
                    Type::String,
                    "When the server wrote the row; after a deletion, when it last had",
                ),
            ),
            ("code", text("Why it was rejected, for programs")),
            ("message", text("Why it was rejected, for people")),
            (
                "field",
                or_null(Type::String, "The column or constraint that was in the way"),
            ),
            (
                "row",
                or_null(Type::Object, "The server's row as the scope shows it"),
            ),
            (
                "met",
                columns("What differed in the row that an insert met under its id"),
            ),
            (
                "unreadable",
                unreadable("The server's row is there, and can't travel").into(),
            ),
            (
                "lost",
                flag("Nothing is left of the edit, because its row was deleted"),
            ),
        ],
    )
}
