//! What a run has shown.

use super::downloader::{Competitor, Kind, Tally};
use super::replica::{Difference, Truth};
use super::uploads::Tally as Uploads;
use std::fmt;

/// What a run has shown; its display is one line per copy, and what follows from them.
#[derive(Clone, Debug)]
pub struct Verdict {
    lines: Vec<Line>,
    uploads: Option<Uploads>,
}

#[derive(Clone, Debug)]
struct Line {
    name: String,
    kind: Kind,
    consistent: bool,
    difference: Difference,
    tally: Tally,
}

impl Verdict {
    pub(super) fn of<A, E>(competitors: &[Competitor<A, E>], truth: &Truth<A, E>) -> Self {
        let line = |competitor: &Competitor<A, E>| Line {
            name: competitor.downloader.name().to_owned(),
            kind: competitor.kind,
            consistent: competitor.consistent,
            difference: competitor.downloader.compare(truth),
            tally: competitor.downloader.tally(),
        };
        Verdict {
            lines: competitors.iter().map(line).collect(),
            uploads: None,
        }
    }

    /// The same, of a run with uploads.
    pub(super) fn with(self, uploads: Uploads) -> Self {
        Verdict {
            uploads: Some(uploads),
            ..self
        }
    }

    /// Every copy of ours is right, no upload was lost, and everything naive is wrong.
    pub fn passed(&self) -> bool {
        self.wrong().is_none() && self.uploaded() && self.proves()
    }

    /// How the copy of this name differs from the tables.
    pub fn difference(&self, name: &str) -> Option<Difference> {
        let line = self.lines.iter().find(|line| line.name == name)?;
        Some(line.difference)
    }

    fn wrong(&self) -> Option<&Line> {
        self.lines.iter().find(|line| line.wrong())
    }

    fn uploaded(&self) -> bool {
        self.uploads.as_ref().is_none_or(Uploads::right)
    }

    fn proves(&self) -> bool {
        let uploads = self.uploads.as_ref().is_none_or(Uploads::proves);
        uploads
            && self
                .lines
                .iter()
                .filter(|line| line.kind == Kind::Naive)
                .all(|line| line.difference.lost + line.difference.stale > 0)
    }
}

impl Line {
    fn wrong(&self) -> bool {
        let Difference {
            lost,
            stale,
            ghosts,
            foreign,
            ..
        } = self.difference;
        let torn = self.consistent && self.tally.torn.is_some_and(|torn| torn > 0);
        self.kind == Kind::Ours
            && (lost + stale + ghosts + foreign + self.tally.needless_resets > 0 || torn)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let Difference {
                lost,
                stale,
                ghosts,
                foreign,
                rows,
            } = line.difference;
            let Tally {
                downloads,
                delivered,
                fresh,
                needless_resets,
                torn,
            } = line.tally;
            let redelivery = delivered as f64 / fresh.max(1) as f64;
            write!(
                f,
                "{:<28} lost {lost} stale {stale} ghosts {ghosts} of {rows} rows, redelivery {redelivery:.2}",
                line.name
            )?;
            match torn {
                Some(torn) if line.consistent => {
                    write!(f, ", torn {torn} of {downloads} downloads")?;
                }
                Some(torn) => {
                    write!(
                        f,
                        ", not of one instant {torn} of {downloads} downloads, as allowed"
                    )?;
                }
                None => write!(f, ", {downloads} downloads")?,
            }
            if foreign > 0 {
                write!(f, ", {foreign} foreign rows or removals")?;
            }
            if needless_resets > 0 {
                write!(f, ", {needless_resets} needless resets")?;
            }
            writeln!(f, "{}", if line.wrong() { "  <- WRONG" } else { "" })?;
        }
        if let Some(uploads) = &self.uploads {
            write!(f, "{uploads}")?;
        }
        match (self.wrong(), self.proves()) {
            (Some(_), _) => {
                writeln!(f, "FAILED: copies of ours differ from the tables")
            }
            (None, _) if !self.uploaded() => {
                writeln!(f, "FAILED: the tables are not what was answered to uploads")
            }
            (None, false) => writeln!(
                f,
                "FAILED: something naive lost nothing, so this run proves nothing; let it run for longer, or with more writers"
            ),
            (None, true) => {
                writeln!(
                    f,
                    "passed: ours lost nothing in the run in which every naive copy lost rows"
                )
            }
        }
    }
}
