-- When to try a message again, and when it was given up: without them a relay would have to guess from the number of attempts.
ALTER TABLE outbox_message ADD COLUMN next_attempt_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE outbox_message ADD COLUMN failed_at timestamptz;
DROP INDEX outbox_message_pending;
CREATE INDEX outbox_message_due ON outbox_message (next_attempt_at) WHERE sent_at IS NULL AND failed_at IS NULL;
COMMENT ON COLUMN outbox_message.next_attempt_at IS 'sensitive: no';
COMMENT ON COLUMN outbox_message.failed_at IS 'sensitive: no';
