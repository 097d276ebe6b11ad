//! Clocks, whatever the time does.

use carburetor::clock::{Clock, ClockExhausted, DEFAULT_DRIFT, Ticker, TimeSource};
use carburetor::testing::ManualTime;
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

const REPLICA: u64 = 7;

fn noon() -> DateTime<Utc> {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

fn millis(instant: DateTime<Utc>) -> u64 {
    u64::try_from(instant.timestamp_millis()).unwrap()
}

/// Neighbours in every part as often as clocks that have nothing in common.
fn clocks() -> impl Strategy<Value = Clock> {
    let millis = prop_oneof![0..4_u64, 0..1_u64 << 48];
    let counter = prop_oneof![0..4_u16, any::<u16>()];
    let replica = prop_oneof![0..4_u64, any::<u64>()];
    (millis, counter, replica)
        .prop_map(|(millis, counter, replica)| Clock::new(millis, counter, replica))
}

#[derive(Debug, Clone)]
enum Step {
    Tick,
    /// Another's clock, so many milliseconds ahead of the time.
    Observe(i64, u16, u64),
    /// The machine's time goes on or back.
    Time(i64),
    Restart,
    /// The server's time, so many milliseconds ahead of the machine's.
    Follow(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let far = 200_000_i64;
    let step = prop_oneof![
        4 => Just(Step::Tick),
        2 => (-far..far, prop_oneof![Just(u16::MAX), any::<u16>()], any::<u64>()).prop_map(|(ahead, counter, replica)| Step::Observe(ahead, counter, replica)),
        2 => prop_oneof![-3..3_i64, -far..far].prop_map(Step::Time),
        1 => Just(Step::Restart),
        1 => (-far..far).prop_map(Step::Follow),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #[test]
    fn text_sorts_as_the_clocks_do_and_comes_back(one in clocks(), other in clocks()) {
        prop_assert_eq!(one.to_string().cmp(&other.to_string()), one.cmp(&other));
        prop_assert_eq!(one.to_string().parse::<Clock>(), Ok(one));
        let json = serde_json::to_string(&one).unwrap();
        prop_assert_eq!(serde_json::from_str::<Clock>(&json).unwrap(), one);
        prop_assert!(one.successor() > one || one.millis() == (1 << 48) - 1);
    }

    #[test]
    fn a_ticker_never_goes_back_and_never_runs_away(steps in steps()) {
        let time = ManualTime::at(noon());
        let mut ticker = Ticker::new(REPLICA, time.clone());
        let (mut known, mut latest, mut ticks) = (Clock::ZERO, time.now(), 0);
        for step in steps {
            let now = time.now() + ticker.offset();
            latest = latest.max(now);
            match step {
                Step::Tick => {
                    ticks += 1;
                    let clock = ticker.tick().unwrap();
                    prop_assert!(clock > known && clock.replica() == REPLICA);
                    prop_assert!(clock.millis() >= millis(now));
                    known = clock;
                }
                Step::Observe(ahead, counter, replica) => {
                    let clock = Clock::new(millis(now + TimeDelta::milliseconds(ahead)), counter, replica);
                    match ticker.observe(clock) {
                        Ok(()) => known = known.max(clock),
                        Err(error) => prop_assert_eq!((error.clock, error.now), (clock, now)),
                    }
                    let bound = i64::try_from(DEFAULT_DRIFT.as_millis()).unwrap();
                    prop_assert_eq!(ticker.observe(clock).is_ok(), ahead <= bound);
                }
                Step::Time(by) => time.advance(TimeDelta::milliseconds(by)),
                Step::Restart => {
                    let last = ticker.last();
                    ticker = Ticker::new(REPLICA, time.clone());
                    ticker.resume(last);
                    ticker.resume(Clock::ZERO);
                }
                Step::Follow(ahead) => ticker.follow(time.now() + TimeDelta::milliseconds(ahead)),
            }
            prop_assert_eq!(ticker.last(), known);
            // Each observed counter may be full, so that the next tick rolls over.
            let bound = latest + TimeDelta::from_std(DEFAULT_DRIFT).unwrap();
            prop_assert!(known.millis() <= millis(bound) + ticks);
        }
    }

    #[test]
    fn new_clocks_of_unsent_changes_stand_in_order_after_what_was_known(
        steps in steps(),
        after in -200_000..200_000_i64,
        count in 0..200_usize,
    ) {
        let time = ManualTime::at(noon());
        let ticker = Ticker::new(REPLICA, time.clone());
        let mut seen = Clock::ZERO;
        for step in steps {
            match step {
                Step::Tick => drop(ticker.tick().unwrap()),
                Step::Observe(ahead, counter, replica) => {
                    let clock = Clock::new(millis(time.now() + TimeDelta::milliseconds(ahead)), counter, replica);
                    if ticker.observe(clock).is_ok() {
                        seen = seen.max(clock);
                    }
                }
                Step::Time(by) => time.advance(TimeDelta::milliseconds(by)),
                Step::Follow(ahead) => ticker.follow(time.now() + TimeDelta::milliseconds(ahead)),
                Step::Restart => {}
            }
        }
        let after = Clock::new(millis(noon() + TimeDelta::milliseconds(after)), 3, REPLICA);
        let mut unsent = vec![Clock::ZERO; count];
        ticker.renew(after, &mut unsent).unwrap();
        unsent.insert(0, after.max(seen));
        unsent.push(ticker.tick().unwrap());
        prop_assert!(unsent.is_sorted_by(|one, next| one < next));
    }
}

#[test]
fn a_full_counter_rolls_into_the_next_millisecond() {
    let ticker = Ticker::new(REPLICA, ManualTime::at(noon()));
    ticker.resume(Clock::new(millis(noon()), u16::MAX, 9));
    assert_eq!(
        ticker.tick(),
        Ok(Clock::new(millis(noon()) + 1, 0, REPLICA))
    );
}

#[test]
fn a_replica_that_runs_ahead_goes_on_at_the_servers_time() {
    let hour = TimeDelta::hours(1);
    let time = ManualTime::at(noon() + hour);
    let (server, replica) = (
        Ticker::new(1, ManualTime::at(noon())),
        Ticker::new(REPLICA, time),
    );
    let mut unsent = [replica.tick().unwrap(), replica.tick().unwrap()];
    let refused = server.observe(unsent[0]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the clock of replica 0000000000000007 says 2026-01-31T13:00:00.000Z, more than 60s ahead of 2026-01-31T12:00:00.000Z: \
         set the time of the machine that is wrong; a replica follows the server's"
    );
    assert_eq!(server.last(), Clock::ZERO);

    replica.follow(refused.now);
    assert_eq!(replica.offset(), -hour);
    // Until its unsent changes have new clocks, the replica keeps their order.
    assert!(replica.tick().unwrap() > unsent[1]);
    replica.renew(Clock::ZERO, &mut unsent).unwrap();
    assert_eq!(unsent[0], Clock::new(millis(noon()), 0, REPLICA));
    assert_eq!(unsent[1], Clock::new(millis(noon()), 1, REPLICA));
    assert_eq!(server.observe(unsent[1]), Ok(()));
    assert!(server.tick().unwrap() > unsent[1]);
}

#[test]
fn no_clock_is_given_out_twice_by_threads_that_share_a_ticker() {
    let time: Arc<dyn TimeSource> = Arc::new(ManualTime::at(noon()));
    let ticker = Ticker::new(REPLICA, time);
    let given = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..1000)
                        .map(|_| ticker.tick().unwrap())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let given = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        given.collect::<HashSet<_>>()
    });
    assert_eq!(given.len(), 4000);
}

#[test]
fn renewing_that_runs_out_of_clocks_changes_nothing() {
    let ticker = Ticker::new(REPLICA, ManualTime::at(noon()));
    let last = ticker.tick().unwrap();
    let mut unsent = [last, last];
    let end: Clock = "fffffffffffffffe0000000000000007".parse().unwrap();
    assert_eq!(ticker.renew(end, &mut unsent), Err(ClockExhausted));
    assert_eq!((unsent, ticker.last()), ([last, last], last));
}
