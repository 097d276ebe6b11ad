//! The origin: which database a token is of, and which part of its history.

/// What begins a clock, where a timeline would stand.
const CLOCK: char = '@';

/// A database, and where in its history it was when it was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Origin {
    /// Tells the database from others; none where its installation is of a version that had no origins.
    pub(crate) name: Option<String>,
    /// PostgreSQL's number for its history.
    pub(crate) timeline: Option<String>,
    /// On SQLite the latest instant that was given to anything, in microseconds.
    pub(crate) clock: Option<i64>,
}

/// How a token stands to the database that is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is of this database.
    #[default]
    Same,
    /// Another server goes on where this database was: it may lack what was stamped last.
    Promoted,
    /// It is of another database, or of what this one was before it went back in time.
    Other,
}

impl Origin {
    /// Reads `<name>-<timeline>` or `<name>-@<clock>`; text without `-` is a bare timeline.
    pub(crate) fn read(text: &str) -> Self {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (name, moment) = text.split_once('-').unwrap_or(("", text));
        let clock = moment.strip_prefix(CLOCK);
        Origin {
            name: some(name),
            timeline: clock.is_none().then(|| some(moment)).flatten(),
            clock: clock.and_then(|clock| clock.parse().ok()),
        }
    }

    /// The text that [`Origin::read`] reads; none where nothing is known.
    pub(crate) fn text(&self) -> Option<String> {
        let clock = self.clock.map(|clock| format!("{CLOCK}{clock}"));
        let moment = clock.or_else(|| self.timeline.clone());
        match &self.name {
            Some(name) => Some(format!("{name}-{}", moment.unwrap_or_default())),
            None => self.timeline.clone(),
        }
    }

    /// How a token of the origin `then` stands to the database, which is of this one now.
    pub(crate) fn standing(&self, then: &Origin) -> Standing {
        let differ = |one: &Option<String>, other: &Option<String>| {
            one.is_some() && other.is_some() && one != other
        };
        match () {
            () if differ(&self.name, &then.name) => Standing::Other,
            () if differ(&self.timeline, &then.timeline) => Standing::Promoted,
            () => Standing::Same,
        }
    }

    /// What the next token says, which follows one of the origin `then`.
    pub(crate) fn after(self, then: &Origin) -> Self {
        let standing = self.standing(then);
        let known = then
            .timeline
            .clone()
            .filter(|_| standing != Standing::Other);
        Origin {
            timeline: self.timeline.or(known),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_it_is_written() {
        for text in ["a1-00000001", "a1-", "00000001", "a1-@17"] {
            assert_eq!(Origin::read(text).text().as_deref(), Some(text));
        }
        assert_eq!(Origin::read("a1-@17").clock, Some(17));
        assert_eq!(Origin::read("").text(), None);
        assert_eq!(Origin::read("-").text(), None);
    }

    #[test]
    fn a_token_stands_to_a_database_as_its_origin_says() {
        let standing = |then: &str, now: &str| Origin::read(now).standing(&Origin::read(then));
        assert_eq!(standing("a-1", "b-1"), Standing::Other);
        assert_eq!(standing("a-1", "a-2"), Standing::Promoted);
        assert_eq!(standing("1", "a-2"), Standing::Promoted);
        assert_eq!(standing("a-@1", "b-1"), Standing::Other);
        for (then, now) in [
            ("a-1", "a-1"),
            ("1", "a-1"),
            ("", "a-1"),
            ("a-@1", "a-@2"),
            ("a-1", ""),
        ] {
            assert_eq!(standing(then, now), Standing::Same, "{then} {now}");
        }
    }

    #[test]
    fn a_timeline_that_is_not_told_is_the_one_before_of_the_same_database() {
        let after = |now: &str, then: &str| Origin::read(now).after(&Origin::read(then)).text();
        assert_eq!(after("a-", "a-1").as_deref(), Some("a-1"));
        assert_eq!(after("a-", "b-1").as_deref(), Some("a-"));
    }
}
