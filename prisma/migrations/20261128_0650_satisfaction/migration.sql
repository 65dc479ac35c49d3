-- Satisfaction after an attendance: a link that takes one answer.
CREATE TABLE helpdesk_survey (
  id            uuid PRIMARY KEY,
  unit_id       uuid NOT NULL REFERENCES helpdesk_unit (id),
  ticket_id     uuid UNIQUE REFERENCES helpdesk_ticket (id),
  attendance_id uuid UNIQUE REFERENCES attendance (id),
  secret_hash   bytea NOT NULL UNIQUE,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  used          boolean NOT NULL DEFAULT false,
  CHECK (num_nonnulls(ticket_id, attendance_id) = 1)
);

-- The answers, by unit and day. Nothing leads from an answer to its survey, its ticket or its person. `sealed` is the sentence.
CREATE TABLE helpdesk_survey_answer (
  id      uuid PRIMARY KEY,
  unit_id uuid NOT NULL REFERENCES helpdesk_unit (id),
  day     date NOT NULL,
  score   int NOT NULL CHECK (score BETWEEN 1 AND 5),
  sealed  bytea
);
CREATE INDEX helpdesk_survey_answer_unit ON helpdesk_survey_answer (unit_id, day);

COMMENT ON COLUMN helpdesk_survey.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey.ticket_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey.secret_hash IS 'sensitive: yes';
COMMENT ON COLUMN helpdesk_survey.created_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey.expires_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey.used IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey_answer.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey_answer.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey_answer.day IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey_answer.score IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_survey_answer.sealed IS 'sensitive: yes';
