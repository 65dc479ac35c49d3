-- The image store in depth: versions, originals, integrity, retention, legal hold, import.
-- Rows from before keep seal_version 1 (ciphertext bound to image, person and kind) until their person is sealed anew as 2 (every column below).
ALTER TABLE stored_image
  ADD COLUMN slot          text NOT NULL DEFAULT '',
  ADD COLUMN version       int NOT NULL DEFAULT 1,
  ADD COLUMN source_id     text,
  ADD COLUMN device        text,
  ADD COLUMN seal_version  int NOT NULL DEFAULT 1,
  ADD COLUMN tag           bytea,
  ADD COLUMN copy_fault    text,
  ADD COLUMN erased_at     timestamptz,
  ADD COLUMN erased_reason text,
  ALTER COLUMN sealed DROP NOT NULL;
-- Ciphertext does not compress, and the integrity check reads its first bytes only.
ALTER TABLE stored_image ALTER COLUMN sealed SET STORAGE EXTERNAL;
COMMENT ON COLUMN stored_image.slot IS 'sensitive: no';
COMMENT ON COLUMN stored_image.version IS 'sensitive: no';
COMMENT ON COLUMN stored_image.source_id IS 'sensitive: yes';
COMMENT ON COLUMN stored_image.device IS 'sensitive: no';
COMMENT ON COLUMN stored_image.seal_version IS 'sensitive: no';
COMMENT ON COLUMN stored_image.tag IS 'sensitive: no';
COMMENT ON COLUMN stored_image.copy_fault IS 'sensitive: no';
COMMENT ON COLUMN stored_image.erased_at IS 'sensitive: no';
COMMENT ON COLUMN stored_image.erased_reason IS 'sensitive: no';
UPDATE stored_image i SET version = n.version
  FROM (SELECT id, row_number() OVER (PARTITION BY person_id, kind ORDER BY created_at, id) AS version FROM stored_image) n WHERE n.id = i.id;
CREATE INDEX stored_image_of_person ON stored_image (person_id);
CREATE INDEX stored_image_source ON stored_image (kind, source, created_at) WHERE erased_at IS NULL;
CREATE INDEX stored_image_uncopied ON stored_image (id) WHERE sealed IS NULL AND erased_at IS NULL AND copy_fault IS NULL;
CREATE INDEX face_template_image ON face_template (image_id);

-- The file as it came, for evidence; never served to a page.
CREATE TABLE image_original (
  image_id     uuid PRIMARY KEY REFERENCES stored_image (id),
  content_type text NOT NULL,
  size         int NOT NULL,
  sha256       bytea NOT NULL,
  sealed       bytea NOT NULL
);
ALTER TABLE image_original ALTER COLUMN sealed SET STORAGE EXTERNAL;
CREATE INDEX image_original_sha256 ON image_original (sha256);
COMMENT ON COLUMN image_original.image_id IS 'sensitive: no';
COMMENT ON COLUMN image_original.content_type IS 'sensitive: no';
COMMENT ON COLUMN image_original.size IS 'sensitive: no';
COMMENT ON COLUMN image_original.sha256 IS 'sensitive: yes';
COMMENT ON COLUMN image_original.sealed IS 'sensitive: yes';

-- One keyed sum over all of a person's images and templates: a row that was removed, added or put back is found.
CREATE TABLE image_head (
  person_id  uuid PRIMARY KEY REFERENCES person (id),
  generation int NOT NULL,
  tag        bytea NOT NULL
);
COMMENT ON COLUMN image_head.person_id IS 'sensitive: no';
COMMENT ON COLUMN image_head.generation IS 'sensitive: no';
COMMENT ON COLUMN image_head.tag IS 'sensitive: no';

-- How long images are kept; '*' stands for any. The most specific row counts: kind and source, kind, source, neither.
CREATE TABLE image_retention (
  kind       text NOT NULL CHECK (kind IN ('*', 'face', 'document-front', 'document-back', 'signature', 'fingerprint', 'other')),
  source     text NOT NULL,
  counts     text NOT NULL CHECK (counts IN ('stored', 'withdrawn')),
  days       int NOT NULL CHECK (days BETWEEN 1 AND 36500),
  reason     text NOT NULL,
  set_by     text NOT NULL,
  set_at     timestamptz NOT NULL,
  PRIMARY KEY (kind, source, counts)
);
COMMENT ON COLUMN image_retention.kind IS 'sensitive: no';
COMMENT ON COLUMN image_retention.source IS 'sensitive: no';
COMMENT ON COLUMN image_retention.counts IS 'sensitive: no';
COMMENT ON COLUMN image_retention.days IS 'sensitive: no';
COMMENT ON COLUMN image_retention.reason IS 'sensitive: no';
COMMENT ON COLUMN image_retention.set_by IS 'sensitive: no';
COMMENT ON COLUMN image_retention.set_at IS 'sensitive: no';
INSERT INTO image_retention (kind, source, counts, days, reason, set_by, set_at)
  VALUES ('*', '*', 'withdrawn', 1825, 'Prazo geral de prova (Lei 9.873/1999, art. 1º): cinco anos depois de retirada', 'system', now());

