-- Who of an agency changed a mandate, and on what that rests.
CREATE TABLE mandate_authority_step (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  mandate_id      uuid NOT NULL REFERENCES mandate (id),
  change          text NOT NULL,
  client_id       text NOT NULL,
  official_sealed bytea NOT NULL,
  at              timestamptz NOT NULL
);
CREATE INDEX mandate_authority_step_mandate ON mandate_authority_step (mandate_id, id);

COMMENT ON COLUMN mandate_authority_step.id IS 'sensitive: no';
COMMENT ON COLUMN mandate_authority_step.mandate_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_authority_step.change IS 'sensitive: no';
COMMENT ON COLUMN mandate_authority_step.client_id IS 'sensitive: no';
COMMENT ON COLUMN mandate_authority_step.official_sealed IS 'sensitive: yes';
COMMENT ON COLUMN mandate_authority_step.at IS 'sensitive: no';
