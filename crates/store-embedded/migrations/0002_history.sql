-- Form 2: operations on many tasks, and what happened minute by minute.

CREATE TABLE operation (
    namespace INTEGER NOT NULL,
    id        TEXT    NOT NULL,
    open      INTEGER NOT NULL, -- whether it has not ended
    body      BLOB    NOT NULL,
    UNIQUE (namespace, id)
);
CREATE INDEX operation_open ON operation (namespace, id) WHERE open = 1;

-- How a namespace stood after each minute; minutes are milliseconds since the epoch.
CREATE TABLE sample (
    namespace INTEGER NOT NULL,
    minute    INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, minute)
) WITHOUT ROWID;

-- What happened to tasks in the newest minutes, as far as the tables have it.
CREATE TABLE activity (
    namespace INTEGER NOT NULL,
    minute    INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (namespace, minute)
) WITHOUT ROWID;
