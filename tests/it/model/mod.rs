//! Places are never given twice and never lost: random histories against a naive model.
//!
//! The same histories run through the pure decision with rows in memory and through both databases.
//! Each run prints its seed; `MODEL_SEED` repeats it, `MODEL_STEPS` says how long it lasts. The
//! long run, before a release:
//!
//! ```sh
//! MODEL_STEPS=1000000 cargo test --test it model::pure
//! MODEL_STEPS=10000 cargo test --test it model::sqlite
//! MODEL_STEPS=10000 cargo test --test it model::postgres
//! ```

mod commands;
mod compare;
mod database;
mod history;
pub(crate) mod invariants;
pub(crate) mod machine;
mod memory;
mod naive;
mod outcome;
mod people;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Write as _;

use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use tokio::runtime::Runtime;

use crate::support::{postgres, sqlite};
use database::Database;
use machine::{Hand, Subject};

#[test]
fn pure_decisions_agree_with_a_naive_model() {
    let hand = Hand::new();
    run(
        &runtime(),
        "the pure decision",
        20_000,
        &hand,
        &mut memory::Memory::new(hand.clock()),
    );
}

#[test]
fn sqlite_agrees_with_a_naive_model() {
    let (runtime, hand, file) = (runtime(), Hand::new(), sqlite::File::new());
    let mut database = runtime.block_on(Database::open(file.url(), hand.clock()));
    run(&runtime, "SQLite", 500, &hand, &mut database);
}

#[test]
fn postgres_agrees_with_a_naive_model() {
    let (runtime, hand) = (runtime(), Hand::new());
    let mut database = runtime.block_on(async {
        Database::open(postgres::shared().create_database().await, hand.clock()).await
    });
    run(&runtime, "Postgres", 500, &hand, &mut database);
}

/// The outcomes that a long run must reach; without them it proves nothing. (`created` is never
/// seen: it comes before the first batch.)
const EVERYTHING: [&str; 39] = [
    "added",
    "already-registered",
    "cancelled",
    "capacity",
    "changed",
    "changed-meanwhile",
    "closed",
    "confirmed",
    "deleted",
    "edited",
    "erased",
    "erased when due",
    "event",
    "event-closed",
    "event-full",
    "event-not-found",
    "event-not-open",
    "given back",
    "idempotency-mismatch",
    "imported",
    "lost",
    "not imported",
    "not-empty",
    "noted",
    "nothing due",
    "opened",
    "promoted",
    "regained",
    "registered",
    "registration-cancelled",
    "registration-erased",
    "registration-not-found",
    "replayed",
    "reset",
    "restored",
    "revised",
    "stored without an answer",
    "validation-failed",
    "waiting",
];
/// This many steps reach every outcome.
const ENOUGH: u64 = 10_000;

/// Runs random histories until they have `steps` steps together.
fn run(runtime: &Runtime, name: &str, steps: u64, hand: &Hand, subject: &mut impl Subject) {
    let steps = setting("MODEL_STEPS").unwrap_or(steps);
    let seed = setting("MODEL_SEED").unwrap_or_else(rand::random);
    // Written past the test harness, which prints output only if the test fails.
    let _ = writeln!(
        std::io::stderr(),
        "model: {steps} steps against {name}, MODEL_SEED={seed}"
    );
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let histories = history::histories();
    let subject = RefCell::new(subject);
    let (mut taken, reached) = (0, RefCell::new(BTreeSet::new()));
    while taken < steps {
        let tree = histories.new_tree(&mut runner).expect("a history");
        taken += proptest::strategy::ValueTree::current(&tree)
            .iter()
            .map(history::Step::weight)
            .sum::<u64>();
        let outcome = runner.run_one(tree, |history| {
            reached.borrow_mut().extend(runtime.block_on(machine::run(
                &mut **subject.borrow_mut(),
                hand,
                &history,
            ))?);
            Ok(())
        });
        match outcome {
            Ok(_) => {}
            Err(TestError::Fail(reason, history)) => {
                panic!("MODEL_SEED={seed}: {reason}\nafter {history:#?}")
            }
            Err(TestError::Abort(reason)) => panic!("MODEL_SEED={seed}: {reason}"),
        }
    }
    if steps >= ENOUGH {
        assert_eq!(
            reached.into_inner().into_iter().collect::<Vec<_>>(),
            EVERYTHING,
            "MODEL_SEED={seed}"
        );
    }
}

/// One for a whole run: a database's connections live on it.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| {
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number"))
    })
}
