-- Cases of the counter beyond enrolment: a death that was noted there, and suspicions about images that hang on the wrong person.

-- When two people of the counter noted the death by its certificate; the base register may learn of it later. Empty again when that was wrong.
ALTER TABLE person ADD COLUMN death_noted_at timestamptz;
COMMENT ON COLUMN person.death_noted_at IS 'sensitive: yes';

ALTER TABLE fraud_review DROP CONSTRAINT fraud_review_kind_check;
ALTER TABLE fraud_review ADD CONSTRAINT fraud_review_kind_check CHECK (kind IN ('another-person', 'not-the-person', 'wrong-person'));
