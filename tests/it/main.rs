//! The one integration binary: the program told as stories, from outside.

mod model;
mod server;
mod store_story;
mod support;
