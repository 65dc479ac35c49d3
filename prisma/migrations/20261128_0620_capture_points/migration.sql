-- Capture points of the image service: where faces, fingers and documents are captured for the state, by whose software, with which key.

CREATE TABLE capture_point (
  id         uuid PRIMARY KEY,
  code       text NOT NULL UNIQUE,
  unit_code  text NOT NULL,
  title      text NOT NULL,
  device     text NOT NULL,
  maintainer text NOT NULL,
  contract   text NOT NULL,
  client_id  text NOT NULL,
  vouched    boolean NOT NULL,
  key_jwk    jsonb,
  key_id     text,
  state      text NOT NULL CHECK (state IN ('active', 'suspended', 'retired')),
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE INDEX capture_point_contract ON capture_point (contract);

-- Every state that a point was in, from when: what a month's franchise and availability are worked out from.
CREATE TABLE capture_point_state (
  point_id uuid NOT NULL REFERENCES capture_point (id),
  seq      int NOT NULL,
  state    text NOT NULL CHECK (state IN ('active', 'suspended', 'retired')),
  at       timestamptz NOT NULL,
  PRIMARY KEY (point_id, seq)
);
CREATE FUNCTION capture_append_only() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE EXCEPTION 'what was measured is append-only' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE TRIGGER capture_point_state_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON capture_point_state
  FOR EACH STATEMENT EXECUTE FUNCTION capture_append_only();

COMMENT ON COLUMN capture_point.id IS 'sensitive: no';
COMMENT ON COLUMN capture_point.code IS 'sensitive: no';
COMMENT ON COLUMN capture_point.unit_code IS 'sensitive: no';
COMMENT ON COLUMN capture_point.title IS 'sensitive: no';
COMMENT ON COLUMN capture_point.device IS 'sensitive: no';
COMMENT ON COLUMN capture_point.maintainer IS 'sensitive: no';
COMMENT ON COLUMN capture_point.contract IS 'sensitive: no';
COMMENT ON COLUMN capture_point.client_id IS 'sensitive: no';
COMMENT ON COLUMN capture_point.vouched IS 'sensitive: no';
COMMENT ON COLUMN capture_point.key_jwk IS 'sensitive: no';
COMMENT ON COLUMN capture_point.key_id IS 'sensitive: no';
COMMENT ON COLUMN capture_point.state IS 'sensitive: no';
COMMENT ON COLUMN capture_point.created_at IS 'sensitive: no';
COMMENT ON COLUMN capture_point.changed_at IS 'sensitive: no';
COMMENT ON COLUMN capture_point_state.point_id IS 'sensitive: no';
COMMENT ON COLUMN capture_point_state.seq IS 'sensitive: no';
COMMENT ON COLUMN capture_point_state.state IS 'sensitive: no';
COMMENT ON COLUMN capture_point_state.at IS 'sensitive: no';
