//! The order of those who wait, and the bounds of their number.

use futures_util::FutureExt as _;
use std::pin::Pin;

use super::*;

type Waits = Pin<Box<dyn Future<Output = Result<CheckPermit, TooMany>>>>;

fn address(n: usize) -> IpAddr {
    let n = u32::try_from(n).unwrap();
    IpAddr::from((0x0A00_0000 + n).to_be_bytes())
}

/// Takes every permit there is.
fn busy(checks: &PasswordQueue) -> Vec<CheckPermit> {
    let taken = (0..AT_ONCE).map(|n| checks.take(address(1_000_000 + n), false));
    taken
        .map(|permit| permit.now_or_never().unwrap().unwrap())
        .collect()
}

/// A sign-in that waits; `None` if it is refused.
fn waits(checks: &PasswordQueue, from: IpAddr, has_failed: bool) -> Option<Waits> {
    let checks = checks.clone();
    let mut waits: Waits = Box::pin(async move { checks.take(from, has_failed).await });
    match (&mut waits).now_or_never() {
        None => Some(waits),
        Some(Err(TooMany)) => None,
        Some(Ok(_)) => panic!("a permit that was free"),
    }
}

/// How many permits are given until `waits` has one; the others' end at once.
fn permits_until(
    waits: &mut Waits,
    others: &mut Vec<Waits>,
    mut running: Vec<CheckPermit>,
) -> usize {
    for given in 0.. {
        if let Some(permit) = waits.now_or_never() {
            permit.expect("a permit");
            return given;
        }
        running.remove(0);
        others.retain_mut(|other| match other.now_or_never() {
            Some(permit) => {
                running.extend(permit);
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
            let checks = PasswordQueue::new();
            let running = busy(&checks);
            let mut strangers = Vec::new();
            let mut organiser = None;
            for n in 0..1_400 {
                strangers.extend(waits(&checks, stranger(n), false));
                if n % 20 == 0 {
                    strangers.extend(waits(&checks, stranger(n + 1_000), true));
                }
                if n == comes {
                    organiser = waits(&checks, [192, 0, 2, 1].into(), false);
                }
            }
            assert!(checks.lock().waiters.len() > 1_000, "strangers wait");
            let mut organiser = organiser.expect("is admitted");
            // One permit, or two where the first is the oldest's.
            let given = permits_until(&mut organiser, &mut strangers, running);
            assert!(
                given <= 2,
                "spread {spread}, at {comes}: after {given} checks"
            );
        }
    }
}

#[test]
fn a_newcomer_is_served_before_a_crowd_that_was_there_first() {
    let checks = PasswordQueue::new();
    let running = busy(&checks);
    // Nobody has a neighbour.
    let far = |n: u32| IpAddr::from(Ipv4Addr::from_bits(n << 24));
    let mut strangers: Vec<_> = (1..200)
        .filter_map(|n| waits(&checks, far(n), false))
        .collect();
    let mut organiser = waits(&checks, far(250), false).expect("is admitted");
    assert!(permits_until(&mut organiser, &mut strangers, running) <= 2);
}

#[test]
fn a_v6_line_is_one_address() {
    let checks = PasswordQueue::new();
    let running = busy(&checks);
    let of_line = |line: u16, host: u16| IpAddr::from([0x2001, 0xDB8, 0, line, 0, 0, 0, host]);
    let mut strangers: Vec<_> = (0..100)
        .filter_map(|host| waits(&checks, of_line(1, host), false))
        .collect();
    assert_eq!(strangers.len(), PER_ADDRESS);
    let mut organiser = waits(&checks, of_line(2, 1), false).expect("is admitted");
    strangers.extend((100..200).filter_map(|host| waits(&checks, of_line(1, host), false)));
    assert!(permits_until(&mut organiser, &mut strangers, running) <= 2);
}

#[test]
fn everybody_is_served_however_many_come_later() {
    let checks = PasswordQueue::new();
    let mut running = busy(&checks);
    let mut first = waits(&checks, address(0), true).expect("is admitted");
    let mut others: Vec<_> = (1..10)
        .filter_map(|n| waits(&checks, address(n), false))
        .collect();
    for n in 0..4 * usize::try_from(OLDEST_EVERY).unwrap() {
        if let Some(permit) = (&mut first).now_or_never() {
            permit.expect("a permit");
            return;
        }
        others.extend(waits(&checks, address(100 + n), false));
        running.remove(0);
        others.retain_mut(|other| match other.now_or_never() {
            Some(permit) => {
                running.extend(permit);
                false
            }
            None => true,
        });
    }
    panic!("the sign-in that has waited longest is never served");
}

#[test]
fn nobody_without_failures_is_refused_for_others() {
    let checks = PasswordQueue::new();
    let _running = busy(&checks);
    for has_failed in [true, false] {
        let most = if has_failed { SUSPECTED } else { UNSUSPECTED };
        // A few addresses with many each, then many with one each.
        let many = (0..PER_ADDRESS * 100).map(|n| n % 100);
        let _waiting: Vec<_> = many
            .chain(0..3_000)
            .filter_map(|n| waits(&checks, address(n), has_failed))
            .collect();
        let queue = |waiting: &Waiting| {
            let of_queue = |waiter: &&Waiter| waiter.has_failed == has_failed;
            waiting.waiters.iter().filter(of_queue).count()
        };
        assert_eq!(queue(&checks.lock()), most);
        let mut newcomer = waits(&checks, address(20_000), has_failed).expect("is admitted");
        assert_eq!(queue(&checks.lock()), most);
        assert!(
            (&mut newcomer).now_or_never().is_none(),
            "it keeps its place"
        );
    }
}

#[test]
fn a_client_that_leaves_gives_its_place_and_its_turn_back() {
    let checks = PasswordQueue::new();
    let running = busy(&checks);
    let gone = waits(&checks, address(1), false);
    drop(gone);
    let waiting = checks.lock();
    assert!(waiting.waiters.is_empty() && waiting.crowds.is_empty());
    drop(waiting);
    let given_and_left = waits(&checks, address(1), false);
    drop(running);
    drop(given_and_left);
    assert!(checks.lock().running.is_empty());
    assert_eq!(busy(&checks).len(), AT_ONCE);
}
