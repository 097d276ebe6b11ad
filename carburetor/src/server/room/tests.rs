use super::*;

const MOMENT: Duration = Duration::from_millis(1);

/// How long whoever waits would, unless something comes meanwhile.
const LONG: Duration = Duration::from_secs(3600);

/// How long what doesn't wait may take.
const SOON: Duration = Duration::from_secs(20);

fn rooms(waiting: usize, bodies: usize) -> Arc<Rooms> {
    Arc::new(Rooms::new(&Limits {
        waiting,
        bodies,
        streams_per_scope: 1,
        ..Limits::default()
    }))
}

/// Scopes that hold a unit each for a body, and among them all that there is.
async fn all_taken() -> (Vec<Arc<Share>>, Vec<Room>) {
    let rooms = rooms(UNIT, 8 * UNIT);
    let shares: Vec<_> = (0..8)
        .map(|scope| rooms.share("g", &scope.to_string()))
        .collect();
    let mut held = Vec::new();
    for share in &shares {
        held.push(share.body(UNIT, MOMENT).await.unwrap());
    }
    (shares, held)
}

/// Whether `room` doesn't grow, which is told at once.
async fn gives_way(share: &Share, room: &mut Room, bytes: usize) -> bool {
    let grown = timeout(SOON, share.grow(room, bytes, LONG)).await;
    grown.expect("it waits for whoever waits").is_err()
}

#[tokio::test]
async fn a_scope_takes_its_part_and_all_together_what_there_is() {
    let rooms = rooms(2 * 8 * UNIT, 8 * UNIT);
    let shares: Vec<_> = ["a", "b", "c", "d", "e"]
        .map(|scope| rooms.share("g", scope))
        .into();
    let mut taken = Vec::new();
    for share in &shares[..4] {
        taken.push(share.copy(2 * UNIT, MOMENT).await.unwrap());
        assert!(share.copy(1, MOMENT).await.is_err(), "its part is taken");
        // Bodies have room of their own.
        share.body(1, MOMENT).await.unwrap();
    }
    assert!(shares[4].page(MOMENT).await.is_err(), "all is taken");
    taken.pop();
    shares[4].page(MOMENT).await.unwrap();
}

#[tokio::test]
async fn a_page_takes_what_it_needs_and_gives_the_rest_back() {
    let rooms = rooms(2 * 8 * UNIT, UNIT);
    let share = rooms.share("g", "a");
    let told = Told::new(Page::default(), share.page(MOMENT).await.unwrap());
    let one = share.copy(UNIT, MOMENT).await.unwrap();
    assert!(share.copy(UNIT, MOMENT).await.is_err());
    drop((told, one));
    share.copy(2 * UNIT, MOMENT).await.unwrap();
}

#[tokio::test]
async fn of_two_that_hold_room_and_need_more_one_waits_and_the_other_gives_way() {
    let rooms = rooms(UNIT, 4 * 8 * UNIT);
    let share = rooms.share("g", "a");
    let mut first = share.body(4 * UNIT, MOMENT).await.unwrap();
    let mut second = share.body(4 * UNIT, MOMENT).await.unwrap();
    {
        let grown = share.grow(&mut first, 8 * UNIT, LONG);
        let mut grown = std::pin::pin!(grown);
        assert!(timeout(MOMENT, &mut grown).await.is_err(), "it waits");
        assert!(gives_way(&share, &mut second, 5 * UNIT).await);
        drop(second);
        timeout(SOON, grown).await.unwrap().unwrap();
    }
    assert!(share.body(1, MOMENT).await.is_err(), "all is taken");
    // What it needs no more than it has, it need not ask for.
    share.grow(&mut first, 8 * UNIT, MOMENT).await.unwrap();
    drop(first);
    share.body(8 * UNIT, MOMENT).await.unwrap();
}

#[tokio::test]
async fn of_two_scopes_that_need_more_than_all_have_one_waits_and_the_other_gives_way() {
    let (shares, mut held) = all_taken().await;
    let (mut first, mut second) = (held.remove(0), held.remove(0));
    let grown = shares[0].grow(&mut first, 2 * UNIT, LONG);
    let mut grown = std::pin::pin!(grown);
    assert!(timeout(MOMENT, &mut grown).await.is_err(), "it waits");
    assert!(gives_way(&shares[1], &mut second, 2 * UNIT).await);
    drop(second);
    timeout(SOON, grown).await.unwrap().unwrap();
}

#[tokio::test]
async fn whoever_comes_and_finds_all_taken_keeps_nobody_of_its_scope_waiting() {
    let (shares, mut held) = all_taken().await;
    let mut first = held.remove(0);
    let mut comes = std::pin::pin!(shares[0].body(UNIT, LONG));
    assert!(timeout(MOMENT, &mut comes).await.is_err(), "all is taken");
    {
        let mut grown = std::pin::pin!(shares[0].grow(&mut first, 2 * UNIT, LONG));
        assert!(timeout(MOMENT, &mut grown).await.is_err(), "all is taken");
        held.pop();
        // It comes to whoever asked first, whose scope has none left: so it is passed on.
        assert!(
            timeout(MOMENT, &mut comes).await.is_err(),
            "its part is taken"
        );
        timeout(SOON, grown).await.unwrap().unwrap();
    }
    drop(first);
    timeout(SOON, comes).await.unwrap().unwrap();
}

#[test]
fn pages_that_several_are_told_have_a_part_for_each_scope() {
    let rooms = rooms(2 * 8 * UNIT, UNIT);
    let shares = ["a", "b", "c", "d", "e"].map(|scope| rooms.share("g", scope));
    let mut taken: Vec<Room> = Vec::new();
    for share in &shares[..4] {
        taken.push(share.common(UNIT).unwrap());
        taken.push(share.common(UNIT).unwrap());
        assert!(share.common(1).is_none(), "its part is taken");
    }
    assert!(shares[4].common(1).is_none(), "all is taken");
    taken.pop();
    assert!(shares[4].common(UNIT).is_some());
    assert!(shares[3].common(UNIT).is_some());
    // One that is longer than that has all of it.
    drop(taken);
    let long = shares[0].common(9 * UNIT).unwrap();
    assert!(shares[0].common(1).is_none());
    drop(long);
}

#[test]
fn callers_of_one_scope_have_one_share_as_long_as_there_are_any() {
    let rooms = rooms(UNIT, UNIT);
    let (first, second) = (rooms.share("g", "a"), rooms.share("g", "a"));
    assert!(Arc::ptr_eq(&first, &second));
    assert!(!Arc::ptr_eq(&first, &rooms.share("h", "a")));
    drop((first, second));
    assert!(rooms.shares.lock().unwrap().is_empty());
}
