-- An account that closes leaves approved cases too: the CPF's next registration has the same row, and is not the account that the person bound.
-- Whoever proves the face anew is bound anew, and the evidence is dated by the approval as ever.
CREATE OR REPLACE FUNCTION account_leaves_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE attendance SET bound_account = NULL, bound_at = NULL, bound_by = NULL, bound_confirmer = NULL, claimed_account = NULL, claimed_at = NULL
    WHERE claimed_account = NEW.id;
  RETURN NEW;
END $$;
UPDATE attendance c SET bound_account = NULL, bound_at = NULL, bound_by = NULL, bound_confirmer = NULL, claimed_account = NULL, claimed_at = NULL
  FROM account a WHERE a.id = c.claimed_account AND a.status = 'closed';
