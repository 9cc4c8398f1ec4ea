//! Whether this program can read each row, and what a row repeats.

use futures_util::TryStreamExt as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{FromRow, Row as _, query_as};

use super::super::super::rows::{
    ConfirmationRow, EventRow, RegistrationRow, confirmation_columns, event_columns,
    registration_columns,
};
use super::{Faults, Outcome};
use crate::domain::confirmation::Confirmation;
use crate::domain::event::Event;
use crate::domain::registration::Registration;
use crate::domain::search;

const EVENTS: &str = concat!("SELECT ", event_columns!(), " FROM events ORDER BY id");
const REGISTRATIONS: &str = concat!(
    "SELECT ",
    registration_columns!(),
    ", email_key, search_key FROM registrations ORDER BY event_id, round, number"
);

const CONFIRMATIONS: &str = concat!(
    "SELECT ",
    confirmation_columns!(),
    " FROM confirmations ORDER BY id"
);

/// Reads each event, each registration and each confirmation.
pub(super) async fn check(connection: &mut SqliteConnection) -> Outcome {
    let mut faults = Faults::default();
    let mut read: u64 = 0;
    let mut events = query_as::<_, EventRow>(EVENTS).fetch(&mut *connection);
    while let Some(row) = events.try_next().await? {
        read += 1;
        let name = format!("event {}", row.slug());
        if let Err(error) = Event::try_from(row) {
            faults.add(format!("{name}: {error}"));
        }
    }
    drop(events);
    let mut registrations = query_as::<_, Keyed>(REGISTRATIONS).fetch(&mut *connection);
    while let Some(row) = registrations.try_next().await? {
        read += 1;
        if let Err(fault) = row.check() {
            faults.add(fault);
        }
    }
    drop(registrations);
    let mut confirmations = query_as::<_, ConfirmationRow>(CONFIRMATIONS).fetch(connection);
    while let Some(row) = confirmations.try_next().await? {
        read += 1;
        if let Err(error) = Confirmation::try_from(row) {
            faults.add(format!("confirmation: {error}"));
        }
    }
    Ok(faults.or(|| format!("{read} rows can be read")))
}

/// A registration, and the columns that are made of its name and address.
struct Keyed {
    row: RegistrationRow,
    email_key: String,
    search_key: String,
}

impl FromRow<'_, SqliteRow> for Keyed {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            row: RegistrationRow::from_row(row)?,
            email_key: row.try_get("email_key")?,
            search_key: row.try_get("search_key")?,
        })
    }
}

impl Keyed {
    /// The fault is without names and addresses: it is logged.
    fn check(self) -> Result<(), String> {
        let name = self.row.place();
        let row = Registration::try_from(self.row).map_err(|error| format!("{name}: {error}"))?;
        if self.email_key != row.email_key() {
            return Err(format!("{name}: its email_key is not of its address"));
        }
        if self.search_key != search::key(&row.name, row.email.as_ref()) {
            return Err(format!(
                "{name}: its search_key is not of its name and address"
            ));
        }
        Ok(())
    }
}
