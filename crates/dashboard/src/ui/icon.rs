//! Icons, drawn for a 16 by 16 grid with the text's own colour. They decorate: a word always stands beside or in the label.

use maud::{Markup, PreEscaped};

/// An icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    Overview,
    Agents,
    Tasks,
    Pipelines,
    Events,
    Operations,
    Settings,
    Pending,
    Assigned,
    Running,
    Completed,
    Failed,
    Retry,
    Cancelled,
    Suspect,
    Theme,
    Keyboard,
    Out,
    Clock,
    Copy,
    Eye,
}

impl Icon {
    fn path(self) -> &'static str {
        match self {
            Self::Overview => "M2 2.5h5v6H2zM9 2.5h5v3.5H9zM9 8h5v5.5H9zM2 10.5h5v3H2z",
            Self::Agents => {
                "M4 5.5h8v6H4zM8 5.5V3M6.5 8.2v.8M9.5 8.2v.8M2 8v2M14 8v2M8 3a.6.6 0 1 0 0-1 .6.6 0 0 0 0 1M6 14h4"
            }
            Self::Tasks => {
                "M6.5 4h7.5M6.5 8h7.5M6.5 12h7.5M2 4l1 1 1.7-2M2 8l1 1 1.7-2M2 12l1 1 1.7-2"
            }
            Self::Pipelines => {
                "M3.5 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M12.5 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M3.5 13.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M5 4h2.5a2 2 0 0 1 2 2v0a2 2 0 0 0 1.5 2M5 12h2.5a2 2 0 0 0 2-2v0A2 2 0 0 1 11 8"
            }
            Self::Events => "M2 8h2.5l2-5 3 10 2-5H14",
            Self::Operations => {
                "M3 3h4v4H3zM9 9h4v4H9zM9.5 5H12a1 1 0 0 1 1 1v1M6.5 11H4a1 1 0 0 1-1-1V9"
            }
            Self::Settings => {
                "M2 4.5h6M11 4.5h3M2 11.5h3M8 11.5h6M9.5 6a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3M6.5 13a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3"
            }
            Self::Pending => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M5.5 8h.01M8 8h.01M10.5 8h.01",
            Self::Assigned => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M5.5 8h5M8.5 6l2 2-2 2",
            Self::Running => "M5.5 3.5v9l7-4.5z",
            Self::Completed => "M3 8.5l3.2 3.2L13 4.8",
            Self::Failed => "M4 4l8 8M12 4l-8 8",
            Self::Retry => "M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3",
            Self::Cancelled => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M4 12l8-8",
            Self::Suspect => "M8 2.5l6 11H2zM8 7v3M8 12h.01",
            Self::Theme => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 2v12M10.5 4v8M12.5 6v4",
            Self::Keyboard => {
                "M1.5 4h13v8h-13zM4 6.7h.01M6.7 6.7h.01M9.3 6.7h.01M12 6.7h.01M5 9.5h6"
            }
            Self::Out => "M6.5 3H3v10h3.5M7 8h7M11.5 5.5L14 8l-2.5 2.5",
            Self::Clock => "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M8 4.5V8l2.5 1.5",
            Self::Copy => "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
            Self::Eye => {
                "M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4"
            }
        }
    }

    /// The drawing, hidden from who listens instead of looking.
    pub fn draw(self) -> Markup {
        PreEscaped(format!(
            "<svg class=\"icon\" viewBox=\"0 0 16 16\" aria-hidden=\"true\" focusable=\"false\"><path d=\"{}\"/></svg>",
            self.path()
        ))
    }
}
