//! Forms with a file (RFC 7578), as the console's import sends them.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use multer::Multipart;
use warp::http::header;

use crate::context::head::RequestHead;
use crate::http::body::{self, Unread};
use crate::http::pages::form::Form;
use crate::http::preconditions;
use crate::problem::{Code, Problem};

/// Beside the file: the other fields, what separates them, and the line ends that a browser adds to
/// a file that the page carries as text.
const AROUND: usize = body::ORGANISER_MAX;
/// The field of the file.
const FILE: &str = "file";

/// A form, and the file in it.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) form: Form,
    /// Empty if no file was chosen.
    pub(super) file: Bytes,
}

/// Reads a form with a file of at most [`body::IMPORT_MAX`] bytes.
pub(super) async fn read(body: Unread, head: &RequestHead) -> Result<Upload, Problem> {
    // The address of a page's form has no entity tag, so every `If-Match` fails.
    preconditions::require_tag(&head.headers, None)?;
    let most = body::IMPORT_MAX + AROUND;
    let bytes = body.read_file(most, head, "multipart/form-data").await?;
    let boundary = multer::parse_boundary(head.header(header::CONTENT_TYPE).unwrap_or_default());
    let boundary = boundary.map_err(|error| malformed(&error))?;
    // The body was read before, within its bounds.
    let whole = stream::iter([Ok::<_, Infallible>(bytes)]);
    split(Multipart::new(whole, boundary)).await
}

async fn split(mut parts: Multipart<'_>) -> Result<Upload, Problem> {
    let (mut fields, mut file) = (Vec::new(), Bytes::new());
    while let Some(part) = parts
        .next_field()
        .await
        .map_err(|error| malformed(&error))?
    {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(|error| malformed(&error))?;
        if name == FILE {
            file = bytes;
        } else {
            fields.push((name, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    Ok(Upload {
        form: fields.into_iter().collect(),
        file,
    })
}

fn malformed(error: &multer::Error) -> Problem {
    Problem::new(
        Code::MalformedBody,
        format!("the form cannot be read: {error}"),
    )
}
