//! Servers, databases and devices that are killed, and what is left of what they had promised.

mod network;
mod party;

use carburetor_tests::{Cluster, Standby};
use party::{Device, Party};
use std::thread::sleep;
use std::time::Duration;

/// Lets everybody work for a moment.
fn moment() {
    sleep(Duration::from_millis(300 + fastrand::u64(0..400)));
}

#[test]
fn killed_devices_and_servers_and_a_cut_network_lose_nothing() {
    let cluster = Cluster::start();
    let mut party = Party::new(&cluster, 3);
    for round in 0..6 {
        moment();
        match round % 3 {
            0 => party.kill_server(),
            1 => party.devices[round % 3].kill(),
            _ => party.network.cut(),
        }
        moment();
        party.mend();
    }
    moment();
    party.ends_well();
}

#[test]
fn a_database_that_is_restarted_under_the_server_loses_nothing() {
    let cluster = Cluster::start();
    let mut party = Party::new(&cluster, 2);
    for _ in 0..3 {
        moment();
        cluster.crash();
        moment();
    }
    party.ends_well();
}

/// The primary ends with all that it hasn't passed on; the standby takes its place.
fn fail_over(party: &mut Party, cluster: Cluster, standby: &Standby) {
    drop(cluster);
    moment();
    standby.promote();
    // Whoever waits for the standby that it was itself waits forever.
    let database = standby.database(&party.database);
    database.psql("alter system reset synchronous_standby_names");
    database.psql("select pg_reload_conf()");
    party.kill_server();
    party.database = database;
    party.mend();
}

#[test]
fn a_failover_to_a_synchronous_standby_loses_nothing() {
    let cluster = Cluster::start();
    let mut party = Party::new(&cluster, 2);
    let Some(standby) = cluster.synchronous_standby() else {
        return;
    };
    for _ in 0..3 {
        moment();
    }
    fail_over(&mut party, cluster, &standby);
    for _ in 0..3 {
        moment();
    }
    party.ends_well();
}

#[test]
fn after_a_failover_that_lost_commits_replicas_hold_what_the_server_has_and_what_they_had_not_sent()
{
    let cluster = Cluster::start();
    let mut party = Party::new(&cluster, 2);
    let Some(standby) = cluster.standby() else {
        return;
    };
    moment();
    standby.wait_caught_up();
    // From here on the standby gets nothing, and the primary goes on taking uploads.
    standby.disconnect();
    for _ in 0..3 {
        moment();
    }
    let taken: i64 = party.count();
    // What is written now waits in the outboxes.
    party.network.cut();
    moment();
    let last: Vec<_> = party.devices.iter_mut().map(Device::last_line).collect();
    drop(cluster);
    standby.promote();
    party.kill_server();
    party.database = standby.database(&party.database);
    let kept: i64 = party.count();
    assert!(
        kept < taken,
        "the standby has {kept} of {taken} rows: nothing was lost"
    );
    party.mend();
    moment();
    let held = party.agree();
    for (device, last) in party.devices.iter().zip(last) {
        let rejected = device.rejected();
        assert!(
            rejected.iter().all(|change| change.ends_with(" not_found")),
            "{rejected:?}"
        );
        // What wasn't sent was sent to the new server: it stands, or was an edit of a row that the new server never had, which is kept aside.
        let (place, value) = last.expect("it has counted");
        let stands = held.iter().any(|(id, held)| *id == place && *held >= value);
        assert!(
            stands || rejected.contains(&format!("{place} not_found")),
            "{place} was {value} in the outbox of {rejected:?}, and is none of {held:?}"
        );
    }
}
