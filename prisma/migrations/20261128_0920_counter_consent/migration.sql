-- What the citizen answered on a second screen, which was tied to their case by a link or a code that works once. Nobody is signed in there.
CREATE TABLE attendance_consent (
  id            uuid PRIMARY KEY,
  attendance_id uuid NOT NULL REFERENCES attendance (id),
  offered_by    uuid NOT NULL REFERENCES account (id),
  offered_at    timestamptz NOT NULL,
  pair_until    timestamptz NOT NULL,
  link_hash     bytea NOT NULL UNIQUE,
  code_hash     bytea NOT NULL UNIQUE,
  paired_at     timestamptz,
  screen_hash   bytea UNIQUE,
  locale        text,
  text_digest   bytea,
  answer        text CHECK (answer IN ('accepted', 'refused')),
  answered_at   timestamptz,
  ended_at      timestamptz,
  CHECK ((paired_at IS NULL) = (screen_hash IS NULL)),
  CHECK ((answer IS NULL) = (answered_at IS NULL)),
  CHECK (answer IS NULL OR (paired_at IS NOT NULL AND locale IS NOT NULL AND text_digest IS NOT NULL))
);
-- One screen of a case at a time.
CREATE UNIQUE INDEX attendance_consent_one ON attendance_consent (attendance_id) WHERE ended_at IS NULL;
CREATE INDEX attendance_consent_answers ON attendance_consent (attendance_id, answered_at) WHERE answer IS NOT NULL;

COMMENT ON COLUMN attendance_consent.id IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.offered_by IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.offered_at IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.pair_until IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.link_hash IS 'sensitive: yes';
COMMENT ON COLUMN attendance_consent.code_hash IS 'sensitive: yes';
COMMENT ON COLUMN attendance_consent.paired_at IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.screen_hash IS 'sensitive: yes';
COMMENT ON COLUMN attendance_consent.locale IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.text_digest IS 'sensitive: no (of the text that was shown, the same for everybody)';
COMMENT ON COLUMN attendance_consent.answer IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.answered_at IS 'sensitive: no';
COMMENT ON COLUMN attendance_consent.ended_at IS 'sensitive: no';
