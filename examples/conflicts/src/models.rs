//! One customer of Pagila under each strategy: five models of one table. A struct may have fewer fields than its table.

use carburetor::SyncTable;
use carburetor::merge::{Merge, Versions};
use chrono::{DateTime, Utc};

diesel::table! {
    customer (customer_id) {
        customer_id -> Integer,
        first_name -> Text,
        last_name -> Text,
        email -> Nullable<Text>,
        last_update -> Nullable<Timestamptz>,
    }
}

macro_rules! customers {
    ($($model:ident $strategy:literal),*) => {$(
        #[derive(Debug, Clone, PartialEq, SyncTable)]
        #[diesel(table_name = customer)]
        #[sync(backends(postgres), conflict = $strategy)]
        pub struct $model {
            #[sync(id)]
            pub customer_id: i32,
            pub first_name: String,
            pub last_name: String,
            pub email: Option<String>,
            #[sync(last_synced_at)]
            pub last_update: Option<DateTime<Utc>>,
        }
    )*};
}

customers!(
    ByField "fields",
    ByRow "last_write_wins",
    ServerFirst "server_wins",
    ReplicaFirst "client_wins",
    Merged "custom"
);

impl Merge for Merged {
    /// Names as the server has them, and both addresses of a customer who has two.
    fn merge(versions: Versions<Self>) -> Self {
        let mut emails: Vec<String> = [versions.server.email.clone(), versions.sent.email]
            .into_iter()
            .flatten()
            .collect();
        emails.dedup();
        Merged {
            email: Some(emails.join("; ")).filter(|emails| !emails.is_empty()),
            ..versions.server
        }
    }
}
