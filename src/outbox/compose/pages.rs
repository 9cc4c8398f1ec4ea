//! The two templates of mails.

use askama::Template;

use super::content::Content;
use crate::text::Texts;

/// The text part. Nothing is escaped.
#[derive(Template)]
#[template(path = "mail.txt", escape = "none")]
pub(super) struct TextMail<'a> {
    t: Texts,
    content: &'a Content,
    link: Option<&'a String>,
    unsubscribe: Option<&'a String>,
}

/// The HTML part: a table with styles in its elements, because mail programs drop most of the rest.
#[derive(Template)]
#[template(path = "mail.html")]
pub(super) struct HtmlMail<'a> {
    t: Texts,
    content: &'a Content,
    link: Option<&'a String>,
    unsubscribe: Option<&'a String>,
}

macro_rules! mail {
    ($name:ident) => {
        impl<'a> $name<'a> {
            pub(super) fn new(
                t: Texts,
                content: &'a Content,
                link: Option<&'a String>,
                unsubscribe: Option<&'a String>,
            ) -> Self {
                Self {
                    t,
                    content,
                    link,
                    unsubscribe,
                }
            }

            pub(super) fn text(&self) -> String {
                // Writing into a string cannot fail.
                self.render().expect("a mail")
            }
        }
    };
}

mail!(TextMail);
mail!(HtmlMail);
