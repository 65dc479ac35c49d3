-- One-time tokens: a link beside the code, a life of its own for the code, and the state of flows with steps (recovery).
ALTER TABLE one_time_token
  ADD COLUMN link_hash       bytea,
  ADD COLUMN code_expires_at timestamptz,
  ADD COLUMN state           text;
CREATE UNIQUE INDEX one_time_token_link ON one_time_token (link_hash) WHERE link_hash IS NOT NULL;
COMMENT ON COLUMN one_time_token.link_hash IS 'sensitive: yes';
COMMENT ON COLUMN one_time_token.code_expires_at IS 'sensitive: no';
COMMENT ON COLUMN one_time_token.state IS 'sensitive: no';

-- New-device notices are counted per hour.
CREATE INDEX device_account_first_seen ON device (account_id, first_seen_at);
CREATE INDEX throttle_expire ON throttle (expire);
