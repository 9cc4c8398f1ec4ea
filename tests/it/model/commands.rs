//! What a history asks for, as commands: with names, keys and positions.

use headcount::domain::audit::Actor;
use headcount::domain::clock::Timestamp;
use headcount::domain::command::{Command, Revised};
use headcount::domain::event::Edit;
use headcount::domain::position::Position;
use headcount::domain::registration::{Locator, Registration, Secret};
use proptest::sample::Index;

use super::history::{Ask, IfMatch, Own, Proof, Settings};
use super::machine::{Machine, Subject};
use super::naive::{Hints, Model};
use super::people::{applicant, by_hand, name, party, pick, places, secret};

impl<S: Subject> Machine<'_, S> {
    /// Names, keys and positions for what the history only points at.
    pub(super) fn commands(&mut self, asks: &[Ask]) -> Vec<Command> {
        let mut scratch = self.model.clone();
        let since = scratch.log.len();
        let mut commands = Vec::with_capacity(asks.len());
        for ask in asks {
            let command = self.command(ask, &scratch);
            // So that a batch can cancel what it has registered itself.
            let _ = scratch.decide(&command, self.hand.now(), &Hints::new(), since);
            commands.push(command);
        }
        commands
    }

    fn command(&mut self, ask: &Ask, model: &Model) -> Command {
        match ask {
            Ask::Register {
                person,
                is_loud,
                nickname,
                people,
                key,
            } => {
                self.secrets += 1;
                Command::Register(applicant(
                    *person,
                    *is_loud,
                    *nickname,
                    *people,
                    *key,
                    secret(self.secrets),
                ))
            }
            Ask::Add {
                person,
                has_email,
                people,
                over_capacity,
                key,
            } => {
                self.secrets += 1;
                Command::Add {
                    applicant: by_hand(*person, *has_email, *people, *key, secret(self.secrets)),
                    over_capacity: *over_capacity,
                    by: Actor::AdminToken,
                }
            }
            Ask::Import { people, dry_run } => {
                let people = people.iter().map(|(person, has_email, people)| {
                    self.secrets += 1;
                    by_hand(*person, *has_email, *people, None, secret(self.secrets))
                });
                Command::Import {
                    people: people.collect(),
                    dry_run: *dry_run,
                    by: Actor::Owner,
                }
            }
            Ask::Restore { who, if_match } => {
                let (row, locator, ..) = self.named(*who, Proof::Console, model);
                Command::Restore {
                    locator,
                    expected: positions(row, *if_match, model),
                    by: Actor::Owner,
                }
            }
            Ask::Cancel { who, proof } => {
                let (_, locator, secret, by) = self.named(*who, *proof, model);
                Command::Cancel {
                    locator,
                    secret,
                    by,
                }
            }
            Ask::Change {
                who,
                proof,
                people,
                nickname,
                if_match,
            } => {
                let (row, locator, secret, by) = self.named(*who, *proof, model);
                Command::Change {
                    locator,
                    secret,
                    revised: Revised {
                        name: nickname.map(|nickname| name(locator.number, nickname)),
                        party_size: people.map(party),
                        ..Revised::default()
                    },
                    expected: positions(row, *if_match, model),
                    by,
                }
            }
            Ask::Erase { who, proof } => {
                let (_, locator, secret, by) = self.named(*who, *proof, model);
                Command::Erase {
                    locator,
                    secret,
                    by,
                }
            }
            Ask::EraseDue => Command::EraseDue {
                locators: model.everybody.iter().map(|row| row.locator).collect(),
            },
            Ask::Edit(settings) => self.edit(settings, model),
            Ask::Reset { capacity } => Command::Reset {
                expected: None,
                capacity: capacity.map(places),
                by: Actor::Owner,
            },
            Ask::Undo => Command::Undo {
                expected: None,
                by: Actor::AdminToken,
            },
            Ask::Delete { confirmed } => Command::Delete {
                expected: None,
                confirmed: *confirmed,
                by: Actor::Owner,
            },
            Ask::ApplySchedule => Command::ApplySchedule,
        }
    }

    /// One of all registrations, and who asks for it.
    fn named<'m>(
        &self,
        who: Option<Index>,
        proof: Proof,
        model: &'m Model,
    ) -> (Option<&'m Registration>, Locator, Option<Secret>, Actor) {
        let row = pick(who, &model.everybody);
        let nobody = Locator {
            event: self.event.id,
            round: 1,
            number: 4_000,
        };
        let right = || row.map_or_else(|| secret(0), |row| row.secret.clone());
        let (secret, by) = match proof {
            Proof::Right => (Some(right()), Actor::Visitor),
            Proof::Wrong => (Some(secret(0)), Actor::Visitor),
            Proof::Console => (None, Actor::Owner),
            Proof::Token => (None, Actor::AdminToken),
        };
        (row, row.map_or(nobody, |row| row.locator), secret, by)
    }

    fn edit(&self, settings: &Settings, model: &Model) -> Command {
        let moment = |from_now: i64| Timestamp::from_millis(self.hand.now().as_millis() + from_now);
        let edit = Edit {
            title: settings.title.map(|title| format!("Gala {title}")),
            description: settings.description.map(|line| format!("Line {line}")),
            capacity: settings.capacity.map(places),
            waitlist: settings.waitlist,
            max_party_size: settings.max_party_size.map(party),
            opens_at: settings.opens_in.map(|opens_in| opens_in.map(moment)),
            closes_at: settings.closes_in.map(|closes_in| closes_in.map(moment)),
            closed: settings.closed,
            ..Edit::default()
        };
        let present = model.position();
        let former = Position {
            revision: present.revision - 1,
            ..present.clone()
        };
        let expected = settings.if_match.map(|if_match| match if_match {
            IfMatch::Present => vec![present],
            IfMatch::Among => vec![former, present],
            IfMatch::Former => vec![former],
            IfMatch::ForeignEpoch => vec![Position {
                epoch: "elsewhere".parse().expect("an epoch"),
                ..present
            }],
        });
        Command::Edit {
            edit,
            expected,
            by: Actor::Owner,
        }
    }
}

/// The positions that a client who knows the registration sends in `If-Match`.
fn positions(
    row: Option<&Registration>,
    if_match: Option<Own>,
    model: &Model,
) -> Option<Vec<Position>> {
    let present = model.position();
    let own = row.map_or(present.revision, |row| row.revision);
    let at = |revision| Position {
        revision,
        ..present.clone()
    };
    if_match.map(|if_match| match if_match {
        Own::Present => vec![at(own)],
        Own::Event => vec![present.clone()],
        Own::Former => vec![at(own - 1)],
    })
}
