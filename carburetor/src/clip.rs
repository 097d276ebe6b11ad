//! Foreign text in what is said of it.

/// How much of a name is repeated.
const NAME: usize = 100;

/// How much of a whole message is kept: it has to say what is to be done.
const MESSAGE: usize = 2000;

/// As much of a name that somebody has sent as tells which one it is.
pub(crate) fn name(name: &str) -> String {
    cut(name, NAME)
}

/// As much of a message, in which values and names of others' may be, as can be read.
pub(crate) fn message(message: &str) -> String {
    cut(message, MESSAGE)
}

/// At most so many bytes, and a mark that there were more.
fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end));
    format!("{}…", &text[..end.unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_its_characters() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "longe…");
        assert_eq!(cut("ééé", 3), "é…");
        assert_eq!(name(&"x".repeat(3 << 20)).len(), NAME + "…".len());
    }
}
