-- A grant whose tokens could not be killed is tried again by itself, later each time, and holds up no other.
ALTER TABLE oidc_representation ADD COLUMN kill_attempts int NOT NULL DEFAULT 0, ADD COLUMN kill_after timestamptz;
COMMENT ON COLUMN oidc_representation.kill_attempts IS 'sensitive: no';
COMMENT ON COLUMN oidc_representation.kill_after IS 'sensitive: no';
