-- Attendances at the counter: drafts that live here until a second person approves them, and what the image search stops.

-- Which photographs a unit takes, and how strictly it compares.
ALTER TABLE helpdesk_unit
  ADD COLUMN face_profile   text NOT NULL DEFAULT 'capture-point' CHECK (face_profile IN ('capture-point', 'reference')),
  ADD COLUMN match_point    text NOT NULL DEFAULT 'fmr1e-4' CHECK (match_point IN ('fmr1e-4', 'fmr1e-5'));
COMMENT ON COLUMN helpdesk_unit.face_profile IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit.match_point IS 'sensitive: no';

CREATE SEQUENCE attendance_number;

-- `sealed` holds what the base register says of the person and what was typed; `holder_id` alone may change a draft.
CREATE TABLE attendance (
  id           uuid PRIMARY KEY,
  protocol     text NOT NULL UNIQUE,
  unit_id      uuid NOT NULL REFERENCES helpdesk_unit (id),
  person_id    uuid NOT NULL REFERENCES person (id),
  reason       text NOT NULL,
  state        text NOT NULL CHECK (state IN ('open', 'captured', 'awaiting-approval', 'approved', 'refused', 'abandoned', 'expired')),
  holder_id    uuid NOT NULL REFERENCES account (id),
  holder_role  text NOT NULL,
  sealed       bytea NOT NULL,
  checks       jsonb NOT NULL DEFAULT '{}',
  halted_at    timestamptz,
  opened_at    timestamptz NOT NULL,
  changed_at   timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  decided_by   uuid REFERENCES account (id),
  decided_at   timestamptz,
  decision     text,
  CHECK ((state IN ('approved', 'refused')) = (decided_at IS NOT NULL)),
  CHECK (halted_at IS NULL OR state <> 'approved')
);
CREATE INDEX attendance_unit ON attendance (unit_id, changed_at);
CREATE INDEX attendance_expiry ON attendance (expires_at) WHERE state IN ('open', 'captured', 'awaiting-approval');
-- One case of one person at a time, in the whole state: two desks cannot enrol two people as one.
CREATE UNIQUE INDEX attendance_one_open ON attendance (person_id) WHERE state IN ('open', 'captured', 'awaiting-approval');

-- Everybody who has had a hand in a case; whoever is here cannot approve it.
CREATE TABLE attendance_hand (
  attendance_id uuid NOT NULL REFERENCES attendance (id),
  account_id    uuid NOT NULL REFERENCES account (id),
  role          text NOT NULL,
  at            timestamptz NOT NULL,
  PRIMARY KEY (attendance_id, account_id)
);

-- What was captured, sealed, until the case ends: then it is in the image store, or nowhere.
CREATE TABLE attendance_item (
  id            uuid PRIMARY KEY,
  attendance_id uuid NOT NULL REFERENCES attendance (id),
  kind          text NOT NULL CHECK (kind IN ('face', 'document', 'document-front', 'document-back', 'signature', 'fingerprint')),
  slot          text NOT NULL DEFAULT '',
  sealed        bytea,
  content_type  text NOT NULL,
  width         int NOT NULL,
  height        int NOT NULL,
  facts         bytea,
  quality       int,
  captured_by   uuid NOT NULL REFERENCES account (id),
  captured_at   timestamptz NOT NULL,
  removed_at    timestamptz
);
CREATE UNIQUE INDEX attendance_item_one ON attendance_item (attendance_id, kind, slot) WHERE removed_at IS NULL;

-- A face that is near another person's, or far from the person's own: for a reviewer who had no hand in the case.
CREATE TABLE fraud_review (
  id              uuid PRIMARY KEY,
  attendance_id   uuid NOT NULL REFERENCES attendance (id),
  kind            text NOT NULL CHECK (kind IN ('another-person', 'not-the-person')),
  other_person_id uuid NOT NULL REFERENCES person (id),
  other_image_id  uuid NOT NULL,
  distance        double precision NOT NULL,
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'confirmed', 'dismissed')),
  reason          text,
  created_at      timestamptz NOT NULL,
  decided_by      uuid REFERENCES account (id),
  decided_at      timestamptz,
  CHECK ((state = 'pending') = (decided_at IS NULL))
);
CREATE INDEX fraud_review_attendance ON fraud_review (attendance_id);
CREATE INDEX fraud_review_pending ON fraud_review (created_at) WHERE state = 'pending';

