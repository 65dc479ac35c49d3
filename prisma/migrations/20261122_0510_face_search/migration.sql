-- 1:N search of faces: which faces are in it, how far a sweep is, and the pairs that people must judge.
-- The vectors themselves are in one table for each model, made by the program where pgvector is there (biometrics/search): this file must
-- apply without the extension.

-- A model whose templates can be searched; `vector_table` is made by the program.
CREATE TABLE face_search_model (
  model_id     text PRIMARY KEY,
  dimension    int NOT NULL,
  vector_table text NOT NULL UNIQUE,
  rotation     text NOT NULL,
  filled_after uuid,
  filled_at    timestamptz,
  created_at   timestamptz NOT NULL
);

-- One face in the search; its vector goes with it (ON DELETE CASCADE from the model's table).
CREATE TABLE face_search_entry (
  id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  model_id    text NOT NULL REFERENCES face_search_model (model_id),
  person_id   uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  image_id    uuid NOT NULL REFERENCES stored_image (id) ON DELETE CASCADE,
  k           int NOT NULL,
  added_at    timestamptz NOT NULL,
  searched_at timestamptz,
  UNIQUE (model_id, image_id)
);
CREATE INDEX face_search_entry_person ON face_search_entry (person_id);
CREATE INDEX face_search_entry_image ON face_search_entry (image_id);
CREATE INDEX face_search_entry_unsearched ON face_search_entry (model_id, id) WHERE searched_at IS NULL;

-- One pass of everybody against everybody; `after_entry` is where a killed one goes on.
CREATE TABLE face_search_sweep (
  id          uuid PRIMARY KEY,
  model_id    text NOT NULL REFERENCES face_search_model (model_id),
  after_entry bigint NOT NULL DEFAULT 0,
  searched    int NOT NULL DEFAULT 0,
  found       int NOT NULL DEFAULT 0,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz
);
CREATE UNIQUE INDEX face_search_sweep_running ON face_search_sweep (model_id) WHERE finished_at IS NULL;

-- Two people whose faces are nearer than chance explains. Never decides anything by itself.
CREATE TABLE face_candidate (
  id              uuid PRIMARY KEY,
  left_person_id  uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  right_person_id uuid NOT NULL REFERENCES person (id) ON DELETE CASCADE,
  left_image_id   uuid NOT NULL,
  right_image_id  uuid NOT NULL,
  model_id        text NOT NULL,
  distance        double precision NOT NULL,
  threshold       double precision NOT NULL,
  origin          text NOT NULL CHECK (origin IN ('enrolment', 'sweep')),
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'dismissed')),
  reason          text,
  created_at      timestamptz NOT NULL,
  last_seen_at    timestamptz NOT NULL,
  decided_at      timestamptz,
  decided_by      text,
  CHECK (left_person_id < right_person_id),
  CHECK ((state = 'pending') = (decided_at IS NULL)),
  UNIQUE (left_person_id, right_person_id)
);
CREATE INDEX face_candidate_right ON face_candidate (right_person_id);
CREATE INDEX face_candidate_state ON face_candidate (state, distance);

COMMENT ON COLUMN face_search_model.model_id IS 'sensitive: no';
COMMENT ON COLUMN face_search_model.dimension IS 'sensitive: no';
COMMENT ON COLUMN face_search_model.vector_table IS 'sensitive: no';
COMMENT ON COLUMN face_search_model.rotation IS 'sensitive: no (a mark of the secret rotation, not the rotation)';
COMMENT ON COLUMN face_search_model.filled_after IS 'sensitive: no';
COMMENT ON COLUMN face_search_model.filled_at IS 'sensitive: no';
COMMENT ON COLUMN face_search_model.created_at IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.id IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.model_id IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.person_id IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.image_id IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.k IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.added_at IS 'sensitive: no';
COMMENT ON COLUMN face_search_entry.searched_at IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.id IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.model_id IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.after_entry IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.searched IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.found IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.started_at IS 'sensitive: no';
COMMENT ON COLUMN face_search_sweep.finished_at IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.id IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.left_person_id IS 'sensitive: yes (that two people look alike)';
COMMENT ON COLUMN face_candidate.right_person_id IS 'sensitive: yes (that two people look alike)';
COMMENT ON COLUMN face_candidate.left_image_id IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.right_image_id IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.model_id IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.distance IS 'sensitive: yes';
COMMENT ON COLUMN face_candidate.threshold IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.origin IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.state IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.reason IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.created_at IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.last_seen_at IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.decided_at IS 'sensitive: no';
COMMENT ON COLUMN face_candidate.decided_by IS 'sensitive: no';
