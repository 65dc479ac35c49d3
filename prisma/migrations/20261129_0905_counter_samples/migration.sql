-- The rules of a unit by layers, and approvals that a third person looks at after the fact.

-- Approvals in a hundred that are drawn for a second look: what the operator asks of the unit.
ALTER TABLE helpdesk_unit ADD COLUMN sample_share int NOT NULL DEFAULT 0 CHECK (sample_share BETWEEN 0 AND 100);
COMMENT ON COLUMN helpdesk_unit.sample_share IS 'sensitive: no';

-- What managers ask beyond that: of the unit itself and of the unit above. The strictest of all counts, so that no layer loosens another.
CREATE TABLE helpdesk_unit_rule (
  unit_id      uuid NOT NULL REFERENCES helpdesk_unit (id),
  layer        text NOT NULL CHECK (layer IN ('above', 'own')),
  face_profile text NOT NULL CHECK (face_profile IN ('capture-point', 'reference')),
  match_point  text NOT NULL CHECK (match_point IN ('fmr1e-4', 'fmr1e-5')),
  sample_share int NOT NULL CHECK (sample_share BETWEEN 0 AND 100),
  changed_by   uuid NOT NULL REFERENCES account (id),
  changed_at   timestamptz NOT NULL,
  PRIMARY KEY (unit_id, layer)
);
COMMENT ON COLUMN helpdesk_unit_rule.unit_id IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit_rule.layer IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit_rule.face_profile IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit_rule.match_point IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit_rule.sample_share IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit_rule.changed_by IS 'sensitive: no';
COMMENT ON COLUMN helpdesk_unit_rule.changed_at IS 'sensitive: no';

-- A drawn approval. `sealed`: what the approver compared, until nobody needs it. `contradicted` = its evidence is suspended and a review is
-- open or confirmed the doubt; `restored` = that review found nothing.
CREATE TABLE approval_sample (
  attendance_id  uuid PRIMARY KEY REFERENCES attendance (id),
  share          int NOT NULL CHECK (share BETWEEN 1 AND 100),
  drawn_at       timestamptz NOT NULL,
  sealed         bytea,
  state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'matches', 'contradicted', 'restored')),
  reason         text,
  decided_by     uuid REFERENCES account (id),
  decided_at     timestamptz,
  held_images    uuid[] NOT NULL DEFAULT '{}',
  held_evidence  int NOT NULL DEFAULT 0,
  CHECK ((state = 'waiting') = (decided_at IS NULL)),
  CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CHECK ((state IN ('contradicted', 'restored')) = (reason IS NOT NULL))
);
CREATE INDEX approval_sample_waiting ON approval_sample (drawn_at) WHERE state = 'waiting';
COMMENT ON COLUMN approval_sample.attendance_id IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.share IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.drawn_at IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.sealed IS 'sensitive: yes';
COMMENT ON COLUMN approval_sample.state IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.reason IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.decided_by IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.decided_at IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.held_images IS 'sensitive: no';
COMMENT ON COLUMN approval_sample.held_evidence IS 'sensitive: no';

ALTER TABLE fraud_review DROP CONSTRAINT fraud_review_kind_check;
ALTER TABLE fraud_review ADD CONSTRAINT fraud_review_kind_check CHECK (kind IN ('another-person', 'not-the-person', 'wrong-person', 'second-look'));

-- Whether somebody is no stranger to a case: held, worked on, captured, bound, supported, judged or decided it, or is its citizen.
CREATE FUNCTION attendance_is_involved(attendance uuid, staff uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT attendance_is_supporter(attendance, staff)
    OR EXISTS (SELECT 1 FROM attendance c WHERE c.id = attendance AND staff IN (c.holder_id, c.decided_by, c.bound_confirmer))
    OR EXISTS (SELECT 1 FROM attendance c JOIN account a ON a.person_id = c.person_id WHERE c.id = attendance AND a.id = staff)
    OR EXISTS (SELECT 1 FROM attendance_hand h WHERE h.attendance_id = attendance AND h.account_id = staff)
    OR EXISTS (SELECT 1 FROM attendance_item i WHERE i.attendance_id = attendance AND i.captured_by = staff)
    OR EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = attendance AND f.decided_by = staff)
$$;

-- Whatever the program does: a drawn approval is judged once, by a stranger to it, and never leaves the table; a doubt ends only by its review.
CREATE FUNCTION approval_sample_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a drawn approval stays on record';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'waiting' OR NOT EXISTS (SELECT 1 FROM attendance c WHERE c.id = NEW.attendance_id AND c.state = 'approved') THEN
      RAISE EXCEPTION 'what is drawn is an approval that nobody has looked at';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.attendance_id <> OLD.attendance_id OR NEW.share <> OLD.share OR NEW.drawn_at <> OLD.drawn_at THEN
    RAISE EXCEPTION 'a drawn approval stays on record';
  END IF;
  IF OLD.state = 'waiting' AND NEW.state IN ('matches', 'contradicted') THEN
    IF attendance_is_involved(NEW.attendance_id, NEW.decided_by) THEN
      RAISE EXCEPTION 'a drawn approval is judged by somebody who had no hand in it';
    END IF;
  ELSIF OLD.state = 'contradicted' AND NEW.state = 'restored' THEN
    IF NEW.decided_by <> OLD.decided_by OR NEW.reason <> OLD.reason
      OR NOT EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = NEW.attendance_id AND f.kind = 'second-look' AND f.state = 'dismissed') THEN
      RAISE EXCEPTION 'a doubt ends by the review that dismisses it';
    END IF;
  ELSIF NEW.state <> OLD.state OR NEW.decided_by IS DISTINCT FROM OLD.decided_by OR NEW.reason IS DISTINCT FROM OLD.reason THEN
    RAISE EXCEPTION 'a drawn approval is judged once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_sample_eyes BEFORE INSERT OR UPDATE OR DELETE ON approval_sample FOR EACH ROW EXECUTE FUNCTION approval_sample_eyes();

-- The review of such a doubt is a fourth person's: neither whoever doubted nor anybody of the case.
CREATE FUNCTION fraud_review_fourth_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.kind = 'second-look' AND NEW.state <> 'pending' AND OLD.state = 'pending' AND (
    NEW.decided_by IS NULL OR attendance_is_involved(NEW.attendance_id, NEW.decided_by)
    OR EXISTS (SELECT 1 FROM approval_sample s WHERE s.attendance_id = NEW.attendance_id AND s.decided_by = NEW.decided_by)) THEN
    RAISE EXCEPTION 'a doubt about an approval is decided by somebody who had no part in it';
  END IF;
  IF NEW.kind <> OLD.kind OR NEW.attendance_id <> OLD.attendance_id OR (OLD.state <> 'pending' AND NEW.state <> OLD.state) THEN
    RAISE EXCEPTION 'a review that was decided stays as it is';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fraud_review_fourth_eyes BEFORE UPDATE ON fraud_review FOR EACH ROW EXECUTE FUNCTION fraud_review_fourth_eyes();
