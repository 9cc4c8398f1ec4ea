//! What must be stored, and what must not have changed.

use headcount::domain::event::Event;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::machine::Dump;
use super::naive::Model;

/// All that is stored if the subject has done what the model did.
pub(super) fn expected(model: &Model) -> Dump {
    if model.gone {
        return Dump {
            event: None,
            registrations: Vec::new(),
            changes: Vec::new(),
            audit: model.audit.clone(),
        };
    }
    let mut registrations = model.everybody.clone();
    registrations.sort_by_key(|row| row.locator);
    Dump {
        event: Some(model.event()),
        registrations,
        changes: model.log.clone(),
        audit: model.audit.clone(),
    }
}

/// Fails unless `dump` is what the model expects.
pub(super) fn stored(dump: &Dump, model: &Model) -> Result<(), TestCaseError> {
    let expected = expected(model);
    prop_assert_eq!(&dump.event, &expected.event);
    prop_assert_eq!(&dump.registrations, &expected.registrations);
    prop_assert_eq!(&dump.changes, &expected.changes);
    prop_assert_eq!(&dump.audit, &expected.audit);
    Ok(())
}

/// Fails if refusals changed anything but what the schedule had due.
pub(super) fn unchanged(before: &Dump, after: &Dump) -> Result<(), TestCaseError> {
    const MESSAGE: &str = "a refusal changed something";
    let settings = |dump: &Dump| {
        dump.event.clone().map(|event| Event {
            scheduled: false,
            ended: false,
            ..event
        })
    };
    prop_assert_eq!(settings(before), settings(after), "{}", MESSAGE);
    prop_assert_eq!(&before.registrations, &after.registrations, "{}", MESSAGE);
    prop_assert_eq!(&before.audit, &after.audit, "{}", MESSAGE);
    Ok(())
}
