//! The console's buttons: how an address names each, and where it leads.

use std::str::FromStr;

/// One of the console's buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http::pages) enum Action {
    Edit,
    Capacity,
    Close,
    Open,
    Reset,
    Undo,
    Announce,
    Withdraw,
    Archive,
    Unarchive,
    Delete,
    /// One registration, by its id.
    Cancel(String),
    /// One that is cancelled.
    Restore(String),
    /// What the person of one registration said, by its id.
    Erase(String),
}

/// By the path's last segment.
impl FromStr for Action {
    type Err = ();

    fn from_str(segment: &str) -> Result<Self, ()> {
        Ok(match segment {
            "edit" => Self::Edit,
            "capacity" => Self::Capacity,
            "close" => Self::Close,
            "open" => Self::Open,
            "reset" => Self::Reset,
            "undo" => Self::Undo,
            "announce" => Self::Announce,
            "withdraw" => Self::Withdraw,
            "archive" => Self::Archive,
            "unarchive" => Self::Unarchive,
            "delete" => Self::Delete,
            _ => return Err(()),
        })
    }
}

impl Action {
    /// The flash code of its success.
    pub(super) fn done(&self) -> &'static str {
        match self {
            Self::Edit => "edited",
            Self::Capacity => "capacity",
            Self::Close => "closed",
            Self::Open => "opened",
            Self::Reset => "reset",
            Self::Undo => "undone",
            Self::Announce => "announced",
            Self::Withdraw => "withdrawn",
            Self::Archive => "archived",
            Self::Unarchive => "unarchived",
            Self::Delete => "deleted",
            Self::Cancel(_) => "cancelled",
            Self::Restore(_) => "restored",
            Self::Erase(_) => "erased",
        }
    }
}

/// An address that was a page, or that shows a refused form: a reload of it opens the form's tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::pages) enum Moved {
    Form,
    Settings,
}

/// By the path's last segment.
impl FromStr for Moved {
    type Err = ();

    fn from_str(segment: &str) -> Result<Self, ()> {
        match segment {
            "questions" => Ok(Self::Form),
            "edit" | "reset" | "undo" | "delete" => Ok(Self::Settings),
            _ => Err(()),
        }
    }
}

impl Moved {
    pub(in crate::http::pages) fn tab(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Settings => "settings",
        }
    }
}

/// The tab of the console that has an action's form.
pub(super) fn tab(action: &Action) -> &'static str {
    match action {
        Action::Capacity | Action::Close | Action::Open | Action::Announce | Action::Withdraw => "",
        Action::Edit
        | Action::Reset
        | Action::Undo
        | Action::Archive
        | Action::Unarchive
        | Action::Delete => "/settings",
        Action::Cancel(_) | Action::Restore(_) | Action::Erase(_) => "/people",
    }
}
