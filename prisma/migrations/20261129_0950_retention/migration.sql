-- Terms of retention: what may be forgotten can be empty, and a legal hold is asked for in one place.

-- Whether nothing about a person may be forgotten at a moment.
CREATE FUNCTION person_is_held(person uuid, at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM image_hold h WHERE h.person_id = person AND h.released_at IS NULL AND (h.until IS NULL OR h.until > at))
$$;

-- A case whose term is over keeps protocol, unit, reason, states and times: `sealed` is empty, and where nothing was ever accepted of its person, `person_id` too.
ALTER TABLE attendance ALTER COLUMN sealed DROP NOT NULL, ALTER COLUMN person_id DROP NOT NULL;
ALTER TABLE attendance
  ADD CONSTRAINT attendance_forgotten_is_over CHECK (sealed IS NOT NULL OR state IN ('approved', 'refused', 'abandoned', 'expired')),
  ADD CONSTRAINT attendance_of_nobody_is_forgotten CHECK (person_id IS NOT NULL OR (sealed IS NULL AND state <> 'approved'));
CREATE INDEX attendance_person ON attendance (person_id, opened_at);
CREATE INDEX attendance_kept ON attendance ((coalesce(decided_at, changed_at))) WHERE sealed IS NOT NULL AND state IN ('approved', 'refused', 'abandoned', 'expired');

-- The other side of a suspicion that was decided.
ALTER TABLE fraud_review ALTER COLUMN other_person_id DROP NOT NULL, ALTER COLUMN distance DROP NOT NULL;
ALTER TABLE fraud_review ADD CONSTRAINT fraud_review_forgotten_is_over CHECK (other_person_id IS NOT NULL OR state <> 'pending');
CREATE INDEX fraud_review_other ON fraud_review (other_person_id) WHERE other_person_id IS NOT NULL;

-- What paired a second screen; the answer that was given on it stays.
ALTER TABLE attendance_consent ALTER COLUMN link_hash DROP NOT NULL, ALTER COLUMN code_hash DROP NOT NULL, DROP CONSTRAINT attendance_consent_check;
ALTER TABLE attendance_consent ADD CONSTRAINT attendance_consent_paired CHECK (screen_hash IS NULL OR paired_at IS NOT NULL);

-- Who had booked an hour that is long past.
ALTER TABLE helpdesk_appointment ALTER COLUMN account_id DROP NOT NULL;
ALTER TABLE helpdesk_appointment ADD CONSTRAINT helpdesk_appointment_booked_by CHECK (account_id IS NOT NULL OR state <> 'booked');

-- The signed list of a batch names people; its digest and number stay.
ALTER TABLE capture_batch ALTER COLUMN manifest DROP NOT NULL;
