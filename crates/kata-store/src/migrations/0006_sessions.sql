-- What is remembered of a session. Ours, beside 0.7's tables.
ALTER TABLE kata_sessions ADD COLUMN title TEXT;                   -- what people call it; never part of its key
ALTER TABLE kata_sessions ADD COLUMN tokens INTEGER NOT NULL DEFAULT 0;   -- of what its agent is shown
ALTER TABLE kata_sessions ADD COLUMN input_tokens INTEGER;         -- what its agent reported; NULL: nothing
ALTER TABLE kata_sessions ADD COLUMN output_tokens INTEGER;
ALTER TABLE kata_sessions ADD COLUMN sum_input INTEGER;            -- the latest report of an agent that reports sums
ALTER TABLE kata_sessions ADD COLUMN sum_output INTEGER;
ALTER TABLE kata_sessions ADD COLUMN compactions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE kata_sessions ADD COLUMN ended_why TEXT;               -- reset, retention, stateless
ALTER TABLE kata_sessions ADD COLUMN alone INTEGER NOT NULL DEFAULT 0;    -- one message's, and over with its answer
ALTER TABLE kata_sessions ADD COLUMN cleared INTEGER NOT NULL DEFAULT 0;  -- its retention is over: nothing of it is left

CREATE INDEX kata_sessions_living ON kata_sessions (last_ms) WHERE ended_ms IS NULL;
CREATE INDEX kata_sessions_over ON kata_sessions (ended_ms) WHERE ended_ms IS NOT NULL AND cleared = 0;

-- Threads whose lane is wider than they are: they are read again like those that are lanes.
CREATE TABLE kata_threads (
  channel INTEGER NOT NULL,
  conversation TEXT NOT NULL,
  thread TEXT NOT NULL,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (channel, conversation, thread)) WITHOUT ROWID;
CREATE INDEX kata_threads_seen ON kata_threads (seen_ms);

-- What was said in a session whose agent does not remember it by itself. What was folded into a summary stays, archived by
-- that summary; there is one summary at most that is not, and it stands before all else.
CREATE TABLE kata_transcript (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  session INTEGER NOT NULL REFERENCES kata_sessions (id),
  speaker TEXT NOT NULL,                   -- people, agent, summary
  name TEXT,
  text TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  tokens INTEGER,                          -- as the agent reported them
  archived INTEGER,                        -- the summary that it was folded into; 0: its session was over
  archived_ms INTEGER);
CREATE INDEX kata_transcript_shown ON kata_transcript (session, id) WHERE archived IS NULL;
CREATE INDEX kata_transcript_session ON kata_transcript (session);
CREATE INDEX kata_transcript_archived ON kata_transcript (archived_ms) WHERE archived IS NOT NULL;
