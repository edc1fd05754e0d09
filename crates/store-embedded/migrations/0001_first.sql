-- Form 1. Rows hold documents as bytes (see codec.rs); columns beside them are what is searched by.

-- What the whole file stands at: `settled`, the number of the last flush of the commit log that is
-- in these tables; `last_seq`, the number of the last event.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE namespace (
    n    INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- Ids begin with their time, so new rows go to the right edge.
CREATE TABLE task (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    status    INTEGER NOT NULL, -- place in the order of the statuses: 3, 4 and 6 have ended
    payload   INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, id)
) WITHOUT ROWID;

-- What a start reads.
CREATE INDEX task_live ON task (namespace, id) WHERE status IN (0, 1, 2, 5);

-- Apart from the task, so that a change of state does not rewrite them.
CREATE TABLE payload (
    n          INTEGER PRIMARY KEY,
    parameters BLOB,
    result     BLOB
);

-- Sorted lists of ended tasks, of pipelines and of artifacts, newest last. `facets` packs small
-- hashes of what else is filtered by, so that a scan need not read the documents.
CREATE TABLE list (
    n         INTEGER PRIMARY KEY,
    namespace INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    UNIQUE (namespace, name)
);
CREATE TABLE listing (
    list       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    facets     INTEGER NOT NULL,
    PRIMARY KEY (list, created_at, id)
) WITHOUT ROWID;

CREATE TABLE agent (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, id)
) WITHOUT ROWID;

CREATE TABLE pipeline (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    open      INTEGER NOT NULL, -- whether something is still to be done for it
    body      BLOB    NOT NULL,
    UNIQUE (namespace, id)
);
CREATE INDEX pipeline_open ON pipeline (namespace, id) WHERE open = 1;

CREATE TABLE template (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, id, version)
) WITHOUT ROWID;

CREATE TABLE artifact (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    UNIQUE (namespace, id)
);

CREATE TABLE api_key (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, id)
) WITHOUT ROWID;

CREATE TABLE idempotency (
    namespace  INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    PRIMARY KEY (namespace, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_by_end ON idempotency (expires_at);

-- Lines of a task's log, several to a row, by the number of the last.
CREATE TABLE log_block (
    namespace INTEGER NOT NULL,
    task      TEXT    NOT NULL,
    last      INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, task, last)
) WITHOUT ROWID;

-- Events with consecutive numbers, several to a row.
CREATE TABLE event_block (
    first INTEGER PRIMARY KEY,
    last  INTEGER NOT NULL,
    body  BLOB    NOT NULL
);

-- How many tasks stand where.
CREATE TABLE total (
    namespace INTEGER NOT NULL,
    status    INTEGER NOT NULL,
    tasks     INTEGER NOT NULL,
    PRIMARY KEY (namespace, status)
) WITHOUT ROWID;
CREATE TABLE stage_count (
    namespace     INTEGER NOT NULL,
    pipeline      TEXT    NOT NULL,
    stage         INTEGER NOT NULL,
    run           INTEGER NOT NULL,
    pending       INTEGER NOT NULL,
    assigned      INTEGER NOT NULL,
    running       INTEGER NOT NULL,
    completed     INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    retry         INTEGER NOT NULL,
    cancelled     INTEGER NOT NULL,
    milli_percent INTEGER NOT NULL,
    PRIMARY KEY (namespace, pipeline, stage, run)
) WITHOUT ROWID;
