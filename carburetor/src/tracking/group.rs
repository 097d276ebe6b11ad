//! The tracking of a group's tables.

use super::{Installed, Tracking};
use crate::backend::SyncBackend;
use crate::group::{SyncGroup, TrackTables};

impl<T, S> SyncGroup<T, S> {
    /// The tracking of the group's tables on `DB`. See [`Tracking`].
    ///
    /// ```
    /// # #[cfg(feature = "postgres-backend")] {
    /// use carburetor::{SyncGroup, SyncTable};
    /// use diesel::pg::Pg;
    /// # diesel::table! { users (id) { id -> Text, last_synced_at -> Timestamptz, } }
    /// # #[derive(SyncTable)]
    /// # #[sync(backends(postgres))]
    /// # struct User { id: String, last_synced_at: chrono::DateTime<chrono::Utc> }
    /// type Mobile = SyncGroup<(User,)>;
    /// let up_sql = Mobile::tracking::<Pg>().to_string();
    /// assert!(up_sql.contains(r#"trigger "~carburetor_stamp" before insert or update on "users""#));
    /// # }
    /// ```
    pub fn tracking<DB>() -> Tracking<DB>
    where
        DB: SyncBackend,
        T: TrackTables<DB>,
    {
        Tracking::of(T::definitions().into_iter().cloned())
    }

    /// The way from the installed tracking to that of the group's tables. See [`Tracking::since`].
    ///
    /// ```
    /// # #[cfg(feature = "postgres-backend")] {
    /// use carburetor::{SyncGroup, SyncTable, tracking::Installed};
    /// use diesel::pg::Pg;
    /// # diesel::table! { users (id) { id -> Text, last_synced_at -> Timestamptz, } }
    /// # #[derive(SyncTable)]
    /// # #[sync(backends(postgres))]
    /// # struct User { id: String, last_synced_at: chrono::DateTime<chrono::Utc> }
    /// type Mobile = SyncGroup<(User,)>;
    /// let checked_in = Mobile::tracking::<Pg>().to_string();
    /// let installed: Installed = checked_in.parse()?;
    /// assert!(!Mobile::tracking_since::<Pg>(&installed).to_string().contains(r#"on "users""#));
    /// # }
    /// # Ok::<(), carburetor::tracking::TrackingError>(())
    /// ```
    pub fn tracking_since<DB>(installed: &Installed) -> Tracking<DB>
    where
        DB: SyncBackend,
        T: TrackTables<DB>,
    {
        Self::tracking().since(installed)
    }
}
