//! What a check has found.

use super::super::value;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok,
    /// It works, but is probably not what the operator wants.
    Warning,
    /// Something would not work.
    Fault,
}

/// One line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was checked.
    name: &'static str,
    /// What was found and what to do.
    text: String,
}

impl Finding {
    pub(super) fn ok(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Ok, name, text.into())
    }

    pub(super) fn warning(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Warning, name, text.into())
    }

    pub(super) fn fault(name: &'static str, text: impl Into<String>) -> Self {
        Self::new(Level::Fault, name, text.into())
    }

    fn new(level: Level, name: &'static str, text: String) -> Self {
        Self { level, name, text }
    }

    pub(super) fn print(&self) {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warn",
            Level::Fault => "FAIL",
        };
        // An error of the system may have lines of its own.
        let text = self.text.replace('\n', " ");
        value::say(&format!("{level:<5} {:<14} {text}", self.name));
    }
}
