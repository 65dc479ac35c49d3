-- Whoever judged a person in another case is no stranger to an approval of that person: they neither look at it a second time nor decide about a doubt of it.

-- Whether somebody decided a suspicion of this case, or of its person within the year before it was opened, or doubted another approval of that person since then.
CREATE OR REPLACE FUNCTION attendance_is_judge(attendance uuid, staff uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT 1 FROM attendance c, fraud_review f JOIN attendance other ON other.id = f.attendance_id
    WHERE c.id = attendance AND f.decided_by = staff AND (f.attendance_id = c.id
      OR (f.decided_at > c.opened_at - interval '365 days' AND c.person_id IN (other.person_id, f.other_person_id))))
  OR EXISTS (
    SELECT 1 FROM attendance c JOIN attendance other ON other.person_id = c.person_id AND other.id <> c.id
      JOIN approval_sample s ON s.attendance_id = other.id
    WHERE c.id = attendance AND s.decided_by = staff AND s.state IN ('contradicted', 'restored')
      AND s.decided_at > c.opened_at - interval '365 days')
$$;

-- Whether somebody is no stranger to a case: held, worked on, captured, bound, supported or decided it, judged it or its person, or is its citizen.
CREATE OR REPLACE FUNCTION attendance_is_involved(attendance uuid, staff uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT attendance_is_supporter(attendance, staff) OR attendance_is_judge(attendance, staff)
    OR EXISTS (SELECT 1 FROM attendance c WHERE c.id = attendance AND staff IN (c.holder_id, c.decided_by, c.bound_confirmer))
    OR EXISTS (SELECT 1 FROM attendance c JOIN account a ON a.person_id = c.person_id WHERE c.id = attendance AND a.id = staff)
    OR EXISTS (SELECT 1 FROM attendance_hand h WHERE h.attendance_id = attendance AND h.account_id = staff)
    OR EXISTS (SELECT 1 FROM attendance_item i WHERE i.attendance_id = attendance AND i.captured_by = staff)
$$;
