//! What a server's OpenAPI document says of an answer.

use serde_json::{Map, Value};

/// Checks that the document has this answer to `method` at `path`, and that the body is what its schema says.
pub(super) fn covers(document: &Value, method: &str, path: &str, status: u16, body: &Value) {
    let path = path.split('?').next().unwrap();
    let item = &document["paths"][format!("/{path}")];
    assert!(item.is_object(), "{path} is not documented");
    let operation = &item[method];
    if operation.is_null() {
        assert_eq!(status, 405, "{method} {path} is not documented");
        return;
    }
    let response = &operation["responses"][status.to_string()];
    assert!(
        response.is_object(),
        "{status} of {method} {path} is not documented"
    );
    if let Some(content) = response["content"].as_object() {
        let kinds = ["application/json", "application/problem+json"];
        let schema = kinds.iter().find_map(|kind| content.get(*kind)).unwrap();
        fits(document, &schema["schema"], body, path);
    }
}

/// Checks that `value` is what `schema` says, as far as the documents of this library say anything.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document.pointer(name.strip_prefix('#').unwrap());
        return fits(
            document,
            schema.unwrap_or_else(|| panic!("{name} is nowhere")),
            value,
            at,
        );
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        Value::Null => vec![],
        kind => vec![kind.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(
        kinds.is_empty() || kinds.contains(&kind.into()),
        "{at} is {value}, not {kinds:?}"
    );
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(document, &schema["items"], item, &format!("{at}[{place}]"));
    }
    let Some(members) = value.as_object() else {
        return;
    };
    let none = Map::new();
    let known = schema["properties"].as_object().unwrap_or(&none);
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(
            members.contains_key(name.as_str().unwrap()),
            "{at} has no {name}: {value}"
        );
    }
    for (name, member) in members {
        let at = format!("{at}.{name}");
        match (known.get(name), &schema["additionalProperties"]) {
            (Some(schema), _) => fits(document, schema, member, &at),
            (None, Value::Bool(true)) => {}
            (None, schema) if schema.is_object() => fits(document, schema, member, &at),
            (None, _) => assert!(known.is_empty(), "{at} is not documented: {value}"),
        }
    }
}
