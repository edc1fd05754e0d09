//! Durations, as people write and read them.

use std::time::Duration;

/// Reads `500ms`, `30s`, `10m`, `2h`.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a duration such as `500ms`, `30s`, `10m` or `2h`");
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .ok_or_else(wrong)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(unit_ms)
        .map(Duration::from_millis)
        .ok_or_else(wrong)
}

/// Shortest pause between two looks: a server has other things to do.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// Reads a pause between two looks.
pub fn parse_pause(text: &str) -> Result<Duration, String> {
    let pause = parse(text)?;
    if pause < PAUSE_MIN {
        return Err(format!(
            "`{text}` is too often; look every {} at most",
            show(PAUSE_MIN)
        ));
    }
    Ok(pause)
}

/// Writes `340 ms`, `4.2 s`, `3m 20s`, `2h 5m`.
pub fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3_600 => format!("{}m {}s", seconds / 60, seconds % 60),
        _ => format!("{}h {}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_read() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("10m"), Ok(Duration::from_secs(600)));
        assert!(parse_pause("1s").is_ok() && parse_pause("1ms").is_err());
        for text in [
            "",
            "10",
            "m",
            "-1s",
            "1.5s",
            "10 m",
            "99999999999999999999d",
            "9999999999999999d",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_people_read_is_short() {
        let shown: Vec<String> = [340, 4_200, 200_000, 7_500_000]
            .map(|ms| show(Duration::from_millis(ms)))
            .into();
        assert_eq!(shown, ["340 ms", "4.2 s", "3m 20s", "2h 5m"]);
    }
}
