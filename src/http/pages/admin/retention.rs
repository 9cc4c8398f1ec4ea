//! Saving the details may make an event's registrations due to be erased at once. The console asks
//! first, because erasing cannot be undone.

use crate::context::Context;
use crate::domain::clock::Timestamp;
use crate::domain::event::{Edit, Event};
use crate::domain::invalid::Invalid;
use crate::domain::retention::EraseAfter;
use crate::domain::zone::Zone;
use crate::http::pages::form::Form;
use crate::problem::Problem;
use crate::store::StoreError;

/// The box that confirms it. Its value is the moment that was shown: another one is asked again.
pub(in crate::http::pages) const CONFIRM: &str = "erase_now";

/// What an edit would erase at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http::pages) struct ErasesNow {
    /// When the registrations became due.
    pub(in crate::http::pages) due: Timestamp,
    /// The event's zone after the edit.
    pub(in crate::http::pages) zone: Zone,
    /// How many registrations of all rounds it concerns.
    pub(in crate::http::pages) registrations: u32,
}

/// The retention period counts from the event's end, so that one without an end has no effect.
pub(super) fn check(ends_at: Option<Timestamp>, after: Option<EraseAfter>) -> Result<(), Invalid> {
    if after.is_some() && ends_at.is_none() {
        return Err(Invalid::new(
            EraseAfter::FIELD,
            "without-end",
            "erase_after_days needs ends_at",
        ));
    }
    Ok(())
}

/// The event's end and retention period after an edit; `None` if it changes neither.
pub(super) fn edited(
    edit: &Edit,
    event: &Event,
) -> Option<(Option<Timestamp>, Option<EraseAfter>)> {
    if edit.erase_after.is_none() && edit.occasion.ends_at.is_none() {
        return None;
    }
    Some((
        edit.occasion.ends_at.unwrap_or(event.occasion.ends_at),
        edit.erase_after.unwrap_or(event.erase_after),
    ))
}

/// What an edit would erase at once; `None` if it erases nothing.
pub(super) async fn erases_now(
    context: &Context,
    event: &Event,
    edit: &Edit,
) -> Result<Option<ErasesNow>, StoreError> {
    let Some((Some(ends_at), Some(after))) = edited(edit, event) else {
        return Ok(None);
    };
    let due = after.due(ends_at);
    if due > context.clock.now() {
        return Ok(None);
    }
    let registrations = context.store.unerased_count(event.id).await?;
    let zone = edit.occasion.time_zone.as_ref();
    Ok((registrations > 0).then(|| ErasesNow {
        due,
        zone: zone.unwrap_or(&event.occasion.time_zone).clone(),
        registrations,
    }))
}

/// Fails if the edit erases something and the form does not confirm it.
pub(super) async fn confirm(
    context: &Context,
    event: &Event,
    edit: &Edit,
    form: &Form,
) -> Result<(), Problem> {
    match erases_now(context, event, edit).await? {
        Some(erases) if form.get(CONFIRM) != erases.due.to_string() => Err(Invalid::new(
            CONFIRM,
            "not-confirmed",
            "erase_now must confirm that registrations are erased at once",
        )
        .into()),
        Some(_) | None => Ok(()),
    }
}
