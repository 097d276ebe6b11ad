//! What may befall a history besides what befalls every one.

use fastrand::Rng;

/// What befalls every second history, if it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The server is restored from an older copy of itself, or takes turns with one.
    Restores,
    /// Lines bear little at once, and servers take little.
    Lines,
    /// The server stores ids in another form, and its triggers keep rows away.
    Triggers,
    /// A device is a hub: others know only that.
    Hubs,
    /// Rows are there before the installation, with stamps of a time far ahead; clocks of devices are years ahead.
    Future,
    /// Files of devices can't grow for a while.
    Disks,
    /// Somebody stores values that models can't read.
    Values,
}

impl Trouble {
    /// All of them.
    pub const ALL: [Trouble; 7] = [
        Trouble::Restores,
        Trouble::Lines,
        Trouble::Triggers,
        Trouble::Hubs,
        Trouble::Future,
        Trouble::Disks,
        Trouble::Values,
    ];

    /// What it is called on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::Restores => "restores",
            Trouble::Lines => "lines",
            Trouble::Triggers => "triggers",
            Trouble::Hubs => "hubs",
            Trouble::Future => "future",
            Trouble::Disks => "disks",
            Trouble::Values => "values",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Trouble::ALL
            .into_iter()
            .find(|trouble| trouble.name() == name)
    }
}

/// The troubles of one history.
#[derive(Debug, Clone)]
pub(super) struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Each of those that are asked for befalls every second history.
    pub(super) fn of(asked: &[Trouble], seed: u64) -> Self {
        let mut rng = Rng::with_seed(!seed);
        let befalls = Trouble::ALL.into_iter().filter(|_| rng.bool());
        Troubles(befalls.filter(|trouble| asked.contains(trouble)).collect())
    }

    pub(super) fn has(&self, trouble: Trouble) -> bool {
        self.0.contains(&trouble)
    }
}
