//! Pages and cursors. <https://docs.slack.dev/apis/web-api/pagination>

use serde_json::{Value, json};

use crate::slack::{args::Args, error::Refusal, state::PageOrder, ts::Ts};

/// A cursor as Slack hands it out: opaque, and in need of URL-encoding.
pub(crate) fn cursor(inner: &str) -> String {
    let hex: String = inner.bytes().map(|b| format!("{b:02x}")).collect();
    format!("{hex}==")
}

/// What `cursor` hid.
pub(crate) fn reveal(args: &Args) -> Result<Option<String>, Refusal> {
    let Some(cursor) = args.text("cursor") else {
        return Ok(None);
    };
    let hex = cursor.strip_suffix("==").ok_or("invalid_cursor")?;
    let bytes = (0..hex.len())
        .step_by(2)
        .map(|i| {
            hex.get(i..i + 2)
                .and_then(|h| u8::from_str_radix(h, 16).ok())
                .ok_or("invalid_cursor")
        })
        .collect::<Result<Vec<u8>, _>>()?;
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| "invalid_cursor".into())
}

/// One page of a plain list, with the cursor of the next.
pub(crate) fn slice<T>(all: Vec<T>, args: &Args, cap: usize) -> Result<(Vec<T>, Value), Refusal> {
    let from: usize = match reveal(args)? {
        None => 0,
        Some(inner) => inner
            .strip_prefix("item:")
            .and_then(|n| n.parse().ok())
            .ok_or("invalid_cursor")?,
    };
    let to = from.saturating_add(args.limit(100)?.min(cap));
    let next = if to < all.len() {
        cursor(&format!("item:{to}"))
    } else {
        String::new()
    };
    let page = all.into_iter().skip(from).take(to - from).collect();
    Ok((page, json!({"next_cursor": next})))
}

/// A page of timestamps, taken from the end that `order` names.
#[derive(Debug)]
pub(crate) struct TsPage {
    /// Ascending.
    pub(crate) items: Vec<Ts>,
    pub(crate) next: Option<String>,
}

/// Cuts a page out of `all` (ascending, already within the asked window).
pub(crate) fn of_timestamps(
    all: &[Ts],
    args: &Args,
    order: PageOrder,
    limit: usize,
) -> Result<TsPage, Refusal> {
    let at: Option<Ts> = match reveal(args)? {
        None => None,
        Some(inner) => {
            let micros = inner.strip_prefix("next_ts:").and_then(|n| n.parse().ok());
            Some(Ts(micros.ok_or("invalid_cursor")?))
        }
    };
    let rest: Vec<Ts> = all
        .iter()
        .copied()
        .filter(|ts| {
            at.is_none_or(|at| {
                if order == PageOrder::NewestFirst {
                    *ts < at
                } else {
                    *ts > at
                }
            })
        })
        .collect();
    let more = rest.len() > limit;
    let items = match order {
        PageOrder::NewestFirst => rest[rest.len().saturating_sub(limit)..].to_vec(),
        PageOrder::OldestFirst => rest[..limit.min(rest.len())].to_vec(),
    };
    let edge = if order == PageOrder::NewestFirst {
        items.first()
    } else {
        items.last()
    };
    let next = edge
        .filter(|_| more)
        .map(|ts| cursor(&format!("next_ts:{}", ts.0)));
    Ok(TsPage { items, next })
}
