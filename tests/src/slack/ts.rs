//! Slack's timestamps: seconds, a dot and six digits, unique within a conversation and its messages' only id.
//! <https://docs.slack.dev/messaging/retrieving-messages>

use std::{fmt, str::FromStr};

/// A timestamp in microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ts(pub(crate) i64);

impl fmt::Display for Ts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl FromStr for Ts {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (secs, micros) = text.split_once('.').unwrap_or((text, ""));
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if secs.is_empty() || !digits(secs) || !digits(micros) || micros.len() > 6 {
            return Err(());
        }
        let secs: i64 = secs.parse().map_err(|_| ())?;
        let micros: i64 = format!("{micros:0<6}").parse().map_err(|_| ())?;
        secs.checked_mul(1_000_000)
            .and_then(|s| s.checked_add(micros))
            .map(Ts)
            .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::Ts;

    #[test]
    fn a_timestamp_reads_back_as_it_was_written() {
        for text in ["1355517523.000005", "0.000000", "1700000000.120000"] {
            assert_eq!(text.parse::<Ts>().unwrap().to_string(), text);
        }
        assert_eq!("17".parse::<Ts>().unwrap(), Ts(17_000_000));
        for bad in ["", "x", "1.2.3", "-1.0", "1.0000001", "+5"] {
            assert!(bad.parse::<Ts>().is_err(), "{bad}");
        }
    }
}
