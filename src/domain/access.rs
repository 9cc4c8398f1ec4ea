//! Who may do what: the one table of roles, scopes and permissions.

/// What a call of the organiser's API or a page of the console needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// To list one's own sessions and end them, and to sign out.
    Sessions,
    /// To read events, counts, charts and lists without e-mail addresses.
    Read,
    /// To see people's e-mail addresses and to search by them.
    ReadAddresses,
    /// To register people by hand.
    Add,
    /// To change events, and the people in them.
    Manage,
    /// To decide about the server: accounts, tokens and webhooks.
    Own,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 6] = [
        Self::Sessions,
        Self::Read,
        Self::ReadAddresses,
        Self::Add,
        Self::Manage,
        Self::Own,
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

    /// What a refusal says is missing.
    pub fn wording(self) -> &'static str {
        match self {
            Self::Sessions => "to manage its own sessions",
            Self::Read => "to read what organisers see",
            Self::ReadAddresses => "to read e-mail addresses",
            Self::Add => "to register people",
            Self::Manage => "to change events and people",
            Self::Own => "to manage the server",
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

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything.
    Owner,
    /// Events and people.
    Manager,
    /// Counts, charts, and lists without e-mail addresses.
    Viewer,
    /// Reserved for checking people in; no account can have it yet.
    Door,
}

impl Role {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Manager, Self::Viewer, Self::Door];

    /// The one with this word; `None` if there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == word)
    }

    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Manager => "manager",
            Self::Viewer => "viewer",
            Self::Door => "door",
        }
    }
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything that a viewer sees.
    Read,
    /// To register people, also by hand.
    Register,
    /// Events and people; includes the other two.
    Manage,
}

impl Scope {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Read, Self::Register, Self::Manage];

    /// The one with this word; `None` if there is none.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.as_str() == word)
    }

    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Register => "register",
            Self::Manage => "manage",
        }
    }
}

impl Role {
    /// The table of roles.
    pub fn has(self, permission: Permission) -> bool {
        use Permission::{Add, Manage, Own, Read, ReadAddresses, Sessions};
        match (self, permission) {
            (Self::Owner, _)
            | (Self::Manager, Sessions | Read | ReadAddresses | Add | Manage)
            | (Self::Viewer, Sessions | Read)
            | (Self::Door, Sessions) => true,
            (Self::Manager, Own)
            | (Self::Viewer, ReadAddresses | Add | Manage | Own)
            | (Self::Door, Read | ReadAddresses | Add | Manage | Own) => false,
        }
    }
}

impl Scope {
    /// The table of scopes.
    pub fn has(self, permission: Permission) -> bool {
        use Permission::{Add, Manage, Own, Read, ReadAddresses, Sessions};
        match (self, permission) {
            (Self::Read, Read)
            | (Self::Register, Add)
            | (Self::Manage, Read | ReadAddresses | Add | Manage) => true,
            (Self::Read, Sessions | ReadAddresses | Add | Manage | Own)
            | (Self::Register, Sessions | Read | ReadAddresses | Manage | Own)
            | (Self::Manage, Sessions | Own) => false,
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
}
