//! The order of those who wait, and the bounds of their number.

use futures_util::FutureExt as _;
use std::pin::Pin;

use super::*;

type Waits = Pin<Box<dyn Future<Output = Result<Turn, TooMany>>>>;

fn address(n: usize) -> IpAddr {
    let n = u32::try_from(n).unwrap();
    IpAddr::from((0x0A00_0000 + n).to_be_bytes())
}

/// Takes every turn there is.
fn busy(turns: &Turns) -> Vec<Turn> {
    let taken = (0..AT_ONCE).map(|n| turns.take(address(1_000_000 + n), false));
    taken
        .map(|turn| turn.now_or_never().unwrap().unwrap())
        .collect()
}

/// A sign-in that waits; `None` if it is refused.
fn waits(turns: &Turns, from: IpAddr, has_failed: bool) -> Option<Waits> {
    let turns = turns.clone();
    let mut waits: Waits = Box::pin(async move { turns.take(from, has_failed).await });
    match (&mut waits).now_or_never() {
        None => Some(waits),
        Some(Err(TooMany)) => None,
        Some(Ok(_)) => panic!("a turn that was free"),
    }
}

/// How many turns are given until `waits` has one; the others' end at once.
fn turns_until(waits: &mut Waits, others: &mut Vec<Waits>, mut running: Vec<Turn>) -> usize {
    for given in 0.. {
        if let Some(turn) = waits.now_or_never() {
            turn.expect("a turn");
            return given;
        }
        running.remove(0);
        others.retain_mut(|other| match other.now_or_never() {
            Some(turn) => {
                running.extend(turn);
                false
            }
            None => true,
        });
        assert!(given < 10_000, "never");
    }
    unreachable!()
}

/// Addresses of strangers, however they are spread.
const SPREADS: [fn(usize) -> IpAddr; 4] = [
    |n| address(n % 1_000),
    |n| address(n % 1_000 * 256),
    |n| address(n % 1_000 * 4_096),
    |n| {
        let line = u16::try_from(n % 1_000).unwrap();
        IpAddr::from([0x2001, 0xDB8, line, 0, 0, 0, 0, 1])
    },
];

#[test]
fn an_organiser_is_served_before_thousands_of_attempts_from_a_thousand_addresses() {
    for (spread, stranger) in SPREADS.into_iter().enumerate() {
        // Before them, among them, and after them.
        for comes in [0, 500, 1_399] {
            let turns = Turns::new();
            let running = busy(&turns);
            let mut strangers = Vec::new();
            let mut organiser = None;
            for n in 0..1_400 {
                strangers.extend(waits(&turns, stranger(n), false));
                if n % 20 == 0 {
                    strangers.extend(waits(&turns, stranger(n + 1_000), true));
                }
                if n == comes {
                    organiser = waits(&turns, [192, 0, 2, 1].into(), false);
                }
            }
            assert!(turns.lock().waiters.len() > 1_000, "strangers wait");
            let mut organiser = organiser.expect("is admitted");
            // One turn, or two where the first is the oldest's.
            let given = turns_until(&mut organiser, &mut strangers, running);
            assert!(
                given <= 2,
                "spread {spread}, at {comes}: after {given} turns"
            );
        }
    }
}

#[test]
fn a_newcomer_is_served_before_a_crowd_that_was_there_first() {
    let turns = Turns::new();
    let running = busy(&turns);
    // Nobody has a neighbour.
    let far = |n: u32| IpAddr::from(Ipv4Addr::from_bits(n << 24));
    let mut strangers: Vec<_> = (1..200)
        .filter_map(|n| waits(&turns, far(n), false))
        .collect();
    let mut organiser = waits(&turns, far(250), false).expect("is admitted");
    assert!(turns_until(&mut organiser, &mut strangers, running) <= 2);
}

#[test]
fn a_v6_line_is_one_address() {
    let turns = Turns::new();
    let running = busy(&turns);
    let of_line = |line: u16, host: u16| IpAddr::from([0x2001, 0xDB8, 0, line, 0, 0, 0, host]);
    let mut strangers: Vec<_> = (0..100)
        .filter_map(|host| waits(&turns, of_line(1, host), false))
        .collect();
    assert_eq!(strangers.len(), PER_ADDRESS);
    let mut organiser = waits(&turns, of_line(2, 1), false).expect("is admitted");
    strangers.extend((100..200).filter_map(|host| waits(&turns, of_line(1, host), false)));
    assert!(turns_until(&mut organiser, &mut strangers, running) <= 2);
}

#[test]
fn everybody_is_served_however_many_come_later() {
    let turns = Turns::new();
    let mut running = busy(&turns);
    let mut first = waits(&turns, address(0), true).expect("is admitted");
    let mut others: Vec<_> = (1..10)
        .filter_map(|n| waits(&turns, address(n), false))
        .collect();
    for n in 0..4 * usize::try_from(OLDEST_EVERY).unwrap() {
        if let Some(turn) = (&mut first).now_or_never() {
            turn.expect("a turn");
            return;
        }
        others.extend(waits(&turns, address(100 + n), false));
        running.remove(0);
        others.retain_mut(|other| match other.now_or_never() {
            Some(turn) => {
                running.extend(turn);
                false
            }
            None => true,
        });
    }
    panic!("the sign-in that has waited longest is never served");
}

#[test]
fn nobody_without_failures_is_refused_for_others() {
    let turns = Turns::new();
    let _running = busy(&turns);
    for has_failed in [true, false] {
        let most = if has_failed { SUSPECTED } else { UNSUSPECTED };
        // A few addresses with many each, then many with one each.
        let many = (0..PER_ADDRESS * 100).map(|n| n % 100);
        let _waiting: Vec<_> = many
            .chain(0..3_000)
            .filter_map(|n| waits(&turns, address(n), has_failed))
            .collect();
        let queue = |waiting: &Waiting| {
            let of_queue = |waiter: &&Waiter| waiter.has_failed == has_failed;
            waiting.waiters.iter().filter(of_queue).count()
        };
        assert_eq!(queue(&turns.lock()), most);
        let mut newcomer = waits(&turns, address(20_000), has_failed).expect("is admitted");
        assert_eq!(queue(&turns.lock()), most);
        assert!(
            (&mut newcomer).now_or_never().is_none(),
            "it keeps its place"
        );
    }
}

#[test]
fn a_client_that_leaves_gives_its_place_and_its_turn_back() {
    let turns = Turns::new();
    let running = busy(&turns);
    let gone = waits(&turns, address(1), false);
    drop(gone);
    let waiting = turns.lock();
    assert!(waiting.waiters.is_empty() && waiting.crowds.is_empty());
    drop(waiting);
    let given_and_left = waits(&turns, address(1), false);
    drop(running);
    drop(given_and_left);
    assert!(turns.lock().running.is_empty());
    assert_eq!(busy(&turns).len(), AT_ONCE);
}
