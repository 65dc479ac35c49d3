-- Who opened the binding's link has only claimed the case (`claimed_account`): bound it is once that device showed the captured face, or a
-- second person of the staff read its number. `link` = bound before that was asked.
ALTER TABLE attendance
  ADD COLUMN claimed_account   uuid REFERENCES account (id),
  ADD COLUMN claimed_at        timestamptz,
  ADD COLUMN confirm_token     uuid,
  ADD COLUMN bound_by          text CHECK (bound_by IN ('link', 'face', 'staff')),
  ADD COLUMN bound_confirmer   uuid REFERENCES account (id),
  ADD COLUMN binding_strangers int NOT NULL DEFAULT 0;
CREATE INDEX attendance_claimed ON attendance (claimed_account) WHERE claimed_account IS NOT NULL;
-- What a link alone bound and nobody has approved is asked for anew.
UPDATE attendance SET bound_account = NULL, bound_at = NULL, binding_token = NULL
  WHERE bound_account IS NOT NULL AND state IN ('open', 'captured', 'awaiting-approval');
UPDATE attendance SET bound_by = 'link', claimed_account = bound_account, claimed_at = bound_at WHERE bound_account IS NOT NULL;
ALTER TABLE attendance
  ADD CONSTRAINT attendance_bound_by CHECK ((bound_account IS NULL) = (bound_by IS NULL)),
  ADD CONSTRAINT attendance_bound_confirmer CHECK ((bound_by IS NOT DISTINCT FROM 'staff') = (bound_confirmer IS NOT NULL));
COMMENT ON COLUMN attendance.claimed_account IS 'sensitive: no';
COMMENT ON COLUMN attendance.claimed_at IS 'sensitive: no';
COMMENT ON COLUMN attendance.confirm_token IS 'sensitive: no';
COMMENT ON COLUMN attendance.bound_by IS 'sensitive: no';
COMMENT ON COLUMN attendance.bound_confirmer IS 'sensitive: no';
COMMENT ON COLUMN attendance.binding_strangers IS 'sensitive: no';

-- Whoever looked into the citizen's account for support lately is as little a stranger to the case as whoever captured it.
CREATE FUNCTION attendance_is_supporter(attendance uuid, staff uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM attendance c JOIN account a ON a.person_id = c.person_id JOIN helpdesk_support_case s ON s.account_id = a.id
    WHERE c.id = attendance AND s.attendant_id = staff AND s.opened_at > c.opened_at - interval '30 days')
$$;

-- Beside `attendance_four_eyes`: one person does not clear a case of its suspicion and approve it, nor bind it alone.
CREATE FUNCTION attendance_second_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'approved' AND OLD.state <> 'approved' AND (
    EXISTS (SELECT 1 FROM fraud_review f WHERE f.attendance_id = NEW.id AND f.decided_by = NEW.decided_by)
    OR attendance_is_supporter(NEW.id, NEW.decided_by)) THEN
    RAISE EXCEPTION 'an attendance is approved by somebody who had no hand in it';
  END IF;
  IF NEW.bound_account IS NOT NULL AND NEW.bound_account IS DISTINCT FROM OLD.bound_account THEN
    IF NEW.bound_account IS DISTINCT FROM NEW.claimed_account OR NEW.bound_by = 'link'
      OR NOT EXISTS (SELECT 1 FROM account a WHERE a.id = NEW.bound_account AND a.person_id = NEW.person_id) THEN
      RAISE EXCEPTION 'an attendance is bound to the account that claimed it, and that proved it';
    END IF;
    IF NEW.bound_by = 'staff' AND (NEW.bound_confirmer = NEW.holder_id OR NEW.bound_confirmer = NEW.bound_account
      OR EXISTS (SELECT 1 FROM attendance_hand h WHERE h.attendance_id = NEW.id AND h.account_id = NEW.bound_confirmer)) THEN
      RAISE EXCEPTION 'a binding is confirmed by somebody who had no hand in the attendance';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attendance_second_eyes BEFORE UPDATE ON attendance FOR EACH ROW EXECUTE FUNCTION attendance_second_eyes();

CREATE FUNCTION fraud_review_four_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.decided_by IS NOT NULL AND OLD.decided_by IS NULL AND (
    EXISTS (SELECT 1 FROM attendance_hand h WHERE h.attendance_id = NEW.attendance_id AND h.account_id = NEW.decided_by)
    OR EXISTS (SELECT 1 FROM attendance c JOIN account a ON a.person_id = c.person_id WHERE c.id = NEW.attendance_id AND a.id = NEW.decided_by)
    OR attendance_is_supporter(NEW.attendance_id, NEW.decided_by)) THEN
    RAISE EXCEPTION 'a suspicion is decided by somebody who had no hand in the attendance';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fraud_review_four_eyes BEFORE UPDATE ON fraud_review FOR EACH ROW EXECUTE FUNCTION fraud_review_four_eyes();

-- A binding was proved with the face that the draft held: another face in the draft, and it must be proved anew.
CREATE FUNCTION attendance_face_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE attendance SET bound_account = NULL, bound_at = NULL, bound_by = NULL, bound_confirmer = NULL
    WHERE id = NEW.attendance_id AND bound_account IS NOT NULL AND state IN ('open', 'captured', 'awaiting-approval');
  RETURN NEW;
END $$;
CREATE TRIGGER attendance_face_added AFTER INSERT ON attendance_item FOR EACH ROW
  WHEN (NEW.kind = 'face') EXECUTE FUNCTION attendance_face_changed();
CREATE TRIGGER attendance_face_removed AFTER UPDATE OF removed_at ON attendance_item FOR EACH ROW
  WHEN (NEW.kind = 'face' AND OLD.removed_at IS DISTINCT FROM NEW.removed_at) EXECUTE FUNCTION attendance_face_changed();

-- An account that closes takes its claims with it: whoever registers the CPF next has the same row and proves everything again.
CREATE FUNCTION account_leaves_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE attendance SET bound_account = NULL, bound_at = NULL, bound_by = NULL, bound_confirmer = NULL, claimed_account = NULL, claimed_at = NULL
    WHERE claimed_account = NEW.id AND (bound_account IS NULL OR state IN ('open', 'captured', 'awaiting-approval'));
  RETURN NEW;
END $$;
CREATE TRIGGER account_leaves_counter AFTER UPDATE OF status ON account FOR EACH ROW
  WHEN (NEW.status = 'closed' AND OLD.status <> 'closed') EXECUTE FUNCTION account_leaves_counter();
