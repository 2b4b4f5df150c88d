-- One file a run: run.sqlite. Version 5; `migrations.py` brings older ones up to it.
-- What was not finite is -Inf where more is better, Inf where less is, and null in JSON.
BEGIN;
PRAGMA application_id = 0x45564F4E; -- "EVON"
PRAGMA user_version = 5;

CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE processes (      -- every one that wrote to the run
    number INTEGER PRIMARY KEY,
    started TEXT NOT NULL,    -- UTC
    generation INTEGER NOT NULL, -- the first that it was to make
    told TEXT NOT NULL        -- JSON: versions, command, git commit, device, backend, threads
) STRICT;

CREATE TABLE topologies (
    number INTEGER PRIMARY KEY,
    told TEXT NOT NULL,       -- in words
    shape TEXT,               -- JSON, as in a genome's file, but for the graph; null from version 1
    graph BLOB,               -- the graph there, as JSON that zlib has deflated; null where none is,
                              -- and where version 4 left it within the shape
    hash TEXT UNIQUE          -- BLAKE2b of the whole JSON; null from version 1
) STRICT;

CREATE TABLE births (
    number INTEGER PRIMARY KEY,
    generation INTEGER NOT NULL,
    parents TEXT NOT NULL,    -- JSON list of numbers, the primary parent first
    operators TEXT NOT NULL,  -- JSON list of names, in the order in which they were applied
    genome TEXT NOT NULL,     -- the genome's id
    topology INTEGER NOT NULL REFERENCES topologies,
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
    seconds REAL NOT NULL,    -- since the run began
    survivors TEXT            -- JSON list of the births scored again; null up to version 3
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

CREATE TABLE checkpoints (    -- those that are kept, the newest being the head of the run
    generation INTEGER PRIMARY KEY REFERENCES generations,
    hash TEXT NOT NULL,       -- of the file: BLAKE2b of its header and of the CRC-32 of the rest
    state TEXT                -- of what it holds but for the clocks; null where version 2 wrote it
) STRICT;

CREATE TABLE genomes (        -- those kept beside the champions
    birth INTEGER PRIMARY KEY REFERENCES births,
    reason TEXT NOT NULL CHECK (reason IN ('lineage', 'all', 'snapshot', 'gradient')),
    file BLOB NOT NULL        -- as a genome's file
) STRICT;

CREATE TABLE tunings (        -- births added to a finished run: of no generation's population
    birth INTEGER PRIMARY KEY REFERENCES births,
    steps INTEGER NOT NULL,
    sequences INTEGER NOT NULL,
    seconds REAL NOT NULL,
    settings TEXT NOT NULL,   -- JSON
    curve TEXT NOT NULL       -- JSON
) STRICT;
COMMIT;
