-- Whoever judged a suspicion about a person, in whichever case and on whichever side, approves nothing of theirs for a year.

-- Whether somebody decided a suspicion of this case, or of its person within the year before it was opened.
CREATE FUNCTION attendance_is_judge(attendance uuid, staff uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM attendance c, fraud_review f JOIN attendance other ON other.id = f.attendance_id
    WHERE c.id = attendance AND f.decided_by = staff AND (f.attendance_id = c.id
      OR (f.decided_at > c.opened_at - interval '365 days' AND c.person_id IN (other.person_id, f.other_person_id))))
$$;
CREATE INDEX fraud_review_judge ON fraud_review (decided_by, decided_at) WHERE decided_by IS NOT NULL;

CREATE OR REPLACE FUNCTION attendance_second_eyes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'approved' AND OLD.state <> 'approved' AND (
    attendance_is_judge(NEW.id, NEW.decided_by) OR attendance_is_supporter(NEW.id, NEW.decided_by)) THEN
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
