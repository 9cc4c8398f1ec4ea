//! An event's row.

use std::sync::Arc;

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::super::StoreError;
use super::{capacity, count, party_size, row, unreadable};
use crate::domain::clock::Timestamp;
use crate::domain::event::{Event, Slug};
use crate::domain::mail::{MailKinds, MailSettings, RemindBefore};
use crate::domain::occasion::{Occasion, OnlineUrl};
use crate::domain::proof_of_work::ProofOfWork;
use crate::domain::questions::Questions;
use crate::domain::retention::EraseAfter;
use crate::domain::visibility::Visibility;
use crate::domain::zone::Zone;

/// The columns of [`EventRow`].
macro_rules! event_columns {
    () => {
        "id, slug, epoch, title, description, capacity, waitlist, opens_at, closes_at, scheduled, \
         ended, closed, round, revision, registered, waiting, last_number, at, announcement, \
         max_party_size, waiting_companions, starts_at, ends_at, time_zone, location, online_url, \
         contact, edits, edited_at, questions, erase_after_days, proof_of_work, \
         public_chart, remind_hours_before, mail_off, visibility, archived"
    };
}
/// Binds the columns of an event that change, in the order of [`event_columns`]. The announcement is
/// not among them.
macro_rules! bind_event {
    ($query:expr, $event:expr) => {
        $query
            .bind(&$event.title)
            .bind(&$event.description)
            .bind($crate::store::rows::places($event.capacity))
            .bind($event.waitlist)
            .bind(
                $event
                    .opens_at
                    .map($crate::domain::clock::Timestamp::as_millis),
            )
            .bind(
                $event
                    .closes_at
                    .map($crate::domain::clock::Timestamp::as_millis),
            )
            .bind($event.scheduled)
            .bind($event.ended)
            .bind($event.closed)
            .bind(i64::from($event.round))
            .bind($event.revision)
            .bind(i64::from($event.registered))
            .bind(i64::from($event.waiting))
            .bind(i64::from($event.last_number))
            .bind($event.at.as_millis())
            .bind(i64::from($event.max_party_size.get()))
            .bind(i64::from($event.waiting_companions))
    };
}
pub(in crate::store) use {bind_event, event_columns};

row! {
    struct EventRow {
        id: i64,
        slug: String,
        epoch: String,
        title: String,
        description: String,
        capacity: Option<i64>,
        waitlist: bool,
        opens_at: Option<i64>,
        closes_at: Option<i64>,
        scheduled: bool,
        ended: bool,
        closed: bool,
        round: i64,
        revision: i64,
        registered: i64,
        waiting: i64,
        last_number: i64,
        at: i64,
        announcement: i64,
        max_party_size: i64,
        waiting_companions: i64,
        starts_at: Option<i64>,
        ends_at: Option<i64>,
        time_zone: String,
        location: String,
        online_url: Option<String>,
        contact: String,
        edits: i64,
        edited_at: Option<i64>,
        questions: String,
        erase_after_days: Option<i64>,
        proof_of_work: String,
        public_chart: bool,
        remind_hours_before: Option<i64>,
        mail_off: String,
        visibility: String,
        archived: bool,
    }
}

impl EventRow {
    pub(in crate::store) fn slug(&self) -> &str {
        &self.slug
    }
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            slug: Slug::parse(&row.slug).map_err(|_| unreadable("slug", &row.slug))?,
            epoch: row
                .epoch
                .parse()
                .map_err(|_| unreadable("epoch", &row.epoch))?,
            title: row.title,
            description: row.description,
            capacity: capacity(row.capacity)?,
            waitlist: row.waitlist,
            opens_at: row.opens_at.map(Timestamp::from_millis),
            closes_at: row.closes_at.map(Timestamp::from_millis),
            occasion: Arc::new(Occasion {
                starts_at: row.starts_at.map(Timestamp::from_millis),
                ends_at: row.ends_at.map(Timestamp::from_millis),
                time_zone: Zone::stored(&row.time_zone),
                location: row.location,
                online_url: row.online_url.map(OnlineUrl::stored),
                contact: row.contact,
            }),
            erase_after: row
                .erase_after_days
                .map(EraseAfter::parse)
                .transpose()
                .map_err(|_| unreadable("erase_after_days", "out of range"))?,
            proof_of_work: ProofOfWork::parse(&row.proof_of_work)
                .ok_or_else(|| unreadable("proof_of_work", &row.proof_of_work))?,
            public_chart: row.public_chart,
            visibility: Visibility::parse(&row.visibility)
                .ok_or_else(|| unreadable("visibility", &row.visibility))?,
            archived: row.archived,
            mail: MailSettings {
                remind_before: row
                    .remind_hours_before
                    .map(RemindBefore::parse)
                    .transpose()
                    .map_err(|_| unreadable("remind_hours_before", "out of range"))?,
                mails: MailKinds::of_stored(&row.mail_off),
            },
            edits: count("edits", row.edits)?,
            edited_at: row.edited_at.map(Timestamp::from_millis),
            scheduled: row.scheduled,
            ended: row.ended,
            closed: row.closed,
            round: count("round", row.round)?,
            revision: row.revision,
            registered: count("registered", row.registered)?,
            waiting: count("waiting", row.waiting)?,
            last_number: count("last_number", row.last_number)?,
            at: Timestamp::from_millis(row.at),
            announcement: row.announcement,
            max_party_size: party_size("max_party_size", row.max_party_size)?,
            waiting_companions: count("waiting_companions", row.waiting_companions)?,
            questions: Questions::of_stored(&row.questions)
                .map_err(|_| unreadable("questions", &row.questions))?
                .into(),
        })
    }
}
