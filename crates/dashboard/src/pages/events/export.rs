//! What a filter of events shows, as a file: written while it is sent, so that it needs no more memory than a page.

use std::{fmt::Write, io, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{Stream, stream};
use mcpanel_control::Scope;
use mcpanel_domain::event::Numbered;
use mcpanel_guard::Permission;
use mcpanel_store::query::EventFilter;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{backwards::Backwards, filter};
use crate::{
    Dashboard,
    error::{Failure, Result},
    limits::{
        EVENTS_EXPORTED_MAX, EXPORT_MS_MAX, EXPORT_PIECES_TRUSTED, EXPORT_SCANNED_MAX, EXPORTS_MAX,
    },
    session::{self, Viewer},
    ui::list::Query,
};

/// The first line of a table.
const COLUMNS: &str =
    "seq,timestamp,type,task_id,agent_id,pipeline_id,stage,status,progress,subject,message,by\r\n";

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, as the API tells events.
    Lines,
    /// A table for spreadsheets.
    Table,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::Lines, Self::Table];

    /// The word in the address, and the end of the file's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lines => "jsonl",
            Self::Table => "csv",
        }
    }

    /// The word for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lines => "JSON lines",
            Self::Table => "CSV",
        }
    }

    fn media_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Lines => "application/jsonl; charset=utf-8",
            Self::Table => "text/csv; charset=utf-8; header=present",
        })
    }

    fn head(self) -> &'static str {
        match self {
            Self::Lines => "",
            Self::Table => COLUMNS,
        }
    }

    fn write(self, dashboard: &Dashboard, event: &Numbered, text: &mut String) -> io::Result<()> {
        match self {
            Self::Lines => {
                text.push_str(&dashboard.host.event_json(event)?);
                text.push('\n');
            }
            Self::Table => row(event, text),
        }
        Ok(())
    }
}

/// Answers with the file.
pub async fn export(
    State(dashboard): State<Dashboard>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = Query::read(query.as_deref());
    let asked = filter::read(&query);
    if let Some(fault) = asked.faults.into_iter().next() {
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, fault));
    }
    let format = Format::ALL
        .into_iter()
        .find(|format| query.text("format") == Some(format.word()))
        .ok_or_else(|| Failure::bad_request("`format` must be `jsonl` or `csv`"))?;
    let place = dashboard.exports.clone().try_acquire_owned().map_err(|_| {
        let detail = format!("{EXPORTS_MAX} files of events are written already; try again soon");
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    })?;
    let newest = *dashboard.control.events.watch().borrow();
    let before = query
        .text("before")
        .and_then(|text| text.parse::<u64>().ok());
    let top = before.map_or(newest, |before| before.saturating_sub(1).min(newest));
    let span = dashboard.control.events.span(&asked.filter).await?;
    let writing = Writing {
        log: Backwards::from(top, EXPORT_SCANNED_MAX, span),
        left: EVENTS_EXPORTED_MAX,
        head: Some(format.head()),
        session: session::session(&headers).unwrap_or_default(),
        trusted: EXPORT_PIECES_TRUSTED,
        ends_at: Instant::now() + Duration::from_millis(EXPORT_MS_MAX),
        scope: viewer.scope,
        filter: asked.filter,
        format,
        dashboard,
        _place: place,
    };
    let name = format!("attachment; filename=\"events-{top}.{}\"", format.word());
    let name = HeaderValue::try_from(name).map_err(Failure::internal)?;
    Ok((
        [
            (header::CONTENT_TYPE, format.media_type()),
            (header::CONTENT_DISPOSITION, name),
        ],
        Body::from_stream(writing.pieces()),
    )
        .into_response())
}

struct Writing {
    dashboard: Dashboard,
    scope: Scope,
    filter: EventFilter,
    format: Format,
    log: Backwards,
    /// Events that may still be written.
    left: u64,
    head: Option<&'static str>,
    /// Whose file it is: a revoked key or an ended token ends it.
    session: String,
    /// Pieces that are written before who asks is looked at again.
    trusted: u32,
    ends_at: Instant,
    _place: OwnedSemaphorePermit,
}

impl Writing {
    fn pieces(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::try_unfold(self, |mut writing| async move {
            let piece = writing.piece().await?;
            Ok(piece.map(|piece| (piece, writing)))
        })
    }

