-- Captures: what a point's software sends of one person, item by item, now or later in signed batches.

-- What a point captured without a connection, as it signed it; `manifest` is sealed, as it names people.
CREATE TABLE capture_batch (
  id          uuid PRIMARY KEY,
  point_id    uuid NOT NULL REFERENCES capture_point (id),
  sequence    int NOT NULL CHECK (sequence > 0),
  digest      bytea NOT NULL,
  manifest    bytea NOT NULL,
  key_id      text NOT NULL,
  clock       text NOT NULL CHECK (clock IN ('fits', 'late', 'went-back')),
  signed_at   timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  UNIQUE (point_id, sequence)
);

-- `captured_at` is the point's clock, `received_at` ours.
CREATE TABLE capture_process (
  id           uuid PRIMARY KEY,
  point_id     uuid NOT NULL REFERENCES capture_point (id),
  client_id    text NOT NULL,
  person_id    uuid NOT NULL REFERENCES person (id),
  batch_id     uuid REFERENCES capture_batch (id),
  request_key  text NOT NULL,
  request_hash bytea NOT NULL,
  purpose      text NOT NULL,
  legal_basis  text NOT NULL,
  operator     text NOT NULL,
  device       text NOT NULL,
  clock        text NOT NULL CHECK (clock IN ('fits', 'late', 'went-back')),
  state        text NOT NULL CHECK (state IN ('open', 'captured', 'given-up', 'expired')),
  captured_at  timestamptz NOT NULL,
  received_at  timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  finished_at  timestamptz,
  UNIQUE (point_id, request_key)
);
CREATE INDEX capture_process_open ON capture_process (point_id, expires_at) WHERE state = 'open';
CREATE INDEX capture_process_batch ON capture_process (batch_id) WHERE batch_id IS NOT NULL;

CREATE TABLE capture_item (
  id           uuid PRIMARY KEY,
  process_id   uuid NOT NULL REFERENCES capture_process (id),
  position     int NOT NULL,
  kind         text NOT NULL CHECK (kind IN ('face', 'fingerprint', 'photo', 'signature', 'document-front', 'document-back')),
  finger       int CHECK (finger BETWEEN 1 AND 10),
  content_type text NOT NULL,
  size         int NOT NULL CHECK (size > 0),
  sha256       bytea NOT NULL,
  received     int NOT NULL CHECK (received BETWEEN 0 AND size),
  state        text NOT NULL CHECK (state IN ('receiving', 'stored', 'refused')),
  reasons      text[] NOT NULL,
  image_id     uuid REFERENCES stored_image (id),
  UNIQUE (process_id, position)
);

-- The bytes of an item on their way in, sealed; gone when the item is stored, refused or given up.
CREATE TABLE capture_part (
  item_id  uuid NOT NULL REFERENCES capture_item (id),
  starts   int NOT NULL,
  sealed   bytea NOT NULL,
  PRIMARY KEY (item_id, starts)
);
ALTER TABLE capture_part ALTER COLUMN sealed SET STORAGE EXTERNAL;

COMMENT ON COLUMN capture_batch.id IS 'sensitive: no';
COMMENT ON COLUMN capture_batch.point_id IS 'sensitive: no';
COMMENT ON COLUMN capture_batch.sequence IS 'sensitive: no';
COMMENT ON COLUMN capture_batch.digest IS 'sensitive: yes';
COMMENT ON COLUMN capture_batch.manifest IS 'sensitive: yes';
COMMENT ON COLUMN capture_batch.key_id IS 'sensitive: no';
COMMENT ON COLUMN capture_batch.clock IS 'sensitive: no';
COMMENT ON COLUMN capture_batch.signed_at IS 'sensitive: no';
COMMENT ON COLUMN capture_batch.received_at IS 'sensitive: no';
COMMENT ON COLUMN capture_process.id IS 'sensitive: no';
COMMENT ON COLUMN capture_process.point_id IS 'sensitive: no';
COMMENT ON COLUMN capture_process.client_id IS 'sensitive: no';
COMMENT ON COLUMN capture_process.person_id IS 'sensitive: no';
COMMENT ON COLUMN capture_process.batch_id IS 'sensitive: no';
COMMENT ON COLUMN capture_process.request_key IS 'sensitive: no';
COMMENT ON COLUMN capture_process.request_hash IS 'sensitive: yes';
COMMENT ON COLUMN capture_process.purpose IS 'sensitive: no';
COMMENT ON COLUMN capture_process.legal_basis IS 'sensitive: no';
COMMENT ON COLUMN capture_process.operator IS 'sensitive: yes';
COMMENT ON COLUMN capture_process.device IS 'sensitive: no';
COMMENT ON COLUMN capture_process.clock IS 'sensitive: no';
COMMENT ON COLUMN capture_process.state IS 'sensitive: no';
COMMENT ON COLUMN capture_process.captured_at IS 'sensitive: no';
COMMENT ON COLUMN capture_process.received_at IS 'sensitive: no';
COMMENT ON COLUMN capture_process.expires_at IS 'sensitive: no';
COMMENT ON COLUMN capture_process.finished_at IS 'sensitive: no';
COMMENT ON COLUMN capture_item.id IS 'sensitive: no';
COMMENT ON COLUMN capture_item.process_id IS 'sensitive: no';
COMMENT ON COLUMN capture_item.position IS 'sensitive: no';
COMMENT ON COLUMN capture_item.kind IS 'sensitive: no';
COMMENT ON COLUMN capture_item.finger IS 'sensitive: no';
COMMENT ON COLUMN capture_item.content_type IS 'sensitive: no';
COMMENT ON COLUMN capture_item.size IS 'sensitive: no';
COMMENT ON COLUMN capture_item.sha256 IS 'sensitive: yes';
COMMENT ON COLUMN capture_item.received IS 'sensitive: no';
COMMENT ON COLUMN capture_item.state IS 'sensitive: no';
COMMENT ON COLUMN capture_item.reasons IS 'sensitive: no';
COMMENT ON COLUMN capture_item.image_id IS 'sensitive: no';
COMMENT ON COLUMN capture_part.item_id IS 'sensitive: no';
COMMENT ON COLUMN capture_part.starts IS 'sensitive: no';
COMMENT ON COLUMN capture_part.sealed IS 'sensitive: yes';
