//! The binary on the disk.

use std::fs;

use anyhow::Result;

use crate::{lab::Lab, table::Row};

pub(crate) fn of_the_binary(lab: &Lab) -> Result<Vec<Row>> {
    let bytes = fs::metadata(&lab.katad)?.len();
    let tenths = bytes * 10 / (1 << 20);
    Ok(vec![Row::note(
        "binary size",
        format!("{}.{} MiB", tenths / 10, tenths % 10),
    )])
}
