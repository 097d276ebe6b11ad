//! A table's name out of the SQL that Diesel writes for it.

/// Schema and name out of quoted, or bare, identifiers with dots between them.
pub(crate) fn split_name(rendered: &str) -> (Option<String>, String) {
    let mut identifiers = identifiers(rendered);
    let table = identifiers.pop().unwrap_or_default();
    (identifiers.pop(), table)
}

fn identifiers(rendered: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut rest = rendered.chars().peekable();
    let mut quote = None;
    while let Some(character) = rest.next() {
        match quote {
            Some(open) if character == open => match rest.next_if_eq(&open) {
                Some(doubled) => push(&mut found, doubled),
                None => quote = None,
            },
            Some(_) => push(&mut found, character),
            None if character == '"' || character == '`' => quote = Some(character),
            None if character == '.' => found.push(String::new()),
            None => push(&mut found, character),
        }
    }
    found
}

fn push(found: &mut [String], character: char) {
    if let Some(last) = found.last_mut() {
        last.push(character);
    }
}

#[cfg(test)]
mod tests {
    use super::split_name;

    fn split(rendered: &str) -> (Option<String>, String) {
        split_name(rendered)
    }

    #[test]
    fn a_name_alone_has_no_schema() {
        assert_eq!(split(r#""users""#), (None, "users".into()));
        assert_eq!(split("`users`"), (None, "users".into()));
        assert_eq!(split("users"), (None, "users".into()));
    }

    #[test]
    fn the_schema_stands_before_the_dot() {
        assert_eq!(
            split(r#""play"."games""#),
            (Some("play".into()), "games".into())
        );
        assert_eq!(
            split("`play`.`games`"),
            (Some("play".into()), "games".into())
        );
    }

    #[test]
    fn a_doubled_quote_is_one_quote() {
        assert_eq!(split(r#""a""b""#), (None, r#"a"b"#.into()));
        assert_eq!(split("`a``b`"), (None, "a`b".into()));
        assert_eq!(split(r#""""""#), (None, "\"".into()));
    }

    #[test]
    fn a_dot_inside_quotes_is_part_of_the_name() {
        assert_eq!(split(r#""a.b"."c.d""#), (Some("a.b".into()), "c.d".into()));
    }

    #[test]
    fn the_other_quote_is_a_letter() {
        assert_eq!(split("\"a`b\""), (None, "a`b".into()));
        assert_eq!(split("`a\"b`"), (None, "a\"b".into()));
    }
}
