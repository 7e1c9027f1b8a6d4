-- Who asked to be heard, who was let in, and by whom. As in 0002: plain SQLite 3.37, no triggers, no functions of ours.

CREATE TABLE kata_pairings (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  channel INTEGER NOT NULL REFERENCES kata_channels (id),
  sender TEXT NOT NULL,                    -- the platform's id
  name TEXT,                               -- as the platform showed it then
  state TEXT NOT NULL DEFAULT 'asked',     -- asked, paired, expired, revoked
  code TEXT NOT NULL,
  message INTEGER NOT NULL,                -- what it asked by; its row may go before this one does
  asked_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,             -- the first moment at which the code is void
  paired_ms INTEGER, paired_by TEXT,
  over_ms INTEGER, over_by TEXT);          -- revoked, or replaced by a newer code
CREATE UNIQUE INDEX kata_pairings_one ON kata_pairings (channel, sender) WHERE state IN ('asked', 'paired');
CREATE INDEX kata_pairings_asked ON kata_pairings (channel, asked_ms);
CREATE INDEX kata_pairings_code ON kata_pairings (code) WHERE state = 'asked';
CREATE INDEX kata_pairings_expires ON kata_pairings (expires_ms) WHERE state <> 'paired';

-- Codes that were wrong, for as long as they count against the next guess.
CREATE TABLE kata_pairing_misses (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL);
CREATE INDEX kata_pairing_misses_at ON kata_pairing_misses (at_ms);