-- Four eyes, whatever the program does: nobody who had a hand in a case, and not its citizen, decides it for ouro; hands are never taken off.
CREATE FUNCTION attendance_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IN ('approved', 'refused', 'abandoned', 'expired') AND NEW.state <> OLD.state THEN
    RAISE EXCEPTION 'an attendance that is over stays as it is';
  END IF;
  IF NEW.state = 'approved' AND OLD.state <> 'approved' THEN
    IF NEW.decided_by IS NULL OR OLD.state <> 'awaiting-approval' OR NEW.decided_by = NEW.holder_id
      OR EXISTS (SELECT 1 FROM attendance_hand h WHERE h.attendance_id = NEW.id AND h.account_id = NEW.decided_by)
      OR EXISTS (SELECT 1 FROM attendance_item i WHERE i.attendance_id = NEW.id AND i.captured_by = NEW.decided_by)
      OR EXISTS (SELECT 1 FROM account a WHERE a.id = NEW.decided_by AND a.person_id = NEW.person_id) THEN
      RAISE EXCEPTION 'an attendance is approved by somebody who had no hand in it';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attendance_four_eyes BEFORE UPDATE ON attendance FOR EACH ROW EXECUTE FUNCTION attendance_four_eyes();

CREATE FUNCTION attendance_hand_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a hand in an attendance stays on record';
END $$;
CREATE TRIGGER attendance_hand_stays BEFORE UPDATE OR DELETE ON attendance_hand FOR EACH ROW EXECUTE FUNCTION attendance_hand_stays();

COMMENT ON COLUMN attendance.id IS 'sensitive: no';
COMMENT ON COLUMN attendance.protocol IS 'sensitive: no';
COMMENT ON COLUMN attendance.unit_id IS 'sensitive: no';
COMMENT ON COLUMN attendance.person_id IS 'sensitive: no';
COMMENT ON COLUMN attendance.reason IS 'sensitive: no';
COMMENT ON COLUMN attendance.state IS 'sensitive: no';
COMMENT ON COLUMN attendance.holder_id IS 'sensitive: no';
COMMENT ON COLUMN attendance.holder_role IS 'sensitive: no';
COMMENT ON COLUMN attendance.sealed IS 'sensitive: yes';
COMMENT ON COLUMN attendance.checks IS 'sensitive: no (outcomes, distances and thresholds of the case)';
COMMENT ON COLUMN attendance.halted_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.opened_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.changed_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.expires_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.decided_by IS 'sensitive: no';
COMMENT ON COLUMN attendance.decided_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.decision IS 'sensitive: no';
COMMENT ON COLUMN attendance_hand.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_hand.account_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_hand.role IS 'sensitive: no';
COMMENT ON COLUMN attendance_hand.at IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.id IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.kind IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.slot IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.sealed IS 'sensitive: yes';
COMMENT ON COLUMN attendance_item.content_type IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.width IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.height IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.facts IS 'sensitive: yes';
COMMENT ON COLUMN attendance_item.quality IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.captured_by IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.captured_at IS 'sensitive: no';
COMMENT ON COLUMN attendance_item.removed_at IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.id IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.kind IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.other_person_id IS 'sensitive: yes (that two people look alike)';
COMMENT ON COLUMN fraud_review.other_image_id IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.distance IS 'sensitive: yes';
COMMENT ON COLUMN fraud_review.state IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.reason IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.created_at IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.decided_by IS 'sensitive: no';
COMMENT ON COLUMN fraud_review.decided_at IS 'sensitive: no';
