//! The problem codes, with their status and title (docs/protocol.md, section 9).

use warp::http::StatusCode;

/// The kinds of problems; each has an anchor on the page `/problems`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "each is documented by its title and on the page /problems"
)]
pub enum Code {
    MalformedBody,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    EventNotFound,
    RegistrationNotFound,
    MethodNotAllowed,
    NotAcceptable,
    BodyTooLarge,
    UnsupportedMediaType,
    EventFull,
    EventClosed,
    EventNotOpen,
    AlreadyRegistered,
    RegistrationCancelled,
    RegistrationErased,
    SlugTaken,
    NameTaken,
    NotEmpty,
    ChangedMeanwhile,
    ValidationFailed,
    IdempotencyMismatch,
    TooManyRequests,
    Busy,
    DatabaseUnreachable,
    Draining,
    Internal,
}

impl Code {
    /// Every code, in the order of the page `/problems`.
    pub const ALL: [Self; 28] = [
        Self::MalformedBody,
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::EventNotFound,
        Self::RegistrationNotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::EventFull,
        Self::EventClosed,
        Self::EventNotOpen,
        Self::AlreadyRegistered,
        Self::RegistrationCancelled,
        Self::RegistrationErased,
        Self::SlugTaken,
        Self::NameTaken,
        Self::NotEmpty,
        Self::ChangedMeanwhile,
        Self::ValidationFailed,
        Self::IdempotencyMismatch,
        Self::TooManyRequests,
        Self::Busy,
        Self::DatabaseUnreachable,
        Self::Draining,
        Self::Internal,
    ];

    /// The word in `code`, in `type` and on the page.
    pub fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        self.facts().1
    }

    /// A short English title, the same for every occurrence.
    pub fn title(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::MalformedBody => (
                "malformed-body",
                StatusCode::BAD_REQUEST,
                "The body cannot be read",
            ),
            Self::BadRequest => (
                "bad-request",
                StatusCode::BAD_REQUEST,
                "The request cannot be understood",
            ),
            Self::Unauthorized => (
                "unauthorized",
                StatusCode::UNAUTHORIZED,
                "This needs the organiser's credentials",
            ),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "This is not allowed"),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is nothing at this address",
            ),
            Self::EventNotFound => (
                "event-not-found",
                StatusCode::NOT_FOUND,
                "There is no such event",
            ),
            Self::RegistrationNotFound => (
                "registration-not-found",
                StatusCode::NOT_FOUND,
                "There is no such registration",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take that method",
            ),
            Self::NotAcceptable => (
                "not-acceptable",
                StatusCode::NOT_ACCEPTABLE,
                "None of the accepted media types can be given",
            ),
            Self::BodyTooLarge => (
                "body-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body's media type is not supported",
            ),
            Self::EventFull => (
                "event-full",
                StatusCode::CONFLICT,
                "Not enough places are free",
            ),
            Self::EventClosed => (
                "event-closed",
                StatusCode::CONFLICT,
                "Registration is closed",
            ),
            Self::EventNotOpen => (
                "event-not-open",
                StatusCode::CONFLICT,
                "Registration has not opened yet",
            ),
            Self::AlreadyRegistered => (
                "already-registered",
                StatusCode::CONFLICT,
                "This email address is registered already",
            ),
            Self::RegistrationCancelled => (
                "registration-cancelled",
                StatusCode::CONFLICT,
                "This registration is cancelled",
            ),
            Self::RegistrationErased => (
                "registration-erased",
                StatusCode::CONFLICT,
                "This registration's data were erased",
            ),
            Self::SlugTaken => (
                "slug-taken",
                StatusCode::CONFLICT,
                "An event with this slug exists already",
            ),
            Self::NameTaken => ("name-taken", StatusCode::CONFLICT, "This name is taken"),
            Self::NotEmpty => (
                "not-empty",
                StatusCode::CONFLICT,
                "This would lose registrations, or there is nothing to undo",
            ),
            Self::ChangedMeanwhile => (
                "changed-meanwhile",
                StatusCode::PRECONDITION_FAILED,
                "The event was changed in the meantime",
            ),
            Self::ValidationFailed => (
                "validation-failed",
                StatusCode::UNPROCESSABLE_ENTITY,
                "Some fields are not valid",
            ),
            Self::IdempotencyMismatch => (
                "idempotency-mismatch",
                StatusCode::UNPROCESSABLE_ENTITY,
                "This idempotency key was used with another body",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests from this address",
            ),
            Self::Busy => (
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "The server is busy",
            ),
            Self::DatabaseUnreachable => (
                "database-unreachable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The database cannot be reached",
            ),
            Self::Draining => (
                "draining",
                StatusCode::SERVICE_UNAVAILABLE,
                "The server is stopping",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something is broken on the server",
            ),
        }
    }
}
