use carburetor::replica::{Replica, ReplicaError, Transport};
use carburetor::{SyncGroup, SyncTable};

diesel::table! {
    notes (id) { id -> Integer, updated_at -> Timestamptz, }
}

#[derive(SyncTable)]
#[sync(backends(postgres))]
struct Note {
    id: i32,
    #[sync(last_synced_at)]
    updated_at: chrono::DateTime<chrono::Utc>,
}

type Notes = SyncGroup<(Note,)>;

fn open(transport: impl Transport) -> Result<Replica<Notes>, ReplicaError> {
    Replica::<Notes>::open("device", transport)
}

fn main() {}
