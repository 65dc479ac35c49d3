-- Devices for citizens at the counter: where people without a phone show their face and make a way in, apart from every screen of the staff.

-- `pair_hash` is of the code that is typed on the device once; `key_hash` of the secret that the device has kept since.
CREATE TABLE helpdesk_kiosk (
  id            uuid PRIMARY KEY,
  unit_id       uuid NOT NULL REFERENCES helpdesk_unit (id),
  name          text NOT NULL,
  registered_by uuid NOT NULL REFERENCES account (id),
  registered_at timestamptz NOT NULL,
  pair_hash     bytea NOT NULL UNIQUE,
  pair_until    timestamptz NOT NULL,
  key_hash      bytea UNIQUE,
  paired_at     timestamptz,
  tries         int NOT NULL DEFAULT 0,
  tries_since   timestamptz NOT NULL,
  ended_at      timestamptz,
  ended_by      uuid,
  CHECK ((key_hash IS NULL) = (paired_at IS NULL))
);
CREATE INDEX helpdesk_kiosk_unit ON helpdesk_kiosk (unit_id) WHERE ended_at IS NULL;

-- The way in that an approved case offers to its citizen now.
ALTER TABLE attendance ADD COLUMN access_token uuid;

COMMENT ON COLUMN helpdesk_kiosk.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.name IS 'sensitive: yes (whatever the unit typed)';
COMMENT ON COLUMN helpdesk_kiosk.registered_by IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.registered_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.pair_hash IS 'sensitive: yes';
COMMENT ON COLUMN helpdesk_kiosk.pair_until IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.key_hash IS 'sensitive: yes';
COMMENT ON COLUMN helpdesk_kiosk.paired_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.tries IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.tries_since IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.ended_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_kiosk.ended_by IS 'sensitive: no';
COMMENT ON COLUMN attendance.access_token IS 'sensitive: no';
