-- Scheduled tasks and their fires, beside `scheduled_tasks` of 0.7, which stays as it is: a row there without one of
-- ours goes on with defaults. As in 0002: plain SQLite 3.37, no triggers, no functions of ours.

ALTER TABLE messages ADD COLUMN fire INTEGER;                    -- the fire of a task whose turn this is
ALTER TABLE kata_lanes ADD COLUMN keeps INTEGER NOT NULL DEFAULT 0;  -- 1: no conversation; answers stay in their rows
ALTER TABLE kata_lanes ADD COLUMN head_fire INTEGER;             -- `messages.fire` of the head
CREATE INDEX kata_lanes_fires ON kata_lanes (head) WHERE state = 'ready' AND head_fire IS NOT NULL;

-- What 0.7 has no column for. It outlives its task: what a session made counts, and a turn that runs knows its creator.
CREATE TABLE kata_tasks (
  task INTEGER PRIMARY KEY,                -- scheduled_tasks.id, never used again
  zone TEXT,
  settings TEXT,                           -- JSON: the scheduler's
  creator_channel INTEGER,                 -- NULL: the host made it
  creator_session TEXT,
  role TEXT,                               -- NULL: owner
  origin TEXT,                             -- JSON: who and what the creating turn was made from
  created_ms INTEGER,                      -- NULL: 0.7 made it
  failures INTEGER NOT NULL DEFAULT 0,     -- in a row
  failed_ms INTEGER,
  parked_ms INTEGER, parked_why TEXT,
  over_ms INTEGER);                        -- no further runs, or cancelled
CREATE INDEX kata_tasks_creator ON kata_tasks (creator_channel, creator_session, created_ms)
  WHERE creator_session IS NOT NULL;
CREATE INDEX kata_tasks_live ON kata_tasks (creator_channel, creator_session)
  WHERE creator_session IS NOT NULL AND over_ms IS NULL;
CREATE INDEX kata_tasks_over ON kata_tasks (over_ms) WHERE over_ms IS NOT NULL;

-- One run of a task. Its row stands before it acts.
CREATE TABLE kata_fires (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  task INTEGER NOT NULL,
  slot_ms INTEGER NOT NULL,                -- when it was to run
  state TEXT NOT NULL,                     -- running, done, failed, skipped
  slots INTEGER NOT NULL DEFAULT 1,        -- skipped: how many runs from this one on
  claimed_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  error TEXT,
  message INTEGER,                         -- its turn's row; NULL: it has none
  UNIQUE (task, slot_ms));
CREATE UNIQUE INDEX kata_fires_running ON kata_fires (task) WHERE state = 'running';
CREATE INDEX kata_fires_ended ON kata_fires (ended_ms) WHERE ended_ms IS NOT NULL;
