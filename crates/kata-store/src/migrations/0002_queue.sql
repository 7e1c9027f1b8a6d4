-- Ours. Tables carry the prefix kata_, so that no later table of the app can collide with them; columns on `messages`
-- are nullable or defaulted, so that the 0.7 daemon's statements still work. Times of ours are Unix milliseconds.
-- Plain SQLite 3.37: no triggers, no functions of ours.

-- First, while the schema is small: each of these makes SQLite read all of it.
-- lane NULL: written by the 0.7 daemon and not looked at yet. lane 0: it ended there, and is known by its platform id.
ALTER TABLE messages ADD COLUMN lane INTEGER;
ALTER TABLE messages ADD COLUMN channel INTEGER;
ALTER TABLE messages ADD COLUMN conversation TEXT;
ALTER TABLE messages ADD COLUMN thread TEXT;
ALTER TABLE messages ADD COLUMN reply_thread TEXT;
ALTER TABLE messages ADD COLUMN platform_id TEXT;
ALTER TABLE messages ADD COLUMN order_key INTEGER;
ALTER TABLE messages ADD COLUMN session_key TEXT;
ALTER TABLE messages ADD COLUMN sender TEXT;
ALTER TABLE messages ADD COLUMN role TEXT;
ALTER TABLE messages ADD COLUMN prompt TEXT;                       -- NULL: the same as the content
ALTER TABLE messages ADD COLUMN sent_ms INTEGER;
ALTER TABLE messages ADD COLUMN edited INTEGER;                    -- the platform's time of the newest edit taken
ALTER TABLE messages ADD COLUMN gap TEXT;                          -- not ready: stored over a gap in this thread ('': the conversation)
ALTER TABLE messages ADD COLUMN due_ms INTEGER;                    -- no claim before this
ALTER TABLE messages ADD COLUMN claimed_ms INTEGER;                -- the latest claim; NULL: never claimed
ALTER TABLE messages ADD COLUMN lease_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN busy_since_ms INTEGER;
ALTER TABLE messages ADD COLUMN turn INTEGER;                      -- the newest row of the turn it was claimed in
ALTER TABLE messages ADD COLUMN turn_rows TEXT;                    -- on the newest row: all rows of the turn, when more than one
ALTER TABLE messages ADD COLUMN outcome TEXT;                      -- how it ended
ALTER TABLE messages ADD COLUMN answer INTEGER;                    -- inbound: its answer's row
ALTER TABLE messages ADD COLUMN answers INTEGER;                   -- outbound: the row that it answers
ALTER TABLE messages ADD COLUMN has_files INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN secret_until_ms INTEGER;           -- until then the payload holds secrets of the platform
ALTER TABLE messages ADD COLUMN sign TEXT;                         -- a sign of life that stands on the platform

CREATE TABLE kata_channels (
  id INTEGER PRIMARY KEY,
  workspace TEXT NOT NULL,
  slug TEXT NOT NULL,
  first_configured_ms INTEGER,             -- NULL: known from a row of the 0.7 daemon alone
  paused INTEGER NOT NULL DEFAULT 0,
  unended INTEGER NOT NULL DEFAULT 0,      -- inbound rows that wait or run; a bound, recounted when it matters
  UNIQUE (workspace, slug));
CREATE INDEX kata_channels_slug ON kata_channels (slug, id);

-- The order in which a conversation's turns run, and its answers go out. What stands here about the head is derived
-- from `messages`; a claim reads the head row again before it believes it, since the 0.7 daemon may have been at work.
CREATE TABLE kata_lanes (
  id INTEGER PRIMARY KEY,
  channel INTEGER NOT NULL REFERENCES kata_channels (id),
  name TEXT NOT NULL,
  conversation TEXT NOT NULL,
  thread TEXT,
  thread_key TEXT,                         -- decided when first seen, never changed; NULL: not decided yet
  generation INTEGER NOT NULL DEFAULT 0,   -- how often the conversation was reset
  seen_ms INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'idle',      -- idle, ready, delayed, busy
  head INTEGER, head_order INTEGER, due_ms INTEGER,
  turn INTEGER, turn_ms INTEGER,           -- the open claim
  out_state TEXT NOT NULL DEFAULT 'idle',
  out_head INTEGER, out_due_ms INTEGER,
  UNIQUE (channel, name));
