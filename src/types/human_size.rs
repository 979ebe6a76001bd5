//! Sizes as people read them.

/// A size for people: `12.3 MB`, in powers of 1000 as registries count.
#[must_use]
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut divisor: u64 = 1000;
    let mut unit = 0;
    while bytes / divisor >= 1000 && unit + 1 < UNITS.len() {
        divisor *= 1000;
        unit += 1;
    }
    format!("{}.{} {}", bytes / divisor, bytes % divisor * 10 / divisor, UNITS[unit])
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_short() {
        for (bytes, text) in
            [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_550_000, "1.5 MB"), (71_300_000_000, "71.3 GB")]
        {
            assert_eq!(super::human_size(bytes), text);
        }
    }
}
