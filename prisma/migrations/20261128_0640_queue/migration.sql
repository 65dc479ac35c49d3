-- The waiting line of each unit, and hours booked from home. Nothing here names a person but an appointment's account.

-- What a unit set for its line: preferential calls in a row before one of the others, booked ones before one without an hour.
CREATE TABLE helpdesk_queue_rule (
  unit_id      uuid PRIMARY KEY REFERENCES helpdesk_unit (id),
  law_run      int NOT NULL CHECK (law_run BETWEEN 1 AND 10),
  booked_run   int NOT NULL CHECK (booked_run BETWEEN 1 AND 10),
  tablet_turn  int NOT NULL DEFAULT 0
);

-- One day of one line: the numbers given, and how many of a group were called in a row while others waited. Its row is the line's lock.
CREATE TABLE helpdesk_queue_day (
  unit_id       uuid NOT NULL REFERENCES helpdesk_unit (id),
  day           date NOT NULL,
  law_called    int NOT NULL DEFAULT 0,
  booked_called int NOT NULL DEFAULT 0,
  last_p        int NOT NULL DEFAULT 0,
  last_h        int NOT NULL DEFAULT 0,
  last_n        int NOT NULL DEFAULT 0,
  PRIMARY KEY (unit_id, day)
);

-- Opening hours by weekday (0 = Sunday), in minutes of Cuiabá's day; a slot takes `capacity` people.
CREATE TABLE helpdesk_opening (
  unit_id      uuid NOT NULL REFERENCES helpdesk_unit (id),
  weekday      int NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  opens        int NOT NULL CHECK (opens >= 0),
  closes       int NOT NULL CHECK (closes <= 1440),
  slot_minutes int NOT NULL CHECK (slot_minutes BETWEEN 5 AND 240),
  capacity     int NOT NULL CHECK (capacity BETWEEN 1 AND 100),
  PRIMARY KEY (unit_id, weekday),
  CHECK (opens < closes)
);

-- Days without appointments: holidays and works.
CREATE TABLE helpdesk_closed_day (
  unit_id uuid NOT NULL REFERENCES helpdesk_unit (id),
  day     date NOT NULL,
  PRIMARY KEY (unit_id, day)
);

-- Places taken of one slot; counted up only while it is below the capacity.
CREATE TABLE helpdesk_slot (
  unit_id   uuid NOT NULL REFERENCES helpdesk_unit (id),
  starts_at timestamptz NOT NULL,
  taken     int NOT NULL CHECK (taken >= 0),
  PRIMARY KEY (unit_id, starts_at)
);

CREATE TABLE helpdesk_appointment (
  id          uuid PRIMARY KEY,
  unit_id     uuid NOT NULL REFERENCES helpdesk_unit (id),
  account_id  uuid NOT NULL REFERENCES account (id),
  kind        text NOT NULL,
  starts_at   timestamptz NOT NULL,
  state       text NOT NULL CHECK (state IN ('booked', 'cancelled', 'arrived', 'missed')),
  created_at  timestamptz NOT NULL,
  reminded_at timestamptz,
  ended_at    timestamptz
);
CREATE UNIQUE INDEX helpdesk_appointment_one ON helpdesk_appointment (account_id) WHERE state = 'booked';
CREATE INDEX helpdesk_appointment_due ON helpdesk_appointment (starts_at) WHERE state = 'booked';
CREATE INDEX helpdesk_appointment_unit ON helpdesk_appointment (unit_id, starts_at);

CREATE TABLE helpdesk_ticket (
  id             uuid PRIMARY KEY,
  unit_id        uuid NOT NULL REFERENCES helpdesk_unit (id),
  day            date NOT NULL,
  letter         text NOT NULL CHECK (letter IN ('P', 'H', 'N')),
  number         int NOT NULL,
  kind           text NOT NULL,
  class          text NOT NULL CHECK (class IN ('eighty', 'priority', 'donor', 'booked', 'ordinary')),
  state          text NOT NULL CHECK (state IN ('waiting', 'called', 'serving', 'finished', 'missed', 'left', 'closed')),
  issued_at      timestamptz NOT NULL,
  due_at         timestamptz NOT NULL,
  called_at      timestamptz,
  first_call_at  timestamptz,
  calls          int NOT NULL DEFAULT 0,
  desk           int CHECK (desk BETWEEN 1 AND 99),
  attendant_id   uuid REFERENCES account (id),
  started_at     timestamptz,
  ended_at       timestamptz,
  appointment_id uuid UNIQUE REFERENCES helpdesk_appointment (id),
  UNIQUE (unit_id, day, letter, number)
);
CREATE INDEX helpdesk_ticket_line ON helpdesk_ticket (unit_id, day, state);
CREATE INDEX helpdesk_ticket_shown ON helpdesk_ticket (unit_id, day, called_at DESC) WHERE called_at IS NOT NULL;
-- One person at a time: for an attendant, and at a desk.
CREATE UNIQUE INDEX helpdesk_ticket_attendant ON helpdesk_ticket (attendant_id) WHERE state IN ('called', 'serving');
CREATE UNIQUE INDEX helpdesk_ticket_desk ON helpdesk_ticket (unit_id, desk) WHERE state IN ('called', 'serving');

COMMENT ON COLUMN helpdesk_queue_rule.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_rule.law_run IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_rule.booked_run IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_rule.tablet_turn IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.day IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.law_called IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.booked_called IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.last_p IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.last_h IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_queue_day.last_n IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_opening.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_opening.weekday IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_opening.opens IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_opening.closes IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_opening.slot_minutes IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_opening.capacity IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_closed_day.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_closed_day.day IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_slot.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_slot.starts_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_slot.taken IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.account_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.kind IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.starts_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.state IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.created_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.reminded_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_appointment.ended_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.day IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.letter IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.number IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.kind IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.class IS 'sensitive: no (which of the law''s reasons is not kept)';
COMMENT ON COLUMN helpdesk_ticket.state IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.issued_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.due_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.called_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.first_call_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.calls IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.desk IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.attendant_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.started_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.ended_at IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_ticket.appointment_id IS 'sensitive: no';
