//! Random histories: what people, organisers, clocks and crashes do to an event.
//!
//! A history names nobody by key: it says "the fifth person of all" or "at the present position",
//! and the machine turns that into commands. So any part of a history can be removed and the rest
//! still makes sense. That lets proptest shrink a failing history to a few steps.

use proptest::prelude::*;
use proptest::sample::Index;

/// A step of a history.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Commands that are committed together.
    Batch(Vec<Ask>),
    /// The clock moves by this many milliseconds, forward or back.
    Clock(i64),
    /// The process restarts with what was stored.
    Restart,
    /// The process dies in the middle of a batch, and nobody gets an answer.
    Lost(Vec<Ask>, usize),
}

impl Step {
    /// How many steps of a run it counts for.
    pub(super) fn weight(&self) -> u64 {
        match self {
            Self::Batch(asks) | Self::Lost(asks, _) => asks.len() as u64,
            Self::Clock(_) | Self::Restart => 1,
        }
    }
}

/// A command in a history.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Register {
        person: u8,
        is_loud: bool,
        nickname: bool,
        people: u8,
        key: Option<Key>,
    },
    /// The organiser adds a person.
    Add {
        person: u8,
        has_email: bool,
        people: u8,
        over_capacity: bool,
        key: Option<Key>,
    },
    /// The organiser adds several.
    Import {
        people: Vec<(u8, bool, u8)>,
        dry_run: bool,
    },
    /// A cancelled registration gets its places back.
    Restore {
        who: Option<Index>,
        if_match: Option<Own>,
    },
    /// A registration of any round changes its party, its name, both or nothing.
    Change {
        who: Option<Index>,
        proof: Proof,
        people: Option<u8>,
        nickname: Option<bool>,
        if_match: Option<Own>,
    },
    /// One of all people of any round; `None` is a person who never registered.
    Cancel {
        who: Option<Index>,
        proof: Proof,
    },
    /// As for `Cancel`.
    Erase {
        who: Option<Index>,
        proof: Proof,
    },
    /// Every person, if the time for keeping them is over.
    EraseDue,
    Edit(Settings),
    Reset {
        capacity: Option<Places>,
    },
    Undo,
    Delete {
        confirmed: bool,
    },
    ApplySchedule,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    /// The same as in the person's other attempts.
    Own,
    /// Another person's key.
    Shared,
}

/// The position that a registration's owner names.
#[derive(Debug, Clone, Copy)]
pub(super) enum Own {
    /// The registration's own.
    Present,
    /// The event's.
    Event,
    Former,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Proof {
    Right,
    Wrong,
    /// The organiser needs none.
    Console,
    Token,
}

/// No limit, or a small one.
pub(super) type Places = Option<u8>;
/// No moment, or one this many milliseconds from now.
pub(super) type FromNow = Option<i64>;

/// A PATCH.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) title: Option<u8>,
    pub(super) description: Option<u8>,
    pub(super) capacity: Option<Places>,
    pub(super) waitlist: Option<bool>,
    pub(super) max_party_size: Option<u8>,
    pub(super) opens_in: Option<FromNow>,
    pub(super) closes_in: Option<FromNow>,
    pub(super) closed: Option<bool>,
    pub(super) if_match: Option<IfMatch>,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum IfMatch {
    Present,
    /// The present position in a list with others.
    Among,
    Former,
    ForeignEpoch,
}

pub(super) fn histories() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..24)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        16 => batch().prop_map(Step::Batch),
        4 => (-4_i64..=8).prop_map(|ticks| Step::Clock(ticks * TICK)),
        1 => Just(Step::Restart),
        2 => (batch(), prop_oneof![4 => 0..14_usize, 1 => 14..40_usize])
            .prop_map(|(asks, at)| Step::Lost(asks, at)),
    ]
}

/// Coarse steps, so that some moments are equal.
const TICK: i64 = 500;

fn batch() -> impl Strategy<Value = Vec<Ask>> {
    prop_oneof![
        3 => prop::collection::vec(ask(), 1..=3),
        2 => prop::collection::vec(visit(), 2..=9),
        1 => prop::collection::vec(ask(), 2..=9),
    ]
}

fn visit() -> impl Strategy<Value = Ask> {
    prop_oneof![20 => register(), 12 => cancel(), 8 => change(), 2 => add(), 1 => erase()]
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![
        40 => register(),
        20 => cancel(),
        15 => change(),
        6 => add(),
        4 => import(),
        8 => restore(),
        4 => erase(),
        1 => Just(Ask::EraseDue),
        18 => settings().prop_map(Ask::Edit),
        4 => prop::option::of(capacity()).prop_map(|capacity| Ask::Reset { capacity }),
        5 => Just(Ask::Undo),
        2 => prop::bool::weighted(0.25).prop_map(|confirmed| Ask::Delete { confirmed }),
        2 => Just(Ask::ApplySchedule),
    ]
}

