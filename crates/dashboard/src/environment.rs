//! Where a server stands: a word and a colour on every page, so that nobody takes one server for another.

/// Longest name, in characters: more would push the navigation aside.
const NAME_CHARS_MAX: usize = 24;

/// Colours that a setting can name, with the classes that give them.
const COLOURS: [(&str, &str); 6] = [
    ("red", "t-bad"),
    ("amber", "t-warn"),
    ("green", "t-good"),
    ("blue", "t-running"),
    ("teal", "t-assigned"),
    ("grey", "t-off"),
];

/// Beginnings of names that tell their colour.
const KNOWN: [(&str, &str); 6] = [
    ("prod", "t-bad"),
    ("live", "t-bad"),
    ("stag", "t-warn"),
    ("test", "t-running"),
    ("dev", "t-good"),
    ("local", "t-good"),
];

/// Where a server stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    name: String,
    tone: &'static str,
}

impl Environment {
    /// Reads a setting: a name, or a name, a colon and a colour (`red`, `amber`, `green`, `blue`, `teal`, `grey`). Without a
    /// colour, what begins with `prod` or `live` is red, `stag` amber, `test` blue, `dev` or `local` green, and the rest
    /// teal. Nothing for a setting without a name.
    pub fn parse(setting: &str) -> Option<Self> {
        let setting = setting.trim();
        let coloured = setting.rsplit_once(':').and_then(|(name, colour)| {
            let colour = colour.trim().to_lowercase();
            let found = COLOURS.iter().find(|(word, _)| *word == colour)?;
            Some((name.trim(), found.1))
        });
        let (name, tone) = coloured.unwrap_or_else(|| (setting, tone_of(setting)));
        let name = crate::ui::text::short(name, NAME_CHARS_MAX);
        (!name.is_empty()).then_some(Self { name, tone })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The class that gives its colour.
    pub fn tone(&self) -> &'static str {
        self.tone
    }
}

fn tone_of(name: &str) -> &'static str {
    let name = name.to_lowercase();
    KNOWN
        .iter()
        .find(|(beginning, _)| name.starts_with(beginning))
        .map_or("t-assigned", |(_, tone)| tone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_colour_unless_one_is_given() {
        for (setting, name, tone) in [
            ("production", "production", "t-bad"),
            (" Staging ", "Staging", "t-warn"),
            ("dev", "dev", "t-good"),
            ("ward 7", "ward 7", "t-assigned"),
            ("production:green", "production", "t-good"),
            ("ward: RED", "ward", "t-bad"),
            ("eu:west", "eu:west", "t-assigned"),
        ] {
            let read = Environment::parse(setting).unwrap();
            assert_eq!((read.name(), read.tone()), (name, tone), "{setting}");
        }
        assert_eq!(Environment::parse("  "), None);
        assert_eq!(Environment::parse(":red"), None);
        let long = Environment::parse(&"x".repeat(500)).unwrap();
        assert_eq!(long.name().chars().count(), NAME_CHARS_MAX + 1);
    }
}