CREATE INDEX kata_lanes_ready ON kata_lanes (channel, head_order, head) WHERE state = 'ready';
CREATE INDEX kata_lanes_delayed ON kata_lanes (due_ms) WHERE state = 'delayed';
CREATE INDEX kata_lanes_busy ON kata_lanes (channel) WHERE state = 'busy';
CREATE INDEX kata_lanes_out_ready ON kata_lanes (channel, out_head) WHERE out_state = 'ready';
CREATE INDEX kata_lanes_out_delayed ON kata_lanes (out_due_ms) WHERE out_state = 'delayed';
CREATE INDEX kata_lanes_out_busy ON kata_lanes (channel) WHERE out_state = 'busy';
CREATE INDEX kata_lanes_threads ON kata_lanes (channel, seen_ms) WHERE thread IS NOT NULL;
CREATE INDEX kata_lanes_place ON kata_lanes (channel, conversation);

CREATE TABLE kata_sessions (
  id INTEGER PRIMARY KEY,
  channel INTEGER NOT NULL REFERENCES kata_channels (id),
  key TEXT NOT NULL,
  lane INTEGER NOT NULL REFERENCES kata_lanes (id),
  generation INTEGER NOT NULL,
  started_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  messages INTEGER NOT NULL DEFAULT 0,
  turns INTEGER NOT NULL DEFAULT 0,
  UNIQUE (channel, key));
CREATE INDEX kata_sessions_lane ON kata_sessions (lane, generation);

CREATE TABLE kata_cursors (
  channel INTEGER NOT NULL REFERENCES kata_channels (id),
  conversation TEXT NOT NULL,
  thread TEXT NOT NULL DEFAULT '',         -- '': the conversation itself
  cursor TEXT NOT NULL,
  moved_at TEXT NOT NULL,                  -- in the form of polling_state.updated_at, to be compared with it
  PRIMARY KEY (channel, conversation, thread)) WITHOUT ROWID;

-- One part of an answer: all that the platform is ever asked to take.
CREATE TABLE kata_parts (
  id INTEGER PRIMARY KEY,
  answer INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  of INTEGER NOT NULL,
  text TEXT NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',   -- waiting, sending, unknown, reading, sent, parked
  attempts INTEGER NOT NULL DEFAULT 0,
  first_attempt_ms INTEGER,
  attempt_ms INTEGER,                      -- the attempt mark: written before the platform is called
  due_ms INTEGER,
  platform_id TEXT,
  sent_ms INTEGER,
  error TEXT,
  legacy INTEGER NOT NULL DEFAULT 0,
  UNIQUE (answer, n));
CREATE INDEX kata_parts_open ON kata_parts (id) WHERE state IN ('sending', 'reading');

-- What is left of a message after its row was deleted: enough to know it when it is seen again.
CREATE TABLE kata_tombstones (
  id INTEGER PRIMARY KEY,
  channel INTEGER NOT NULL,
  conversation TEXT NOT NULL,
  platform_id TEXT NOT NULL,
  gone_ms INTEGER NOT NULL,
  UNIQUE (channel, conversation, platform_id));
CREATE INDEX kata_tombstones_gone ON kata_tombstones (gone_ms);

CREATE TABLE kata_notices (
  channel INTEGER NOT NULL,
  conversation TEXT NOT NULL,
  said_ms INTEGER NOT NULL,
  unsaid INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (channel, conversation)) WITHOUT ROWID;

CREATE TABLE kata_state (
  plugin TEXT NOT NULL, workspace TEXT NOT NULL, key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (plugin, workspace, key)) WITHOUT ROWID;

-- What happened to a row beside the plain way that its own columns tell: failures, waits, a user's hand.
CREATE TABLE kata_trail (
  message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  step TEXT NOT NULL,
  detail TEXT,
  PRIMARY KEY (message, n)) WITHOUT ROWID;

CREATE UNIQUE INDEX kata_messages_once ON messages (channel, conversation, platform_id) WHERE platform_id IS NOT NULL;
CREATE INDEX kata_messages_waiting ON messages (lane, order_key, id)
  WHERE direction = 'inbound' AND status = 'pending' AND gap IS NULL;
CREATE INDEX kata_messages_out ON messages (lane, id) WHERE direction = 'outbound' AND status = 'pending';
CREATE INDEX kata_messages_gap ON messages (channel, conversation, gap) WHERE gap IS NOT NULL;
CREATE INDEX kata_messages_open ON messages (id) WHERE direction = 'inbound' AND status = 'processing';
CREATE INDEX kata_messages_parked ON messages (channel, lane) WHERE status = 'failed';
CREATE INDEX kata_messages_foreign ON messages (direction, id)
  WHERE lane IS NULL AND status IN ('pending', 'processing');
CREATE INDEX kata_messages_past ON messages (channel_id, created_at)
  WHERE direction = 'inbound' AND lane IS NULL AND status IN ('processed', 'failed');
CREATE INDEX kata_messages_secret ON messages (secret_until_ms) WHERE secret_until_ms IS NOT NULL;
CREATE INDEX kata_messages_sign ON messages (id) WHERE sign IS NOT NULL;
