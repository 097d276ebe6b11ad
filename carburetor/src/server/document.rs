//! The OpenAPI document of the groups that are served.

mod schemas;

use super::limits::Limits;
use std::sync::Arc;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{
    ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref,
    Required, Response, ResponseBuilder, Server, Type,
};

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const EVENTS: &str = "text/event-stream";
const PROBLEM: &str = "application/problem+json";

/// Describes the routes of `groups`, with paths from where they are mounted.
pub(super) fn document(groups: &[Arc<str>], limits: &Limits) -> OpenApi {
    let mut paths = PathsBuilder::new().path("/health", item(HttpMethod::Get, health()));
    for group in groups {
        paths = paths
            .path(
                format!("/{group}/download"),
                both(|name| download(group, name, limits)),
            )
            .path(
                format!("/{group}/feed"),
                both(|name| feed(group, name, limits)),
            )
            .path(
                format!("/{group}/upload"),
                item(HttpMethod::Post, upload(group, limits)),
            );
    }
    let info = InfoBuilder::new()
        .title("Carburetor")
        .version(crate::wire::VERSION.to_string())
        .description(Some("Groups of tables, kept on many devices."));
    OpenApiBuilder::new()
        .info(info)
        // The folder of the document, wherever the program has put it.
        .servers(Some([Server::new(".")]))
        .paths(paths)
        .components(Some(schemas::components()))
        .build()
}

fn item(method: HttpMethod, operation: OperationBuilder) -> PathItem {
    PathItem::new(method, Operation::from(operation))
}

/// The same by GET and, with what is too long for an address, by POST.
fn both(operation: impl Fn(Asked) -> OperationBuilder) -> PathItem {
    let mut item = item(HttpMethod::Get, operation(Asked::Address));
    item.merge_operations(self::item(HttpMethod::Post, operation(Asked::Body)));
    item
}

/// Where a request says what it asks for.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Address,
    Body,
}

fn health() -> OperationBuilder {
    OperationBuilder::new()
        .operation_id(Some("health"))
        .summary(Some("Says whether the server reaches its database, and finds its tables as they have to be"))
        .response("200", json("It does", "Health"))
        .response("503", problem("It doesn't: `database`, `time`; or the tables are not as they have to be: `setup`, `server`"))
}

fn download(group: &str, asked: Asked, limits: &Limits) -> OperationBuilder {
    let page = ResponseBuilder::new()
        .description("A page; or, as lines, pages up to one without `more`")
        .content(JSON, content("Download"))
        .content(LINES, text())
        .build();
    reading(group, "download", asked, limits)
        .summary(Some("What is new within the caller's scope"))
        .description(Some("Accept `application/x-ndjson` for all pages at once."))
        .response("200", page)
        .response(
            "304",
            Response::new("The page has the ETag of `If-None-Match`"),
        )
        .response("403", Response::new(REJECTED))
}

fn feed(group: &str, asked: Asked, limits: &Limits) -> OperationBuilder {
    let pages = ResponseBuilder::new()
        .description("Pages as events, whose ids are their tokens; or as lines")
        .content(EVENTS, text())
        .content(LINES, text())
        .build();
    let last = ParameterBuilder::new()
        .name("Last-Event-ID")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The id of the last event, instead of `since`"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    reading(group, "feed", asked, limits)
        .summary(Some(
            "What is new within the caller's scope, and then what changes",
        ))
        .description(Some(
            "A download that does not end. Accept `application/x-ndjson` for lines, or upgrade to a web socket.",
        ))
        .parameter(last)
        .response("101", Response::new("A web socket; each page is a text"))
        .response("426", problem("`upgrade`"))
        .response("200", pages)
        .response(
            "403",
            problem("`origin`, or the program does not let the caller in"),
        )
}

/// What downloads and feeds have in common.
fn reading(group: &str, name: &str, asked: Asked, limits: &Limits) -> OperationBuilder {
    let common = OperationBuilder::new()
        .tag(group)
        .response("400", problem("`token`, `query`"))
        .response("401", Response::new(REJECTED))
        .response("409", problem("`keys`"))
        .response("500", problem("`setup`, `server`"))
        .response("503", problem("`busy`, `database`, `time`"));
    if asked == Asked::Body {
        let body = RequestBodyBuilder::new()
            .description(Some("What an address has no room for"))
            .content(JSON, content("Asked"))
            .required(Some(Required::True))
            .build();
        return common
            .operation_id(Some(format!("{group}_{name}_at_length")))
            .request_body(Some(body))
            .response("413", problem("`body`"))
            .response("415", problem("`type`"));
    }
    common
        .operation_id(Some(format!("{group}_{name}")))
        .parameter(parameter(
            "since",
            "`next` of the last message; none for everything",
            ObjectBuilder::new().schema_type(Type::String),
        ))
        .parameter(parameter(
            "limit",
            "The rows and removals of a page; never more than by default",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .default(Some(limits.page.into())),
        ))
        .parameter(parameter(
            "keys",
            "`held`, if the `keys` that came with `since` are",
            ObjectBuilder::new().schema_type(Type::String),
        ))
}

fn text() -> utoipa::openapi::Content {
    ContentBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// What the program's own extractor answers.
const REJECTED: &str = "The program does not let the caller in, and says so in its own words";

fn upload(group: &str, limits: &Limits) -> OperationBuilder {
    let body = RequestBodyBuilder::new()
        .description(Some(format!(
            "At most {} changes and {} bytes",
            limits.batch, limits.body
        )))
        .content(JSON, content("Upload"))
        .required(Some(Required::True))
        .build();
    OperationBuilder::new()
        .operation_id(Some(format!("{group}_upload")))
        .tag(group)
        .summary(Some(
            "Applies changes within the caller's scope, and answers each",
        ))
        .request_body(Some(body))
        .response(
            "200",
            json("One outcome per change, in their order", "Outcomes"),
        )
        .response("400", problem("`message`"))
        .response("401", Response::new(REJECTED))
        .response(
            "403",
            problem("`origin`, or the program does not let the caller in"),
        )
        .response("408", problem("`slow`"))
        .response("409", problem("`clock_ahead`, `copied`"))
        .response("413", problem("`body`, `batch`"))
        .response("415", problem("`type`, `encoding`"))
        .response("500", problem("`setup`, `server`"))
        .response("503", problem("`busy`, `database`, `time`"))
}

fn parameter(name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

fn content(schema: &str) -> utoipa::openapi::Content {
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(schema)))
        .build()
}

fn json(about: &str, schema: &str) -> Response {
    ResponseBuilder::new()
        .description(about)
        .content(JSON, content(schema))
        .build()
}

fn problem(codes: &str) -> Response {
    ResponseBuilder::new()
        .description(codes)
        .content(PROBLEM, content("Problem"))
        .build()
}
