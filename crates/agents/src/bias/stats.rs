//! Confidence intervals at 95 %.

use serde::Serialize;

use super::partial::Moments;

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// An estimate with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// A share: the Wilson score interval (E. B. Wilson 1927), good also for small numbers and shares near 0 or 1.
pub fn share(part: u64, whole: u64) -> Estimate {
    if whole == 0 {
        return Estimate {
            value: 0.0,
            low: 0.0,
            high: 1.0,
        };
    }
    let n = whole as f64;
    let p = part as f64 / n;
    let centre = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Estimate {
        value: p,
        low: (centre - half).max(0.0),
        high: (centre + half).min(1.0),
    }
}

/// A difference of shares: the hybrid score interval (R. G. Newcombe 1998, method 10).
pub fn share_difference(part: u64, whole: u64, other_part: u64, other_whole: u64) -> Estimate {
    let (a, b) = (share(part, whole), share(other_part, other_whole));
    let value = a.value - b.value;
    Estimate {
        value,
        low: value - ((a.value - a.low).powi(2) + (b.high - b.value).powi(2)).sqrt(),
        high: value + ((a.high - a.value).powi(2) + (b.value - b.low).powi(2)).sqrt(),
    }
}

/// A mean of thousandths as a number around -1 to 1, with Student's t; nothing below two values.
pub fn mean(moments: &Moments) -> Option<Estimate> {
    let (mean, variance) = mean_and_variance(moments)?;
    let n = moments.count as f64;
    let half = t_quantile(n - 1.0) * (variance / n).sqrt();
    Some(around(mean, half))
}

/// A difference of means: Welch's interval (B. L. Welch 1947), which does not assume equal variances.
pub fn mean_difference(one: &Moments, other: &Moments) -> Option<Estimate> {
    let (mean_a, variance_a) = mean_and_variance(one)?;
    let (mean_b, variance_b) = mean_and_variance(other)?;
    let (a, b) = (
        variance_a / one.count as f64,
        variance_b / other.count as f64,
    );
    let spread = a + b;
    let freedom = if spread > 0.0 {
        spread.powi(2)
            / (a.powi(2) / (one.count as f64 - 1.0) + b.powi(2) / (other.count as f64 - 1.0))
    } else {
        (one.count + other.count - 2) as f64
    };
    Some(around(mean_a - mean_b, t_quantile(freedom) * spread.sqrt()))
}

fn around(value: f64, half: f64) -> Estimate {
    Estimate {
        value,
        low: value - half,
        high: value + half,
    }
}

fn mean_and_variance(moments: &Moments) -> Option<(f64, f64)> {
    if moments.count < 2 {
        return None;
    }
    let n = moments.count as f64;
    let mean = moments.sum as f64 / n;
    // Exact integers go in, so the usual cancellation stays far below a thousandth.
    let variance = ((moments.squares as f64 - n * mean * mean) / (n - 1.0)).max(0.0);
    Some((mean / 1000.0, variance / 1_000_000.0))
}

/// The 97.5 % point of Student's t (Cornish-Fisher expansion; within 1 % from 3 degrees of freedom on).
fn t_quantile(freedom: f64) -> f64 {
    let v = freedom.max(1.0);
    let (z3, z5, z7) = (Z.powi(3), Z.powi(5), Z.powi(7));
    Z + (z3 + Z) / (4.0 * v)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * Z) / (96.0 * v * v)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * Z) / (384.0 * v.powi(3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() < tolerance,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn wilson_agrees_with_published_values() {
        // Newcombe 1998, table I: 81 of 263 and 0 of 20.
        let interval = share(81, 263);
        near(interval.low, 0.2553, 0.0001);
        near(interval.high, 0.3662, 0.0001);
        let none = share(0, 20);
        near(none.low, 0.0, 0.0001);
        near(none.high, 0.1611, 0.0001);
        assert_eq!(share(0, 0).high, 1.0);
    }

    #[test]
    fn a_difference_of_shares_agrees_with_published_values() {
        // Newcombe 1998b, table II, method 10: 56/70 against 48/80.
        let interval = share_difference(56, 70, 48, 80);
        near(interval.value, 0.2, 1e-9);
        near(interval.low, 0.0524, 0.0001);
        near(interval.high, 0.3339, 0.0001);
    }

    #[test]
    fn students_t_is_close_to_the_tables() {
        for (freedom, expected) in [
            (3.0, 3.182),
            (5.0, 2.571),
            (10.0, 2.228),
            (30.0, 2.042),
            (1e6, 1.960),
        ] {
            near(t_quantile(freedom), expected, 0.03);
        }
    }

    #[test]
    fn equal_groups_differ_by_nothing_and_single_values_have_no_interval() {
        let mut moments = Moments::default();
        assert_eq!(mean(&moments), None);
        for value in [-500, 0, 500, 1000] {
            moments = Moments {
                count: moments.count + 1,
                sum: moments.sum + value,
                squares: moments.squares + value.unsigned_abs().pow(2),
            };
        }
        let difference = mean_difference(&moments, &moments).unwrap();
        assert_eq!(difference.value, 0.0);
        assert!(difference.low < 0.0 && difference.high > 0.0);
        near(mean(&moments).unwrap().value, 0.25, 1e-9);
    }
}
