//! A few seeds of the simulation, against both servers.

use carburetor_tests::simulation::{Backend, Trouble, run};

fn converges(backend: Backend, seeds: std::ops::Range<u64>, troubles: &[Trouble]) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    for seed in seeds {
        let tally = runtime.block_on(run(backend, seed, 100, troubles));
        let tally = tally.unwrap_or_else(|problem| panic!("seed {seed}: {problem}"));
        assert!(tally.synced > 0 && tally.accepted > 0, "seed {seed}");
    }
}

#[test]
fn replicas_of_a_server_on_sqlite_converge() {
    converges(Backend::Sqlite, 0..3, &[]);
}

#[test]
fn replicas_of_a_server_on_postgres_converge() {
    converges(Backend::Postgres, 0..1, &[]);
}

#[test]
fn replicas_converge_whatever_befalls_them() {
    converges(Backend::Sqlite, 3..7, &Trouble::ALL);
    converges(Backend::Postgres, 1..2, &Trouble::ALL);
}