    /// Whether the file may go on: in time, and for somebody who still is who they were.
    async fn check(&mut self) -> io::Result<()> {
        if Instant::now() >= self.ends_at {
            let late = format!("a file of events is written within {EXPORT_MS_MAX} ms");
            return Err(io::Error::new(io::ErrorKind::TimedOut, late));
        }
        if self.trusted == 0 {
            let person = self.dashboard.host.identify(&self.session).await;
            let may = person.is_ok_and(|person| person.principal.may(Permission::EventRead));
            if !may {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            self.trusted = EXPORT_PIECES_TRUSTED;
        }
        self.trusted -= 1;
        Ok(())
    }

    /// The next piece of the file; none after its end. A store that cannot go on, a lost right and too slow
    /// a reader break the file off, so that nobody takes a part for the whole.
    async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        let mut text = self.head.take().unwrap_or_default().to_owned();
        while text.is_empty() && self.left > 0 {
            self.check().await?;
            let read = self.log.next(&self.dashboard, &self.scope, &self.filter);
            let found = read
                .await
                .map_err(|failure| io::Error::other(failure.detail))?;
            let Some(found) = found else { break };
            for event in found
                .iter()
                .take(usize::try_from(self.left).unwrap_or(usize::MAX))
            {
                self.format.write(&self.dashboard, event, &mut text)?;
                self.left -= 1;
            }
        }
        Ok((!text.is_empty()).then(|| Bytes::from(text)))
    }
}

/// A line of the table.
fn row(numbered: &Numbered, text: &mut String) {
    let event = &numbered.event;
    let id = |id: Option<&str>| cell(id.unwrap_or_default());
    let stage = event
        .stage
        .map_or_else(String::new, |stage| stage.to_string());
    let progress = event
        .progress
        .map_or_else(String::new, |value| value.to_string());
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{},{},{},{},{},{},{stage},{},{progress},{},{},{}\r\n",
        numbered.seq,
        event.at,
        event.kind.as_str(),
        id(event.task_id.as_ref().map(|id| id.as_str())),
        id(event.agent_id.as_ref().map(|id| id.as_str())),
        id(event.pipeline_id.as_ref().map(|id| id.as_str())),
        id(event.status.as_deref()),
        id(event.subject.as_deref()),
        id(event.message.as_deref()),
        id(event.by.as_deref()),
    );
}

/// A cell: quoted where it must be, and never a formula, whatever somebody wrote into a message.
fn cell(value: &str) -> String {
    let guard = if value.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if value.contains(['"', ',', '\n', '\r']) {
        format!("\"{guard}{}\"", value.replace('"', "\"\""))
    } else {
        format!("{guard}{value}")
    }
}

#[cfg(test)]
mod tests {
    use mcpanel_control::Span;

    use super::*;

    #[test]
    fn a_cell_is_one_cell_and_no_formula() {
        for (value, written) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("@x,y", "\"'@x,y\""),
        ] {
            assert_eq!(cell(value), written);
        }
    }

    fn writing(session: &str, trusted: u32, ms: u64) -> Writing {
        let world = crate::tests::world::World::new();
        let exports = world.dashboard.exports.clone();
        Writing {
            log: Backwards::from(1, EXPORT_SCANNED_MAX, Span { after: 0, to: None }),
            left: EVENTS_EXPORTED_MAX,
            head: None,
            session: session.to_owned(),
            trusted,
            ends_at: Instant::now() + Duration::from_millis(ms),
            scope: world.scope.clone(),
            filter: EventFilter::default(),
            format: Format::Lines,
            dashboard: world.dashboard.clone(),
            _place: exports.try_acquire_owned().unwrap(),
        }
    }

    #[tokio::test]
    async fn a_file_breaks_off_when_its_time_is_over_or_its_reader_may_no_more() {
        let admin = crate::tests::world::ADMIN_KEY;
        let whole = writing(admin, 0, EXPORT_MS_MAX).piece().await;
        assert!(whole.unwrap().is_none(), "an empty log is an empty file");
        let late = writing(admin, 1, 0).piece().await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
        let revoked = writing("revoked", 0, EXPORT_MS_MAX).piece().await;
        assert_eq!(revoked.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
