-- What came of face checks, as counts: no person, no account, no moment finer than a day. And alarms about groups of them.

-- One kind of outcome on one day. `shard` spreads the writers of one kind over several rows, so that verdicts do not wait for one another.
CREATE TABLE face_outcome (
  day            date NOT NULL,
  result         text NOT NULL CHECK (result IN ('passed', 'passed-after-refusal', 'refused', 'not-acquired', 'given-up')),
  reason         text NOT NULL,
  device         text NOT NULL,
  light          text NOT NULL,
  age            text NOT NULL,
  liveness_class text NOT NULL,
  model_set      text NOT NULL,
  shard          smallint NOT NULL,
  checks         int NOT NULL CHECK (checks > 0),
  PRIMARY KEY (day, result, reason, device, light, age, liveness_class, model_set, shard)
);

-- Up to when checks that nobody finished have been counted.
CREATE TABLE face_outcome_mark (
  mark    text PRIMARY KEY,
  counted_until timestamptz NOT NULL
);

-- A group whose rate left its band. At most one open for a rule, a measure and a group.
CREATE TABLE face_outcome_alarm (
  id             uuid PRIMARY KEY,
  rule           text NOT NULL CHECK (rule IN ('drift', 'differential')),
  measure        text NOT NULL CHECK (measure IN ('refusal', 'false-refusal')),
  dimension      text NOT NULL,
  group_name     text NOT NULL,
  direction      text NOT NULL CHECK (direction IN ('above', 'below')),
  expected_count int NOT NULL,
  expected_total int NOT NULL,
  window_count   int NOT NULL,
  window_total   int NOT NULL,
  opened_at      timestamptz NOT NULL,
  closed_at      timestamptz,
  close_reason   text CHECK (close_reason IN ('back-in-band', 'new-baseline')),
  CHECK ((closed_at IS NULL) = (close_reason IS NULL))
);
CREATE UNIQUE INDEX face_outcome_alarm_open ON face_outcome_alarm (rule, measure, dimension, group_name) WHERE closed_at IS NULL;
CREATE INDEX face_outcome_alarm_opened ON face_outcome_alarm (opened_at);

-- Whether a passed check follows refused ones of the same hour, and which ended without a verdict.
CREATE INDEX liveness_session_ended ON liveness_session (account_id, consumed_at) WHERE consumed_at IS NOT NULL;
CREATE INDEX liveness_session_given_up ON liveness_session (consumed_at) WHERE consumed_at IS NOT NULL AND verdict IS NULL;

COMMENT ON TABLE face_outcome IS 'Counts only; shown in groups of ten or more';
COMMENT ON COLUMN face_outcome.day IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.result IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.reason IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.device IS 'sensitive: no (form and family of system, no fingerprint)';
COMMENT ON COLUMN face_outcome.light IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.age IS 'sensitive: no (a band of years)';
COMMENT ON COLUMN face_outcome.liveness_class IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.model_set IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.shard IS 'sensitive: no';
COMMENT ON COLUMN face_outcome.checks IS 'sensitive: no (small counts are merged before they are shown)';
COMMENT ON COLUMN face_outcome_mark.mark IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_mark.counted_until IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.id IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.rule IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.measure IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.dimension IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.group_name IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.direction IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.expected_count IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.expected_total IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.window_count IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.window_total IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.opened_at IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.closed_at IS 'sensitive: no';
COMMENT ON COLUMN face_outcome_alarm.close_reason IS 'sensitive: no';
