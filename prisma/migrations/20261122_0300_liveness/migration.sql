-- The liveness protocol: sessions, what their frames showed, and prints of earlier frames.

-- One face check. `plan` is revealed step by step; `verdict` holds reasons, scores and model, never a picture or a template.
CREATE TABLE liveness_session (
  id               uuid PRIMARY KEY,
  account_id       uuid NOT NULL,
  purpose          text NOT NULL,
  binding_hash     text NOT NULL,
  nonce            bytea NOT NULL,
  state            text NOT NULL CHECK (state IN ('created', 'revealed', 'complete', 'passed', 'refused', 'expired', 'abandoned')),
  plan             jsonb NOT NULL,
  step             int NOT NULL DEFAULT 0,
  revealed_at      timestamptz,
  last_sequence    int NOT NULL DEFAULT 0,
  last_captured_ms int NOT NULL DEFAULT 0,
  frame_count      int NOT NULL DEFAULT 0,
  wrong_turns      int NOT NULL DEFAULT 0,
  extended         boolean NOT NULL DEFAULT false,
  fallback         boolean NOT NULL DEFAULT false,
  created_at       timestamptz NOT NULL,
  expires_at       timestamptz NOT NULL,
  consumed_at      timestamptz,
  verdict          jsonb
);
CREATE INDEX liveness_session_open ON liveness_session (account_id) WHERE consumed_at IS NULL;
CREATE INDEX liveness_session_expires ON liveness_session (expires_at);

-- What the engine saw in a frame, sealed; the picture itself is never stored. Rows go as soon as the session is judged.
CREATE TABLE liveness_frame (
  session_id  uuid NOT NULL REFERENCES liveness_session (id) ON DELETE CASCADE,
  sequence    int NOT NULL,
  step        int NOT NULL,
  captured_ms int NOT NULL,
  arrived_at  timestamptz NOT NULL,
  sealed      bytea NOT NULL,
  PRIMARY KEY (session_id, sequence)
);

-- Prints of judged frames, kept for 90 days to know a replayed session again.
CREATE TABLE liveness_replay (
  session_id      uuid NOT NULL,
  place           int NOT NULL,
  account_id      uuid NOT NULL,
  pixel_digest    text NOT NULL,
  perceptual_hash text NOT NULL,
  sketch          text NOT NULL,
  created_at      timestamptz NOT NULL,
  PRIMARY KEY (session_id, place)
);
CREATE INDEX liveness_replay_account ON liveness_replay (account_id, created_at);
CREATE INDEX liveness_replay_digest ON liveness_replay (pixel_digest);
CREATE INDEX liveness_replay_created ON liveness_replay (created_at);

COMMENT ON COLUMN liveness_session.id IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.account_id IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.purpose IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.binding_hash IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.nonce IS 'sensitive: yes';
COMMENT ON COLUMN liveness_session.state IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.plan IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.step IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.revealed_at IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.last_sequence IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.last_captured_ms IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.frame_count IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.wrong_turns IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.extended IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.fallback IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.created_at IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.expires_at IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.consumed_at IS 'sensitive: no';
COMMENT ON COLUMN liveness_session.verdict IS 'sensitive: no';
COMMENT ON COLUMN liveness_frame.session_id IS 'sensitive: no';
COMMENT ON COLUMN liveness_frame.sequence IS 'sensitive: no';
COMMENT ON COLUMN liveness_frame.step IS 'sensitive: no';
COMMENT ON COLUMN liveness_frame.captured_ms IS 'sensitive: no';
COMMENT ON COLUMN liveness_frame.arrived_at IS 'sensitive: no';
COMMENT ON COLUMN liveness_frame.sealed IS 'sensitive: yes';
COMMENT ON COLUMN liveness_replay.session_id IS 'sensitive: no';
COMMENT ON COLUMN liveness_replay.place IS 'sensitive: no';
COMMENT ON COLUMN liveness_replay.account_id IS 'sensitive: no';
COMMENT ON COLUMN liveness_replay.pixel_digest IS 'sensitive: no';
COMMENT ON COLUMN liveness_replay.perceptual_hash IS 'sensitive: yes';
COMMENT ON COLUMN liveness_replay.sketch IS 'sensitive: yes';
COMMENT ON COLUMN liveness_replay.created_at IS 'sensitive: no';
