//! How many people one registration is for.

use serde::{Serialize, Serializer};

use super::invalid::Invalid;

/// The people of one registration: 1..=[`Self::MAX`]. In JSON a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartySize(u8);

impl PartySize {
    /// A larger party is an event of its own. The databases' CHECKs repeat this number.
    pub const MAX: u32 = 20;
    /// One person.
    pub const ONE: Self = Self(1);

    /// A party of `people`. `field` is the name in the API. Fails unless it is in 1..=[`Self::MAX`].
    pub fn parse(field: &'static str, people: i64) -> Result<Self, Invalid> {
        match u8::try_from(people) {
            Ok(size @ 1..) if u32::from(size) <= Self::MAX => Ok(Self(size)),
            _ => Err(Self::out_of_range(field, Self::MAX)),
        }
    }

    /// The error for a party that is not in 1..=`most`.
    pub fn out_of_range(field: &'static str, most: u32) -> Invalid {
        let message = format!("{field} must be a whole number from 1 to {most}");
        Invalid::new(field, "out-of-range", message)
    }

    /// How many people.
    pub fn get(self) -> u32 {
        u32::from(self.0)
    }

    /// How many people besides the one who registers.
    pub fn companions(self) -> u32 {
        self.get() - 1
    }
}

impl Serialize for PartySize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_has_1_to_20_people() {
        for good in [1, 2, 20] {
            let size = PartySize::parse("party_size", good).unwrap();
            assert_eq!(i64::from(size.get()), good);
            assert_eq!(serde_json::to_value(size).unwrap(), good);
            assert_eq!(i64::from(size.companions()), good - 1);
        }
        for bad in [0, -1, 21, 256, 257, i64::MIN, i64::MAX] {
            let refused = PartySize::parse("party_size", bad).unwrap_err();
            assert_eq!(refused.field, "party_size", "{bad}");
        }
    }
}