-- Legal hold: while one stands, nothing of the person is erased, by request or by retention.
CREATE TABLE image_hold (
  id          uuid PRIMARY KEY,
  person_id   uuid NOT NULL REFERENCES person (id),
  reason      text NOT NULL,
  placed_by   text NOT NULL,
  placed_at   timestamptz NOT NULL,
  until       timestamptz,
  released_at timestamptz,
  released_by text
);
CREATE INDEX image_hold_person ON image_hold (person_id) WHERE released_at IS NULL;
COMMENT ON COLUMN image_hold.id IS 'sensitive: no';
COMMENT ON COLUMN image_hold.person_id IS 'sensitive: no';
COMMENT ON COLUMN image_hold.reason IS 'sensitive: yes';
COMMENT ON COLUMN image_hold.placed_by IS 'sensitive: no';
COMMENT ON COLUMN image_hold.placed_at IS 'sensitive: no';
COMMENT ON COLUMN image_hold.until IS 'sensitive: no';
COMMENT ON COLUMN image_hold.released_at IS 'sensitive: no';
COMMENT ON COLUMN image_hold.released_by IS 'sensitive: no';

-- Import of an existing base: each line's outcome is written in the transaction of its image, so a killed run goes on where it was.
CREATE TABLE image_import (
  id          uuid PRIMARY KEY,
  manifest    bytea NOT NULL UNIQUE,
  lines       int NOT NULL,
  started_by  text NOT NULL,
  started_at  timestamptz NOT NULL,
  finished_at timestamptz
);
COMMENT ON COLUMN image_import.id IS 'sensitive: no';
COMMENT ON COLUMN image_import.manifest IS 'sensitive: no';
COMMENT ON COLUMN image_import.lines IS 'sensitive: no';
COMMENT ON COLUMN image_import.started_by IS 'sensitive: no';
COMMENT ON COLUMN image_import.started_at IS 'sensitive: no';
COMMENT ON COLUMN image_import.finished_at IS 'sensitive: no';
CREATE TABLE image_import_line (
  import_id uuid NOT NULL REFERENCES image_import (id),
  line      int NOT NULL,
  outcome   text NOT NULL CHECK (outcome IN ('stored', 'known', 'refused')),
  reason    text,
  image_id  uuid,
  PRIMARY KEY (import_id, line)
);
COMMENT ON COLUMN image_import_line.import_id IS 'sensitive: no';
COMMENT ON COLUMN image_import_line.line IS 'sensitive: no';
COMMENT ON COLUMN image_import_line.outcome IS 'sensitive: no';
COMMENT ON COLUMN image_import_line.reason IS 'sensitive: no';
COMMENT ON COLUMN image_import_line.image_id IS 'sensitive: no';

-- Templates: what the ciphertext is bound to, and faces that a model could not describe (so that nobody tries for ever).
ALTER TABLE face_template ADD COLUMN seal_version int NOT NULL DEFAULT 1;
COMMENT ON COLUMN face_template.seal_version IS 'sensitive: no';
CREATE TABLE face_template_fault (
  image_id   uuid NOT NULL REFERENCES stored_image (id),
  model_id   text NOT NULL,
  reason     text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (image_id, model_id)
);
COMMENT ON COLUMN face_template_fault.image_id IS 'sensitive: no';
COMMENT ON COLUMN face_template_fault.model_id IS 'sensitive: no';
COMMENT ON COLUMN face_template_fault.reason IS 'sensitive: no';
COMMENT ON COLUMN face_template_fault.created_at IS 'sensitive: no';
-- Whoever's key was destroyed before this has images that nobody can open: they are told apart from images whose key is missing by fault.
UPDATE stored_image i SET erased_at = now(), erased_reason = 'lgpd' FROM person p WHERE p.id = i.person_id AND p.data_key IS NULL;
