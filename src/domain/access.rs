//! Who may do what: the one table of roles, scopes and permissions.

use super::event::Slug;
use super::words::words;

/// What a call of the organiser's API or a page of the console needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// To list one's own sessions and end them, and to sign out.
    Sessions,
    /// To read events, counts, charts and lists without email addresses.
    Read,
    /// To see people's email addresses and to search by them.
    ReadAddresses,
    /// To register people by hand.
    Add,
    /// To change events, and the people in them.
    Manage,
    /// To decide about the server: accounts, tokens and webhooks.
    Administer,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 6] = [
        Self::Sessions,
        Self::Read,
        Self::ReadAddresses,
        Self::Add,
        Self::Manage,
        Self::Administer,
    ];

    /// This permission for the event with this slug. A token for one event has it for that event only.
    pub fn on(self, slug: &str) -> Need<'_> {
        Need {
            permission: self,
            event: Some(slug),
        }
    }

    /// This permission for the whole server. No token for one event has it.
    pub fn everywhere(self) -> Need<'static> {
        Need {
            permission: self,
            event: None,
        }
    }

    /// The least scope that has this permission; `None` if no token can have it.
    pub fn scope(self) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.has(self))
    }

    /// What a refusal says is missing.
    pub fn wording(self) -> &'static str {
        match self {
            Self::Sessions => "to manage its own sessions",
            Self::Read => "to read what organisers see",
            Self::ReadAddresses => "to read email addresses",
            Self::Add => "to register people",
            Self::Manage => "to change events and people",
            Self::Administer => "to manage the server",
        }
    }
}

/// A permission, and the event that a call touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need<'a> {
    /// The permission.
    pub permission: Permission,
    /// The event's slug; `None` for calls about the whole server.
    pub event: Option<&'a str>,
}

words! {
    /// What an account may do.
    pub enum Role {
        /// Everything.
        Owner = "owner",
        /// Events and people.
        Manager = "manager",
        /// Counts, charts, and lists without email addresses.
        Viewer = "viewer",
        /// Reserved for checking people in; no account can have it yet.
        Door = "door",
    }
}

words! {
    /// What a token may do.
    pub enum Scope {
        /// Everything that a viewer sees.
        Read = "read",
        /// To register people, also by hand.
        Register = "register",
        /// Events and people; includes the other two.
        Manage = "manage",
    }
}

impl Role {
    /// The table of roles.
    pub fn has(self, permission: Permission) -> bool {
        use Permission::{Add, Administer, Manage, Read, ReadAddresses, Sessions};
        match (self, permission) {
            (Self::Owner, _)
            | (Self::Manager, Sessions | Read | ReadAddresses | Add | Manage)
            | (Self::Viewer, Sessions | Read)
            | (Self::Door, Sessions) => true,
            (Self::Manager, Administer)
            | (Self::Viewer, ReadAddresses | Add | Manage | Administer)
            | (Self::Door, Read | ReadAddresses | Add | Manage | Administer) => false,
        }
    }
}

impl Scope {
    /// The table of scopes.
    pub fn has(self, permission: Permission) -> bool {
        use Permission::{Add, Administer, Manage, Read, ReadAddresses, Sessions};
        match (self, permission) {
            (Self::Read, Read)
            | (Self::Register, Add)
            | (Self::Manage, Read | ReadAddresses | Add | Manage) => true,
            (Self::Read, Sessions | ReadAddresses | Add | Manage | Administer)
            | (Self::Register, Sessions | Read | ReadAddresses | Manage | Administer)
            | (Self::Manage, Sessions | Administer) => false,
        }
    }
}

/// A token's scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes {
    read: bool,
    register: bool,
    manage: bool,
}

impl Scopes {
    /// With one more.
    #[must_use]
    pub fn with(mut self, scope: Scope) -> Self {
        *match scope {
            Scope::Read => &mut self.read,
            Scope::Register => &mut self.register,
            Scope::Manage => &mut self.manage,
        } = true;
        self
    }

    /// Each one, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        let has = [self.read, self.register, self.manage];
        let all = Scope::ALL.into_iter().zip(has);
        all.filter_map(|(scope, has)| has.then_some(scope))
    }

    /// As they are stored: words, separated by spaces.
    pub fn to_words(self) -> String {
        let words: Vec<_> = self.iter().map(Scope::as_str).collect();
        words.join(" ")
    }

    /// Reads [`Self::to_words`]; `None` for an unknown word.
    pub fn of_words(words: &str) -> Option<Self> {
        let mut each = words.split_whitespace().map(Scope::parse);
        each.try_fold(Self::default(), |scopes, scope| Some(scopes.with(scope?)))
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// What somebody may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// By an account's role.
    Role(Role),
    /// By a token's scopes.
    Token {
        /// What it may do.
        scopes: Scopes,
        /// The only event where it may; `None` for every event.
        event: Option<Slug>,
    },
}

impl Grant {
    /// Whether this is enough.
    pub fn covers(&self, need: Need<'_>) -> bool {
        match self {
            Self::Role(role) => role.has(need.permission),
            Self::Token { scopes, event } => {
                let is_there = event
                    .as_ref()
                    .is_none_or(|own| need.event == Some(own.as_str()));
                is_there && scopes.iter().any(|scope| scope.has(need.permission))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_and_scope_has_its_permissions() {
        let of_role = |role: Role| Permission::ALL.map(|each| role.has(each));
        assert_eq!(of_role(Role::Owner), [true; 6]);
        assert_eq!(
            of_role(Role::Manager),
            [true, true, true, true, true, false]
        );
        assert_eq!(
            of_role(Role::Viewer),
            [true, true, false, false, false, false]
        );
        assert_eq!(
            of_role(Role::Door),
            [true, false, false, false, false, false]
        );
        let of_scope = |scope: Scope| Permission::ALL.map(|each| scope.has(each));
        assert_eq!(
            of_scope(Scope::Read),
            [false, true, false, false, false, false]
        );
        assert_eq!(
            of_scope(Scope::Register),
            [false, false, false, true, false, false]
        );
        assert_eq!(
            of_scope(Scope::Manage),
            [false, true, true, true, true, false]
        );
    }

    #[test]
    fn a_token_for_one_event_opens_no_other() {
        let scopes = Scopes::default().with(Scope::Read).with(Scope::Manage);
        let own = Grant::Token {
            scopes,
            event: Some(Slug::parse("gala").unwrap()),
        };
        assert!(own.covers(Permission::Manage.on("gala")));
        assert!(!own.covers(Permission::Manage.on("ball")));
        assert!(
            !own.covers(Permission::Manage.everywhere()),
            "no new events"
        );
        let every = Grant::Token {
            scopes,
            event: None,
        };
        assert!(every.covers(Permission::Manage.on("ball")));
        assert!(every.covers(Permission::Manage.everywhere()));
        assert!(!every.covers(Permission::Administer.everywhere()));
        assert!(Scopes::default().is_empty() && scopes.iter().count() == 2);
        assert_eq!(scopes.to_words(), "read manage");
        assert_eq!(Scopes::of_words("manage read"), Some(scopes));
        assert_eq!(Scopes::of_words("read own"), None);
    }
}
