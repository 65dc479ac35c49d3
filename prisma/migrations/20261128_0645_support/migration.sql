-- Support for citizens at home: who of the staff looked at whose account, why, and what was done.

-- Looks of one attendant in one span, counted before the answer, found or not.
CREATE TABLE helpdesk_look_count (
  attendant_id uuid NOT NULL REFERENCES account (id),
  span         text NOT NULL CHECK (span IN ('hour', 'day')),
  starts_at    timestamptz NOT NULL,
  looks        int NOT NULL,
  PRIMARY KEY (attendant_id, span, starts_at)
);
CREATE INDEX helpdesk_look_count_starts ON helpdesk_look_count (starts_at);

-- `sealed` is the attendant's own words about the reason.
CREATE TABLE helpdesk_support_case (
  id           uuid PRIMARY KEY,
  unit_id      uuid NOT NULL REFERENCES helpdesk_unit (id),
  attendant_id uuid NOT NULL REFERENCES account (id),
  account_id   uuid NOT NULL REFERENCES account (id),
  reason       text NOT NULL CHECK (reason IN ('call', 'message', 'present', 'report')),
  sealed       bytea NOT NULL,
  opened_at    timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  closed_at    timestamptz,
  CHECK (attendant_id <> account_id)
);
CREATE INDEX helpdesk_support_case_attendant ON helpdesk_support_case (attendant_id, opened_at);
CREATE INDEX helpdesk_support_case_account ON helpdesk_support_case (account_id, opened_at);

CREATE TABLE helpdesk_support_act (
  id         uuid PRIMARY KEY,
  case_id    uuid NOT NULL REFERENCES helpdesk_support_case (id),
  account_id uuid NOT NULL REFERENCES account (id),
  act        text NOT NULL CHECK (act IN ('unlock', 'end-sessions', 'start-recovery')),
  done_at    timestamptz NOT NULL
);
CREATE INDEX helpdesk_support_act_account ON helpdesk_support_act (account_id, act, done_at);
CREATE INDEX helpdesk_support_act_case ON helpdesk_support_act (case_id);

COMMENT ON COLUMN helpdesk_look_count.attendant_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_look_count.span IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_look_count.starts_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_look_count.looks IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.attendant_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.account_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.reason IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.sealed IS 'sensitive: yes';
COMMENT ON COLUMN helpdesk_support_case.opened_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.expires_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_case.closed_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_act.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_act.case_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_act.account_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_act.act IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_support_act.done_at IS 'sensitive: no';
