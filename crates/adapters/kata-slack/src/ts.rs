//! Slack's `ts`: a message's id, its time and its place in the order, all in one.
//!
//! Seconds and microseconds with a dot between (`1512085950.000216`), unique in a conversation:
//! <https://docs.slack.dev/messaging/retrieving-messages>.

use std::cmp::Ordering;

use kata_channel::{OrderKey, Timestamp};

/// `ts` in microseconds since 1970; none if it is not one.
pub(crate) fn micros(ts: &str) -> Option<i64> {
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if seconds.is_empty() || fraction.len() > 6 || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    seconds.checked_mul(1_000_000)?.checked_add(fraction)
}

/// The order key of a message.
pub(crate) fn order(ts: &str) -> Option<OrderKey> {
    micros(ts).map(OrderKey)
}

/// When a message was written.
pub(crate) fn time(ts: &str) -> Option<Timestamp> {
    micros(ts).map(|m| Timestamp::from_millis(m / 1_000))
}

/// The `ts` that stands for a moment.
pub(crate) fn at(moment: Timestamp) -> String {
    let millis = moment.as_millis().max(0);
    format!("{}.{:06}", millis / 1_000, millis % 1_000 * 1_000)
}

/// The order of two `ts`; one that cannot be read comes first, so that nothing is skipped for its sake.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    micros(a).cmp(&micros(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ts_is_read_to_the_microsecond() {
        assert_eq!(micros("1512085950.000216"), Some(1_512_085_950_000_216));
        assert_eq!(micros("1512085950.5"), Some(1_512_085_950_500_000));
        assert_eq!(micros("0"), Some(0));
        for bad in [
            "",
            ".",
            "x.1",
            "1.0000001",
            "-1.0",
            "1.-2",
            "99999999999999999999.0",
        ] {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_survives_the_way_there_and_back(millis in 0_i64..4_102_444_800_000) {
            let moment = Timestamp::from_millis(millis);
            prop_assert_eq!(time(&at(moment)), Some(moment));
        }

        #[test]
        fn no_text_is_too_odd_to_read(text in ".{0,40}") {
            let _ = micros(&text);
        }
    }
}
