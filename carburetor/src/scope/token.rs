//! SQL cut into tokens, as far as a scope may use it.

/// A token of an SQL expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A quoted identifier, unquoted.
    Name(String),
    /// A bare word: keyword, function or type.
    Word(String),
    /// A string or a number, as written.
    Literal(String),
    /// `$1` or `?`.
    Bind,
    /// A parenthesis, a comma, a dot or an operator.
    Symbol(String),
}

const OPERATORS: &str = "<>=!+-*/%|&~@#^";

/// The tokens of `sql`, in which binds begin with `placeholder`; or the piece that is none.
pub(crate) fn tokens(sql: &str, placeholder: char) -> Result<Vec<Token>, String> {
    // PostgreSQL has operators with a question mark.
    let in_operator = |c: char| OPERATORS.contains(c) || (c == '?' && placeholder != '?');
    let mut found = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            space if space.is_whitespace() => first.len_utf8(),
            '"' | '`' => {
                let (name, length) = enclosed(rest, first)?;
                found.push(Token::Name(name));
                length
            }
            '\'' => {
                let (_, length) = enclosed(rest, first)?;
                found.push(Token::Literal(rest[..length].into()));
                length
            }
            '(' | ')' | ',' | '.' | '[' | ']' => {
                found.push(Token::Symbol(first.into()));
                1
            }
            '?' if placeholder == '?' => {
                found.push(Token::Bind);
                1
            }
            '$' if placeholder == '$' => {
                let length = 1 + span(&rest[1..], |c| c.is_ascii_digit());
                if length == 1 {
                    return Err("$".into());
                }
                found.push(Token::Bind);
                length
            }
            digit if digit.is_ascii_digit() => {
                let length = span(rest, |c| c.is_ascii_alphanumeric() || c == '.');
                found.push(Token::Literal(rest[..length].into()));
                length
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let length = span(rest, |c| c.is_alphanumeric() || c == '_');
                if rest[length..].starts_with('\'') {
                    return Err(rest[..length].into());
                }
                found.push(Token::Word(rest[..length].into()));
                length
            }
            operator if in_operator(operator) => {
                let length = span(rest, in_operator);
                let text = &rest[..length];
                if text.contains("--") || text.contains("/*") {
                    return Err(text.into());
                }
                found.push(Token::Symbol(text.into()));
                length
            }
            other => return Err(other.into()),
        };
        rest = &rest[length..];
    }
    Ok(found)
}

/// The content between the quotes that `text` begins with, doubled quotes undone, and the length with the quotes.
fn enclosed(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        if char != quote {
            content.push(char);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            content.push(quote);
        } else {
            return Ok((content, at + 1));
        }
    }
    Err(text.into())
}

fn span(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_cut_into_tokens() {
        assert_eq!(
            tokens(r#""a""b"."c" >= $12 OR x('it''s', 1.5)"#, '$').unwrap(),
            [
                Token::Name("a\"b".into()),
                Token::Symbol(".".into()),
                Token::Name("c".into()),
                Token::Symbol(">=".into()),
                Token::Bind,
                Token::Word("OR".into()),
                Token::Word("x".into()),
                Token::Symbol("(".into()),
                Token::Literal("'it''s'".into()),
                Token::Symbol(",".into()),
                Token::Literal("1.5".into()),
                Token::Symbol(")".into()),
            ]
        );
    }

    #[test]
    fn what_could_hide_something_is_no_token() {
        for sql in ["$$ now() $$", "E'a'", "a /* b", "a;b", "\"open"] {
            assert!(tokens(sql, '$').is_err(), "{sql}");
        }
    }

    #[test]
    fn a_question_mark_is_a_bind_or_an_operator() {
        let name = || Token::Name("a".into());
        assert_eq!(
            tokens(r#""a" ?| $1"#, '$').unwrap(),
            [name(), Token::Symbol("?|".into()), Token::Bind]
        );
        assert_eq!(
            tokens("`a` = ?", '?').unwrap(),
            [name(), Token::Symbol("=".into()), Token::Bind]
        );
        assert!(tokens("`a` = $1", '?').is_err());
    }
}
