//! Numbers for people.

/// `1482` as `1,482`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 task`, `1,482 tasks`.
pub fn counted(number: u64, noun: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(number))
}

/// Bytes as `4.4 MB`.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if size < 1_000 {
        return format!("{size} B");
    }
    let mut value = size as f64 / 1_000.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        let shown: Vec<String> = [0, 7, 999, 1_000, 1_234_567].map(grouped).into();
        assert_eq!(shown, ["0", "7", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_have_the_unit_that_fits() {
        let shown: Vec<String> = [0, 999, 1_000, 4_449_000, 999_999_999, 7_000_000_000_000]
            .map(bytes)
            .into();
        assert_eq!(
            shown,
            ["0 B", "999 B", "1.0 kB", "4.4 MB", "1.0 GB", "7.0 TB"]
        );
    }
}
