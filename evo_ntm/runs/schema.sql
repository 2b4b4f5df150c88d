-- One file a run: run.sqlite. Version 1.
-- What was not finite is -Inf where more is better, Inf where less is, and null in JSON.
PRAGMA application_id = 0x45564F4E; -- "EVON"
PRAGMA user_version = 1;

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE births (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    parents TEXT NOT NULL,    -- JSON list of numbers, the primary parent first
    operators TEXT NOT NULL,  -- JSON list of names, in the order in which they were applied
    genome TEXT NOT NULL,     -- the genome's id
    topology TEXT NOT NULL,
    fitness REAL NOT NULL,    -- at birth, on that generation's episodes
    measures TEXT NOT NULL    -- JSON, at birth
) STRICT;

CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    rows INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    scored INTEGER NOT NULL,
    timesteps INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    species INTEGER NOT NULL,
    statistics TEXT NOT NULL, -- JSON: quantiles of the fitness, and the strategy's own figures
    seconds REAL NOT NULL     -- since the run began
) STRICT;

CREATE TABLE validations (
    generation INTEGER PRIMARY KEY,
    birth INTEGER NOT NULL REFERENCES births,
    wrong_bits REAL NOT NULL,
    bits REAL NOT NULL,
    champion INTEGER NOT NULL -- 1 where it became the champion
) STRICT;

CREATE TABLE sittings (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    birth INTEGER NOT NULL REFERENCES births,
    solved INTEGER NOT NULL,
    rows TEXT NOT NULL        -- JSON: the rows of the exam
) STRICT;

CREATE TABLE events (
    generation INTEGER NOT NULL,
    kind TEXT NOT NULL,
    told TEXT NOT NULL
) STRICT;
