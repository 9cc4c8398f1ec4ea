//! Forms sent by pages.

use serde::Deserialize;

use crate::context::head::RequestHead;
use crate::http::body::{AllowedMedia, Content, Media, Unread};
use crate::http::preconditions;
use crate::problem::{Code, Problem};

/// The fields of a form, decoded.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body of a POST to a page, of at most `most` bytes.
    pub(super) async fn read(
        body: Unread,
        head: &RequestHead,
        most: usize,
    ) -> Result<Self, Problem> {
        Self::content(body, head, most).await?.decode()
    }

    /// Like [`Form::read`], but not decoded yet.
    pub(super) async fn content(
        body: Unread,
        head: &RequestHead,
        most: usize,
    ) -> Result<Content, Problem> {
        // The address of a page's form has no entity tag, so every `If-Match` fails.
        preconditions::require_tag(&head.headers, None)?;
        let content = body
            .read_up_to(most, head, AllowedMedia::JsonOrForm)
            .await?;
        match content.media {
            Media::Form => Ok(content),
            Media::Json => Err(Problem::new(
                Code::UnsupportedMediaType,
                "pages take forms; the API under /api/v1 takes JSON",
            )),
        }
    }

    /// A field's text; empty when it was not sent, as for an empty field.
    pub(super) fn get(&self, name: &str) -> &str {
        self.sent(name).unwrap_or_default()
    }

    /// A field's text, if the field was sent.
    pub(super) fn sent(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every field, in the order of the page.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether a checkbox was ticked: browsers leave the others out.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        self.get(name) == "true"
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_name() {
        let form: Form =
            serde_urlencoded::from_str("name=%E6%9D%8E+x&waitlist=true&name=second&empty=")
                .unwrap();
        assert_eq!(
            (form.get("name"), form.get("empty"), form.get("absent")),
            ("李 x", "", "")
        );
        assert!(form.is_ticked("waitlist") && !form.is_ticked("name") && !form.is_ticked("absent"));
    }
}
