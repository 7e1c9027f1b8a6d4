-- What the gate keeps: questions about tool calls, what was granted, and who decided what. As in 0002: plain SQLite
-- 3.37, no triggers, no functions of ours, and nothing that the 0.7 daemon would see.

ALTER TABLE kata_parts ADD COLUMN choices TEXT;  -- a JSON array: what the reader may choose from; NULL: nothing

-- A question about one tool call. Its id is never used again (AUTOINCREMENT): a host may answer late.
CREATE TABLE kata_approvals (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  code TEXT NOT NULL,                      -- what it is answered by in its conversation
  state TEXT NOT NULL DEFAULT 'open',      -- open, allowed_once, allowed_1h, denied, expired, withdrawn
  workspace TEXT NOT NULL,
  channel INTEGER NOT NULL REFERENCES kata_channels (id),
  conversation TEXT NOT NULL,
  thread TEXT,
  session_key TEXT NOT NULL,
  message INTEGER NOT NULL,                -- the turn that asked; its row may go before this one does
  tool TEXT NOT NULL,
  digest TEXT NOT NULL,                    -- of the tool and its arguments
  input TEXT NOT NULL,                     -- JSON: the arguments as they may be shown
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  requester TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,             -- the first moment at which an answer comes too late
  card INTEGER,                            -- the outbound row that asks
  closed_ms INTEGER,
  decision TEXT, answered_by TEXT, via TEXT, answer_reason TEXT,
  grant_id INTEGER);
CREATE INDEX kata_approvals_open ON kata_approvals (expires_ms) WHERE state = 'open';
CREATE INDEX kata_approvals_closed ON kata_approvals (closed_ms) WHERE closed_ms IS NOT NULL;
CREATE INDEX kata_approvals_code ON kata_approvals (channel, code);
CREATE INDEX kata_approvals_call ON kata_approvals (digest, channel, conversation);
CREATE INDEX kata_approvals_message ON kata_approvals (message);

-- What lets a call through that would be asked about (source approval: one call, D28), and how often a rule of the
-- permissions file was used (source file: rules with an end or a number of uses).
CREATE TABLE kata_grants (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  source TEXT NOT NULL,                    -- approval, file
  workspace TEXT NOT NULL,
  channel INTEGER REFERENCES kata_channels (id),
  conversation TEXT,
  session_key TEXT,                        -- NULL: any of the conversation
  tool TEXT NOT NULL,                      -- file: the rule's patterns
  digest TEXT,
  rule TEXT NOT NULL,
  fingerprint TEXT,                        -- file: of the whole rule
  uses INTEGER,                            -- NULL: any number
  used INTEGER NOT NULL DEFAULT 0,
  until_ms INTEGER,                        -- the first moment at which it lets nothing through
  minted_ms INTEGER NOT NULL,
  minted_by TEXT NOT NULL,
  approval INTEGER,
  over_ms INTEGER,                         -- from here retention counts; file: NULL while the rule stands
  revoked_ms INTEGER, revoked_by TEXT);
CREATE INDEX kata_grants_call ON kata_grants (digest, channel, conversation) WHERE source = 'approval';
CREATE UNIQUE INDEX kata_grants_rule ON kata_grants (workspace, rule) WHERE source = 'file' AND over_ms IS NULL;
CREATE INDEX kata_grants_file ON kata_grants (workspace, rule, fingerprint) WHERE source = 'file';
CREATE INDEX kata_grants_over ON kata_grants (over_ms) WHERE over_ms IS NOT NULL;

-- Who decided what, chained: `hash` is over `prev` and all columns before it, `prev` is the hash of the row before.
-- What retention took off the front ends at the row named in kata_meta under `audit_anchor`.
CREATE TABLE kata_audit (
  v INTEGER NOT NULL,                      -- how the hash is made
  id INTEGER PRIMARY KEY,                  -- without gaps
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  workspace TEXT, slug TEXT, conversation TEXT, session_key TEXT,
  message INTEGER,
  tool TEXT, digest TEXT,
  decision TEXT, rule TEXT, reason TEXT,
  role TEXT,
  by_whom TEXT,
  grant_id INTEGER, approval_id INTEGER,
  origin TEXT,                             -- JSON: who and what the turn was made from
  taint TEXT,                              -- kept for what will be known of the origin's trust; NULL for now
  prev TEXT NOT NULL,
  hash TEXT NOT NULL);
