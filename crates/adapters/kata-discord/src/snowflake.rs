//! Discord's snowflake: an id, its time and its place in the order, all in one.
//!
//! 64 bits, the upper 42 of them milliseconds since the first second of 2015:
//! <https://docs.discord.com/developers/reference#snowflakes>.

use std::cmp::Ordering;

use kata_channel::{OrderKey, Timestamp};

/// 2015-01-01T00:00:00Z.
const EPOCH_MS: i64 = 1_420_070_400_000;
/// Bits below the time.
const BELOW: u32 = 22;

/// The id as a number; none if it is not one.
pub(crate) fn number(id: &str) -> Option<i64> {
    let is_plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    // Snowflakes stay below 2^63 until the year 2084.
    is_plain.then(|| id.parse().ok()).flatten()
}

/// The order key of a message.
pub(crate) fn order(id: &str) -> Option<OrderKey> {
    number(id).map(OrderKey)
}

/// When something was made.
pub(crate) fn time(id: &str) -> Option<Timestamp> {
    number(id).map(|n| Timestamp::from_millis((n >> BELOW) + EPOCH_MS))
}

/// The id that stands for a moment: everything made later has a greater one.
pub(crate) fn at(moment: Timestamp) -> String {
    let millis = moment.as_millis().saturating_sub(EPOCH_MS).max(0);
    // 42 bits are years; what lies beyond them is as far as it goes.
    let number = millis.min(i64::MAX >> BELOW) << BELOW;
    number.to_string()
}

/// The id just before this one: for questions that mean "from here on".
pub(crate) fn before(id: &str) -> Option<String> {
    number(id).map(|n| n.saturating_sub(1).max(0).to_string())
}

/// The order of two ids; one that cannot be read comes first, so that nothing is skipped for its sake.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    number(a).cmp(&number(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_of_the_documentation_is_read() {
        // <https://docs.discord.com/developers/reference#snowflakes>
        assert_eq!(
            time("175928847299117063"),
            Some(Timestamp::from_millis(1_462_015_105_796))
        );
        for bad in ["", "x", "-1", "+1", " 1", "99999999999999999999"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn ids_are_ordered_as_numbers_and_not_as_words() {
        assert!(compare("99", "100").is_lt());
        assert!(compare("junk", "0").is_lt());
        assert_eq!(before("100").as_deref(), Some("99"));
        assert_eq!(before("0").as_deref(), Some("0"));
    }

    proptest! {
        #[test]
        fn a_moment_survives_the_way_there_and_back(millis in EPOCH_MS..3_600_000_000_000_i64) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(time(&at(moment)), Some(moment));
        }

        #[test]
        fn no_moment_is_too_odd_to_stand_for(millis in any::<i64>()) {
            prop_assert!(number(&at(Timestamp::from_millis(millis))).is_some());
        }
    }
}
