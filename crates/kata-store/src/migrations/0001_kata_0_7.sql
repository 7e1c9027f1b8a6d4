-- The tables of the Kata 0.7 daemon, word for word: a file of that daemon has them already, a new file gets them so
-- that that daemon could go on with it.
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT,
  direction TEXT NOT NULL CHECK(direction IN ('inbound', 'outbound')), channel_id TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'pending' CHECK(status IN ('pending', 'processing', 'processed', 'failed')),
  payload TEXT NOT NULL, created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  processed_at TEXT, error TEXT, retry_count INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS idx_messages_pending ON messages (direction, status, created_at) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS idx_messages_channel ON messages (channel_id, direction, created_at);
CREATE TABLE IF NOT EXISTS polling_state (adapter_id TEXT NOT NULL, channel_source_id TEXT NOT NULL, last_timestamp TEXT NOT NULL,
  updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')), PRIMARY KEY (adapter_id, channel_source_id));
CREATE TABLE IF NOT EXISTS scheduled_tasks (id INTEGER PRIMARY KEY AUTOINCREMENT, workspace_id TEXT NOT NULL,
  type TEXT NOT NULL CHECK(type IN ('cron', 'interval', 'one-shot')), schedule TEXT NOT NULL, action TEXT NOT NULL,
  enabled INTEGER NOT NULL DEFAULT 1, last_run_at TEXT, next_run_at TEXT NOT NULL,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')));
CREATE INDEX IF NOT EXISTS idx_scheduled_tasks_enabled ON scheduled_tasks (enabled, next_run_at) WHERE enabled = 1;
