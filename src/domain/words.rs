//! Closed lists of words: each variant of an enum is one word in the API and in the database.

/// Declares such an enum: `ALL` in the order of the variants, `as_str`, `parse`, and the word as JSON.
///
/// ```text
/// words! {
///     pub enum Step {
///         Hour = "hour",
///         Day = "day",
///     }
/// }
/// ```
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident { $( $(#[$about:meta])* $variant:ident = $word:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis enum $name { $( $(#[$about])* $variant, )+ }

        impl $name {
            /// All of them, in their order.
            $vis const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// The word in the API and the database.
            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one with this word; `None` if there is none.
            $vis fn parse(word: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|one| one.as_str() == word)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    words! {
        /// For the test.
        #[derive(Default)]
        enum Colour {
            /// The first.
            #[default]
            Red = "red",
            /// The second.
            LightBlue = "light-blue",
        }
    }

    #[test]
    fn a_word_is_read_as_it_is_written() {
        for one in Colour::ALL {
            assert_eq!(Colour::parse(one.as_str()), Some(one));
            assert_eq!(serde_json::json!(one), one.as_str());
        }
        assert_eq!(Colour::ALL.map(Colour::as_str), ["red", "light-blue"]);
        for other in ["", "Red", "red ", "lightblue"] {
            assert_eq!(Colour::parse(other), None, "{other:?}");
        }
    }
}
