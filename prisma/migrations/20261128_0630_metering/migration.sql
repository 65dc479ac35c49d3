-- What the image service is paid for: processes counted, plans, statements, and signs of life.

-- What a contract pays from a month on; `plan` is data, so that another price needs no program.
CREATE TABLE metering_plan (
  contract   text NOT NULL,
  from_month text NOT NULL CHECK (from_month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  plan       text NOT NULL,
  set_by     text NOT NULL,
  set_at     timestamptz NOT NULL,
  PRIMARY KEY (contract, from_month)
);

-- One row a captured process, for ever: each has its twin in the hash-chained audit record, event biometrics/process-captured.
CREATE TABLE metering_journal (
  process_id uuid PRIMARY KEY,
  point_id   uuid NOT NULL,
  contract   text NOT NULL,
  month      text NOT NULL CHECK (month ~ '^\d{4}-(0[1-9]|1[0-2])$'),
  offline    boolean NOT NULL,
  counted_at timestamptz NOT NULL
);
CREATE INDEX metering_journal_month ON metering_journal (contract, month);
CREATE TRIGGER metering_journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON metering_journal
  FOR EACH STATEMENT EXECUTE FUNCTION capture_append_only();

-- A month that is closed: the text whose SHA-256 is in the audit record, event biometrics/statement-closed.
CREATE TABLE metering_statement (
  contract  text NOT NULL,
  month     text NOT NULL,
  body      text NOT NULL,
  closed_by text NOT NULL,
  closed_at timestamptz NOT NULL,
  PRIMARY KEY (contract, month)
);
CREATE TRIGGER metering_statement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON metering_statement
  FOR EACH STATEMENT EXECUTE FUNCTION capture_append_only();

-- Five minutes in which a point said that it can, or cannot, capture; what it did not say counts as cannot.
CREATE TABLE metering_heart_beat (
  point_id uuid NOT NULL REFERENCES capture_point (id),
  slot     timestamptz NOT NULL,
  ready    boolean NOT NULL,
  PRIMARY KEY (point_id, slot)
);
CREATE INDEX metering_heart_beat_slot ON metering_heart_beat (slot);

-- Five minutes in which the service tried itself out: it stores and judges, or not.
CREATE TABLE metering_probe (
  slot  timestamptz PRIMARY KEY,
  works boolean NOT NULL
);

COMMENT ON COLUMN metering_plan.contract IS 'sensitive: no';
COMMENT ON COLUMN metering_plan.from_month IS 'sensitive: no';
COMMENT ON COLUMN metering_plan.plan IS 'sensitive: no';
COMMENT ON COLUMN metering_plan.set_by IS 'sensitive: no';
COMMENT ON COLUMN metering_plan.set_at IS 'sensitive: no';
COMMENT ON COLUMN metering_journal.process_id IS 'sensitive: no';
COMMENT ON COLUMN metering_journal.point_id IS 'sensitive: no';
COMMENT ON COLUMN metering_journal.contract IS 'sensitive: no';
COMMENT ON COLUMN metering_journal.month IS 'sensitive: no';
COMMENT ON COLUMN metering_journal.offline IS 'sensitive: no';
COMMENT ON COLUMN metering_journal.counted_at IS 'sensitive: no';
COMMENT ON COLUMN metering_statement.contract IS 'sensitive: no';
COMMENT ON COLUMN metering_statement.month IS 'sensitive: no';
COMMENT ON COLUMN metering_statement.body IS 'sensitive: no';
COMMENT ON COLUMN metering_statement.closed_by IS 'sensitive: no';
COMMENT ON COLUMN metering_statement.closed_at IS 'sensitive: no';
COMMENT ON COLUMN metering_heart_beat.point_id IS 'sensitive: no';
COMMENT ON COLUMN metering_heart_beat.slot IS 'sensitive: no';
COMMENT ON COLUMN metering_heart_beat.ready IS 'sensitive: no';
COMMENT ON COLUMN metering_probe.slot IS 'sensitive: no';
COMMENT ON COLUMN metering_probe.works IS 'sensitive: no';
