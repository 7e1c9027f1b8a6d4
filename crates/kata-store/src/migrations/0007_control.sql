-- A message that is asked again, and an edit that became a turn of its own, have made up ids; what they stand for is kept.

ALTER TABLE messages ADD COLUMN shown_id TEXT;                   -- the platform's id of the message that it stands for; NULL: its own
CREATE INDEX kata_messages_shown ON messages (channel, conversation, shown_id) WHERE shown_id IS NOT NULL;
CREATE INDEX kata_parts_platform ON kata_parts (platform_id) WHERE platform_id IS NOT NULL;