fn register() -> impl Strategy<Value = Ask> {
    (
        0..12_u8,
        prop::bool::weighted(0.25),
        prop::bool::weighted(0.15),
        people(),
        key(),
    )
        .prop_map(|(person, is_loud, nickname, people, key)| Ask::Register {
            person,
            is_loud,
            nickname,
            people,
            key,
        })
}

fn key() -> impl Strategy<Value = Option<Key>> {
    prop_oneof![4 => Just(None), 4 => Just(Some(Key::Own)), 1 => Just(Some(Key::Shared))]
}

fn add() -> impl Strategy<Value = Ask> {
    let has_email = prop::bool::weighted(0.7);
    let over_capacity = prop::bool::weighted(0.4);
    (0..12_u8, has_email, people(), over_capacity, key()).prop_map(
        |(person, has_email, people, over_capacity, key)| Ask::Add {
            person,
            has_email,
            people,
            over_capacity,
            key,
        },
    )
}

fn import() -> impl Strategy<Value = Ask> {
    let person = (0..12_u8, prop::bool::weighted(0.6), people());
    let people = prop::collection::vec(person, 0..4);
    (people, prop::bool::weighted(0.3))
        .prop_map(|(people, dry_run)| Ask::Import { people, dry_run })
}

fn restore() -> impl Strategy<Value = Ask> {
    (
        prop::option::weighted(0.95, any::<Index>()),
        prop::option::weighted(0.2, own()),
    )
        .prop_map(|(who, if_match)| Ask::Restore { who, if_match })
}

fn own() -> impl Strategy<Value = Own> {
    prop_oneof![Just(Own::Present), Just(Own::Event), Just(Own::Former)]
}

/// Half of all parties are groups, and some are larger than the event allows.
fn people() -> impl Strategy<Value = u8> {
    prop_oneof![10 => Just(1), 9 => 2..=5_u8, 1 => 6..=20_u8]
}

fn change() -> impl Strategy<Value = Ask> {
    (
        prop::option::weighted(0.95, any::<Index>()),
        proof(),
        prop::option::weighted(0.85, people()),
        prop::option::weighted(0.2, any::<bool>()),
        prop::option::weighted(0.2, own()),
    )
        .prop_map(|(who, proof, people, nickname, if_match)| Ask::Change {
            who,
            proof,
            people,
            nickname,
            if_match,
        })
}

fn cancel() -> impl Strategy<Value = Ask> {
    (prop::option::weighted(0.95, any::<Index>()), proof())
        .prop_map(|(who, proof)| Ask::Cancel { who, proof })
}

fn erase() -> impl Strategy<Value = Ask> {
    (prop::option::weighted(0.95, any::<Index>()), proof())
        .prop_map(|(who, proof)| Ask::Erase { who, proof })
}

fn proof() -> impl Strategy<Value = Proof> {
    prop_oneof![
        5 => Just(Proof::Right),
        1 => Just(Proof::Wrong),
        2 => Just(Proof::Console),
        1 => Just(Proof::Token),
    ]
}

/// Few places, so that they run out.
fn capacity() -> impl Strategy<Value = Places> {
    prop::option::weighted(0.85, prop_oneof![3 => 0..7_u8, 1 => 7..16_u8])
}

fn settings() -> impl Strategy<Value = Settings> {
    let moment = || {
        prop::option::weighted(
            0.2,
            prop::option::weighted(0.75, (-4_i64..=6).prop_map(|ticks| ticks * TICK)),
        )
    };
    let if_match = prop_oneof![
        Just(IfMatch::Present),
        Just(IfMatch::Among),
        Just(IfMatch::Former),
        Just(IfMatch::ForeignEpoch)
    ];
    (
        (
            prop::option::weighted(0.15, 0..3_u8),
            prop::option::weighted(0.1, 0..3_u8),
        ),
        prop::option::weighted(0.5, capacity()),
        (
            prop::option::weighted(0.3, prop::bool::weighted(0.7)),
            prop::option::weighted(0.15, 1..=6_u8),
        ),
        (moment(), moment()),
        prop::option::weighted(0.3, prop::bool::weighted(0.4)),
        prop::option::weighted(0.2, if_match),
    )
        .prop_map(
            |(
                (title, description),
                capacity,
                (waitlist, max_party_size),
                (opens_in, closes_in),
                closed,
                if_match,
            )| Settings {
                title,
                description,
                capacity,
                waitlist,
                max_party_size,
                opens_in,
                closes_in,
                closed,
                if_match,
            },
        )
}
