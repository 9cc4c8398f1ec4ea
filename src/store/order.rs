//! The order of a list of registrations.

/// What a list is sorted by. Equal rows follow each other by number, so every order is total, and a
/// page goes on exactly where the one before ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortKey {
    /// The registration's number.
    #[default]
    Number,
    /// The name, without case and accents as a search compares it.
    Name,
    /// When somebody registered.
    At,
}

/// An order, from the first to the last or back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Order {
    /// What is compared.
    pub by: SortKey,
    /// From the last to the first.
    pub descending: bool,
}

impl Order {
    /// The orders that a client may ask for, with their words.
    pub const ALL: [(&'static str, Self); 5] = [
        ("number", Self::new(SortKey::Number, false)),
        ("-number", Self::new(SortKey::Number, true)),
        ("name", Self::new(SortKey::Name, false)),
        ("at", Self::new(SortKey::At, false)),
        ("-at", Self::new(SortKey::At, true)),
    ];

    const fn new(by: SortKey, descending: bool) -> Self {
        Self { by, descending }
    }

    /// Reads a word of [`Self::ALL`].
    pub fn parse(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|(own, _)| *own == word).map(|(_, order)| order)
    }

    /// Its word; empty for an order that no client asks for.
    pub fn as_str(self) -> &'static str {
        let mut all = Self::ALL.into_iter();
        all.find(|(_, order)| *order == self)
            .map_or("", |(word, _)| word)
    }

    /// The same, from the other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::new(self.by, !self.descending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_one_word_and_is_its_own_way_back() {
        for (word, order) in Order::ALL {
            assert_eq!(Order::parse(word), Some(order));
            assert_eq!(order.as_str(), word);
            assert_eq!(order.reversed().reversed(), order);
        }
        for none in ["", "-name", "Number", "email", "+at", " number"] {
            assert_eq!(Order::parse(none), None, "{none}");
        }
        assert_eq!(Order::default().as_str(), "number");
    }
}
