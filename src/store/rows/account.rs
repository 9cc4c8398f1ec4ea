//! The rows of accounts and tokens.

use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::super::StoreError;
use super::{row, unreadable};
use crate::domain::access::{Role, Scopes};
use crate::domain::account::{Account, Handle, Token};
use crate::domain::clock::Timestamp;
use crate::domain::event::Slug;

row! {
    struct AccountRow {
        id: i64,
        name: String,
        role: String,
        has_password: bool,
        link_expires_at: Option<i64>,
        created_at: i64,
        signed_in_at: Option<i64>,
    }
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            name: Handle::stored(&row.name),
            role: role(&row.role)?,
            has_password: row.has_password,
            link_expires_at: row.link_expires_at.map(Timestamp::from_millis),
            created_at: Some(Timestamp::from_millis(row.created_at)),
            signed_in_at: row.signed_in_at.map(Timestamp::from_millis),
        })
    }
}

pub(in crate::store) fn role(word: &str) -> Result<Role, StoreError> {
    Role::parse(word).ok_or_else(|| unreadable("role", word))
}

row! {
    struct TokenRow {
        id: i64,
        name: String,
        scopes: String,
        slug: Option<String>,
        expires_at: Option<i64>,
        created_at: i64,
        created_by: String,
        last_used_at: Option<i64>,
    }
}

impl TryFrom<TokenRow> for Token {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        let slug = |slug: String| Slug::parse(&slug).map_err(|_| unreadable("slug", &slug));
        Ok(Self {
            id: row.id,
            name: Handle::stored(&row.name),
            scopes: Scopes::of_words(&row.scopes)
                .ok_or_else(|| unreadable("scopes", &row.scopes))?,
            event: row.slug.map(slug).transpose()?,
            expires_at: row.expires_at.map(Timestamp::from_millis),
            created_at: Timestamp::from_millis(row.created_at),
            created_by: row.created_by,
            last_used_at: row.last_used_at.map(Timestamp::from_millis),
        })
    }
}
